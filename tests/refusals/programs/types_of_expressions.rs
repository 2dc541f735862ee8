//! Expressions are checked by rustc where they stand.

#[eco2ai::track(pue = String::new())]
fn text_for_a_number() {}

#[eco2ai::track(project = 1 + 1)]
fn number_for_text() {}

#[eco2ai::track(project = missing)]
fn missing_name() {}

fn main() {
    text_for_a_number();
    number_for_text();
    missing_name();
}
