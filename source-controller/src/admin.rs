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

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

    use axum::body::Bytes;
    use clap::Parser;
    use http_body_util::{BodyExt, Empty};
    use hyper_util::client::legacy::Client;
    use hyper_util::rt::TokioExecutor;

    use super::*;
    use crate::args::Args;

    #[tokio::test]
    async fn by_default_pages_are_served_over_ipv4_and_ipv6() {
        let Args { run, .. } = Args::parse_from(["source-controller"]);
        assert_eq!(run.admin_addr.to_string(), "[::]:8080");
        let listener = sqs_bridge::admin::listen(SocketAddr::new(run.admin_addr.ip(), 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let pages = Pages { metrics: Metrics::new().unwrap(), ready: Arc::new(AtomicBool::new(true)) };
        tokio::spawn(serve(listener, pages, std::future::pending()));
        let has_ipv6 = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).await.is_ok();
        let ours =
            std::iter::once(IpAddr::from(Ipv4Addr::LOCALHOST)).chain(has_ipv6.then_some(Ipv6Addr::LOCALHOST.into()));
        for address in ours {
            let client: Client<_, Empty<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
            let url = format!("http://{}/readiness", SocketAddr::new(address, port));
            let answer = client.get(url.parse().unwrap()).await.unwrap();
            assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "ready", "{address}");
        }
    }
}
