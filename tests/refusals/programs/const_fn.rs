//! A `const fn` stays one, and is refused on its `const`.

#[eco2ai::track]
pub const fn constant() -> usize {
    3
}

fn main() {
    let _ = [0; constant()];
}
