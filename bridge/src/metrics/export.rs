//! Where metrics go: a page in Prometheus' text format, and a collector if one is configured. I/O: the collector.

use std::fmt;

use opentelemetry::metrics::{Meter, MeterProvider};
use opentelemetry_sdk::metrics::periodic_reader_with_async_runtime::PeriodicReader;
use opentelemetry_sdk::metrics::{MeterProviderBuilder, SdkMeterProvider};
use opentelemetry_sdk::runtime;
use prometheus::{Registry, TextEncoder};

use crate::config::{Identity, MetricsExport, Observability};
use crate::telemetry::otlp::{self, OtlpError};

/// Why metrics cannot be made or exported.
#[derive(Debug)]
pub enum MetricsError {
    /// The page cannot be made.
    Page(opentelemetry_sdk::error::OTelSdkError),
    /// The exporter to the collector cannot be made.
    Otlp(OtlpError),
}

impl fmt::Display for MetricsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Page(_) => f.write_str("cannot make the metrics page"),
            Self::Otlp(_) => f.write_str(
                "cannot export metrics: check metrics-protocol and metrics-endpoint in K_OBSERVABILITY_CONFIG",
            ),
        }
    }
}

impl std::error::Error for MetricsError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Page(error) => Some(error),
            Self::Otlp(error) => Some(error),
        }
    }
}

/// The provider of all instruments and the registry that a page is made of.
#[derive(Debug)]
pub(super) struct Export {
    provider: SdkMeterProvider,
    registry: Registry,
}

/// Values that are read only through the page.
pub(super) fn page_only(identity: &Identity) -> Result<Export, MetricsError> {
    let (builder, registry) = with_page(&identity.component, identity)?;
    Ok(Export { provider: builder.build(), registry })
}

/// The page, and the periodic export that `target` asks for.
pub(super) fn start(observability: &Observability, identity: &Identity) -> Result<Export, MetricsError> {
    let (builder, registry) = with_page(&observability.service_name, identity)?;
    let builder = match &observability.metrics {
        MetricsExport::None | MetricsExport::Prometheus(_) => builder,
        MetricsExport::OtlpHttp { endpoint, interval } => {
            let exporter = otlp::http_metrics(endpoint).map_err(MetricsError::Otlp)?;
            let reader = PeriodicReader::builder(exporter, runtime::Tokio).with_interval(*interval);
            builder.with_reader(reader.build())
        }
        MetricsExport::OtlpGrpc { endpoint, interval } => {
            let exporter = otlp::grpc_metrics(endpoint).map_err(MetricsError::Otlp)?;
            let reader = PeriodicReader::builder(exporter, runtime::Tokio).with_interval(*interval);
            builder.with_reader(reader.build())
        }
    };
    let provider = builder.build();
    // Dropping the last handle would block for a last export, and for ever on a runtime of one thread.
    std::mem::forget(provider.clone());
    Ok(Export { provider, registry })
}

impl Export {
    pub(super) fn meter(&self) -> Meter {
        self.provider.meter("sqs-bridge")
    }

    pub(super) fn page(&self) -> String {
        let families = self.registry.gather();
        TextEncoder::new().encode_to_string(&families).unwrap_or_else(|error| format!("# {error}\n"))
    }

    pub(super) fn stop_blocking(&self) {
        if let Err(error) = self.provider.shutdown() {
            tracing::debug!(%error, "the last export of metrics failed");
        }
    }
}

fn with_page(service_name: &str, identity: &Identity) -> Result<(MeterProviderBuilder, Registry), MetricsError> {
    let registry = Registry::new();
    let page = opentelemetry_prometheus::exporter().with_registry(registry.clone()).scope_info_enabled(false);
    let page = page.build().map_err(MetricsError::Page)?;
    let builder = SdkMeterProvider::builder().with_resource(otlp::resource(service_name, identity)).with_reader(page);
    Ok((builder, registry))
}
