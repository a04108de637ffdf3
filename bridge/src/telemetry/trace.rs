//! Receives and POSTs -> spans, and their context -> `traceparent`. I/O: the process's subscriber.
//!
//! Without an exporter no span is enabled: each function returns at once.

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanId, Status, TraceContextExt, TraceFlags, TraceId, TraceState};
use tracing::{Span, field};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use url::Url;

use crate::event::Encoded;
use crate::outcome::Answer;

/// The target of all spans that become traces, and of nothing else.
pub(crate) const TARGET: &str = "sqs_bridge::spans";

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// The span of the receive that brought a message, to which the message's POSTs are linked; nothing when not traced.
#[derive(Clone, Debug, Default)]
pub struct ReceiveTrace(Option<SpanContext>);

impl ReceiveTrace {
    /// Records that one receive from `queue` brought messages whose producers sent these `traceparent`s: its links.
    ///
    /// The span marks when they came; it says nothing about how long the poll took.
    pub fn record(queue: &str, producers: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let span = tracing::info_span!(
            target: TARGET,
            parent: None,
            "receive",
            otel.name = field::Empty,
            otel.kind = "client",
            messaging.system = "aws_sqs",
            messaging.operation.name = "ReceiveMessage",
            messaging.operation.type = "receive",
            messaging.destination.name = queue,
        );
        if span.is_disabled() {
            return Self(None);
        }
        span.record("otel.name", format!("receive {queue}"));
        for producer in producers.into_iter().filter_map(|header| parse_traceparent(header.as_ref(), "")) {
            span.add_link(producer);
        }
        Self(Some(span.context().span().span_context().clone()))
    }
}

/// The span of one attempt at a POST.
#[derive(Debug)]
pub(crate) struct PostSpan(Span);

impl PostSpan {
    /// A span under the producer's, if the event names it, linked to the receive.
    pub(crate) fn start(url: &Url, encoded: &Encoded, receive: &ReceiveTrace) -> Self {
        let span = tracing::info_span!(
            target: TARGET,
            parent: None,
            "POST",
            otel.kind = "client",
            otel.status_code = field::Empty,
            http.request.method = "POST",
            http.response.status_code = field::Empty,
            error.type = field::Empty,
            server.address = field::Empty,
            server.port = field::Empty,
            cloudevents.event_id = field::Empty,
            cloudevents.event_type = field::Empty,
        );
        if !span.is_disabled() {
            describe(&span, url, encoded);
            relate(&span, encoded, receive);
        }
        Self(span)
    }

    /// The context of this span as `traceparent` and `tracestate`; `ce-traceparent` stays the producer's.
    pub(crate) fn inject(&self, headers: &mut HeaderMap) {
        if self.0.is_disabled() {
            return;
        }
        let context = self.0.context().span().span_context().clone();
        if !context.is_valid() {
            return;
        }
        headers.extend(HeaderValue::from_str(&format_traceparent(&context)).map(|value| (TRACEPARENT, value)).ok());
        let state = context.trace_state().header();
        if !state.is_empty() {
            headers.extend(HeaderValue::from_str(&state).map(|value| (TRACESTATE, value)).ok());
        }
    }

    pub(crate) fn end(self, answer: &Answer) {
        let Self(span) = self;
        if span.is_disabled() {
            return;
        }
        match answer {
            Answer::Status { code, .. } => {
                span.record("http.response.status_code", i64::from(*code));
                if *code >= 400 {
                    span.record("error.type", field::display(code));
                    span.set_status(Status::error(""));
                }
            }
            Answer::Failed(failure) => {
                span.record("error.type", failure.class.as_str());
                span.set_status(Status::error(failure.message.clone()));
            }
        }
    }
}

fn describe(span: &Span, url: &Url, encoded: &Encoded) {
    let attribute = |name: &str| encoded.headers.get(name).and_then(|value| value.to_str().ok());
    span.record("server.address", url.host_str());
    span.record("server.port", url.port_or_known_default().map(i64::from));
    span.record("cloudevents.event_id", attribute("ce-id"));
    span.record("cloudevents.event_type", attribute("ce-type"));
}

fn relate(span: &Span, encoded: &Encoded, receive: &ReceiveTrace) {
    let header = |name: &str| encoded.headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(producer) = header("ce-traceparent")
        .and_then(|parent| parse_traceparent(parent, header("ce-tracestate").unwrap_or_default()))
    {
        // Fails only for a span that has begun to be recorded, which this one has not.
        let _set = span.set_parent(Context::new().with_remote_span_context(producer));
    }
    if let ReceiveTrace(Some(receive)) = receive {
        span.add_link(receive.clone());
    }
}

/// W3C Trace Context, version 00 and what is compatible with it. <https://www.w3.org/TR/trace-context/#traceparent-header>
fn parse_traceparent(traceparent: &str, tracestate: &str) -> Option<SpanContext> {
    let mut parts = traceparent.split('-');
    let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let lengths = (version.len(), trace.len(), span.len(), flags.len()) == (2, 32, 16, 2);
    if !lengths || version == "ff" || (version == "00" && parts.next().is_some()) {
        return None;
    }
    let flags = TraceFlags::new(u8::from_str_radix(flags, 16).ok()?);
    let state = tracestate.parse().unwrap_or(TraceState::NONE);
    let context = SpanContext::new(
        TraceId::from_hex(trace).ok()?,
        SpanId::from_hex(span).ok()?,
        flags & TraceFlags::SAMPLED,
        true,
        state,
    );
    context.is_valid().then_some(context)
}

fn format_traceparent(context: &SpanContext) -> String {
    let sampled = u8::from(context.is_sampled());
    format!("00-{}-{}-{sampled:02x}", context.trace_id(), context.span_id())
}

#[cfg(test)]
mod tests;
