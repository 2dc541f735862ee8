//! The same small service of axum three times: bare, with a line of JSON for each request by `tracing`, and
//! with the layer for `tower`. `python3 tests/benches/measure.py service` compares them.
//!
//! ```text
//! cargo run --release -p eco2ai-examples --features service-cost --bin service_cost -- tower 127.0.0.1:8080
//! ```

use std::error::Error;
use std::fs::File;
use std::sync::Arc;

use axum::Router;
use axum::extract::{MatchedPath, Path, Request};
use axum::http::request::Parts;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::get;
use eco2ai::Tracker;
use eco2ai::tower::TrackLayer;
use tokio::net::TcpListener;
use tracing::{Instrument, info_span};
use tracing_subscriber::fmt::format::FmtSpan;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [kind, address] = &arguments[..] else {
        return Err("usage: service_cost bare|tracing|tower ADDRESS".into());
    };
    let bare = Router::new().route("/greet/{name}", get(greet));
    let app = match kind.as_str() {
        "bare" => bare,
        "tracing" => {
            tracing_subscriber::fmt()
                .json()
                .with_span_events(FmtSpan::CLOSE)
                .with_writer(Arc::new(File::create("requests.json")?))
                .init();
            bare.layer(from_fn(logged))
        }
        "tower" => {
            let tracker = Tracker::builder().project("service").forget();
            bare.layer(TrackLayer::new(tracker, |request: &Parts| {
                let route = request.extensions.get().map_or("(no route)", MatchedPath::as_str);
                format!("{} {route}", request.method).into()
            })?)
        }
        other => return Err(format!("no such service: {other}").into()),
    };
    axum::serve(TcpListener::bind(address).await?, app)
        .with_graceful_shutdown(async {
            // Without a handler the service could not be stopped in another way than to be killed.
            let _ = tokio::signal::ctrl_c().await;
        })
        .await?;
    eco2ai::flush()?;
    Ok(())
}

async fn greet(Path(name): Path<String>) -> String {
    format!("Hello, {name}!")
}

/// Handles the request in a span, whose line is written when it closes.
async fn logged(request: Request, next: Next) -> Response {
    let route = request.extensions().get().map_or("(no route)", MatchedPath::as_str).to_owned();
    let span = info_span!("request", method = %request.method(), route);
    next.run(request).instrument(span).await
}
