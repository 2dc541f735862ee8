//! A layer for `tower`, and so for axum, tonic and hyper's services, that tracks each
//! request by its route. With the feature `tower`.

use std::borrow::Cow;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::request::Parts;
use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::error::Result;
use crate::named_trackers::NamedTrackers;
use crate::settings::Rows;
use crate::status::Status;
use crate::tracker::{DetachedRun, TrackerBuilder};

/// Tracks each request as a call of its route.
///
/// A request is a run from the call of the service until it has a response; it gets the energy of the
/// time in which its future is polled. The status is `error` for an error or a response with a status of
/// 500 to 599, and `cancelled` if the client goes away. The body of the response, which is sent later, is
/// not a part of the run.
///
/// The requests of a route add up to one row (`rows = "total"`), unless the tracker was given `rows`. The
/// column `function` holds the name of the route, which the caller's function makes from the request.
/// 1000 names have rows of their own, and all others are named `(other)`: name a request by the template
/// of its route and not by its path. In axum that is `MatchedPath`:
///
/// ```
/// use axum::{Router, extract::MatchedPath, routing::get};
/// use eco2ai::tower::TrackLayer;
///
/// # let folder = tempfile::tempdir()?;
/// # let tracker = eco2ai::Tracker::builder().file(folder.path().join("emission.csv")).forget();
/// let energy = TrackLayer::new(tracker.project("shop"), |request| {
///     let route = request.extensions.get().map_or("(no route)", MatchedPath::as_str);
///     format!("{} {route}", request.method).into()
/// })?;
/// let app: Router = Router::new()
///     .route("/users/{id}", get(|| async { "a user" })) // the function `GET /users/{id}`
///     .layer(energy);
/// # drop(app);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct TrackLayer<N> {
    routes: Arc<Routes<N>>,
}

/// The trackers of all routes, and how a request is named.
struct Routes<N> {
    trackers: NamedTrackers,
    name: N,
}

impl<N: Fn(&Parts) -> Cow<'_, str>> TrackLayer<N> {
    /// Returns a layer whose requests have the parameters of `tracker`, and the names that `name` returns
    /// for the head of a request.
    ///
    /// # Errors
    /// Returns [`Error::Parameter`](crate::Error::Parameter) if a parameter is not allowed.
    pub fn new(mut tracker: TrackerBuilder, name: N) -> Result<Self> {
        if tracker.params.rows.is_none() {
            tracker = tracker.rows(Rows::Total);
        }
        let trackers = NamedTrackers::new(tracker)?;
        Ok(Self { routes: Arc::new(Routes { trackers, name }) })
    }
}

impl<N> Clone for TrackLayer<N> {
    fn clone(&self) -> Self {
        Self { routes: Arc::clone(&self.routes) }
    }
}

impl<N> fmt::Debug for TrackLayer<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrackLayer").finish_non_exhaustive()
    }
}

impl<S, N> Layer<S> for TrackLayer<N> {
    type Service = TrackService<S, N>;

    fn layer(&self, inner: S) -> Self::Service {
        TrackService { inner, routes: Arc::clone(&self.routes) }
    }
}

/// The service of a [`TrackLayer`].
pub struct TrackService<S, N> {
    inner: S,
    routes: Arc<Routes<N>>,
}

impl<S: Clone, N> Clone for TrackService<S, N> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), routes: Arc::clone(&self.routes) }
    }
}

impl<S: fmt::Debug, N> fmt::Debug for TrackService<S, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrackService").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl<S, N, B, R> Service<Request<B>> for TrackService<S, N>
where
    S: Service<Request<B>, Response = Response<R>>,
    N: Fn(&Parts) -> Cow<'_, str>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = TrackedResponse<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<std::result::Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (head, body) = request.into_parts();
        let tracker = if crate::is_disabled() {
            None
        } else {
            self.routes.trackers.get(&(self.routes.name)(&head), None)
        };
        let run = tracker.and_then(|tracker| tracker.start_detached().ok());
        let future = {
            // The service may do all of its work here.
            let _entered = run.as_ref().map(DetachedRun::enter);
            self.inner.call(Request::from_parts(head, body))
        };
        TrackedResponse { future, run: Unfinished(run) }
    }
}

/// Ends the run of a future that is dropped before it completes.
#[derive(Debug)]
struct Unfinished(Option<DetachedRun>);

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(run) = self.0.take() {
            run.end(Status::Cancelled);
        }
    }
}

pin_project! {
    /// The future of a [`TrackService`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct TrackedResponse<F> {
        #[pin]
        future: F,
        run: Unfinished,
    }
}

impl<F, R, E> Future for TrackedResponse<F>
where
    F: Future<Output = std::result::Result<Response<R>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        // A panic drops the run here, and ends it as `panicked`.
        let Some(run) = this.run.0.take() else { return this.future.poll(context) };
        let polled = {
            let _entered = run.enter();
            this.future.poll(context)
        };
        match &polled {
            Poll::Pending => this.run.0 = Some(run),
            Poll::Ready(Ok(response)) if !response.status().is_server_error() => {
                run.end(Status::Ok);
            }
            Poll::Ready(_) => run.end(Status::Error),
        }
        polled
    }
}
