//! A program that saves parameters, or shows those in force: `saved_params TASK [ARGUMENT]` for
//! `tests/saved_params.rs`.

use eco2ai::{Params, Tracker, get_params, save_params, unset_params};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let task = arguments.next().expect("a task");
    let mut argument = || arguments.next().expect("an argument");
    match task.as_str() {
        "write" => write(&argument()),
        "save" => save(&argument()),
        "track" => {
            Tracker::builder().project(argument()).build().expect("good parameters");
            println!("{}", get_params());
        }
        "unset" => {
            unset_params(&[argument()]).expect("the file can be written");
            println!("{}", get_params());
        }
        "log" => {
            log::set_logger(&SavingLogger).expect("the first");
            log::set_max_level(log::LevelFilter::Warn);
            println!("{}", get_params());
        }
        "show" => {
            let shown = get_params();
            assert_eq!(get_params(), shown);
            println!("{shown}");
        }
        task => panic!("no task {task}"),
    }
}

/// Saves, a thousand times, a pair that belongs together, and a parameter that nobody else saves.
fn write(writer: &str) {
    let config = std::env::var_os("ECO2AI_CONFIG").expect("a file");
    let mine = if writer == "A" { "pue" } else { "emission_level" };
    for round in 1..=1000_u32 {
        let project = format!("{writer}{round}");
        let mut params = Params::default();
        params.description = Some(project.repeat(300));
        params.project = Some(project);
        params.set_text(mine, &round.to_string()).expect("a good value");
        save_params(&params).expect("the file can be written");
        let file = std::fs::read_to_string(&config).expect("the file");
        let line = format!("{mine} = {round}.0");
        assert!(file.lines().any(|found| found == line), "{line} is lost: {file}");
    }
}

/// Saves parameters that are separated by semicolons, and shows those before and after.
fn save(texts: &str) {
    println!("before: {}", get_params());
    let mut params = Params::default();
    for text in texts.split(';') {
        let (name, value) = text.split_once('=').expect("a name and a value");
        params.set_text(name, value).expect("a good value");
    }
    match save_params(&params) {
        Ok(()) => println!("saved"),
        Err(error) => println!("refused: {}", error.with_causes()),
    }
    println!("after: {}", get_params());
}

/// A logger that uses the library itself, as one in a tracked function would.
struct SavingLogger;

impl log::Log for SavingLogger {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let mut params = Params::default();
        params.project = Some("by the logger".to_owned());
        save_params(&params).expect("the file can be written");
        println!("logged: {}", record.args());
    }

    fn flush(&self) {}
}
