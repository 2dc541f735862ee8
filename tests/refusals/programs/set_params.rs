//! `set_params!` has the same messages.

fn main() {
    let _: eco2ai::Result<()> = eco2ai::set_params!(project_name = "a", pue = 0.5);
    eco2ai::set_params!(project = "a", project = "b").unwrap();
}
