//! A small HTTP server: one page, few connections, and a limit on the time of each.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::body::{Body, Incoming};
use hyper::header::{ACCEPT, ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};

use super::metrics_source::MetricsSource;
use crate::metrics::Exposition;

/// The maximum number of open connections. Others wait until one ends.
const MAX_CONNECTIONS: usize = 16;
/// The time from the start of a connection to the end of its answer, which is the time that
/// Prometheus waits by default. So a client that sends or reads slowly cannot keep a connection.
const TIME_LIMIT: Duration = Duration::from_secs(10);
/// The maximum size of a request's head in bytes.
const MAX_HEAD: usize = 16 << 10;
/// The pause after a connection that could not be accepted, such as for lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves until the process gets the signal of Ctrl-C, or, on Unix, SIGTERM. Calls `listening` with
/// the address when connections are accepted.
///
/// # Errors
/// Returns an error if the address cannot be used.
pub(super) fn serve(
    listen: SocketAddr,
    source: MetricsSource,
    listening: impl FnOnce(SocketAddr),
) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(MAX_CONNECTIONS)
        .build()?;
    let source = Arc::new(Mutex::new(source));
    let served = runtime.block_on(async {
        let listener = TcpListener::bind(listen).await?;
        // Before the address is known, so that a signal is not lost.
        let stop = stop_signal()?;
        listening(listener.local_addr()?);
        tokio::select! {
            () = accept(listener, source) => Ok(()),
            () = stop => Ok(()),
        }
    });
    // A log on a file system that hangs would keep the process alive.
    runtime.shutdown_background();
    served
}

/// Returns what waits for the end.
#[cfg_attr(not(unix), allow(clippy::unnecessary_wraps, reason = "Unix needs it"))]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    let (mut interrupt, mut terminate) = {
        use tokio::signal::unix::{SignalKind, signal};
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
    };
    Ok(async move {
        #[cfg(unix)]
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        #[cfg(not(unix))]
        if tokio::signal::ctrl_c().await.is_err() {
            // The default of the system ends the process.
            std::future::pending::<()>().await;
        }
    })
}

async fn accept(listener: TcpListener, source: Arc<Mutex<MetricsSource>>) {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        // The semaphore is never closed.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(connection(stream, Arc::clone(&source), place));
            }
            Err(_) => sleep(ACCEPT_PAUSE).await,
        }
    }
}

/// Answers one request.
async fn connection(
    stream: TcpStream,
    source: Arc<Mutex<MetricsSource>>,
    place: OwnedSemaphorePermit,
) {
    // Also held by the reading of the logs, which goes on if the client does not wait for it.
    let place = Arc::new(place);
    let service = service_fn(|request| {
        let (source, place) = (Arc::clone(&source), Arc::clone(&place));
        async move { Ok::<_, Infallible>(answer(&request, source, place).await) }
    });
    let connection = http1::Builder::new()
        .keep_alive(false)
        .header_read_timeout(None)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(stream), service);
    // A client that goes away is no error of ours.
    let _ = timeout(TIME_LIMIT, connection).await;
}

async fn answer(
    request: &Request<Incoming>,
    source: Arc<Mutex<MetricsSource>>,
    place: Arc<OwnedSemaphorePermit>,
) -> Response<String> {
    const TEXT: &str = "text/plain; charset=utf-8";
    if request.method() != Method::GET && request.method() != Method::HEAD {
        let mut response = page(StatusCode::METHOD_NOT_ALLOWED, TEXT, "use GET\n".to_owned());
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    if request.uri().path() != "/metrics" {
        return page(StatusCode::NOT_FOUND, TEXT, "the metrics are at /metrics\n".to_owned());
    }
    if !request.body().is_end_stream() {
        return page(StatusCode::PAYLOAD_TOO_LARGE, TEXT, "send no body\n".to_owned());
    }
    let format = format(request);
    let metrics = tokio::task::spawn_blocking(move || {
        let metrics = source.lock().unwrap_or_else(PoisonError::into_inner).metrics(format);
        drop(place);
        metrics.ok().and_then(|text| String::from_utf8(text).ok())
    });
    if let Ok(Some(text)) = metrics.await {
        return page(StatusCode::OK, format.content_type(), text);
    }
    let text = "the metrics could not be made\n".to_owned();
    page(StatusCode::INTERNAL_SERVER_ERROR, TEXT, text)
}

/// Returns the format that the client asks for.
fn format(request: &Request<Incoming>) -> Exposition {
    let accepts = |value: &HeaderValue| {
        value.to_str().is_ok_and(|value| value.contains("application/openmetrics-text"))
    };
    if request.headers().get_all(ACCEPT).iter().any(accepts) {
        Exposition::OpenMetrics
    } else {
        Exposition::Prometheus
    }
}

fn page(status: StatusCode, content_type: &'static str, text: String) -> Response<String> {
    let mut response = Response::new(text);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
