//! Runnable examples of eco2ai: see `src/bin`.
