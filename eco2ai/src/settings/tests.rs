use std::cell::Cell;
use std::ffi::OsString;
use std::fs::{self, File};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::environment::Environment;
use super::params::Params;
use super::resolve::Settings;
use super::sources::{Files, Sources};
use super::{CpuProcesses, EncodeFile, Origin, ParametersInForce, Rows, saved};
use crate::carbon::{Pricing, Tariff, WORLD_AVERAGE};
use crate::file_lock::lock_within;
use crate::units::GramsPerKwh;

fn params(texts: &[(&str, &str)]) -> Params {
    let mut params = Params::default();
    for (name, text) in texts {
        params.set_text(name, text).unwrap();
    }
    params
}

fn variables(texts: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
    texts.iter().map(|(name, text)| ((*name).into(), (*text).into())).collect()
}

fn sources(environment: &[(&str, &str)], saved: &[(&str, &str)]) -> Sources {
    let environment = Environment::new(variables(environment).into_iter());
    assert!(environment.invalid.is_empty(), "{environment:?}");
    Sources::new(environment.params, Files { saved: params(saved), ..Files::default() })
}

#[test]
fn arguments_precede_the_environment_saved_parameters_and_defaults() {
    let sources = sources(
        &[("ECO2AI_PROJECT", "variable"), ("ECO2AI_PUE", "1.2")],
        &[("project", "saved"), ("pue", "1.3"), ("measure_period", "0.5")],
    );
    let given = params(&[("project", "argument")]);
    let settings = sources.settings_with(&given).unwrap();
    assert_eq!(settings.project, "argument");
    assert_eq!(settings.pue, 1.2);
    assert_eq!(settings.measure_period, Duration::from_millis(500));
    assert_eq!(settings.description, "default experiment description");
    let list = ParametersInForce::new(&given, &sources, &settings);
    let origin = |name| list.get(name).unwrap().origin.clone();
    assert_eq!(origin("project"), Origin::Argument);
    assert_eq!(origin("pue"), Origin::Environment);
    assert_eq!(origin("measure_period"), Origin::Saved);
    assert_eq!(origin("description"), Origin::Default);
}

#[test]
fn every_parameter_reaches_the_settings_from_an_argument_and_from_a_source() {
    let texts = [
        ("project", "MNIST"),
        ("description", "two layers"),
        ("file", "here.csv"),
        ("measure_period", "0.25"),
        ("country", "US"),
        ("region", "California"),
        ("emission_level", "17"),
        ("pue", "1.5"),
        ("electricity_pricing", "2.5"),
        ("cpu_processes", "all"),
        ("rows", "total"),
        ("encode_file", "yes"),
        ("ignore_warnings", "on"),
    ];
    let by_argument = Arc::new(sources(&[], &[]).settings_with(&params(&texts)).unwrap());
    let by_source = Arc::clone(&sources(&[], &texts).settings);
    for settings in [by_argument, by_source] {
        assert_eq!(settings.project, "MNIST");
        assert_eq!(settings.description, "two layers");
        assert_eq!(settings.file, PathBuf::from("here.csv"));
        assert_eq!(settings.measure_period, Duration::from_millis(250));
        assert_eq!(settings.place.label, "US/California");
        assert_eq!(settings.place.emission_level, GramsPerKwh(17.0));
        assert_eq!(settings.pue, 1.5);
        assert_eq!(settings.tariff.as_deref(), Some(&Tariff::new(&Pricing::Flat(2.5)).unwrap()));
        assert_eq!(settings.cpu_processes, CpuProcesses::All);
        assert_eq!(settings.rows, Rows::Total);
        assert_eq!(settings.encode_file, EncodeFile::Yes);
        assert!(settings.ignore_warnings);
    }
}

#[test]
fn a_wrong_argument_is_an_error_and_a_wrong_variable_is_reported_and_passed_over() {
    let wrong = Params { pue: Some(0.5), ..Params::default() };
    assert!(sources(&[], &[]).settings_with(&wrong).is_err());
    let sources = Sources::load(
        variables(&[
            ("ECO2AI_PUE", "0.5"),
            ("ECO2AI_COUNTRY", "Narnia"),
            ("ECO2AI_PROJCT", "slip"),
            ("ECO2AI_PROJECT_NAME", "as in Python"),
            ("ECO2AI_PERIOD", "5"),
            ("ECO2AI_POWER", "5"),
            ("ECO2AI_DISABLED", "1"),
            ("ECO2AI_PARENT", "1:2:3"),
            ("ECO2AI_FILE", ""),
            ("ECO2AI_DISABLE", "0"),
            ("ECO2AI_CONFIG", "/nowhere"),
            ("ECO2AI_PROJECT", "kept"),
        ])
        .into_iter(),
        None,
    );
    assert_eq!(sources.settings.pue, 1.0);
    assert_eq!(sources.settings.project, "kept");
    assert_eq!(sources.settings.file, PathBuf::from("emission.csv"));
    let invalid: Vec<_> =
        sources.invalid.iter().map(|one| (one.parameter, one.to_string())).collect();
    assert_eq!(invalid.len(), 2, "{invalid:?}");
    for (found, (parameter, message)) in invalid.iter().zip([
        ("pue", "ECO2AI_PUE: pue = \"0.5\""),
        ("country", "ECO2AI_COUNTRY: country = \"Narnia\""),
    ]) {
        assert_eq!(found.0, Some(parameter));
        assert!(found.1.starts_with(message), "{found:?}");
    }
    assert_eq!(
        sources.unknown,
        [
            "ECO2AI_PROJCT: did you mean ECO2AI_PROJECT?",
            "ECO2AI_PROJECT_NAME: did you mean ECO2AI_PROJECT?",
            "ECO2AI_PERIOD: did you mean ECO2AI_MEASURE_PERIOD?",
            "ECO2AI_POWER has no effect: no parameter has this name; `eco2ai params` lists the parameters",
            "ECO2AI_DISABLED: did you mean ECO2AI_DISABLE?",
        ]
    );
}

#[test]
fn a_region_that_does_not_fit_the_country_of_another_source_is_reported_and_passed_over() {
    let sources = sources(&[("ECO2AI_REGION", "Bavaria")], &[("country", "US")]);
    assert_eq!(sources.settings.place.label, "US");
    assert!(sources.invalid[0].to_string().starts_with("ECO2AI_REGION: region = \"Bavaria\""));
    let argument = params(&[("region", "Bavaria")]);
    assert!(sources.settings_with(&argument).is_err(), "an argument is an error");
}

#[test]
fn a_cloud_region_gives_the_pue_unless_one_is_given_anywhere() {
    let cloud = params(&[("cloud", "gcp:europe-west1")]);
    let settings = sources(&[], &[]).settings_with(&cloud).unwrap();
    assert_eq!(settings.pue, 1.09);
    let settings = sources(&[], &[("pue", "1.4")]).settings_with(&cloud).unwrap();
    assert_eq!(settings.pue, 1.4);
    // A country that is given here takes the saved cloud region away, and its PUE with it.
    let saved = sources(&[], &[("cloud", "gcp:europe-west1")]);
    assert_eq!(saved.settings.pue, 1.09);
    assert_eq!(saved.settings_with(&params(&[("country", "FR")])).unwrap().pue, 1.0);
}

#[test]
fn derived_values_name_their_source() {
    let sources = sources(&[("ECO2AI_CLOUD", "aws:us-east-1")], &[]);
    let list = ParametersInForce::new(&Params::default(), &sources, &sources.settings);
    let get = |name| {
        let one = list.get(name).unwrap();
        (one.value.clone().unwrap_or_default(), one.origin.to_string())
    };
    let by_cloud = "cloud aws:us-east-1".to_owned();
    assert_eq!(get("country"), ("US".into(), by_cloud.clone()));
    assert_eq!(get("region"), ("Virginia".into(), by_cloud.clone()));
    assert_eq!(get("pue"), ("1.135".into(), by_cloud));
    assert_eq!(get("emission_level"), ("244.758".into(), "US EPA eGRID 2023".into()));
    let lines = list.to_string();
    assert_eq!(lines.lines().count(), Params::names().len());
    assert!(lines.contains("cloud                aws:us-east-1"), "{lines}");
}

#[test]
fn the_world_serves_where_a_country_has_no_figure() {
    let settings = sources(&[], &[]).settings_with(&params(&[("country", "MC")])).unwrap();
    assert_eq!(settings.place.emission_level, WORLD_AVERAGE);
    assert!(settings.place.source.contains("no figure for MC"));
}

#[test]
fn settings_without_arguments_are_made_once_and_shared() {
    let first = Settings::shared(&Params::default()).unwrap();
    assert!(Arc::ptr_eq(&first, &Settings::shared(&Params::default()).unwrap()));
}

#[test]
fn a_value_that_another_process_has_saved_meanwhile_needs_no_lock_and_another_one_does() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("params.toml");
    let file = File::create(folder.path().join("params.toml.lock")).unwrap();
    let _other_process = lock_within(&file, Duration::ZERO).unwrap();
    let is_saved = Cell::new(false);
    let updated = saved::update(&path, Duration::ZERO, |params| {
        if !is_saved.replace(true) {
            fs::write(&path, "project = 'MNIST'\n").unwrap();
        }
        params.project = Some("MNIST".to_owned());
    });
    assert_eq!(updated.unwrap(), params(&[("project", "MNIST")]));

    let refused = saved::update(&path, Duration::ZERO, |params| {
        params.project = Some("CIFAR".to_owned());
    });
    assert!(refused.unwrap_err().to_string().contains("locked"));
    assert_eq!(fs::read_to_string(&path).unwrap(), "project = 'MNIST'\n");
}
