//! A closure is refused.

fn main() {
    let _ = #[eco2ai::track]
    || 1;
}
