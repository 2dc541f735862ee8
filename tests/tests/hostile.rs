//! The expansion under every lint that users set, in a module without prelude.
#![deny(warnings, missing_docs, unused_qualifications, unused_braces, unused_parens)]
#![deny(unreachable_pub, single_use_lifetimes, elided_lifetimes_in_paths, let_underscore_drop)]
#![deny(trivial_casts, unused_lifetimes, variant_size_differences, rust_2018_idioms)]
#![deny(rust_2021_compatibility, rust_2024_compatibility)]
#![deny(clippy::all, clippy::pedantic)]
#![forbid(unsafe_code, unused_imports, unused_variables, unreachable_code, unused_must_use)]

use std::cmp::Ordering;
use std::future::Future;
use std::pin::Pin;

use eco2ai::{Tracker, track};
use eco2ai_tests::rows::{assert_one, in_own_folder};
use tokio::task::JoinHandle;

/// Its methods.
#[derive(Debug)]
struct Model(u8);

impl Model {
    #[track(project = "hostile", pue = 1)]
    fn plain(&self, x: u8) -> u8 {
        use std::convert::identity;
        identity(x + self.0)
    }

    #[track(err, project = format!("{x}"))]
    fn fallible(&mut self, x: u8) -> Result<&mut u8, String> {
        if x > 1 {
            return Err("large".into());
        }
        Ok(&mut self.0)
    }

    #[track(description = format!("{x}"))]
    async fn future(&self, x: u8, (_a, b): (u8, u8)) -> Result<u8, String> {
        const ONE: u8 = 1;
        std::future::ready(()).await;
        Ok(x + b + ONE + self.0)
    }

    #[track]
    fn returned(&self) -> Pin<Box<dyn Future<Output = u8> + Send + '_>> {
        let x = self.0;
        Box::pin(async move {
            std::future::ready(()).await;
            x
        })
    }
}

#[track]
async fn unused_arguments(_x: u8, mut _y: u8, _: ()) {
    std::future::ready(()).await;
}

#[track]
async fn endless() -> ! {
    loop {
        tokio::task::yield_now().await;
    }
}

/// Bodies that some lints know as a whole.
#[derive(Debug, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Whole(u8);

#[expect(clippy::expl_impl_clone_on_copy, reason = "so it is without the attribute")]
impl Clone for Whole {
    #[track]
    fn clone(&self) -> Self {
        *self
    }
}

impl Whole {
    #[track]
    fn written_later(self) -> u8 {
        todo!("later")
    }
}

#[derive(PartialEq, Eq)]
struct Ordered(u8);

impl PartialOrd for Ordered {
    #[track]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ordered {
    #[track]
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}

#[track]
fn empty<T>() {}

/// A future as the value of a future.
#[track]
async fn yields_a_task() -> JoinHandle<u8> {
    std::future::ready(()).await;
    tokio::spawn(std::future::ready(1))
}

#[track]
async fn yields_and_never_ends(_x: u8) -> JoinHandle<u8> {
    loop {
        tokio::task::yield_now().await;
    }
}

/// Bodies that end in no value.
#[track]
fn diverges(x: u8) -> u8 {
    if x > 1 {
        return 2;
    }
    std::panic::panic_any(x)
}

#[track(err)]
fn diverges_err(x: u8) -> Result<u8, u8> {
    loop {
        if x > 1 {
            return Err(2);
        }
    }
}

#[track]
fn opaque(x: u8) -> impl Fn(&u8) -> u8 {
    move |&y| x + y
}

#[track]
fn diverges_opaque(x: u8) -> impl Iterator<Item = u8> {
    loop {
        if x > 1 {
            return vec![x].into_iter();
        }
    }
}

/// Bodies in one line, whose braces a lint may find unnecessary.
#[rustfmt::skip]
mod in_one_line {
    use super::{Future, Pin, track};

    #[track] pub(super) fn plain(x: u8) -> u8 { x }
    #[track(err)] pub(super) fn err(x: Result<u8, u8>) -> Result<u8, u8> { x }
    #[track] pub(super) async fn future(x: u8) -> u8 { std::future::ready(x).await }
    #[track] pub(super) fn opaque(x: u8) -> impl Fn(&u8) -> u8 { move |&y| x + y }
    #[track] pub(super) fn boxed(x: u8) -> Pin<Box<dyn Future<Output = u8>>> { Box::pin(async move { x }) }
}

mod no_prelude {
    #![no_implicit_prelude]

    #[::eco2ai::track(project = "none")]
    pub(super) fn plain() -> u8 {
        1
    }

    #[::eco2ai::track]
    pub(super) async fn future(x: u8) -> u8 {
        x
    }

    pub(super) fn save() -> ::eco2ai::Result<()> {
        ::eco2ai::set_params!(ignore_warnings = false)
    }
}

#[tokio::test]
async fn no_lint_and_no_missing_prelude_troubles_the_expansion() {
    in_own_folder();
    drop(Tracker::builder());
    let mut model = Model(1);
    assert_eq!(model.plain(1), 2);
    assert_eq!(model.fallible(1), Ok(&mut 1));
    assert_eq!(model.future(1, (0, 1)).await, Ok(4));
    assert_eq!(model.returned().await, 1);
    assert_eq!(no_prelude::plain() + no_prelude::future(1).await, 2);
    // Not called: it would save.
    let _: fn() -> eco2ai::Result<()> = no_prelude::save;
    drop(endless());
    unused_arguments(1, 2, ()).await;
    let whole = Whole(1);
    let written_later: fn(Whole) -> u8 = Whole::written_later;
    assert!(std::panic::catch_unwind(|| written_later(Clone::clone(&whole))).is_err());
    assert!(Ordered(1) < Ordered(2));
    empty::<u8>();
    assert_eq!(yields_a_task().await.await.ok(), Some(1));
    drop(yields_and_never_ends(1));
    assert_eq!(diverges(2) + opaque(1)(&2), 5);
    assert_eq!(diverges_err(2), Err(2));
    assert_eq!(diverges_opaque(2).count(), 1);
    assert_eq!(in_one_line::plain(1) + in_one_line::opaque(1)(&1), 3);
    assert_eq!(in_one_line::err(Ok(1)), Ok(1));
    assert_eq!(in_one_line::future(1).await + in_one_line::boxed(1).await, 2);
    assert_one("Model::plain");
    assert_one("no_prelude::future");
}
