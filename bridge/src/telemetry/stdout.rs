//! Finished spans -> one JSON object per line. I/O: standard output.

use std::io::Write;
use std::time::SystemTime;

use opentelemetry::trace::Status;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use serde_json::{Map, Value, json};

/// Knative's `tracing-protocol: stdout`.
#[derive(Debug)]
pub(super) struct SpanLines;

impl SpanExporter for SpanLines {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let lines: String = batch.iter().map(|span| line(span).to_string() + "\n").collect();
        std::io::stdout().write_all(lines.as_bytes()).map_err(|error| OTelSdkError::InternalFailure(error.to_string()))
    }
}

fn line(span: &SpanData) -> Value {
    let attributes = span.attributes.iter().map(|pair| (pair.key.to_string(), pair.value.as_str().into()));
    let links = span.links.iter().map(|link| traceparent_like(&link.span_context));
    json!({
        "name": span.name,
        "context": traceparent_like(&span.span_context),
        "parent": span.parent_span_id.to_string(),
        "kind": format!("{:?}", span.span_kind).to_lowercase(),
        "start": seconds(span.start_time),
        "end": seconds(span.end_time),
        "attributes": attributes.collect::<Map<String, Value>>(),
        "links": links.collect::<Vec<_>>(),
        "error": matches!(span.status, Status::Error { .. }),
    })
}

fn traceparent_like(context: &opentelemetry::trace::SpanContext) -> String {
    format!("{}-{}", context.trace_id(), context.span_id())
}

fn seconds(time: SystemTime) -> f64 {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}
