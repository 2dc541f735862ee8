//! `eco2ai params`: the saved parameters.

use crate::home::{Home, SUCCEED, code, err, is_there};

#[test]
fn a_set_parameter_is_returned_and_used_until_it_is_unset() {
    let home = Home::new();
    home.text(&["params", "set", "project=A = B", "pue=1.25", "country=US", "region=California"]);
    assert_eq!(home.text(&["params", "get", "project"]), "A = B\n");
    assert_eq!(home.text(&["params", "get", "pue"]), "1.25\n");
    home.output(&[&["run", "--quiet"], SUCCEED].concat());
    assert_eq!(home.column("project_name"), ["A = B"]);
    assert_eq!(home.column("region/country"), ["US/California"]);
    let table = home.text(&["params"]);
    let line = table.lines().find(|line| line.starts_with("pue ")).unwrap();
    assert_eq!(line.split_whitespace().collect::<Vec<_>>(), ["pue", "1.25", "saved"]);
    assert_eq!(table, home.text(&["params", "get"]));

    home.text(&["params", "unset", "project", "country"]);
    assert_eq!(home.text(&["params", "get", "project"]), "default project name\n");
    let output = home.output(&["params", "get", "region"]);
    assert_eq!(code(&output), 1, "it went with its country");
    assert!(err(&output).contains("region: no value"), "{}", err(&output));
    assert_eq!(home.text(&["params", "get", "pue"]), "1.25\n", "it is left");
}

#[test]
fn the_path_is_where_they_are_saved() {
    let home = Home::new();
    let path = home.text(&["params", "path"]);
    assert_eq!(path.trim_end(), home.path("params.toml").to_str().unwrap());
    home.text(&["params", "set", "pue=2"]);
    assert_eq!(home.read("params.toml"), "pue = 2.0\n");
}

#[test]
fn wrong_values_are_reported_and_not_saved() {
    let home = Home::new();
    for (value, message) in [
        ("pue=0.5", "1 or more"),
        ("pue", "NAME=VALUE"),
        ("projct=x", "did you mean `project`"),
        ("country=Narnia", "ISO 3166"),
    ] {
        let output = home.output(&["params", "set", "description=D", value]);
        assert_eq!(code(&output), 2, "{value}");
        assert!(err(&output).contains(message), "{}", err(&output));
    }
    assert_eq!(code(&home.output(&["params", "unset", "colour"])), 2);
    assert!(!is_there(&home.path("params.toml")));
}

#[test]
fn a_value_that_does_not_count_is_saved_with_a_warning() {
    let home = Home::new();
    let mut command = home.eco2ai(&["params", "set", "project=saved"]);
    let output = command.env("ECO2AI_PROJECT", "environment").output().unwrap();
    assert_eq!(code(&output), 0);
    assert!(err(&output).contains("ECO2AI_PROJECT overrides it"), "{}", err(&output));
    assert_eq!(home.text(&["params", "get", "project"]), "saved\n");
}

#[test]
fn json_lists_each_parameter_with_its_value_and_origin() {
    let home = Home::new();
    home.text(&["params", "set", "pue=1.25"]);
    let list = home.json(&["params", "--json"]);
    let find = |name| list.as_array().unwrap().iter().find(|one| one["name"] == name).unwrap();
    assert_eq!((&find("pue")["value"], &find("pue")["origin"]), (&"1.25".into(), &"saved".into()));
    assert!(find("region")["value"].is_null());
    assert_eq!(list.as_array().unwrap().len(), home.text(&["params"]).lines().count());
}
