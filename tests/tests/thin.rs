//! The whole way of a joule.

#[eco2ai::track]
fn work() -> u32 {
    42
}

#[test]
fn a_tracked_function_leaves_a_row() {
    assert_eq!(work(), 42);
}
