//! The layer for services, in a router of axum.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::future::{pending, poll_fn};
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use axum::Router;
use axum::body::Body;
use axum::extract::MatchedPath;
use axum::http::request::Parts;
use axum::http::{Request, StatusCode};
use axum::response::Response;
use axum::routing::get;
use eco2ai::tower::TrackLayer;
use eco2ai::{Record, Status};
use eco2ai_tests::bench::{Bench, assert_joules};
use eco2ai_tests::block_on;
use tower_service::Service;

use crate::{bench, rows_by_function};

fn route(request: &Parts) -> Cow<'_, str> {
    request.extensions.get().map_or("(no route)", MatchedPath::as_str).into()
}

fn layer(bench: &Bench) -> TrackLayer<fn(&Parts) -> Cow<'_, str>> {
    let name: fn(&Parts) -> Cow<'_, str> = route;
    TrackLayer::new(bench.builder().project("shop"), name).expect("good parameters")
}

fn request(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).expect("a request")
}

fn respond(app: &mut Router, path: &str) -> Response {
    block_on(app.call(request(path))).unwrap_or_else(|never| match never {})
}

fn rows(bench: &Bench) -> BTreeMap<String, Record> {
    rows_by_function(&bench.log())
}

#[test]
fn requests_add_up_by_the_template_of_their_route() {
    let bench = Arc::new(bench());
    let worker = Arc::clone(&bench);
    let work = move || {
        let bench = Arc::clone(&worker);
        async move { bench.pass(2.0) }
    };
    let mut app = Router::new()
        .route("/users/{id}", get(work))
        .route("/broken", get(|| async { StatusCode::INTERNAL_SERVER_ERROR }))
        .layer(layer(&bench));
    for path in ["/users/1", "/users/2", "/users/3", "/broken", "/nowhere"] {
        respond(&mut app, path);
        bench.pass(1.0);
    }
    let rows = rows(&bench);
    assert_eq!(rows.keys().collect::<Vec<_>>(), ["(no route)", "/broken", "/users/{id}"]);
    let users = &rows["/users/{id}"];
    assert_eq!((users.calls, users.status, users.project.as_str()), (3, Status::Ok, "shop"));
    assert_joules(users.own_energy, 3.0 * 2.0 * 40.0);
    assert_eq!(rows["/broken"].status, Status::Error);
    assert_eq!(rows["/broken"].calls, 1);
}

#[test]
fn a_request_is_charged_while_it_is_polled() {
    let bench = Arc::new(bench());
    let worker = Arc::clone(&bench);
    // Works for a second, waits, and works for another one.
    let work = move || {
        let bench = Arc::clone(&worker);
        let mut polls = 0;
        poll_fn(move |_| {
            bench.pass(1.0);
            polls += 1;
            if polls == 2 { Poll::Ready(()) } else { Poll::Pending }
        })
    };
    let mut app = Router::new().route("/slow", get(work)).layer(layer(&bench));
    let mut context = Context::from_waker(Waker::noop());
    let mut response = pin!(app.call(request("/slow")));
    assert!(response.as_mut().poll(&mut context).is_pending());
    let other = bench.builder().function("other").build().expect("good parameters");
    let other = other.start().expect("a run");
    bench.pass(5.0);
    drop(other);
    assert!(response.as_mut().poll(&mut context).is_ready());
    assert_joules(rows(&bench)["/slow"].own_energy, 2.0 * 40.0);
}

#[test]
fn a_request_that_is_dropped_is_cancelled_and_one_that_panics_has_panicked() {
    async fn bad() {
        panic!("bad")
    }
    let bench = bench();
    let mut app = Router::new()
        .route("/endless", get(pending::<()>))
        .route("/bad", get(bad))
        .layer(layer(&bench));
    let mut context = Context::from_waker(Waker::noop());
    {
        let mut response = pin!(app.call(request("/endless")));
        assert!(response.as_mut().poll(&mut context).is_pending());
    }
    let mut response = pin!(app.call(request("/bad")));
    let poll = AssertUnwindSafe(|| response.as_mut().poll(&mut context).is_ready());
    std::panic::catch_unwind(poll).expect_err("a panic");
    let rows = rows(&bench);
    assert_eq!(rows["/endless"].status, Status::Cancelled);
    assert_eq!(rows["/bad"].status, Status::Panicked);
}

#[test]
fn names_without_end_share_one_row() {
    let bench = bench();
    let name: fn(&Parts) -> Cow<'_, str> = |request| request.uri.path().into();
    let layer = TrackLayer::new(bench.builder(), name).expect("good parameters");
    let mut app = Router::new().route("/{any}", get(|| async {})).layer(layer);
    for number in 0..1005 {
        respond(&mut app, &format!("/{number}"));
    }
    let rows = rows(&bench);
    assert_eq!(rows.len(), 1001);
    assert_eq!(rows["(other)"].calls, 5);
}
