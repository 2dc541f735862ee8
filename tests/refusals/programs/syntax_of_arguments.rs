//! A missing `=`, comma, name or (half of a) value; parentheses where none belong.

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

#[eco2ai::track(pue = 1 +)]
fn half_an_expression() {}

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
    half_an_expression();
    let _ = value_of_err();
}
