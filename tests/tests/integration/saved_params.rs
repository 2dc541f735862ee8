//! The file of saved parameters, seen from several processes.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use eco2ai_tests::program::assert_success;

/// The program with a task and what belongs to it.
fn command(task: &str, config: &Path) -> Command {
    command_of(Path::new(env!("CARGO_BIN_EXE_saved_params")), task, config)
}

fn command_of(program: &Path, task: &str, config: &Path) -> Command {
    // The folder of the file need not be there.
    let mut command = eco2ai_tests::program::program(program, &std::env::temp_dir());
    command.env("ECO2AI_CONFIG", config).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.args(task.splitn(2, ' '));
    command
}

fn start(task: &str, config: &Path) -> Child {
    command(task, config).spawn().unwrap()
}

fn finish(child: Child) -> (String, String) {
    let output = eco2ai_tests::program::finish(child);
    assert_success(&output);
    let Output { stdout, stderr, .. } = output;
    (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

fn run(task: &str, config: &Path) -> (String, String) {
    finish(start(task, config))
}

/// The value of `key` as the file has it, without its quotes.
fn value<'a>(file: &'a str, key: &str) -> Option<&'a str> {
    let value = file.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = "))?;
    Some(value.trim_matches('"'))
}

#[test]
fn two_processes_saving_1000_times_each_never_tear_the_file_nor_lose_a_parameter() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("new folder/params.toml");
    let mut writers = ["write A", "write B"].map(|task| start(task, &config));
    let mut seen = 0;
    while writers.iter_mut().any(|writer| writer.try_wait().unwrap().is_none()) {
        let Ok(file) = fs::read_to_string(&config) else { continue };
        let project = value(&file, "project").unwrap_or_else(|| panic!("torn: {file:?}"));
        assert_eq!(value(&file, "description"), Some(project.repeat(300).as_str()), "{project}");
        seen += 1;
    }
    for writer in writers {
        finish(writer);
    }
    assert!(seen > 100, "the file was read {seen} times only");
    let file = fs::read_to_string(&config).unwrap();
    let last = value(&file, "project").unwrap();
    assert!(last == "A1000" || last == "B1000", "{last} is nobody's last write");
    assert_eq!(value(&file, "pue"), Some("1000.0"));
    assert_eq!(value(&file, "emission_level"), Some("1000.0"));
    let left: Vec<_> = fs::read_dir(config.parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains(".tmp"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn saved_parameters_apply_to_other_and_later_processes() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("params.toml");
    let (out, _) = run("save project=MNIST;pue=1.2;ignore_warnings=yes", &config);
    let (before, after) = out.split_once("saved").unwrap();
    assert!(!before.contains("MNIST") && after.contains("MNIST"), "{out}");
    let (out, err) = run("show", &config);
    let line = out.lines().find(|line| line.starts_with("project")).unwrap();
    assert!(line.contains("MNIST") && line.ends_with("saved"), "{line}");
    assert!(err.is_empty(), "{err}");
    // A second save adds to the first and keeps it.
    run("save electricity_pricing=8:00-20:00=2,20:00-8:00=1", &config);
    let file = fs::read_to_string(&config).unwrap();
    assert_eq!(
        file,
        "electricity_pricing = \"8:00-20:00=2, 20:00-8:00=1\"\nignore_warnings = true\n\
         project = \"MNIST\"\npue = 1.2\n"
    );
}

#[test]
fn reading_writes_nothing_and_saving_the_same_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("params.toml");
    run("show", &config);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    // As a person would write it.
    let by_hand = "# mine\nproject='MNIST'\nelectricity_pricing = 0.30\npue = 1\n";
    fs::write(&config, by_hand).unwrap();
    let (out, _) = run("save project=MNIST;electricity_pricing=0.3;pue=1.0", &config);
    assert!(out.contains("saved"), "{out}");
    assert_eq!(fs::read_to_string(&config).unwrap(), by_hand);
}

#[test]
fn a_file_with_a_mistake_is_reported_with_its_key_and_left_as_it_is() {
    for (content, named) in [
        ("projct = 'x'\n", "projct"),
        ("project = 'kept'\npue = 0.5\n", "pue"),
        ("project = 'kept'\nregion = 'Bavaria'\ncountry = 'US'\n", "region"),
        ("project = 'kept'\n[table]\na = 1\n", "table"),
        ("project = 'kept'\nmeasure_period = 'soon'\n", "measure_period"),
        ("country = 'US'\nproject = 'torn", "line 2"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("params.toml");
        fs::write(&config, content).unwrap();
        let (out, err) = run("save description=new", &config);
        let path = config.display().to_string();
        assert!(err.contains(&path) && err.contains(named), "{content}: {err}");
        assert_eq!(err.matches(&path).count(), 1, "said more than once: {err}");
        assert!(out.contains("refused") && out.contains("left unchanged"), "{content}: {out}");
        assert_eq!(fs::read_to_string(&config).unwrap(), content);
        assert_eq!(out.contains("kept"), content.contains("'kept'"), "{out}");
    }
}

#[test]
fn a_place_that_cannot_be_written_is_an_error_on_saving_and_none_on_reading() {
    let folder = tempfile::tempdir().unwrap();
    // A file where a folder should be stops root too.
    fs::write(folder.path().join("file"), "").unwrap();
    let config = folder.path().join("file/params.toml");
    let (out, _) = run("save project=x", &config);
    assert!(out.contains("refused: saved parameters in") && out.contains("file/params.toml"));
    let (out, _) = run("show", &config);
    assert!(out.contains("default project name"), "{out}");
}

#[cfg(target_os = "linux")]
#[test]
fn without_a_named_file_it_is_in_the_configuration_folder_and_without_a_home_that_is_no_error() {
    let folder = tempfile::tempdir().unwrap();
    let run_at_home = |task: &str, home: &Path| {
        let mut command = command(task, home);
        command.env_remove("ECO2AI_CONFIG").env_remove("XDG_CONFIG_HOME").env("HOME", home);
        finish(command.spawn().unwrap())
    };
    run_at_home("save project=MNIST", folder.path());
    let file = folder.path().join(".config/eco2ai/params.toml");
    assert_eq!(fs::read_to_string(file).unwrap(), "project = \"MNIST\"\n");
    // Not even root can make a folder there.
    let nowhere = Path::new("/proc/nowhere");
    let (out, err) = run_at_home("show", nowhere);
    assert!(out.contains("default project name") && err.is_empty(), "{out}{err}");
    let (out, _) = run_at_home("save project=MNIST", nowhere);
    assert!(out.contains("refused: saved parameters in /proc/nowhere/.config"), "{out}");
}

#[test]
fn the_environment_goes_before_what_is_saved_and_the_time_zone_comes_last() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("params.toml");
    let country = |variables: &[(&str, &str)]| {
        let mut command = command("show", &config);
        command.envs(variables.iter().copied());
        let (out, _) = finish(command.spawn().unwrap());
        let line = out.lines().find(|line| line.starts_with("country")).unwrap();
        line.split_whitespace().skip(1).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(country(&[("TZ", "Europe/Paris")]), "FR time zone");
    assert_eq!(country(&[("TZ", "UTC")]), "- default");
    run("save country=Germany", &config);
    assert_eq!(country(&[("TZ", "Europe/Paris")]), "Germany saved");
    assert_eq!(country(&[("TZ", "Europe/Paris"), ("ECO2AI_COUNTRY", "PL")]), "PL environment");
    assert_eq!(country(&[("ECO2AI_COUNTRY", "Narnia")]), "Germany saved");
}

#[test]
fn a_program_remembers_what_its_trackers_were_given_and_no_other_program_does() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("params.toml");
    let other = folder.path().join("other_program");
    fs::copy(env!("CARGO_BIN_EXE_saved_params"), &other).unwrap();
    let project = |out: &str| {
        let line = out.lines().rfind(|line| line.starts_with("project")).unwrap();
        line.strip_prefix("project").unwrap().trim().to_owned()
    };
    let here = |task: &str| project(&run(task, &config).0);
    let there = |task: &str| {
        let mut command = command_of(&other, task, &config);
        project(&finish(eco2ai_tests::program::start(&mut command)).0)
    };
    run("save project=of the user", &config);
    let tracked = there("track of the other");
    assert!(tracked.starts_with("of the other") && tracked.ends_with("remembered"), "{tracked}");
    assert!(here("show").ends_with("saved"), "{}", here("show"));
    assert!(there("show").ends_with("remembered"));
    // The program itself may save other values, and they apply to it too.
    finish(command_of(&other, "save project=new", &config).spawn().unwrap());
    assert!(there("show").ends_with("saved"));
    assert!(there("track again").ends_with("remembered"));
    assert!(here("show").starts_with("new"));
    assert!(there("unset project").ends_with("default"));
    assert!(here("show").ends_with("default"));
}

#[test]
fn a_logger_may_use_the_library_while_it_is_warned() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("params.toml");
    let mut command = command("log", &config);
    command.env("ECO2AI_PUE", "0.5");
    let (out, err) = finish(command.spawn().unwrap());
    assert!(out.contains("logged: ECO2AI_PUE: pue = \"0.5\": must be 1 or more"), "{out}{err}");
    assert_eq!(fs::read_to_string(&config).unwrap(), "project = \"by the logger\"\n");
}

#[cfg(unix)]
#[test]
fn a_link_stays_a_link_and_permissions_stay() {
    use std::os::unix::fs::{PermissionsExt, symlink};

    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("dotfiles.toml");
    let config = folder.path().join("params.toml");
    fs::write(&target, "project = 'old'\n").unwrap();
    fs::set_permissions(&target, fs::Permissions::from_mode(0o600)).unwrap();
    symlink(&target, &config).unwrap();
    run("save project=new", &config);
    assert!(fs::symlink_metadata(&config).unwrap().is_symlink());
    assert_eq!(fs::read_to_string(&target).unwrap(), "project = \"new\"\n");
    assert_eq!(fs::metadata(&target).unwrap().permissions().mode() & 0o777, 0o600);
}
