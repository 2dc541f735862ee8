//! A program with three runs, each of which lasts until its test says so; it ends with 7:
//! `log_lost work`. And one that recovers a log: `log_lost recover LOG`. For `tests/log_lost.rs`.

#[eco2ai::track(measure_period = 0.02)]
fn work(number: usize) -> usize {
    println!("started {number}");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).expect("a word of the test");
    number * 2
}

fn main() {
    match std::env::args().nth(1).expect("a task").as_str() {
        "work" => {
            for number in 1..=3 {
                println!("result {}", work(number));
            }
            std::process::exit(7);
        }
        "recover" => {
            let log = std::env::args_os().nth(2).expect("a log");
            println!("{}", eco2ai::recover(log).expect("a log that can be written"));
        }
        task => panic!("no task {task}"),
    }
}
