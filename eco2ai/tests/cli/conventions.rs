//! What holds for every command.

use std::fs::File;
use std::io::pipe;

use crate::home::{Home, code, err, out};

/// The commands, as the help lists them.
fn commands(home: &Home) -> Vec<String> {
    let help = home.text(&["--help"]);
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let listed = listed.take_while(|line| !line.is_empty());
    // A line without a name continues the one above it.
    let names = listed.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    let names = names.filter(|name| !name.is_empty());
    let names: Vec<String> = names.map(str::to_owned).collect();
    assert!(names.iter().any(|name| name == "run"), "{help}");
    names
}

/// Each command that prints, with arguments with which it does.
fn printing(home: &Home) -> Vec<Vec<&'static str>> {
    home.output(&["run", "--quiet", "true"]);
    vec![
        vec!["--help"],
        vec!["run", "--help"],
        vec!["devices"],
        vec!["devices", "--json"],
        vec!["summary", "emission.csv"],
        vec!["summary", "--format=csv", "emission.csv"],
        vec!["summary", "--format=json", "emission.csv"],
        vec!["watch"],
        vec!["export", "--format=prometheus"],
        vec!["export", "--format=json-lines", "emission.csv"],
        vec!["params"],
        vec!["params", "get", "file"],
        vec!["params", "path"],
        vec!["recover", "emission.csv"],
        vec!["completions", "bash"],
        vec!["man", "run"],
        vec!["help", "run"],
        vec!["params", "--json"],
    ]
}

#[test]
fn a_closed_pipe_is_no_error() {
    let home = Home::new();
    for arguments in printing(&home) {
        let (reader, writer) = pipe().unwrap();
        drop(reader);
        let output = home.eco2ai(&arguments).stdout(writer).output().unwrap();
        assert_eq!((code(&output), err(&output).as_str()), (0, ""), "{arguments:?}");
    }
    // The same holds for standard error.
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    let status = home.eco2ai(&["run", "sh", "-c", "exit 3"]).stderr(writer).status().unwrap();
    assert_eq!(status.code(), Some(3));
}

#[test]
fn what_cannot_be_printed_is_an_error() {
    let home = Home::new();
    for arguments in printing(&home).into_iter().filter(|it| !it.contains(&"--help")) {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let output = home.eco2ai(&arguments).stdout(full).output().unwrap();
        assert_eq!(code(&output), 1, "{arguments:?}");
        assert!(err(&output).contains("standard output: No space left"), "{}", err(&output));
    }
}

#[test]
fn the_help_of_every_command_gives_examples() {
    let home = Home::new();
    for command in commands(&home) {
        let help = home.text(&[command.as_str(), "--help"]);
        assert!(help.contains("\nExamples:\n  eco2ai "), "{help}");
        assert!(help.lines().all(|line| line.chars().count() <= 100), "{help}");
    }
    let help = home.text(&["run", "--help"]);
    for code in ["\n  3    ", "\n  126 ", "\n  127 ", "128 + N"] {
        assert!(help.contains(code), "{code}: {help}");
    }
}

#[test]
fn every_command_has_a_manual_page_with_its_options_and_examples() {
    let home = Home::new();
    home.text(&["man", "--output", "man/man1"]);
    for command in commands(&home) {
        let page = home.read(&format!("man/man1/eco2ai-{command}.1"));
        assert_eq!(page, home.text(&["man", command.as_str()]));
        assert!(page.contains(".SH EXAMPLES\n"), "{page}");
    }
    let page = home.text(&["man", "run"]);
    for part in [r"\-\-budget\-kwh", ".SH \"EXIT CODES\"\n", ".TH eco2ai-run 1"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert_eq!(home.text(&["help", "run"]), home.text(&["run", "--help"]));
    for unknown in ["man", "help"] {
        let output = home.output(&[unknown, "sumary"]);
        assert_eq!(code(&output), 2);
        assert!(err(&output).contains("sumary: no such subcommand"), "{}", err(&output));
    }
}

#[test]
fn help_is_in_the_third_person() {
    let home = Home::new();
    let mut helps = vec![home.text(&["--help"])];
    helps.extend(commands(&home).iter().map(|command| home.text(&[command.as_str(), "--help"])));
    for help in helps {
        for line in help.lines() {
            let text = line.trim_start();
            let is_imperative =
                ["Print ", "Show ", "Write ", "Set "].iter().any(|it| text.starts_with(it));
            assert!(!is_imperative, "{help}");
        }
    }
}

#[test]
fn wrong_usage_ends_with_code_2() {
    let home = Home::new();
    for arguments in [
        &["run"][..],
        &["run", "--projct=x", "true"],
        &["run", "--pue=0.5", "true"],
        &["sumary"],
        &[],
    ] {
        let output = home.output(arguments);
        assert_eq!((code(&output), out(&output).as_str()), (2, ""), "{arguments:?}");
    }
    let message = err(&home.output(&["run", "--pue=0.5", "true"]));
    assert!(message.contains("--pue") && message.contains("1 or more"), "{message}");
}

#[test]
fn every_shell_can_complete_every_command() {
    let home = Home::new();
    let commands = commands(&home);
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = home.text(&["completions", shell]);
        for command in &commands {
            assert!(script.contains(command.as_str()), "{shell}: {command}");
        }
    }
}

#[test]
fn devices_list_how_each_part_is_measured() {
    let home = Home::new();
    let found = home.json(&["devices", "--json"]);
    let text = home.text(&["devices"]);
    let devices = found["devices"].as_array().unwrap();
    let has = |component| devices.iter().any(|device| device["component"] == component);
    assert!(has("cpu"), "{found}");
    assert!(has("ram") || text.contains("contains memory"), "{found}");
    for device in devices {
        let (quality, how) = (device["quality"].as_str().unwrap(), device["how"].as_str().unwrap());
        assert!(text.contains(how) && text.contains(quality), "{text}");
        // An estimate says from what.
        let note = device["note"].as_str();
        assert!(quality != "estimated" || note.is_some_and(|note| text.contains(note)), "{found}");
    }
    for missing in found["missing"].as_array().unwrap() {
        assert!(text.contains(missing["why"].as_str().unwrap()), "{text}");
        let command = missing["command"].as_str();
        assert!(command.is_none_or(|command| text.contains(command)), "{text}");
    }
}
