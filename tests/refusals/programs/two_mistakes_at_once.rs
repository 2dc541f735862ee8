//! Two mistakes in one attribute are both told, also where one is the function's.

#[eco2ai::track(pue = 0.5, country = "Atlantis")]
fn both_reported() {}

#[eco2ai::track(pue = 0.5)]
const fn argument_and_function() {}

fn main() {
    both_reported();
    argument_and_function();
}
