//! Figures of a running server, for Prometheus: how many calls, how fast, how much work.
use crate::db::Able;
#[cfg(feature = "otlp")]
use prometheus_client::encoding::prometheus_protobuf;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use std::sync::Arc;
use std::time::Duration;

/// Bounds of the histogram of calls, in seconds: from a read in memory to the longest wait for the
/// database.
const SECONDS: [f64; 11] = [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

/// One RPC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Rpc {
    /// "astro.v1.ItemService".
    pub service: &'static str,
    /// "GetItem".
    pub method: &'static str,
}

/// An RPC and how it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Ended {
    /// "astro.v1.ItemService".
    pub service: &'static str,
    /// "GetItem".
    pub method: &'static str,
    /// gRPC's code: "OK", "NOT_FOUND".
    pub code: &'static str,
}

/// A job, and what became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Row {
    /// The job's name.
    pub job: &'static str,
    /// "handled" or "failed".
    pub outcome: &'static str,
}

/// The figures that are counted where things happen. Clones count together.
#[derive(Debug, Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    /// Calls that ended.
    pub calls: Family<Ended, Counter>,
    /// How long calls with one answer took.
    pub call_seconds: Family<Rpc, Histogram, fn() -> Histogram>,
    /// Calls under way, streams among them.
    pub calls_open: Gauge,
    /// Rows that jobs handled.
    pub job_rows: Family<Row, Counter>,
    /// What is looked up when somebody asks.
    levels: Levels,
}

/// Figures that are there anyway and are read when somebody asks.
#[derive(Debug, Clone, Default)]
struct Levels {
    connections: Gauge,
    streams: Gauge,
    log_lag: Gauge<f64, std::sync::atomic::AtomicU64>,
    reads: Gauge,
    writes: Gauge,
}

/// How things stand now.
#[derive(Debug, Clone, Copy)]
pub struct Level {
    /// Open connections.
    pub connections: usize,
    /// Open streams and waits of clients.
    pub streams: usize,
    /// How long committed events have been without their place in the log.
    pub log_lag: Duration,
    /// Whether the database can be read and written.
    pub database: Able,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("astro");
        let (calls, calls_open) = (Family::default(), Gauge::default());
        let histogram: fn() -> Histogram = || Histogram::new(SECONDS);
        let call_seconds = Family::new_with_constructor(histogram);
        let job_rows = Family::default();
        let levels = Levels::default();
        registry.register("calls", "Calls that ended, by gRPC code", calls.clone());
        let text = "Time of calls with one answer";
        registry.register_with_unit("call", text, Unit::Seconds, call_seconds.clone());
        registry.register("calls_open", "Calls under way", calls_open.clone());
        registry.register("job_rows", "Rows that jobs handled or failed at", job_rows.clone());
        registry.register("connections", "Open connections", levels.connections.clone());
        registry.register("streams", "Open streams and waits", levels.streams.clone());
        let text = "How long committed events have been without a place in the log";
        registry.register_with_unit("log_lag", text, Unit::Seconds, levels.log_lag.clone());
        let text = "Whether the database can be read";
        registry.register("database_readable", text, levels.reads.clone());
        let text = "Whether the database takes writes";
        registry.register("database_writable", text, levels.writes.clone());
        let registry = Arc::new(registry);
        Self { registry, calls, call_seconds, calls_open, job_rows, levels }
    }
}

impl Metrics {
    /// All figures in OpenMetrics' text form.
    pub fn text(&self, now: Level) -> String {
        self.look(now);
        let mut out = String::new();
        // Writing into a text cannot fail.
        let _ = text::encode(&mut out, &self.registry);
        out
    }

    /// All figures as Prometheus' messages have them.
    #[cfg(feature = "otlp")]
    pub fn families(
        &self,
        now: Level,
    ) -> Vec<prometheus_protobuf::prometheus_data_model::MetricFamily> {
        self.look(now);
        // Making messages of texts and numbers cannot fail.
        prometheus_protobuf::encode(&self.registry).unwrap_or_default()
    }

    fn look(&self, now: Level) {
        let whole = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        self.levels.connections.set(whole(now.connections));
        self.levels.streams.set(whole(now.streams));
        self.levels.log_lag.set(now.log_lag.as_secs_f64());
        self.levels.reads.set(now.database.read.into());
        self.levels.writes.set(now.database.write.into());
    }
}
