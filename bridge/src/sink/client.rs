//! TLS and a time limit -> the HTTP client of one destination. I/O: connections.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use reqwest::redirect;
use rustls::ClientConfig;
use tower::{Layer, Service};

use super::SinkError;
use super::failure::CONNECT_TIMEOUT;
use crate::metrics::Metrics;

/// Knative's receivers close a connection that was silent for 10 s, so ours are given up before that.
/// <https://github.com/knative/eventing/blob/main/pkg/kncloudevents/event_receiver.go>
const IDLE: Duration = Duration::from_secs(8);
/// How soon a silent peer is asked whether it still lives.
const KEEPALIVE: Duration = Duration::from_secs(15);
/// How long sent bytes may go unacknowledged until the peer counts as dead.
#[cfg(target_os = "linux")]
const UNACKNOWLEDGED: Duration = Duration::from_secs(30);

/// A client that sends what it is given once, follows nothing, and counts the connections it opens.
pub(super) fn build(tls: ClientConfig, timeout: Duration, metrics: Arc<Metrics>) -> Result<reqwest::Client, SinkError> {
    let builder = reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .http1_only()
        .http1_title_case_headers()
        .pool_idle_timeout(IDLE)
        .tcp_nodelay(true)
        .tcp_keepalive(KEEPALIVE)
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(timeout)
        .redirect(redirect::Policy::none())
        .retry(reqwest::retry::never())
        .connector_layer(CountConnections(metrics));
    #[cfg(target_os = "linux")]
    let builder = builder.tcp_user_timeout(UNACKNOWLEDGED);
    builder.build().map_err(SinkError::Client)
}

#[derive(Clone)]
struct CountConnections(Arc<Metrics>);

impl<S> Layer<S> for CountConnections {
    type Service = Counted<S>;

    fn layer(&self, connector: S) -> Counted<S> {
        Counted { connector, metrics: self.0.clone() }
    }
}

#[derive(Clone)]
struct Counted<S> {
    connector: S,
    metrics: Arc<Metrics>,
}

impl<S, Request> Service<Request> for Counted<S>
where
    S: Service<Request, Future: Send + 'static, Response: Send, Error: Send>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = futures::future::BoxFuture<'static, Result<S::Response, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.connector.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let connecting = self.connector.call(request);
        let metrics = self.metrics.clone();
        Box::pin(async move {
            let connection = connecting.await?;
            metrics.connection_opened();
            Ok(connection)
        })
    }
}
