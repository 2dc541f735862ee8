//! Literals of the wrong type, out of range, empty, or naming nothing.

#[eco2ai::track(project = 1)]
fn project_of_wrong_type() {}

#[eco2ai::track(project = "")]
fn empty_project() {}

#[eco2ai::track(file = " ")]
fn empty_file() {}

#[eco2ai::track(measure_period = -1)]
fn negative_period() {}

#[eco2ai::track(pue = 0.9)]
fn pue_under_one() {}

#[eco2ai::track(pue = "1.2")]
fn pue_in_quotes() {}

#[eco2ai::track(country = "Atlantis")]
fn no_such_country() {}

#[eco2ai::track(rows = "all")]
fn no_such_choice() {}

#[eco2ai::track(electricity_pricing = [("8:30-19:00", 5.2), ("20:00-8:30", 3)])]
fn gap_in_the_day() {}

#[eco2ai::track(parent = "id")]
fn text_as_parent() {}

fn main() {
    project_of_wrong_type();
    empty_project();
    empty_file();
    negative_period();
    pue_under_one();
    pue_in_quotes();
    no_such_country();
    no_such_choice();
    gap_in_the_day();
    text_as_parent();
}
