//! The attribute on functions of all shapes, in the edition of this package. The functions write to
//! `emission.csv` in the current directory, which the tests of this process share.

mod arguments;
mod drops;
mod parents;
mod shapes_2021;
mod shapes_async;
mod shapes_attributes;
mod shapes_lints;
mod shapes_plain;
