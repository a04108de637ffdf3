//! Collector endpoints -> exporters; who we are as a resource. I/O: `OTEL_*` variables, certificates, connections.

use std::fmt;

use opentelemetry::KeyValue;
use opentelemetry_otlp::tonic_types::transport::ClientTlsConfig;
use opentelemetry_otlp::{
    ExporterBuildError, MetricExporter, Protocol, SpanExporter, WithExportConfig, WithHttpConfig, WithTonicConfig,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::resource::EnvResourceDetector;

use crate::config::Identity;

/// Why an exporter to a collector cannot be made.
#[derive(Debug)]
pub enum OtlpError {
    /// The HTTP client cannot be made.
    Client(reqwest::Error),
    /// TLS cannot be set up.
    Tls(crate::sink::SinkError),
    /// The settings are not usable, such as an endpoint that is no URL.
    Exporter(ExporterBuildError),
}

impl fmt::Display for OtlpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client(_) | Self::Tls(_) => f.write_str("cannot make the HTTP client for the collector"),
            Self::Exporter(_) => f.write_str("cannot make the exporter to the collector"),
        }
    }
}

impl std::error::Error for OtlpError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Client(error) => Some(error),
            Self::Tls(error) => Some(error),
            Self::Exporter(error) => Some(error),
        }
    }
}

/// Who we are: the name of the service, our version, namespace and pod, and what `OTEL_RESOURCE_ATTRIBUTES` adds.
pub fn resource(service_name: &str, identity: &Identity) -> Resource {
    let pod = [("k8s.namespace.name", &identity.namespace), ("k8s.pod.name", &identity.pod_name)];
    let pod = pod.into_iter().filter_map(|(key, value)| Some(KeyValue::new(key, value.clone()?)));
    Resource::builder_empty()
        .with_detector(Box::new(EnvResourceDetector::new()))
        .with_service_name(service_name.to_owned())
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .with_attributes(pod)
        .build()
}

/// Metrics as protobuf over HTTP; `endpoint` is the full URL, or empty for OpenTelemetry's own variables and default.
///
/// # Errors
///
/// When the endpoint is no URL or the system has no usable certificates.
pub fn http_metrics(endpoint: &str) -> Result<MetricExporter, OtlpError> {
    let builder = MetricExporter::builder().with_http().with_protocol(Protocol::HttpBinary).with_http_client(client()?);
    let builder = if endpoint.is_empty() { builder } else { builder.with_endpoint(endpoint) };
    builder.build().map_err(OtlpError::Exporter)
}

/// Metrics over gRPC; `endpoint` is `http://host:port`, or empty for OpenTelemetry's own variables and default.
///
/// # Errors
///
/// When the endpoint is no URL.
pub fn grpc_metrics(endpoint: &str) -> Result<MetricExporter, OtlpError> {
    let builder = MetricExporter::builder().with_tonic();
    let builder = if endpoint.is_empty() { builder } else { builder.with_endpoint(endpoint) };
    let builder = if endpoint.starts_with("https:") { builder.with_tls_config(grpc_tls()) } else { builder };
    builder.build().map_err(OtlpError::Exporter)
}

/// Spans as protobuf over HTTP; `endpoint` as for [`http_metrics`].
///
/// # Errors
///
/// When the endpoint is no URL or the system has no usable certificates.
pub fn http_spans(endpoint: &str) -> Result<SpanExporter, OtlpError> {
    let builder = SpanExporter::builder().with_http().with_protocol(Protocol::HttpBinary).with_http_client(client()?);
    let builder = if endpoint.is_empty() { builder } else { builder.with_endpoint(endpoint) };
    builder.build().map_err(OtlpError::Exporter)
}

/// Spans over gRPC; `endpoint` as for [`grpc_metrics`].
///
/// # Errors
///
/// When the endpoint is no URL.
pub fn grpc_spans(endpoint: &str) -> Result<SpanExporter, OtlpError> {
    let builder = SpanExporter::builder().with_tonic();
    let builder = if endpoint.is_empty() { builder } else { builder.with_endpoint(endpoint) };
    let builder = if endpoint.starts_with("https:") { builder.with_tls_config(grpc_tls()) } else { builder };
    builder.build().map_err(OtlpError::Exporter)
}

fn client() -> Result<reqwest::Client, OtlpError> {
    let tls = crate::sink::system_trust().map_err(OtlpError::Tls)?;
    reqwest::Client::builder().tls_backend_preconfigured(tls).build().map_err(OtlpError::Client)
}

fn grpc_tls() -> ClientTlsConfig {
    ClientTlsConfig::new().with_native_roots()
}
