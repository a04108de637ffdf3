//! The controller's state -> the pages that the kubelet and Prometheus read. I/O: a listener.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use tokio::net::TcpListener;

use crate::metrics::Metrics;

/// What the pages show.
#[derive(Clone)]
pub struct Pages {
    /// Behind `/metrics`.
    pub metrics: Metrics,
    /// Behind `/readiness`: the API server was reached. A replica that waits for the lease is ready too.
    pub ready: Arc<AtomicBool>,
}

/// Serves `/health`, `/readiness` and `/metrics` until `shutdown`.
///
/// # Errors
/// The listener fails.
pub async fn serve(
    listener: TcpListener,
    pages: Pages,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let router = Router::new()
        .route("/health", get(async || "ok"))
        .route("/readiness", get(readiness))
        .route("/metrics", get(metrics))
        .with_state(pages);
    axum::serve(listener, router).with_graceful_shutdown(shutdown).await
}

async fn readiness(State(pages): State<Pages>) -> impl IntoResponse {
    match pages.ready.load(Ordering::Relaxed) {
        true => (StatusCode::OK, "ready"),
        false => (StatusCode::SERVICE_UNAVAILABLE, "the API server was not reached yet"),
    }
}

async fn metrics(State(pages): State<Pages>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], pages.metrics.page())
}
