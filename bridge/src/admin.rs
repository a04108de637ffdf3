//! Health and metrics -> the pages that the kubelet, the controller, Prometheus and people read. I/O: a listener.

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::time::Instant;

use crate::health::{Health, Liveness};
use crate::metrics::Metrics;

/// What the pages of the health address show.
#[derive(Clone, Debug)]
pub struct Pages {
    /// Behind `/health` and `/readiness`.
    pub health: Arc<Health>,
    /// Behind `/metrics`.
    pub metrics: Arc<Metrics>,
    /// Also `/q/health/live`, `/q/health/ready` and `/q/health/started`, where Knative's IntegrationSource probes.
    pub integration_source: bool,
}

/// Listens at an address; `[::]` takes IPv4 too, and stands for `0.0.0.0` on a machine without IPv6.
///
/// # Errors
///
/// When the address is taken, or not this machine's.
pub async fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    match TcpListener::bind(address).await {
        Err(_) if address.ip() == Ipv6Addr::UNSPECIFIED => {
            TcpListener::bind((Ipv4Addr::UNSPECIFIED, address.port())).await
        }
        other => other,
    }
}

/// Answers `/health`, `/readiness` and `/metrics` until `shutdown` ends; the address is the listener's.
///
/// # Errors
///
/// When the listener fails.
pub async fn serve(
    listener: TcpListener,
    pages: Pages,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    axum::serve(listener, router(pages)).with_graceful_shutdown(shutdown).await
}

/// Answers `/metrics` alone, for a Prometheus that scrapes an address of its own, until `shutdown` ends.
///
/// # Errors
///
/// When the listener fails.
pub async fn serve_metrics(
    listener: TcpListener,
    metrics: Arc<Metrics>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let router = Router::new().route("/metrics", get(page)).with_state(metrics);
    axum::serve(listener, router).with_graceful_shutdown(shutdown).await
}

fn router(pages: Pages) -> Router {
    let Pages { health, metrics, integration_source } = pages;
    let mut probes = Router::new().route("/health", get(live)).route("/readiness", get(ready));
    if integration_source {
        probes = probes
            .route("/q/health/live", get(live))
            .route("/q/health/ready", get(ready))
            .route("/q/health/started", get(live));
    }
    let metrics = Router::new().route("/metrics", get(page)).with_state(metrics);
    probes.with_state(health).merge(metrics)
}

async fn live(State(health): State<Arc<Health>>) -> Response {
    let verdict = match health.live(Instant::now().into_std()) {
        Liveness::Alive => health.owner_answers().await,
        Liveness::Stuck(sentence) => Err(sentence),
    };
    match verdict {
        Ok(()) => "alive\n".into_response(),
        Err(sentence) => (StatusCode::SERVICE_UNAVAILABLE, sentence + "\n").into_response(),
    }
}

async fn ready(State(health): State<Arc<Health>>) -> Response {
    let readiness = health.readiness(Instant::now().into_std());
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, [(header::CONTENT_TYPE, "application/json")], readiness.to_json()).into_response()
}

async fn page(State(metrics): State<Arc<Metrics>>) -> Response {
    ([(header::CONTENT_TYPE, prometheus::TEXT_FORMAT)], metrics.page()).into_response()
}
