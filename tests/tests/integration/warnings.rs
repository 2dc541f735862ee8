//! `ignore_warnings = true` silences all warnings of the runs that have it.

use eco2ai_tests::program::{assert_success, program, run};

/// The lines of standard error.
fn warnings(how: &str) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("not_a_log.csv"), "name,age\nx,1\n").expect("a file");
    let mut program = program(env!("CARGO_BIN_EXE_warns"), folder.path());
    let output = run(program.arg(how).env("ECO2AI_CONFIG", folder.path()));
    assert_success(&output);
    String::from_utf8_lossy(&output.stderr).lines().map(str::to_owned).collect()
}

#[test]
fn each_warning_is_silenced_where_that_is_wanted() {
    let loud = warnings("loud");
    for wanted in ["not_a_log.csv", "becomes_foreign.csv", "Narnia", "saved parameters"] {
        assert!(loud.iter().any(|line| line.contains(wanted)), "no {wanted}: {loud:#?}");
    }
    assert_eq!(warnings("quiet"), Vec::<String>::new());
}
