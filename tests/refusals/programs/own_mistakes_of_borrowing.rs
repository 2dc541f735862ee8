//! What the borrow checker says of a function's own mistakes: each is here twice, bare first.
#![deny(warnings)]

fn bare_closure(a: u32) -> Box<dyn Fn() -> u32> {
    Box::new(|| a)
}

// Says where the whole body is.
#[eco2ai::track]
fn tracked_closure(a: u32) -> Box<dyn Fn() -> u32> {
    Box::new(|| a)
}

fn bare_local(s: String) -> &'static str {
    &s
}

#[eco2ai::track]
fn tracked_local(s: String) -> &'static str {
    &s
}

// Speaks of a local variable, not of a parameter.
#[eco2ai::track(err)]
fn err_local(s: String) -> Result<&'static str, u8> {
    Ok(&s)
}

async fn bare_async_local(s: String) -> &'static str {
    &s
}

#[eco2ai::track]
async fn tracked_async_local(s: String) -> &'static str {
    &s
}

fn bare_moved(a: String) {
    drop(a);
    drop(a);
}

#[eco2ai::track]
fn tracked_moved(a: String) {
    drop(a);
    drop(a);
}

async fn bare_async_moved(a: String) {
    drop(a);
    drop(a);
}

// Offers no clone.
#[eco2ai::track]
async fn tracked_async_moved(a: String) {
    drop(a);
    drop(a);
}

fn bare_assigned(a: u32) -> u32 {
    a = 2;
    a
}

#[eco2ai::track]
fn tracked_assigned(a: u32) -> u32 {
    a = 2;
    a
}

async fn bare_async_assigned(a: u32) -> u32 {
    a = 2;
    a
}

// Does not say that the argument is never read.
#[eco2ai::track]
async fn tracked_async_assigned(a: u32) -> u32 {
    a = 2;
    a
}

fn main() {}
