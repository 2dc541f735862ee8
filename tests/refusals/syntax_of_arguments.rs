//! A missing `=`, comma, name or value; parentheses where none belong.

#[eco2ai::track(project "a")]
fn no_equals() {}

#[eco2ai::track(project = "a" pue = 1.2)]
fn no_comma() {}

#[eco2ai::track("a")]
fn no_name() {}

#[eco2ai::track(project = )]
fn no_value() {}

#[eco2ai::track(project)]
fn name_alone() {}

#[eco2ai::track(project("a"))]
fn parentheses() {}

#[eco2ai::track(project == "a")]
fn two_equals() {}

#[eco2ai::track(err = true)]
fn value_of_err() -> Result<(), ()> {
    Ok(())
}

fn main() {
    no_equals();
    no_comma();
    no_name();
    no_value();
    name_alone();
    parentheses();
    two_equals();
    let _ = value_of_err();
}
