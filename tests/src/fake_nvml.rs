//! A fake NVML in a folder of its own, which can be loaded by path beside others.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use ::fake_nvml::script::Script;
use tempfile::TempDir;

pub use ::fake_nvml::script;

/// The folder with the library, its script and its clock.
#[derive(Debug)]
pub struct FakeNvml {
    directory: TempDir,
}

impl FakeNvml {
    /// Sets up the library to play `script`, at time 0 of a clock that the test sets.
    ///
    /// # Panics
    /// Where the folder cannot be made, or the library was not built.
    pub fn new(script: Script) -> Self {
        let fake = Self { directory: TempDir::new().expect("a folder") };
        // Each copy is loaded as a library of its own.
        fs::copy(built_library(), fake.library()).expect("the library, built with the tests");
        fake.set_time(0.0);
        fake.play(script);
        fake
    }

    /// Changes what is played.
    ///
    /// # Panics
    /// Where the script cannot be written.
    pub fn play(&self, mut script: Script) {
        script.time_file = Some(self.path("time"));
        let text = serde_json::to_string(&script).expect("a script");
        fs::write(self.path("script.json"), text).expect("a script");
    }

    /// Sets the seconds since the start.
    ///
    /// # Panics
    /// Where the file cannot be written.
    pub fn set_time(&self, seconds: f64) {
        fs::write(self.path("time"), seconds.to_string()).expect("the time");
    }

    /// The path of the library.
    pub fn library(&self) -> OsString {
        self.path("libnvidia-ml.so.1").into()
    }

    /// The folder, for `LD_LIBRARY_PATH`.
    pub fn folder(&self) -> &Path {
        self.directory.path()
    }

    fn path(&self, file: &str) -> PathBuf {
        self.directory.path().join(file)
    }
}

/// Cargo builds it beside the tests, whose dependency it is.
fn built_library() -> PathBuf {
    let test = std::env::current_exe().expect("the test");
    test.parent().expect("a folder").join("libfake_nvml.so")
}
