//! OTLP: what a collector gets of metrics and traces, by HTTP and by gRPC.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use sqs_bridge::config::{MetricsExport, Observability, TracesExport};
use sqs_bridge::metrics::Metrics;
use tests::wait::until;
use tokio::net::TcpListener;

use crate::server::{Server, empty};
use crate::{SOON, identity};

const OFTEN: Duration = Duration::from_millis(20);

fn observability(metrics: MetricsExport) -> Observability {
    Observability {
        metrics,
        traces: TracesExport::None,
        sampling_rate: 1.0,
        service_name: "orders-source".into(),
        sink_event_error_reporting: false,
    }
}

fn holds(body: &[u8], text: &str) -> bool {
    body.windows(text.len()).any(|window| window == text.as_bytes())
}

/// Names in protobuf stand as they are.
fn is_an_export(body: &[u8]) -> bool {
    let names = ["sqs_bridge.duplicates.suppressed", "service.name", "orders-source", "k8s.namespace.name"];
    names.iter().all(|name| holds(body, name))
}

#[tokio::test]
async fn metrics_go_to_a_collector_by_http() {
    let collector = Server::plain(|_| empty("200 OK")).await;
    let endpoint = collector.url() + "v1/metrics";
    let settings = observability(MetricsExport::OtlpHttp { endpoint, interval: OFTEN });
    let metrics = Metrics::start(&settings, &identity(), "orders").unwrap();
    metrics.duplicate_suppressed();
    until(SOON, "an export", || collector.requests().iter().any(|request| is_an_export(&request.body))).await;
    let request = &collector.requests()[0];
    assert!(request.head.starts_with("POST /v1/metrics HTTP/1.1\r\n"), "{}", request.head);
    assert_eq!(request.header("content-type"), Some("application/x-protobuf"));
    assert!(metrics.page().contains("sqs_bridge_duplicates_suppressed_total"), "the page is there as well");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_is_left_goes_out_at_the_end() {
    let collector = Server::plain(|_| empty("200 OK")).await;
    let interval = Duration::from_secs(3_600);
    let settings = observability(MetricsExport::OtlpHttp { endpoint: collector.url(), interval });
    let metrics = Metrics::start(&settings, &identity(), "orders").unwrap();
    metrics.duplicate_suppressed();
    let stopped = metrics.clone();
    tokio::task::spawn_blocking(move || stopped.stop_blocking()).await.unwrap();
    let [request] = &collector.requests()[..] else { panic!("one export") };
    assert!(is_an_export(&request.body));
}

#[tokio::test]
async fn metrics_go_to_a_collector_by_grpc() {
    let (address, calls) = grpc_collector().await;
    let settings = observability(MetricsExport::OtlpGrpc { endpoint: format!("http://{address}"), interval: OFTEN });
    let metrics = Metrics::start(&settings, &identity(), "orders").unwrap();
    metrics.duplicate_suppressed();
    until(SOON, "an export", || calls.lock().unwrap().iter().any(|(_, body)| is_an_export(body))).await;
    let path = calls.lock().unwrap()[0].0.clone();
    assert_eq!(path, "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export");
}

#[tokio::test]
async fn an_endpoint_that_is_no_url_is_a_wrong_setting() {
    let metrics = MetricsExport::OtlpHttp { endpoint: "not a url".into(), interval: OFTEN };
    let error = Metrics::start(&observability(metrics), &identity(), "orders").err().unwrap();
    assert_eq!(
        error.to_string(),
        "cannot export metrics: check metrics-protocol and metrics-endpoint in K_OBSERVABILITY_CONFIG"
    );
}

type Calls = Arc<Mutex<Vec<(String, Bytes)>>>;

/// Takes every call of HTTP/2 and says that it went well.
async fn grpc_collector() -> (SocketAddr, Calls) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let calls = Calls::default();
    let kept = calls.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let calls = kept.clone();
            let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
                let calls = calls.clone();
                async move {
                    let path = request.uri().path().to_owned();
                    let body = request.into_body().collect().await?.to_bytes();
                    calls.lock().unwrap().push((path, body));
                    let response = hyper::Response::builder().header("content-type", "application/grpc");
                    Ok::<_, hyper::Error>(response.header("grpc-status", "0").body(Empty::<Bytes>::new()).unwrap())
                }
            });
            let connection = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            tokio::spawn(connection.serve_connection(TokioIo::new(stream), service));
        }
    });
    (address, calls)
}
