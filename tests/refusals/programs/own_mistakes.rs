//! A function's own mistakes are told as without the attribute: each is here twice, bare first.
#![deny(warnings)]

fn bare_type() -> u32 {
    "text"
}

#[eco2ai::track]
fn tracked_type() -> u32 {
    "text"
}

fn bare_tail(x: u32) -> u32 {
    x + 1;
}

#[eco2ai::track]
fn tracked_tail(x: u32) -> u32 {
    x + 1;
}

fn bare_return() -> u32 {
    return "text";
}

#[eco2ai::track]
fn tracked_return() -> u32 {
    return "text";
}

fn bare_question() -> u32 {
    Some(1)?
}

#[eco2ai::track]
fn tracked_question() -> u32 {
    Some(1)?
}

async fn bare_async() -> u32 {
    "text"
}

#[eco2ai::track]
async fn tracked_async() -> u32 {
    "text"
}

async fn bare_async_tail(x: u32) -> u32 {
    x + 1;
}

#[eco2ai::track]
async fn tracked_async_tail(x: u32) -> u32 {
    x + 1;
}

async fn bare_async_return() -> u32 {
    return "text";
}

#[eco2ai::track]
async fn tracked_async_return() -> u32 {
    return "text";
}

async fn bare_async_unit() {
    return "text";
}

#[eco2ai::track]
async fn tracked_async_unit() {
    return "text";
}

async fn bare_async_question() -> u32 {
    Some(1)?
}

// Says "block" for "function": the body stands in one.
#[eco2ai::track]
async fn tracked_async_question() -> u32 {
    Some(1)?
}

async fn bare_async_type() -> Missing {
    loop {}
}

#[eco2ai::track]
async fn tracked_async_type() -> Missing {
    loop {}
}

fn main() {}
