//! Values of arguments: of all types that a parameter accepts, computed from the function's own
//! arguments, and wrong ones.

use std::time::Duration;

use eco2ai::{CpuProcesses, Error, Rows, set_params, track};
use eco2ai_tests::rows::{assert_one, in_file, in_own_folder, statuses};

#[tokio::test]
async fn values_may_use_the_function_s_arguments() {
    #[track(project = format!("{name} {}", pair.0), pue = pue)]
    fn plain(name: &str, pair: (u8, u8), pue: f32) -> usize {
        name.len() + usize::from(pair.1) + usize::from(pue > 1.0)
    }
    #[track(project = format!("{a} {b}"), file = "other.csv")]
    async fn destructured((a, b): (u8, u8)) -> u8 {
        a + b
    }
    #[track(err, project = format!("{a} {b}"))]
    fn fallible([a, b]: [u8; 2]) -> Result<u8, String> {
        Ok(a + b)
    }
    in_own_folder();
    assert_eq!(plain("n", (3, 4), 1.5), 6);
    assert_eq!(in_file("emission.csv", "plain")[0]["project_name"], "n 3");
    assert_eq!(destructured((1, 2)).await, 3);
    assert_eq!(in_file("other.csv", "destructured")[0]["project_name"], "1 2");
    assert_eq!(fallible([3, 4]), Ok(7));
    assert_eq!(in_file("emission.csv", "fallible")[0]["project_name"], "3 4");
}

#[test]
fn each_parameter_accepts_what_its_documentation_lists() {
    #[track(measure_period = 2, pue = 1, emission_level = 400, electricity_pricing = 3)]
    fn integers() {}
    #[track(measure_period = Duration::from_millis(500), pue = 1_u64, encode_file = true)]
    fn other_types() {}
    #[track(cpu_processes = CpuProcesses::All, rows = Rows::Each, ignore_warnings = 1 > 2)]
    fn enums() {}
    #[track(
        cpu_processes = String::from("current"),
        rows = "each",
        electricity_pricing = [("8:30-19:00", 5.2), ("19:00-8:30", 3.0)],
        encode_file = false,
    )]
    fn texts() {}
    #[track(electricity_pricing = vec![(String::from("0:00-24:00"), 1)], country = "FR")]
    fn pairs() {}
    in_own_folder();
    integers();
    other_types();
    enums();
    texts();
    pairs();
    for name in ["integers", "other_types", "enums", "texts", "pairs"] {
        assert_one(name);
    }
}

#[test]
fn a_wrong_value_found_at_run_time_does_not_touch_the_function() {
    #[track(rows = "none".to_string())]
    fn wrong() -> u8 {
        7
    }
    in_own_folder();
    assert_eq!(wrong(), 7);
    assert!(statuses("wrong").is_empty());
}

#[test]
fn a_panic_in_an_argument_is_the_function_s() {
    fn project() -> String {
        panic!("on purpose")
    }
    #[track(project = project())]
    fn panics() {}
    in_own_folder();
    assert!(std::panic::catch_unwind(panics).is_err());
    assert!(statuses("panics").is_empty(), "it did not start");
}

#[test]
fn set_params_is_a_result_that_names_what_is_wrong() {
    let wrong = set_params!(rows = "none".to_string());
    assert!(matches!(wrong, Err(Error::Parameter { parameter: "rows", .. })), "{wrong:?}");
}
