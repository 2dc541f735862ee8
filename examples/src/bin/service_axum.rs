//! A service of axum on loopback: each request is tracked by its route, and `/metrics` is a page for
//! Prometheus. Ends with Ctrl-C, and then writes a row for each route, and one for the service, whose own
//! energy is what was used outside of requests.
//!
//! ```text
//! cargo run -p eco2ai-examples --features axum --bin service_axum -- 127.0.0.1:8080
//! curl http://127.0.0.1:8080/primes/100000 http://127.0.0.1:8080/metrics
//! ```

use std::error::Error;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{MatchedPath, Path};
use axum::http::request::Parts;
use axum::routing::get;
use eco2ai::Tracker;
use eco2ai::metrics::EnergyMetrics;
use eco2ai::tower::TrackLayer;
use metrics_exporter_prometheus::PrometheusBuilder;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let parameters = Tracker::builder().project("service").function("service").forget();
    let tracker = parameters.clone().build()?;

    let prometheus = PrometheusBuilder::new().install_recorder()?;
    let energy = Arc::new(EnergyMetrics::start(&tracker)?);
    let page = move || {
        let (energy, prometheus) = (Arc::clone(&energy), prometheus.clone());
        async move {
            energy.update();
            prometheus.render()
        }
    };

    // On no thread, so it gets energy only while no request is handled.
    let service = tracker.start_detached()?;
    let requests = parameters.parent(service.handle());
    let app = Router::new()
        .route("/primes/{below}", get(primes))
        .route("/wait", get(|| tokio::time::sleep(Duration::from_millis(100))))
        .route("/metrics", get(page))
        .layer(TrackLayer::new(requests, |request: &Parts| {
            let route = request.extensions.get().map_or("(no route)", MatchedPath::as_str);
            format!("{} {route}", request.method).into()
        })?);

    #[cfg(feature = "otlp")]
    let otlp = otlp::Export::start(&tracker)?;

    let listener = TcpListener::bind(address).await?;
    println!("http://{}/metrics", listener.local_addr()?);
    axum::serve(listener, app).with_graceful_shutdown(stopped()).await?;
    service.stop()?;
    #[cfg(feature = "otlp")]
    otlp.end()?;
    eco2ai::flush()?;
    println!("{}", eco2ai::summary("emission.csv")?);
    Ok(())
}

/// Export by OTLP, with the feature `otlp`.
#[cfg(feature = "otlp")]
mod otlp {
    use std::error::Error;

    use eco2ai::Tracker;
    use eco2ai::opentelemetry::EnergyInstruments;
    use opentelemetry::metrics::MeterProvider;
    use opentelemetry_otlp::MetricExporter;
    use opentelemetry_sdk::metrics::SdkMeterProvider;

    /// Exports periodically while it lives; nothing if the environment names no endpoint.
    pub(crate) struct Export(Option<(SdkMeterProvider, EnergyInstruments)>);

    impl Export {
        /// Exports to the endpoint in `OTEL_EXPORTER_OTLP_METRICS_ENDPOINT`.
        pub(crate) fn start(tracker: &Tracker) -> Result<Self, Box<dyn Error>> {
            if std::env::var_os("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT").is_none() {
                return Ok(Self(None));
            }
            let exporter = MetricExporter::builder().with_http().build()?;
            let provider = SdkMeterProvider::builder().with_periodic_exporter(exporter).build();
            let energy = EnergyInstruments::start(tracker, &provider.meter("service"))?;
            Ok(Self(Some((provider, energy))))
        }

        /// Exports for the last time.
        pub(crate) fn end(self) -> Result<(), Box<dyn Error>> {
            if let Some((provider, _energy)) = self.0 {
                provider.shutdown()?;
            }
            Ok(())
        }
    }
}

/// Completes at Ctrl-C.
async fn stopped() {
    // Without a handler the service could not be stopped in another way than to be killed.
    let _ = tokio::signal::ctrl_c().await;
}

/// Counts the primes below a number, which takes a while.
async fn primes(Path(below): Path<u32>) -> String {
    let is_prime = |n: &u32| (2..*n).take_while(|d| d * d <= *n).all(|d| !n.is_multiple_of(d));
    let below = below.min(1_000_000);
    format!("{}\n", (2..black_box(below)).filter(is_prime).count())
}
