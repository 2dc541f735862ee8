//! An unknown argument: the nearest is suggested, Eco2AI's names are translated, the rest listed.

#[eco2ai::track(projct = "a")]
fn slip() {}

#[eco2ai::track(alpha_2_code = "FR", file_name = "x.csv")]
fn from_python() {}

#[eco2ai::track(zzz)]
fn nothing_near() {}

fn main() {
    slip();
    from_python();
    nothing_near();
    let _ = eco2ai::set_params!(parent = 1);
}
