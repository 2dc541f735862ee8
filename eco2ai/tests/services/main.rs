//! What services use: exporters of metrics, and the layers of `tower` and `tracing`, each with the real
//! crate on its other side.

mod exporters;
