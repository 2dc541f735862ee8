//! The attribute among other attributes, in either order, and on functions with a special part.
#![allow(unreachable_pub, clippy::missing_errors_doc, clippy::needless_pass_by_value)]
#![allow(clippy::unnecessary_wraps, reason = "the shapes are what is tested")]
#![allow(
    clippy::uninlined_format_args,
    reason = "the edition of 2018 has no other arguments in `assert!`"
)]

use std::panic::Location;
use std::process::ExitCode;

use eco2ai::track;
use eco2ai_tests::program::this_test;
use eco2ai_tests::rows::{assert_one, in_file, in_own_folder, log, statuses};

#[test]
#[track(file = log())]
fn test_then_track() {}

#[track(file = log())]
#[test]
#[should_panic(expected = "on purpose")]
fn track_then_test() {
    panic!("on purpose");
}

#[test]
#[track(err)]
#[ignore = "as tests are that are run on demand"]
fn ignored() -> Result<(), String> {
    Ok(())
}

#[tokio::test]
#[track(file = log())]
async fn tokio_test_then_track() {
    tokio::task::yield_now().await;
}

#[track(file = log())]
#[tokio::test]
async fn track_then_tokio_test() -> Result<(), String> {
    tokio::task::yield_now().await;
    Ok(())
}

#[test]
fn a_tracked_test_runs_once_under_its_name() {
    let module = module_path!().split_once("::").expect("it is in a module").1;
    for (name, status) in [
        ("test_then_track", "ok"),
        ("track_then_test", "panicked"),
        ("tokio_test_then_track", "ok"),
        ("track_then_tokio_test", "ok"),
    ] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let log = folder.path().join("emission.csv");
        // What a test harness makes of it, only another one tells.
        let child = this_test()
            .args(["--exact", &format!("{}::{}", module, name)])
            .env("ECO2AI_TEST_LOG", &log)
            .output()
            .expect("this test runs");
        let output = String::from_utf8_lossy(&child.stdout);
        assert!(output.contains("1 passed"), "{}", output);
        let rows = in_file(&log, name);
        assert_eq!(rows.len(), 1, "{name}");
        assert_eq!(rows[0]["status"], status, "{name}");
    }
}

#[track_caller]
#[track]
fn caller_first() -> u32 {
    Location::caller().line()
}

#[track]
#[track_caller]
fn caller_second() -> u32 {
    Location::caller().line()
}

#[test]
fn the_caller_s_line_is_kept() {
    in_own_folder();
    assert_eq!(caller_first(), line!());
    assert_eq!(caller_second(), line!());
    assert_one("caller_first");
}

#[track]
#[tracing::instrument]
fn above_another(x: u8) -> u8 {
    x
}

#[tracing::instrument]
#[track]
async fn below_another(x: u8) -> Result<u8, String> {
    tokio::task::yield_now().await;
    Ok(x)
}

/// Documented.
#[inline]
#[cold]
#[deprecated = "on purpose"]
#[cfg_attr(test, track(project = "conditional"))]
#[cfg_attr(any(), not_an_attribute)]
pub fn many_attributes() -> u8 {
    #[cfg(any())]
    missing();
    #[cfg(test)]
    1
}

#[tokio::test]
async fn other_attributes_work_above_and_below() {
    in_own_folder();
    assert_eq!(above_another(1), 1);
    assert_eq!(below_another(2).await, Ok(2));
    #[allow(deprecated)]
    let value = many_attributes();
    assert_eq!(value, 1);
    for name in ["above_another", "below_another", "many_attributes"] {
        assert_one(name);
    }
}

/// A function made by a macro, whose parts come as fragments.
macro_rules! make {
    ($(#[$meta:meta])* $vis:vis fn $name:ident($($argument:ident: $type:ty),*) -> $returns:ty $body:block) => {
        $(#[$meta])*
        #[track]
        $vis fn $name($($argument: $type),*) -> $returns $body

        mod asynchronous {
            use super::*;
            $(#[$meta])*
            #[track]
            $vis async fn $name($($argument: $type),*) -> $returns $body
        }
    };
    (item $item:item) => {
        #[track(project = "item")]
        $item
    };
    (returns $name:ident $returns:ty $body:block) => {
        #[track]
        fn $name() -> $returns $body

        mod $name {
            #[super::track]
            pub(super) async fn asynchronous() -> $returns $body
        }
    };
    (literal $pue:literal $project:expr) => {
        #[track(pue = $pue, project = $project)]
        fn literal() -> u8 {
            3
        }
    };
}

make! {
    /// Documented.
    pub fn fragments(x: Vec<u8>) -> Result<usize, String> { Ok(x.len()) }
}
make!(item pub(crate) fn whole_item() -> u8 { 2 });
make!(literal 1.5 "project");
make!(returns never ! { std::panic::panic_any(1) });
make!(returns opaque impl Fn(&u8) -> u8 { |x: &u8| x + 1 });

#[tokio::test]
async fn functions_from_macros() {
    in_own_folder();
    assert_eq!(fragments(vec![1]), Ok(1));
    assert_eq!(asynchronous::fragments(vec![1]).await, Ok(1));
    assert_eq!((whole_item(), literal()), (2, 3));
    let _: (fn() -> !, _) = (never, never::asynchronous());
    assert_eq!(opaque()(&2) + opaque::asynchronous().await(&3), 7);
    assert_one("asynchronous::fragments");
    assert_one("shapes_attributes::fragments");
    assert_one("whole_item");
    assert_one("literal");
}

/// Another crate that has taken ours along under its own name.
mod facade {
    pub mod inner {
        pub use ::eco2ai as energy;
    }
}

#[track(crate = crate::shapes_attributes::facade::inner::energy, project = "facade")]
fn through_a_facade() -> u8 {
    1
}

#[track(crate = facade::inner::energy)]
async fn through_a_facade_async() -> u8 {
    2
}

#[tokio::test]
async fn the_crate_may_have_another_name() {
    in_own_folder();
    assert_eq!(through_a_facade() + through_a_facade_async().await, 3);
    assert_one("through_a_facade");
    assert_one("through_a_facade_async");
}

#[track(name = "a name of its own")]
fn renamed() {}

#[test]
fn a_function_may_be_given_a_name() {
    in_own_folder();
    renamed();
    assert_eq!(statuses("a name of its own"), ["ok"]);
}

#[test]
fn main_functions_of_all_kinds() {
    #[track]
    fn exit_code() -> ExitCode {
        ExitCode::from(3)
    }
    #[track(err)]
    fn result() -> Result<(), String> {
        Err("no".into())
    }
    #[track]
    #[tokio::main(flavor = "current_thread")]
    async fn track_then_main() -> u8 {
        tokio::task::yield_now().await;
        1
    }
    #[tokio::main(flavor = "current_thread")]
    #[track]
    async fn main_then_track() -> Result<u8, String> {
        tokio::task::yield_now().await;
        Ok(2)
    }
    // The runtime's attribute makes a plain function of it: only the one that comes first sees
    // the future, and with it the error.
    #[track]
    #[tokio::main(flavor = "current_thread")]
    async fn fails_below_track() -> Result<u8, String> {
        Err("no".into())
    }
    #[tokio::main(flavor = "current_thread")]
    #[track]
    async fn fails_above_track() -> Result<u8, String> {
        Err("no".into())
    }
    #[tokio::main(flavor = "current_thread")]
    #[track(err)]
    async fn fails_above_err() -> Result<u8, String> {
        Err("no".into())
    }
    in_own_folder();
    assert!(fails_below_track().is_err() && fails_above_track().is_err());
    assert!(fails_above_err().is_err());
    assert_eq!(statuses("fails_below_track"), ["error"]);
    assert_eq!(statuses("fails_above_track"), ["ok"]);
    assert_eq!(statuses("fails_above_err"), ["error"]);
    assert_eq!(exit_code(), ExitCode::from(3));
    assert!(result().is_err());
    assert_eq!(track_then_main(), 1);
    assert_eq!(main_then_track(), Ok(2));
    assert_one("exit_code");
    assert_eq!(statuses("result"), ["error"]);
    assert_one("track_then_main");
    assert_one("main_then_track");
}
