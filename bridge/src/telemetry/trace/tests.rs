use std::sync::PoisonError;

use bytes::Bytes;
use opentelemetry::KeyValue;
use opentelemetry::trace::SpanKind;
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
use tracing_subscriber::layer::SubscriberExt;

use super::*;
use crate::telemetry::{ONE_SUBSCRIBER, spans_to};

const PRODUCER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn encoded(headers: &[(&'static str, &'static str)]) -> Encoded {
    let headers =
        headers.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect();
    Encoded { headers, body: Bytes::new() }
}

/// What `work` records when traces are on.
fn recorded(work: impl FnOnce()) -> Vec<SpanData> {
    let _turn = ONE_SUBSCRIBER.lock().unwrap_or_else(PoisonError::into_inner);
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
    let subscriber = tracing_subscriber::registry().with(spans_to(&provider));
    tracing::subscriber::with_default(subscriber, work);
    exporter.get_finished_spans().unwrap()
}

fn post(encoded: &Encoded, receive: &ReceiveTrace, answer: &Answer) -> HeaderMap {
    let span = PostSpan::start(&"https://sink.example/a".parse().unwrap(), encoded, receive);
    let mut headers = HeaderMap::new();
    span.inject(&mut headers);
    span.end(answer);
    headers
}

fn accepted() -> Answer {
    Answer::Status { code: 202, retry_after: None, body: Bytes::new() }
}

#[test]
fn a_post_continues_the_producers_trace_and_is_linked_to_its_receive() {
    let mut sent = HeaderMap::new();
    let spans = recorded(|| {
        let receive = ReceiveTrace::record("orders", [PRODUCER, "broken"]);
        let event =
            encoded(&[("ce-id", "1"), ("ce-type", "t"), ("ce-traceparent", PRODUCER), ("ce-tracestate", "vendor=x")]);
        sent = post(&event, &receive, &accepted());
    });
    let [receive, post] = &spans[..] else { panic!("{spans:?}") };
    assert_eq!((&*receive.name, &receive.span_kind), ("receive orders", &SpanKind::Client));
    let links: Vec<_> = receive.links.iter().map(|link| format_traceparent(&link.span_context)).collect();
    assert_eq!(links, [PRODUCER]);

    assert_eq!((&*post.name, &post.span_kind), ("POST", &SpanKind::Client));
    assert_eq!(post.span_context.trace_id().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(post.parent_span_id.to_string(), "00f067aa0ba902b7");
    let links: Vec<_> = post.links.iter().map(|link| link.span_context.span_id()).collect();
    assert_eq!(links, [receive.span_context.span_id()]);
    for expected in [
        KeyValue::new("http.request.method", "POST"),
        KeyValue::new("http.response.status_code", 202),
        KeyValue::new("server.address", "sink.example"),
        KeyValue::new("server.port", 443),
        KeyValue::new("cloudevents.event_id", "1"),
        KeyValue::new("cloudevents.event_type", "t"),
    ] {
        assert!(post.attributes.contains(&expected), "{expected:?} is not among {:?}", post.attributes);
    }
    assert_eq!(sent["traceparent"], format_traceparent(&post.span_context));
    assert_eq!(sent["tracestate"], "vendor=x");
}

#[test]
fn an_event_without_a_trace_begins_one() {
    let spans = recorded(|| {
        let failure = crate::outcome::TransportFailure {
            class: crate::outcome::TransportClass::Timeout,
            message: "no answer".into(),
        };
        post(&encoded(&[("ce-id", "1")]), &ReceiveTrace::default(), &Answer::Failed(failure));
    });
    assert_eq!(spans.len(), 1);
    assert_eq!(spans[0].parent_span_id, SpanId::INVALID);
    assert_eq!(spans[0].status, Status::error("no answer"));
    assert!(spans[0].attributes.contains(&KeyValue::new("error.type", "timeout")));
}

#[test]
fn without_an_exporter_nothing_is_sent() {
    let _turn = ONE_SUBSCRIBER.lock().unwrap_or_else(PoisonError::into_inner);
    let subscriber = tracing_subscriber::registry();
    let sent = tracing::subscriber::with_default(subscriber.with(spans_nowhere()), || {
        let receive = ReceiveTrace::record("orders", [PRODUCER]);
        assert!(receive.0.is_none());
        post(&encoded(&[("ce-traceparent", PRODUCER)]), &receive, &accepted())
    });
    assert_eq!(sent, HeaderMap::new());
}

fn spans_nowhere<S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>>()
-> impl tracing_subscriber::Layer<S> {
    let logging = crate::config::Logging { level: "trace".into(), json: true, color: false };
    crate::telemetry::log::layer(&logging, std::io::sink).unwrap()
}

#[test]
fn traceparents_are_taken_as_w3c_has_them() {
    let parse = |header: &str| parse_traceparent(header, "").map(|context| format_traceparent(&context));
    let unsampled = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
    let cases = [
        (PRODUCER, Some(PRODUCER)),
        (unsampled, Some(unsampled)),
        ("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-later", Some(PRODUCER)),
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more", None),
        ("ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", None),
        ("00-00000000000000000000000000000000-00f067aa0ba902b7-01", None),
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", None),
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7", None),
        ("00-4bf92f35-00f067aa0ba902b7-01", None),
        ("00-4bf92f3577b34da6a3ce929d0e0e47zz-00f067aa0ba902b7-01", None),
        ("", None),
    ];
    for (header, expected) in cases {
        assert_eq!(parse(header).as_deref(), expected, "{header}");
    }
}
