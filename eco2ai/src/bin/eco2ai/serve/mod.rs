//! `eco2ai serve`: logs and runs in progress as metrics, over HTTP.

mod http;
mod metrics_source;

use std::net::SocketAddr;

use crate::failure::{ExitCode, Failure, Result};
use crate::log_files::LogFiles;
use crate::output::{note, warning};
use metrics_source::MetricsSource;

/// Serves the totals of logs and the runs in progress as metrics for Prometheus
///
/// Answers `/metrics` until Ctrl-C. Each request reads the rows that are new. No file is created or
/// changed.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    logs: LogFiles,
    /// Listens on this address and port; port 0 is any free one
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: SocketAddr,
    /// Allows an address that other machines can reach; there is no encryption and no password
    #[arg(long)]
    allow_remote: bool,
}

const EXAMPLES: &str = "\
Examples:
  eco2ai serve --listen 127.0.0.1:9925 logs/
  eco2ai serve --listen 127.0.0.1:9925 & curl http://127.0.0.1:9925/metrics";

pub(crate) fn serve(arguments: &ServeArgs) -> Result {
    let listen = arguments.listen;
    if !listen.ip().is_loopback() {
        if !arguments.allow_remote {
            return Err(Failure::usage(format!(
                "--listen {listen}: other machines can reach this address and would see the names of \
                 projects and functions; listen on 127.0.0.1:{}, or add --allow-remote",
                listen.port()
            )));
        }
        warning(format_args!(
            "{listen}: anyone who can reach this address sees the names of projects and functions"
        ));
    }
    // The first reading may take longer than a request may.
    let source = MetricsSource::new(&arguments.logs)?;
    http::serve(listen, source, |address| {
        note(format_args!("listening on http://{address}/metrics"));
    })
    .map_err(|error| Failure::new(format!("--listen {listen}: {error}")))?;
    Ok(ExitCode::SUCCESS)
}
