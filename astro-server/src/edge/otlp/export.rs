//! The figures on their way (OTLP over gRPC), under the names that Prometheus sees.
use super::Collector;
use crate::edge::limits::EXPORT_WAIT;
use crate::kernel::Clock;
use crate::metrics::{Level, Metrics};
use crate::outside::Outside;
use opentelemetry_proto::tonic::collector::metrics::v1 as wire;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint,
    ResourceMetrics, ScopeMetrics, Sum,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use prometheus_client::encoding::prometheus_protobuf::prometheus_data_model as told;
use std::time::Duration;
use tonic::transport::{Channel, Endpoint};

const NAME: &str = env!("CARGO_PKG_NAME");
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The way to a collector.
#[derive(Clone)]
pub(super) struct Exporter {
    client: wire::metrics_service_client::MetricsServiceClient<Channel>,
    resource: Resource,
    every: Duration,
    clock: Clock,
    began: u64,
}

impl Exporter {
    /// Leads to this collector, which need not be there yet.
    ///
    /// # Errors
    /// When it is not an address of a collector without TLS.
    pub(super) fn new(collector: &Collector, outside: &Outside) -> anyhow::Result<Self> {
        let endpoint = collector.endpoint.as_str();
        let plain = url::Url::parse(endpoint).is_ok_and(|url| url.scheme() == "http");
        anyhow::ensure!(
            plain,
            "{endpoint:?} is not the address of an OTLP collector without TLS, such as \
             http://127.0.0.1:4317"
        );
        let endpoint = Endpoint::from_shared(endpoint.to_owned())?;
        let channel = endpoint.timeout(EXPORT_WAIT).connect_timeout(EXPORT_WAIT).connect_lazy();
        let client = wire::metrics_service_client::MetricsServiceClient::new(channel);
        let attributes = vec![
            text("service.name", NAME),
            text("service.version", VERSION),
            text("service.instance.id", &outside.chance.salt().to_string()),
        ];
        let resource = Resource { attributes, ..Default::default() };
        let clock = outside.clock.clone();
        let began = nanoseconds(&clock);
        Ok(Self { client, resource, every: collector.every, clock, began })
    }

    /// Sends all figures every so often. That the collector takes none is told once, and again when
    /// it does.
    pub(super) async fn run(mut self, metrics: Metrics, level: impl Fn() -> Level) {
        let mut failing = false;
        loop {
            tokio::time::sleep(self.every).await;
            let sent = self.send(&metrics.families(level())).await;
            match &sent {
                Ok(()) if failing => tracing::info!("The collector takes figures again"),
                Err(status) if !failing => {
                    tracing::warn!("The collector takes no figures: {}", status.message());
                }
                Ok(()) | Err(_) => {}
            }
            failing = sent.is_err();
        }
    }

    async fn send(&mut self, families: &[told::MetricFamily]) -> Result<(), tonic::Status> {
        let span = (self.began, nanoseconds(&self.clock));
        let scope = InstrumentationScope {
            name: NAME.to_owned(),
            version: VERSION.to_owned(),
            ..Default::default()
        };
        let figures = ResourceMetrics {
            resource: Some(self.resource.clone()),
            scope_metrics: vec![ScopeMetrics {
                scope: Some(scope),
                metrics: families.iter().filter_map(|family| metric(family, span)).collect(),
                ..Default::default()
            }],
            ..Default::default()
        };
        let request = wire::ExportMetricsServiceRequest { resource_metrics: vec![figures] };
        self.client.export(request).await.map(drop)
    }
}

/// Nanoseconds since 1970.
fn nanoseconds(clock: &Clock) -> u64 {
    u64::try_from(clock.now().micros()).unwrap_or_default() * 1000
}

fn text(key: &str, value: &str) -> KeyValue {
    let value = Some(AnyValue { value: Some(Any::StringValue(value.to_owned())) });
    KeyValue { key: key.to_owned(), value, ..Default::default() }
}

/// One family as OTLP has it; none of a kind that the server does not have. What is counted has been
/// since the first of the two times.
fn metric(family: &told::MetricFamily, (began, now): (u64, u64)) -> Option<Metric> {
    let number = |of: &told::Metric, value: f64| NumberDataPoint {
        attributes: attributes(of),
        start_time_unix_nano: began,
        time_unix_nano: now,
        value: Some(Value::AsDouble(value)),
        ..Default::default()
    };
    let temporality = AggregationTemporality::Cumulative.into();
    let of = family.metric.iter();
    let data = match family.r#type() {
        told::MetricType::Counter => Data::Sum(Sum {
            data_points: of.filter_map(|m| Some(number(m, m.counter.as_ref()?.value))).collect(),
            aggregation_temporality: temporality,
            is_monotonic: true,
        }),
        told::MetricType::Gauge => Data::Gauge(Gauge {
            data_points: of.filter_map(|m| Some(number(m, m.gauge.as_ref()?.value))).collect(),
        }),
        told::MetricType::Histogram => Data::Histogram(Histogram {
            data_points: of
                .filter_map(|m| {
                    Some(HistogramDataPoint {
                        attributes: attributes(m),
                        start_time_unix_nano: began,
                        time_unix_nano: now,
                        ..buckets(m.histogram.as_ref()?)
                    })
                })
                .collect(),
            aggregation_temporality: temporality,
        }),
        told::MetricType::Summary
        | told::MetricType::Untyped
        | told::MetricType::GaugeHistogram => return None,
    };
    Some(Metric {
        name: family.name.clone(),
        description: family.help.clone(),
        // OTLP's units are UCUM's.
        unit: if family.unit == "seconds" { "s".to_owned() } else { family.unit.clone() },
        data: Some(data),
        ..Default::default()
    })
}

fn attributes(of: &told::Metric) -> Vec<KeyValue> {
    of.label.iter().map(|label| text(&label.name, &label.value)).collect()
}

/// Prometheus counts in each bucket what is below its bound, OTLP what is in it alone; the last has
/// no bound there.
fn buckets(of: &told::Histogram) -> HistogramDataPoint {
    let below = of.bucket.iter().map(|bucket| bucket.cumulative_count);
    let before = std::iter::once(0).chain(below.clone());
    HistogramDataPoint {
        count: of.sample_count,
        sum: Some(of.sample_sum),
        bucket_counts: below.zip(before).map(|(upto, before)| upto - before).collect(),
        explicit_bounds: {
            let bounds = of.bucket.iter().map(|bucket| bucket.upper_bound);
            bounds.filter(|bound| *bound < f64::MAX).collect()
        },
        ..Default::default()
    }
}
