//! `err` needs a value to look at.

#[eco2ai::track(err)]
fn returns_nothing() {}

fn main() {
    returns_nothing();
}
