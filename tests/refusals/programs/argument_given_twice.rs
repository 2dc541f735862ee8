//! An argument given twice, also in its raw form.

#[eco2ai::track(project = "a", project = "b")]
fn twice() {}

#[eco2ai::track(pue = 1, r#pue = 2)]
fn twice_raw() {}

fn main() {
    twice();
    twice_raw();
}
