//! The attribute on functions of all shapes that compile in this edition. Their files are formatted as
//! those of a later one.

#[rustfmt::skip]
#[path = "../../tests/shapes/drops.rs"]
mod drops;
#[rustfmt::skip]
#[path = "../../tests/shapes/parents.rs"]
mod parents;
#[rustfmt::skip]
#[path = "../../tests/shapes/shapes_async.rs"]
mod shapes_async;
#[rustfmt::skip]
#[path = "../../tests/shapes/shapes_attributes.rs"]
mod shapes_attributes;

#[path = "../../tests/shapes/shapes_lints.rs"]
mod shapes_lints;
#[rustfmt::skip]
#[path = "../../tests/shapes/shapes_plain.rs"]
mod shapes_plain;
