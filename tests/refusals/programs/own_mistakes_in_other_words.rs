//! A function's own mistakes that are told in other words than without the attribute, which
//! the documentation of `track` lists: each is here bare first.
#![deny(warnings)]

fn bare_without_else(x: u32) -> u32 {
    if x > 1 { 2 }
}

#[eco2ai::track]
fn tracked_without_else(x: u32) -> u32 {
    if x > 1 { 2 }
}

fn bare_opaque() -> impl std::fmt::Display {
    vec![1]
}

// Does not show the value.
#[eco2ai::track]
fn tracked_opaque() -> impl std::fmt::Display {
    vec![1]
}

fn bare_break() -> u32 {
    break;
}

#[eco2ai::track]
fn tracked_break() -> u32 {
    break;
}

#[eco2ai::track(err)]
fn err_break() -> u32 {
    break;
}

async fn bare_async_break() -> u32 {
    break;
}

#[eco2ai::track]
async fn tracked_async_break() -> u32 {
    break;
}

fn bare_tail(x: u32) -> Result<u32, String> {
    Ok(x);
}

#[eco2ai::track(err)]
fn err_tail(x: u32) -> Result<u32, String> {
    Ok(x);
}

fn bare_question() -> Result<u32, String> {
    Ok(Some(1)?)
}

#[eco2ai::track(err)]
fn err_question() -> Result<u32, String> {
    Ok(Some(1)?)
}

async fn bare_unit(x: &[u8]) {
    x.len()
}

#[eco2ai::track]
async fn tracked_async_unit(x: &[u8]) {
    x.len()
}

async fn bare_never() -> ! {
    drop(1)
}

#[eco2ai::track]
async fn tracked_async_never() -> ! {
    drop(1)
}

#[eco2ai::track]
async fn same_for_an_unsized_type() -> str {
    loop {}
}

fn main() {}
