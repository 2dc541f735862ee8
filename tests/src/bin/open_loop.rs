//! Sends requests at a fixed rate, whether earlier ones are answered or not, and prints how long the
//! answers took: `open_loop ADDRESS PATH RATE SECONDS`.
//!
//! The time of an answer counts from the moment at which its request was due. So where the service stalls,
//! all requests that were due meanwhile are slow, and none is left out (no coordinated omission).

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// More than this number of unanswered requests wait here for a connection.
const CONNECTIONS: usize = 64;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, path, rate, seconds] = &arguments[..] else {
        panic!("usage: open_loop ADDRESS PATH RATE SECONDS");
    };
    let rate: u32 = rate.parse().expect("requests in a second");
    let requests = rate * seconds.parse::<u32>().expect("seconds");
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\n\r\n");

    let next = AtomicU32::new(0);
    // The connections are there before the first request is due.
    let start = Instant::now() + Duration::from_millis(100);
    let send = || {
        let stream = TcpStream::connect(address).expect("the service listens");
        stream.set_nodelay(true).expect("a socket");
        let mut answers = BufReader::new(stream.try_clone().expect("a socket"));
        let mut stream = stream;
        let mut times = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= requests {
                return times;
            }
            let due = start + Duration::from_secs(1) * number / rate;
            thread::sleep(due.saturating_duration_since(Instant::now()));
            stream.write_all(request.as_bytes()).expect("the service reads");
            read_answer(&mut answers);
            times.push(due.elapsed());
        }
    };
    let mut times: Vec<Duration> = thread::scope(|scope| {
        let senders: Vec<_> = (0..CONNECTIONS).map(|_| scope.spawn(send)).collect();
        senders.into_iter().flat_map(|sender| sender.join().expect("all is answered")).collect()
    });
    times.sort_unstable();
    let part = |percent: usize| times[times.len() * percent / 100].as_micros();
    println!(
        r#"{{"requests": {requests}, "p50_us": {}, "p99_us": {}, "max_us": {}}}"#,
        part(50),
        part(99),
        times.last().map_or(0, Duration::as_micros),
    );
}

/// Reads an answer with the status 200 and a `content-length`.
fn read_answer(answers: &mut impl BufRead) {
    let mut line = String::new();
    answers.read_line(&mut line).expect("an answer");
    assert!(line.starts_with("HTTP/1.1 200 "), "{line}");
    let mut length = None;
    while line != "\r\n" {
        line.clear();
        answers.read_line(&mut line).expect("a header");
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.trim().parse().ok();
        }
    }
    let mut body = vec![0; length.expect("a content-length")];
    answers.read_exact(&mut body).expect("the body");
}
