//! Locks a file, says so, and holds the lock until its input ends: `holds_lock FILE` for
//! `tests/log_writers.rs`.

fn main() {
    let file = std::fs::File::open(std::env::args_os().nth(1).expect("a file")).expect("a file");
    file.lock().expect("the lock");
    println!("locked");
    let _ = std::io::stdin().read_line(&mut String::new());
}
