//! `eco2ai serve`.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};

use rustix::process::Signal;

use crate::home::{Home, code, err, send, wait_until};
use crate::metrics_text::{HEADER, assert_same_as_summary, row, sums};

struct Server {
    process: Child,
    address: String,
}

impl Server {
    fn start(home: &Home, logs: &[&str]) -> Self {
        let arguments = [&["serve", "--listen=127.0.0.1:0"], logs].concat();
        let mut process = home.eco2ai(&arguments).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stderr.as_mut().unwrap()).read_line(&mut line).unwrap();
        let address = line.strip_prefix("listening on http://").and_then(|it| it.split('/').next());
        Self { address: address.expect(&line).to_owned(), process }
    }

    fn connect(&self) -> TcpStream {
        TcpStream::connect(&self.address).unwrap()
    }

    /// The answer to a request, from its first line.
    fn answer(&self, request: &str) -> String {
        let mut stream = self.connect();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn metrics(&self) -> String {
        let answer = self.answer("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        answer.split_once("\r\n\r\n").unwrap().1.to_owned()
    }

    fn stop(mut self, signal: Signal) {
        send(&self.process, signal);
        assert_eq!(self.process.wait().unwrap().code(), Some(0));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn each_request_has_the_totals_of_now() {
    let home = Home::new();
    let logs = ["logs"];
    fs::create_dir(home.path("logs")).unwrap();
    let mut log = HEADER.to_owned() + &row("1", "A", "f", 0.1, 0.1);
    home.write("logs/one.csv", &log);
    let server = Server::start(&home, &logs);
    assert_same_as_summary(&home, &server.metrics(), &logs);
    // New rows, and a row that has not ended.
    log += &(row("2", "A", "f", 0.2, 0.2) + &row("3", "B", "g", 0.7, 0.6));
    home.write("logs/one.csv", &(log.clone() + "4,A,20"));
    let rows = sums(&server.metrics(), "eco2ai_rows_total", "project");
    assert!(rows["A"] > 1.5 && rows["A"] < 2.5, "{rows:?}");
    // A new log, which repeats a row.
    home.write("logs/one.csv", &log);
    let rows = row("3", "B", "g", 0.7, 0.6) + &row("4", "B", "g", 0.3, 0.3);
    home.write("logs/two.csv", &(HEADER.to_owned() + &rows));
    let text = server.metrics();
    assert_same_as_summary(&home, &text, &logs);
    assert!(text.contains("\neco2ai_repeated_rows_total 1\n"), "{text}");
    // A log that was set aside for a new one: a counter that falls would count anew from 0.
    let before = sums(&text, "eco2ai_rows_total", "project");
    home.write("logs/one.csv", &(HEADER.to_owned() + &row("5", "C", "f", 0.4, 0.4)));
    let rows = sums(&server.metrics(), "eco2ai_rows_total", "project");
    assert_eq!((rows["A"], rows["B"]), (before["A"], before["B"]));
    assert!(rows["C"] > 0.5, "{rows:?}");
}

#[test]
fn a_run_in_progress_is_a_gauge_and_then_a_counter() {
    let home = Home::new();
    let mut run = home.held_run();
    let server = Server::start(&home, &["emission.csv"]);
    let live = "\neco2ai_live_runs{project=\"P\",function=\"sh\"} 1\n";
    let row = "\neco2ai_rows_total{project=\"P\",function=\"sh\",status=\"ok\"} 1\n";
    wait_until("a live run", || server.metrics().contains(live));
    home.let_go();
    assert!(run.wait().unwrap().success());
    let text = server.metrics();
    assert!(!text.contains(live) && text.contains(row), "{text}");
    assert_same_as_summary(&home, &text, &["emission.csv"]);
}

#[test]
fn only_metrics_are_answered_and_only_to_get() {
    let home = Home::new();
    home.write("emission.csv", HEADER);
    let server = Server::start(&home, &[]);
    for (request, answer) in [
        ("GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 404 "),
        ("POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 405 "),
        ("GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n", "HTTP/1.1 413 "),
        ("nonsense\r\n\r\n", "HTTP/1.1 400 "),
    ] {
        let found = server.answer(request);
        assert!(found.starts_with(answer), "{request}: {found}");
    }
    let long = format!("GET /metrics HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "x".repeat(1 << 20));
    let mut stream = server.connect();
    // It may be closed before all is sent.
    let _ = stream.write_all(long.as_bytes());
    let mut found = Vec::new();
    let _ = stream.read_to_end(&mut found);
    assert!(found.is_empty() || found.starts_with(b"HTTP/1.1 431 "));
    let open = "GET /metrics HTTP/1.1\r\nHost: x\r\n\
                Accept: application/openmetrics-text;version=1.0.0,text/plain;q=0.5\r\n\r\n";
    let answer = server.answer(open);
    assert!(answer.contains("content-type: application/openmetrics-text; version=1.0.0"));
    assert!(answer.contains("\n# TYPE eco2ai_energy_joules counter\n"), "{answer}");
    assert!(answer.ends_with("\n# EOF\n"), "{answer}");
}

#[test]
fn clients_that_send_nothing_do_not_keep_others_out() {
    let home = Home::new();
    home.write("emission.csv", HEADER);
    let server = Server::start(&home, &[]);
    let silent: Vec<_> = (0..20).map(|_| server.connect()).collect();
    assert!(server.metrics().contains("eco2ai_unusable_rows_total 0"));
    drop(silent);
}

#[test]
fn it_stops_with_success_and_leaves_the_folder_as_it_was() {
    let home = Home::new();
    home.write("emission.csv", &(HEADER.to_owned() + &row("1", "A", "f", 0.1, 0.1)));
    let names = || {
        let names = fs::read_dir(home.path(".")).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    };
    let before = names();
    for signal in [Signal::INT, Signal::TERM] {
        let server = Server::start(&home, &[]);
        server.metrics();
        server.stop(signal);
    }
    assert_eq!(names(), before);
}

#[test]
fn an_address_that_others_can_reach_needs_a_flag() {
    let home = Home::new();
    home.write("emission.csv", HEADER);
    for address in ["0.0.0.0:0", "[::]:0"] {
        let output = home.output(&["serve", &format!("--listen={address}")]);
        assert_eq!(code(&output), 2);
        assert!(err(&output).contains("--allow-remote"), "{}", err(&output));
    }
    home.write("table.csv", "name,age\n");
    let output = home.output(&["serve", "--listen=127.0.0.1:0", "table.csv"]);
    assert_eq!(code(&output), 1);
    assert!(err(&output).contains("table.csv: not an emission log"), "{}", err(&output));
}
