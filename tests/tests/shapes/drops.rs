//! A tracked function drops what it did without the attribute, in the same order: locals,
//! temporaries of the last expression, arguments, also where a drop panics. The order depends on
//! the edition, so this file is compiled in each.
#![allow(
    clippy::match_single_binding,
    clippy::needless_question_mark,
    clippy::needless_return,
    clippy::needless_pass_by_value,
    clippy::uninlined_format_args,
    clippy::unnecessary_wraps,
    clippy::unused_async,
    reason = "the bodies are what is tested"
)]

use std::cell::RefCell;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;

use eco2ai_tests::block_on;
use eco2ai_tests::rows::{in_own_folder, statuses};

thread_local! {
    static DROPS: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
}

/// Notes when it is dropped, and panics then if it is called so.
struct Noisy(&'static str);

impl Noisy {
    fn value(&self) -> u8 {
        self.0.bytes().fold(0, |count, _| count + 1)
    }

    fn fails(&self) -> Result<u8, u8> {
        Err(self.value())
    }
}

impl Drop for Noisy {
    fn drop(&mut self) {
        DROPS.with(|drops| drops.borrow_mut().push(self.0));
        assert!(!self.0.starts_with("panics") || std::thread::panicking(), "on purpose");
    }
}

/// What a function dropped, and its value, if it did not panic.
type Course = (Vec<&'static str>, Option<Result<u8, u8>>);

fn course(function: impl FnOnce() -> Result<u8, u8>) -> Course {
    let value = catch_unwind(AssertUnwindSafe(function)).ok();
    (DROPS.with(RefCell::take), value)
}

/// Compares functions of all shapes with this body, bare and tracked.
macro_rules! assert_same_order {
    ($body:tt) => {{
        type Boxed = Pin<Box<dyn Future<Output = Result<u8, u8>>>>;

        fn bare(_a: Noisy, _: Noisy) -> Result<u8, u8> $body
        #[eco2ai::track]
        fn plain(_a: Noisy, _: Noisy) -> Result<u8, u8> $body
        #[eco2ai::track(err)]
        fn err(_a: Noisy, _: Noisy) -> Result<u8, u8> $body
        async fn bare_async(_a: Noisy, _: Noisy) -> Result<u8, u8> $body
        #[eco2ai::track]
        async fn tracked_async(_a: Noisy, _: Noisy) -> Result<u8, u8> $body
        fn bare_future(_a: Noisy) -> Boxed {
            let _before = Noisy("before");
            Box::pin(async move $body)
        }
        #[eco2ai::track]
        fn tracked_future(_a: Noisy) -> Boxed {
            let _before = Noisy("before");
            Box::pin(async move $body)
        }

        let (a, b) = (|| Noisy("a"), || Noisy("b"));
        let expected = course(|| bare(a(), b()));
        assert!(expected.0.len() > 2);
        assert_eq!(course(|| plain(a(), b())), expected);
        assert_eq!(course(|| err(a(), b())), expected);
        let expected = course(|| block_on(bare_async(a(), b())));
        assert_eq!(course(|| block_on(tracked_async(a(), b()))), expected);
        let expected = course(|| block_on(bare_future(a())));
        assert_eq!(course(|| block_on(tracked_future(a()))), expected);
    }};
}

#[test]
fn temporaries_of_the_last_expression() {
    in_own_folder();
    assert_same_order!({
        let _local = Noisy("local");
        Ok(Noisy("temporary").value())
    });
    assert_same_order!({ Ok(Noisy("first").value() + Noisy("second").value()) });
    assert_same_order!({
        let _local = Noisy("local");
        match Noisy("scrutinee").value() {
            0 => Ok(1),
            _ => Ok(Noisy("arm").value()),
        }
    });
    assert_same_order!({
        let _local = Noisy("local");
        if let 1 = Noisy("condition").value() { Ok(1) } else { Ok(Noisy("else").value()) }
    });
    assert_same_order!({
        let _local = Noisy("local");
        {
            let _inner = Noisy("inner");
            Ok(Noisy("temporary").value())
        }
    });
}

#[test]
fn opaque_values() {
    fn bare(_a: Noisy, _: Noisy) -> impl Into<u64> {
        let _local = Noisy("local");
        Noisy("temporary").value()
    }
    #[eco2ai::track]
    fn tracked(_a: Noisy, _: Noisy) -> impl Into<u64> {
        let _local = Noisy("local");
        Noisy("temporary").value()
    }
    #[eco2ai::track]
    fn late_opaque() -> impl Sized {
        Witness("late_opaque").value()
    }
    in_own_folder();
    let _: u64 = bare(Noisy("a"), Noisy("b")).into();
    let expected = DROPS.with(RefCell::take);
    let _: u64 = tracked(Noisy("a"), Noisy("b")).into();
    assert_eq!(DROPS.with(RefCell::take), expected);
    late_opaque();
    assert_eq!(ROWS.with(RefCell::take), [0]);
}

#[test]
fn early_returns() {
    in_own_folder();
    assert_same_order!({
        let _local = Noisy("local");
        if Noisy("condition").value() > 1 {
            return Ok(Noisy("early").value());
        }
        Ok(Noisy("temporary").value())
    });
    assert_same_order!({
        let _local = Noisy("local");
        Ok(Noisy("question").fails()? + Noisy("never").value())
    });
    assert_same_order!({
        let _local = Noisy("local");
        return Ok(Noisy("temporary").value());
    });
}

#[test]
fn drops_that_panic() {
    in_own_folder();
    assert_same_order!({
        let _local = Noisy("local");
        Ok(Noisy("panics as temporary").value())
    });
    assert_same_order!({
        let _first = Noisy("first");
        let _local = Noisy("panics as local");
        Ok(Noisy("temporary").value())
    });
    assert_same_order!({
        let _local = Noisy("local");
        if Noisy("condition").value() > 1 {
            std::panic::panic_any(1);
        }
        Ok(1)
    });
}

/// Reports how many rows its function has while it is dropped.
struct Witness(&'static str);

thread_local! {
    static ROWS: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

impl Witness {
    fn value(&self) -> Result<usize, u8> {
        Ok(self.0.len())
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        ROWS.with(|rows| rows.borrow_mut().push(statuses(self.0).len()));
    }
}

#[test]
fn the_row_is_written_after_the_last_temporary() {
    #[eco2ai::track]
    fn late_plain() -> Result<usize, u8> {
        Witness("late_plain").value()
    }
    #[eco2ai::track(err)]
    fn late_err() -> Result<usize, u8> {
        Witness("late_err").value()
    }
    #[eco2ai::track]
    async fn late_async() -> Result<usize, u8> {
        Witness("late_async").value()
    }
    #[eco2ai::track]
    fn late_future() -> Pin<Box<dyn Future<Output = Result<usize, u8>>>> {
        Box::pin(async move { Witness("late_future").value() })
    }
    in_own_folder();
    assert!(late_plain().is_ok() && late_err().is_ok());
    assert!(block_on(late_async()).is_ok() && block_on(late_future()).is_ok());
    assert_eq!(ROWS.with(RefCell::take), [0; 4]);
    for name in ["late_plain", "late_err", "late_async", "late_future"] {
        assert_eq!(statuses(name), ["ok"], "{}", name);
    }
}

#[test]
fn a_panic_while_a_temporary_is_dropped_is_recorded() {
    #[eco2ai::track]
    fn panics_at_its_end() -> u8 {
        Noisy("panics as temporary").value()
    }
    in_own_folder();
    assert!(catch_unwind(panics_at_its_end).is_err());
    assert_eq!(statuses("panics_at_its_end"), ["panicked"]);
}

/// Bare, these have nothing that would be dropped in another order since the edition of 2024.
mod without_a_change_of_edition {
    #![deny(tail_expr_drop_order)]

    use super::{Future, Noisy, Pin};

    #[eco2ai::track]
    pub(super) fn plain(_a: Noisy) -> u8 {
        Noisy("temporary").value()
    }

    #[eco2ai::track(err)]
    pub(super) fn err(_a: Noisy) -> Result<u8, u8> {
        Noisy("temporary").fails()
    }

    #[eco2ai::track]
    pub(super) async fn asynchronous(_a: Noisy) -> u8 {
        std::future::ready(()).await;
        Noisy("temporary").value()
    }

    #[eco2ai::track]
    pub(super) fn future() -> Pin<Box<dyn Future<Output = u8>>> {
        Box::pin(async { Noisy("temporary").value() })
    }
}

#[test]
fn nothing_of_ours_changes_its_order_with_the_edition() {
    use without_a_change_of_edition::{asynchronous, err, future, plain};

    in_own_folder();
    assert_eq!(plain(Noisy("a")), 9);
    assert_eq!(err(Noisy("a")), Err(9));
    assert_eq!(block_on(asynchronous(Noisy("a"))) + block_on(future()), 18);
}
