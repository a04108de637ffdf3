//! Knative's observability configuration and OpenTelemetry's variables -> where metrics and traces go. Pure.

use std::net::SocketAddr;
use std::time::Duration;

use serde::Deserialize;
use url::Url;

use super::Strings;
use super::parse::{self, Fix};
use super::read::Reader;
use super::settings;

/// Metrics and traces (`K_OBSERVABILITY_CONFIG`).
#[derive(Clone, Debug, PartialEq)]
pub struct Observability {
    /// Where metrics go.
    pub metrics: MetricsExport,
    /// Where traces go.
    pub traces: TracesExport,
    /// Share of traces kept, 0 to 1.
    pub sampling_rate: f64,
    /// Resource attribute `service.name`.
    pub service_name: String,
    /// Kubernetes Events `SinkSendFailed` on the source object.
    pub sink_event_error_reporting: bool,
}

/// Where metrics go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MetricsExport {
    /// Nowhere but `/metrics` of the health address.
    None,
    /// A Prometheus page at this address, beside the health address. Default `:9092`, every address.
    Prometheus(SocketAddr),
    /// OTLP over HTTP with protobuf.
    OtlpHttp {
        /// The full URL of the collector.
        endpoint: String,
        /// Between two exports. Default 60 s.
        interval: Duration,
    },
    /// OTLP over gRPC.
    OtlpGrpc {
        /// The collector, `http://host:4317`.
        endpoint: String,
        /// Between two exports. Default 60 s.
        interval: Duration,
    },
}

/// Where traces go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TracesExport {
    /// Nowhere.
    None,
    /// One line per span on standard output.
    Stdout,
    /// OTLP over HTTP with protobuf.
    OtlpHttp(String),
    /// OTLP over gRPC.
    OtlpGrpc(String),
}

/// `K_OBSERVABILITY_CONFIG`; durations are nanoseconds, absent and zero values mean defaults.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Document {
    metrics: Option<Metrics>,
    tracing: Option<Tracing>,
    enable_sink_event_error_reporting: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Metrics {
    protocol: String,
    endpoint: String,
    export_interval: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Tracing {
    protocol: String,
    endpoint: String,
    sampling_rate: f64,
}

/// OpenTelemetry's variables.
#[derive(Debug, Default)]
struct Otel {
    metrics_endpoint: Option<String>,
    traces_endpoint: Option<String>,
    grpc: bool,
    interval: Duration,
    sampling_rate: Option<f64>,
    prometheus_host: Option<String>,
    prometheus_port: Option<u16>,
}

/// Reads where metrics and traces go. What the configuration names wins over OpenTelemetry's variables, except the
/// sampler and the address of the Prometheus page, as in Knative's own adapters.
pub(super) fn read<E: Strings>(reader: &mut Reader<E>, component: &str) -> Option<Observability> {
    let otel = otel(reader);
    let service_name = reader.optional(&settings::OTEL_SERVICE_NAME, parse::text);
    let given = reader.given(&settings::OBSERVABILITY_CONFIG).is_some();
    let document = reader.optional(&settings::OBSERVABILITY_CONFIG, document);
    let otel = otel?;
    let mut observability = if given {
        let document = document?;
        // What is at odds with something else is reported as wrong in the configuration that names the protocol.
        match configured(&document, &otel) {
            Ok(observability) => observability,
            Err(problem) => {
                reader.reject(&settings::OBSERVABILITY_CONFIG, &problem);
                return None;
            }
        }
    } else {
        from_variables(&otel)
    };
    observability.service_name = service_name.unwrap_or_else(|| component.to_owned());
    Some(observability)
}

fn document(text: &str) -> Result<Document, Fix> {
    let parsed: Option<Document> = serde_json::from_str(text).map_err(|_| {
        r#"use JSON such as {"metrics":{"protocol":"prometheus","endpoint":":9092"},"tracing":{"protocol":"none"}}, durations in nanoseconds"#
            .to_owned()
    })?;
    Ok(parsed.unwrap_or_default())
}

fn configured(document: &Document, otel: &Otel) -> Result<Observability, Fix> {
    let tracing = document.tracing.as_ref();
    let rate = tracing.map_or(0.0, |tracing| tracing.sampling_rate);
    if !(0.0..=1.0).contains(&rate) {
        return Err("tracing.samplingRate must be a number from 0 to 1".to_owned());
    }
    Ok(Observability {
        metrics: document.metrics.as_ref().map_or(Ok(MetricsExport::None), |metrics| metrics_export(metrics, otel))?,
        traces: tracing.map_or(Ok(TracesExport::None), |tracing| traces_export(tracing, otel))?,
        sampling_rate: otel.sampling_rate.unwrap_or(rate),
        service_name: String::new(),
        sink_event_error_reporting: document.enable_sink_event_error_reporting,
    })
}

fn metrics_export(metrics: &Metrics, otel: &Otel) -> Result<MetricsExport, Fix> {
    let interval = match metrics.export_interval {
        0 => otel.interval,
        nanoseconds => Duration::from_nanos(nanoseconds),
    };
    match metrics.protocol.as_str() {
        "" | "none" => Ok(MetricsExport::None),
        "prometheus" => prometheus_address(&metrics.endpoint, otel).map(MetricsExport::Prometheus),
        "http/protobuf" => {
            let endpoint = endpoint("metrics", &metrics.endpoint, otel.metrics_endpoint.as_deref(), "/v1/metrics")?;
            Ok(MetricsExport::OtlpHttp { endpoint, interval })
        }
        "grpc" => {
            let endpoint = endpoint("metrics", &metrics.endpoint, otel.metrics_endpoint.as_deref(), "")?;
            Ok(MetricsExport::OtlpGrpc { endpoint, interval })
        }
        other => Err(format!("metrics.protocol {other:?} is unknown, use none, prometheus, http/protobuf or grpc")),
    }
}

fn traces_export(tracing: &Tracing, otel: &Otel) -> Result<TracesExport, Fix> {
    let endpoint = |path| endpoint("tracing", &tracing.endpoint, otel.traces_endpoint.as_deref(), path);
    match tracing.protocol.as_str() {
        "" | "none" => Ok(TracesExport::None),
        "stdout" => Ok(TracesExport::Stdout),
        "http/protobuf" => endpoint("/v1/traces").map(TracesExport::OtlpHttp),
        "grpc" => endpoint("").map(TracesExport::OtlpGrpc),
        other => Err(format!("tracing.protocol {other:?} is unknown, use none, stdout, http/protobuf or grpc")),
    }
}

/// Without Knative's configuration an endpoint alone turns OTLP on; all traces are kept, as OpenTelemetry defines it.
fn from_variables(otel: &Otel) -> Observability {
    let metrics = otel.metrics_endpoint.clone().map(|endpoint| match otel.grpc {
        true => MetricsExport::OtlpGrpc { endpoint, interval: otel.interval },
        false => MetricsExport::OtlpHttp { endpoint, interval: otel.interval },
    });
    let traces = otel.traces_endpoint.clone().map(|endpoint| match otel.grpc {
        true => TracesExport::OtlpGrpc(endpoint),
        false => TracesExport::OtlpHttp(endpoint),
    });
    Observability {
        metrics: metrics.unwrap_or(MetricsExport::None),
        traces: traces.unwrap_or(TracesExport::None),
        sampling_rate: otel.sampling_rate.unwrap_or(1.0),
        service_name: String::new(),
        sink_event_error_reporting: false,
    }
}

/// Variables: <https://opentelemetry.io/docs/specs/otel/protocol/exporter/>.
fn otel<E: Strings>(reader: &mut Reader<E>) -> Option<Otel> {
    let grpc = reader.value(&settings::OTEL_PROTOCOL, parse::choice(&[("http/protobuf", false), ("grpc", true)]));
    let base = reader.optional(&settings::OTEL_ENDPOINT, collector);
    let metrics = reader.optional(&settings::OTEL_METRICS_ENDPOINT, collector);
    let traces = reader.optional(&settings::OTEL_TRACES_ENDPOINT, collector);
    let interval = reader.value(&settings::OTEL_METRIC_EXPORT_INTERVAL, parse::integer(1..=86_400_000_u64));
    let sampling_rate = sampling_rate(reader);
    let prometheus_host = reader.optional(&settings::PROMETHEUS_HOST, parse::text);
    let prometheus_port = reader.optional(&settings::PROMETHEUS_PORT, parse::integer(1..=u16::MAX));
    let grpc = grpc?;
    let under_base = |path: &str| base.clone().map(|base| if grpc { base } else { append(&base, path) });
    Some(Otel {
        metrics_endpoint: metrics.or_else(|| under_base("/v1/metrics")),
        traces_endpoint: traces.or_else(|| under_base("/v1/traces")),
        grpc,
        interval: Duration::from_millis(interval?),
        sampling_rate: sampling_rate?,
        prometheus_host,
        prometheus_port,
    })
}

/// `None` after an error, `Some(None)` if no sampler is named.
fn sampling_rate<E: Strings>(reader: &mut Reader<E>) -> Option<Option<f64>> {
    #[derive(Clone, Copy)]
    enum Sampler {
        On,
        Off,
        Ratio,
    }
    const SAMPLERS: &[(&str, Sampler)] = &[
        ("always_on", Sampler::On),
        ("always_off", Sampler::Off),
        ("traceidratio", Sampler::Ratio),
        ("parentbased_always_on", Sampler::On),
        ("parentbased_always_off", Sampler::Off),
        ("parentbased_traceidratio", Sampler::Ratio),
    ];
    let ratio = reader.value(&settings::OTEL_TRACES_SAMPLER_ARG, parse::ratio);
    if reader.given(&settings::OTEL_TRACES_SAMPLER).is_none() {
        return ratio.map(|_| None);
    }
    match reader.optional(&settings::OTEL_TRACES_SAMPLER, parse::choice(SAMPLERS))? {
        Sampler::On => Some(Some(1.0)),
        Sampler::Off => Some(Some(0.0)),
        Sampler::Ratio => ratio.map(Some),
    }
}

fn collector(text: &str) -> Result<String, Fix> {
    parse::http_url(text)
        .map(|_| text.trim().to_owned())
        .map_err(|_| "use an http or https URL such as http://collector:4318".to_owned())
}

fn endpoint(section: &str, configured: &str, variable: Option<&str>, path: &str) -> Result<String, Fix> {
    let given = if configured.is_empty() { variable } else { Some(configured) };
    let Some(given) = given else {
        return Err(format!(
            "{section}.endpoint is missing, OTLP needs the collector's URL such as http://collector:4318"
        ));
    };
    collector(given)
        .map(|url| with_path(&url, path))
        .map_err(|fix| format!("{section}.endpoint {given:?} is not valid, {fix}"))
}

/// The URL with this path if it has none.
fn with_path(url: &str, path: &str) -> String {
    match Url::parse(url) {
        Ok(parsed) if parsed.path() == "/" && !path.is_empty() => append(url, path),
        _ => url.to_owned(),
    }
}

fn append(url: &str, path: &str) -> String {
    format!("{}{path}", url.trim_end_matches('/'))
}

fn prometheus_address(endpoint: &str, otel: &Otel) -> Result<SocketAddr, Fix> {
    let endpoint = if endpoint.is_empty() { ":9092" } else { endpoint };
    let mut address =
        parse::address(endpoint).map_err(|fix| format!("metrics.endpoint {endpoint:?} is not valid, {fix}"))?;
    if let Some(host) = &otel.prometheus_host {
        let host = if host == "localhost" { "127.0.0.1" } else { host.as_str() };
        let parsed =
            host.parse().map_err(|_| format!("METRICS_PROMETHEUS_HOST {host:?} is not valid, use an IP address"))?;
        address.set_ip(parsed);
    }
    if let Some(port) = otel.prometheus_port {
        address.set_port(port);
    }
    Ok(address)
}
