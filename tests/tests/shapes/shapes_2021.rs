//! Shapes that do not compile in the edition of 2018, bare or tracked.
#![allow(clippy::manual_async_fn, reason = "the shapes are what is tested")]

use std::future::Future;

use eco2ai::track;
use eco2ai_tests::block_on;
use eco2ai_tests::rows::{assert_one, in_own_folder};

#[test]
fn a_returned_block_that_borrows_what_an_argument_refers_to() {
    #[track]
    fn borrowed(x: &[u8]) -> impl Future<Output = Option<&u8>> + '_ {
        async {
            std::future::ready(()).await;
            x.first()
        }
    }
    in_own_folder();
    assert_eq!(block_on(borrowed(&[1])), Some(&1));
    assert_one("borrowed");
}

#[test]
fn closures_that_capture_a_part_of_an_argument() {
    struct Pair {
        a: String,
        b: String,
    }
    #[track]
    fn plain(mut pair: Pair) -> String {
        let a = &pair.a;
        let mut push = || pair.b.push('!');
        push();
        format!("{a}{}", pair.b)
    }
    #[track]
    async fn asynchronous(mut pair: Pair) -> String {
        let a = &pair.a;
        let mut push = || pair.b.push('!');
        push();
        std::future::ready(()).await;
        format!("{a}{}", pair.b)
    }
    in_own_folder();
    let pair = || Pair { a: "a".into(), b: "b".into() };
    assert_eq!(plain(pair()), "ab!");
    assert_eq!(block_on(asynchronous(pair())), "ab!");
    assert_one("plain");
    assert_one("asynchronous");
}
