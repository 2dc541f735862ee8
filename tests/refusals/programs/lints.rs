//! Lints fire as without the attribute: each case is here twice, bare first.
#![deny(dead_code, unused_must_use, unused_variables, unused_mut)]

fn bare_unused() {}

#[eco2ai::track]
fn tracked_unused() {}

#[must_use = "it is the answer"]
fn bare_must_use() -> u32 {
    42
}

#[must_use = "it is the answer"]
#[eco2ai::track]
fn tracked_must_use() -> u32 {
    42
}

#[eco2ai::track]
#[must_use = "it is the answer"]
async fn tracked_async_must_use() -> u32 {
    42
}

async fn bare_argument(unused: u32, mut not_changed: u32) -> u32 {
    not_changed
}

#[eco2ai::track]
async fn tracked_argument(unused: u32, mut not_changed: u32) -> u32 {
    not_changed
}

fn main() {
    bare_must_use();
    tracked_must_use();
    drop(async {
        tracked_async_must_use().await;
    });
    drop(bare_argument(1, 2));
    drop(tracked_argument(1, 2));
}
