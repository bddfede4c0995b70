//! Figures for an OpenTelemetry collector. Without the feature `otlp` there is nobody to send them.
#[cfg(feature = "otlp")]
mod export;

use crate::config::Collector;
use crate::metrics::{Level, Metrics};
use crate::outside::Chance;
use tokio_util::sync::CancellationToken;

/// Sends the figures to `collector` every so often until `stop`. It need not be there yet.
///
/// # Errors
/// When its address is none for OTLP over gRPC without TLS.
#[cfg(feature = "otlp")]
pub fn start(
    collector: &Collector,
    chance: &Chance,
    metrics: &Metrics,
    level: impl Fn() -> Level + Clone + Send + Sync + 'static,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let exporter = export::Exporter::new(&collector.endpoint, chance.salt())?;
    let (metrics, every) = (metrics.clone(), collector.every);
    crate::supervise::spawn("figures for the collector", stop, move || {
        exporter.clone().run(metrics.clone(), level.clone(), every)
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
    _chance: &Chance,
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
