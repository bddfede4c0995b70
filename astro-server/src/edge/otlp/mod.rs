//! Figures for an OpenTelemetry collector. Without the feature `otlp` there is nobody to send them.
#[cfg(feature = "otlp")]
mod export;

use crate::metrics::{Level, Metrics};
use crate::outside::Outside;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// An OpenTelemetry collector that is sent figures.
#[derive(Debug, Clone)]
pub struct Collector {
    /// Its address for OTLP over gRPC: "http://127.0.0.1:4317".
    pub endpoint: String,
    /// How often.
    pub every: Duration,
}

/// Sends the figures to `collector` every so often until `stop`. It need not be there yet.
///
/// # Errors
/// When its address is none for OTLP over gRPC without TLS.
#[cfg(feature = "otlp")]
pub fn start(
    collector: &Collector,
    outside: &Outside,
    metrics: &Metrics,
    level: impl Fn() -> Level + Clone + Send + Sync + 'static,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let exporter = export::Exporter::new(collector, outside)?;
    let metrics = metrics.clone();
    crate::supervise::spawn("figures for the collector", stop, move || {
        exporter.clone().run(metrics.clone(), level.clone())
    });
    Ok(())
}

/// Refuses to start a server that was to do what this build cannot.
///
/// # Errors
/// Always.
#[cfg(not(feature = "otlp"))]
pub fn start(
    _collector: &Collector,
    _outside: &Outside,
    _metrics: &Metrics,
    _level: impl Fn() -> Level,
    _stop: &CancellationToken,
) -> anyhow::Result<()> {
    anyhow::bail!(
        "this astro-server cannot send figures to an OTLP endpoint: build it with `cargo build \
         --release -p astro-server --features otlp`, or let Prometheus fetch them \
         (--metrics-listen)"
    )
}
