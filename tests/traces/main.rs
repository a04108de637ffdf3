//! Traces on the wire: what the sink and a collector see of one receive and its POST.
//!
//! A program of its own, because a process has one subscriber.

#![expect(clippy::unwrap_used, reason = "in a test the panic names the line")]

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use bytes::Bytes;
use sqs_bridge::config::{self, Identity, Logging, MetricsExport, Observability, TracesExport};
use sqs_bridge::event::Encoded;
use sqs_bridge::health::Health;
use sqs_bridge::metrics::Metrics;
use sqs_bridge::outcome::Answer;
use sqs_bridge::sink::Sink;
use sqs_bridge::telemetry::{self, trace::ReceiveTrace};
use tokio::net::TcpListener;

const PRODUCER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

type Requests = Arc<Mutex<Vec<(String, HeaderMap, Bytes)>>>;

/// Accepts and keeps whatever comes; its URL ends without a slash.
async fn server() -> (String, Requests) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let requests = Requests::default();
    let keep = |State(requests): State<Requests>, uri: Uri, headers: HeaderMap, body: Bytes| async move {
        requests.lock().unwrap().push((uri.path().to_owned(), headers, body));
        StatusCode::OK
    };
    let router = Router::new().fallback(keep).with_state(requests.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, requests)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_post_continues_the_producers_trace_at_the_sink_and_in_the_collector() {
    let (collector, exports) = server().await;
    let (sink, posts) = server().await;
    let identity = Identity { name: "orders".into(), ..Identity::default() };
    let logging = Logging { level: "error".into(), json: true, color: false };
    let observability = Observability {
        metrics: MetricsExport::None,
        traces: TracesExport::OtlpHttp(collector + "/v1/traces"),
        sampling_rate: 1.0,
        service_name: "orders-source".into(),
        sink_event_error_reporting: false,
    };
    let telemetry = telemetry::start(&logging, &observability, &identity).unwrap();

    post(&sink, &identity).await;
    tokio::task::spawn_blocking(move || telemetry.stop_blocking()).await.unwrap();

    let (_, headers, _) = posts.lock().unwrap()[0].clone();
    let sent = headers["traceparent"].to_str().unwrap();
    assert!(sent.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-") && sent.ends_with("-01"), "{sent}");
    assert_ne!(sent, PRODUCER, "the span of the POST, not the producer's");
    assert_eq!(headers["ce-traceparent"], PRODUCER);

    let exports = exports.lock().unwrap();
    let [(path, _, body)] = &exports[..] else { panic!("one export") };
    assert_eq!(path, "/v1/traces");
    let span: Vec<u8> = (0..8).map(|byte| u8::from_str_radix(&sent[36 + 2 * byte..][..2], 16).unwrap()).collect();
    let holds = |bytes: &[u8]| body.windows(bytes.len()).any(|window| window == bytes);
    assert!(holds(&span), "the collector knows the span that the sink was told");
    for text in ["orders-source", "receive orders-queue", "POST", "http.response.status_code"] {
        assert!(holds(text.as_bytes()), "{text}");
    }
}

async fn post(sink: &str, identity: &Identity) {
    let settings = config::Sink {
        url: sink.parse().unwrap(),
        ca_certs: None,
        audience: None,
        oidc_service_account: None,
        headers_dir: None,
        timeout: Duration::from_secs(10),
        tls: config::Tls::default(),
        token_server: None,
    };
    let metrics = Metrics::new(identity, "orders-queue").unwrap();
    let health = Arc::new(Health::new(Duration::from_secs(20), settings.timeout, Instant::now()));
    let sink = Sink::new(&settings, identity, None, metrics, health).unwrap();
    let headers = [("ce-id", "1"), ("ce-type", "order"), ("ce-traceparent", PRODUCER)];
    let headers =
        headers.map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).into_iter();
    let encoded = Encoded { headers: headers.collect(), body: Bytes::new() };
    let receive = ReceiveTrace::record("orders-queue", [PRODUCER]);
    let answer = sink.post_received(&encoded, &receive).await;
    assert_eq!(answer, Answer::Status { code: 200, retry_after: None, body: Bytes::new() });
}
