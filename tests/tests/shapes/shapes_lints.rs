//! Functions about which clippy says nothing without the attribute, and must say nothing with it.
//! The lints are at the level of the workspace, so clippy itself is the test.
#![allow(dead_code, reason = "clippy reads the functions; nobody calls them")]
#![allow(clippy::unused_async, clippy::ptr_arg, reason = "the lints below are what is tested")]

use std::cmp::Ordering;

use eco2ai::track;

/// `missing_transmute_annotations`: the types follow from the function.
#[track]
unsafe fn transmuted(x: [u8; 4]) -> [i8; 4] {
    unsafe { std::mem::transmute(x) }
}

/// `inline_always`: there is nothing that could be inlined.
#[track]
#[inline(always)]
fn empty() {}

#[track]
#[inline(always)]
fn panics() -> u8 {
    core::panic!("on purpose")
}

#[track]
#[inline(always)]
fn begins_with_an_item() -> u8 {
    const ONE: u8 = 1;
    ONE
}

/// `assigning_clones`: the source borrows from the target.
#[track]
async fn assigned(mut texts: Vec<String>) -> Vec<String> {
    let first = &texts[..1];
    texts = first.to_vec();
    let all = &texts;
    texts = all.clone();
    texts
}

trait Fallible {
    #[allow(clippy::result_large_err, reason = "reported here, but not where it is implemented")]
    fn fallible(&self) -> Result<u8, [u8; 300]>;
}

/// `result_large_err`: the trait determines the type.
impl Fallible for u16 {
    #[track(err)]
    fn fallible(&self) -> Result<u8, [u8; 300]> {
        Err([0; 300])
    }
}

/// `non_canonical_clone_impl`: not reported for the canonical form, and expected for another.
#[derive(Copy)]
struct Canonical(u8);

#[allow(clippy::expl_impl_clone_on_copy, reason = "the lint above is what is tested")]
impl Clone for Canonical {
    #[track]
    fn clone(&self) -> Self {
        *self
    }
}

#[derive(Copy)]
struct NotCanonical(u8);

#[allow(clippy::expl_impl_clone_on_copy, reason = "the lint above is what is tested")]
#[expect(clippy::non_canonical_clone_impl, reason = "the lint is what is tested")]
impl Clone for NotCanonical {
    #[track]
    fn clone(&self) -> Self {
        Self(self.0)
    }
}

/// `non_canonical_partial_ord_impl`: the same.
#[derive(PartialEq, Eq)]
struct Ordered(u8);

impl Ord for Ordered {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}

impl PartialOrd for Ordered {
    #[track]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[derive(PartialEq, Eq)]
struct NotSoOrdered(u8);

impl Ord for NotSoOrdered {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}

#[expect(clippy::non_canonical_partial_ord_impl, reason = "the lint is what is tested")]
impl PartialOrd for NotSoOrdered {
    #[track]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.0.partial_cmp(&other.0)
    }
}
