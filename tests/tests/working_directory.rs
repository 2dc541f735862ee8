//! A relative path of a log is that of the working directory when the run starts, also if the program
//! changes it between two calls of a function, or during a call.

use std::env::set_current_dir;
use std::path::Path;

#[eco2ai::track(file = "emission.csv")]
fn work(next: &Path) {
    set_current_dir(next).expect("a folder");
}

#[test]
fn each_run_goes_to_the_log_of_the_working_directory_in_which_it_starts() {
    let folders = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
    let [one, other] = folders.each_ref().map(tempfile::TempDir::path);
    set_current_dir(one).expect("a folder");
    // In `one` twice, in `other` three times.
    for next in [one, other, other, other, one] {
        work(next);
    }
    let rows =
        |folder: &Path| eco2ai::read_log(folder.join("emission.csv")).expect("a log").count();
    assert_eq!((rows(one), rows(other)), (2, 3));
}
