//! The pages: what the kubelet, the controller and Prometheus get.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sqs_bridge::admin::{self, Pages};
use sqs_bridge::health::{Health, Problem};
use sqs_bridge::metrics::Metrics;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};

use crate::identity;

struct Admin {
    address: SocketAddr,
    health: Arc<Health>,
    metrics: Arc<Metrics>,
}

impl Admin {
    async fn start(integration_source: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let health = Arc::new(Health::new(Duration::from_secs(20), Duration::from_secs(310), Instant::now()));
        let metrics = Metrics::new(&identity(), "orders").unwrap();
        let pages = Pages { health: health.clone(), metrics: metrics.clone(), integration_source };
        tokio::spawn(admin::serve(listener, pages, std::future::pending()));
        Self { address, health, metrics }
    }

    /// Status, content type and body.
    async fn get(&self, path: &str) -> (u16, String, String) {
        get(self.address, path).await
    }

    async fn status(&self, path: &str) -> u16 {
        self.get(path).await.0
    }
}

async fn get(address: SocketAddr, path: &str) -> (u16, String, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: bridge\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let kind = head.lines().find_map(|line| line.strip_prefix("content-type: ")).unwrap_or_default();
    (status, kind.to_owned(), body.to_owned())
}

#[tokio::test]
async fn readiness_is_json_with_200_or_503() {
    let admin = Admin::start(false).await;
    let json = "application/json".to_owned();
    let starting = (503, json.clone(), r#"{"ready":false,"warnings":[]}"#.to_owned());
    assert_eq!(admin.get("/readiness").await, starting);
    admin.health.received(Instant::now());
    admin.health.breaker_open(Some("503".into()));
    let ready =
        r#"{"ready":true,"warnings":[{"reason":"SinkUnavailable","message":"the circuit breaker is open: 503"}]}"#;
    assert_eq!(admin.get("/readiness").await, (200, json, ready.to_owned()));
    admin.health.receive_failed(Instant::now(), Some(Problem { reason: "AccessDenied", message: "no".into() }));
    assert_eq!(admin.status("/readiness").await, 503);
}

#[tokio::test]
async fn health_fails_when_receives_stop_and_when_the_owner_is_gone() {
    let admin = Admin::start(false).await;
    assert_eq!(admin.get("/health").await, (200, "text/plain; charset=utf-8".into(), "alive\n".into()));

    let (ping, mut pings) = mpsc::channel::<oneshot::Sender<()>>(1);
    admin.health.set_owner_ping(ping);
    let answering = async { pings.recv().await.unwrap().send(()).unwrap() };
    assert_eq!(tokio::join!(admin.status("/health"), answering).0, 200);
    drop(pings);
    let (status, _, sentence) = admin.get("/health").await;
    assert_eq!((status, &*sentence), (503, "the owner of the leases has ended\n"));
}

#[tokio::test]
async fn the_probes_of_an_integration_source_exist_only_for_it() {
    let plain = Admin::start(false).await;
    let compatible = Admin::start(true).await;
    for (path, expected) in [("/q/health/live", 200), ("/q/health/started", 200), ("/q/health/ready", 503)] {
        assert_eq!(plain.status(path).await, 404, "{path}");
        assert_eq!(compatible.status(path).await, expected, "{path}");
    }
    compatible.health.received(Instant::now());
    assert_eq!(compatible.status("/q/health/ready").await, 200);
}

#[tokio::test]
async fn metrics_are_on_the_health_address_and_on_one_of_their_own() {
    let admin = Admin::start(false).await;
    admin.metrics.duplicate_suppressed();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let alone = listener.local_addr().unwrap();
    tokio::spawn(admin::serve_metrics(listener, admin.metrics.clone(), std::future::pending()));
    for address in [admin.address, alone] {
        let (status, kind, page) = get(address, "/metrics").await;
        assert_eq!((status, &*kind), (200, "text/plain; version=0.0.4"));
        let sample = page.lines().find(|line| line.starts_with("sqs_bridge_duplicates_suppressed_total{")).unwrap();
        assert!(sample.ends_with(" 1"), "{sample}");
    }
    assert_eq!(get(alone, "/readiness").await.0, 404);
}
