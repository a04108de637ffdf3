//! TLS and a time limit -> the HTTP client of one destination. I/O: connections.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, Request, StatusCode, Uri};
use http_body_util::Full;
use hyper_util::client::proxy::matcher::Matcher;
use reqwest::redirect;
use rustls::ClientConfig;
use url::Url;

use super::SinkError;
use super::connections::{self, Connections, SendError};
use super::failure::{self, CONNECT_TIMEOUT};
use crate::metrics::Metrics;
use crate::outcome::TransportFailure;

/// A client that sends what it is given once, and follows nothing.
#[derive(Clone, Debug)]
pub(super) enum Client {
    /// Straight to the destination.
    Direct(Arc<Connections>),
    /// Through the proxy that `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` name for the destination.
    Proxied(reqwest::Client),
}

/// A response whose body is still to be read.
#[derive(Debug)]
pub(super) enum Response {
    Direct(connections::Response),
    Proxied(reqwest::Response),
}

/// Where requests go, as it stands in each of them.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) url: Url,
    uri: Uri,
    path: Uri,
    pub(super) host: HeaderValue,
    timeout: Duration,
}

impl Target {
    /// `None` for a URL that cannot stand in a request; `timeout` is the limit from sending to the status line.
    pub(super) fn new(url: Url, timeout: Duration) -> Option<Self> {
        let uri: Uri = url.as_str().parse().ok()?;
        let path = uri.path_and_query()?.as_str().parse().ok()?;
        let host = HeaderValue::from_str(uri.authority()?.as_str()).ok()?;
        Some(Self { url, uri, path, host, timeout })
    }
}

impl Client {
    pub(super) fn new(target: &Target, tls: ClientConfig, metrics: Arc<Metrics>) -> Result<Self, SinkError> {
        if Matcher::from_env().intercept(&target.uri).is_none() {
            return Ok(Self::Direct(Arc::new(Connections::new(target.uri.clone(), tls, metrics))));
        }
        reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .http1_only()
            .http1_title_case_headers()
            .pool_idle_timeout(connections::IDLE)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(target.timeout)
            .redirect(redirect::Policy::none())
            .retry(reqwest::retry::never())
            .build()
            .map(Self::Proxied)
            .map_err(SinkError::Client)
    }

    /// Sends one request; waits for its status line, no longer than the target's time limit.
    pub(super) async fn send(
        &self,
        target: &Target,
        method: Method,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Response, TransportFailure> {
        match self {
            Self::Direct(connections) => {
                let mut request = Request::new(Full::new(body));
                *request.method_mut() = method;
                *request.uri_mut() = target.path.clone();
                *request.headers_mut() = headers;
                request.headers_mut().insert(header::HOST, target.host.clone());
                let sent = tokio::time::timeout(target.timeout, connections.send(request)).await;
                let sent = sent.unwrap_or(Err(SendError::Timeout));
                sent.map(Response::Direct).map_err(|error| failure::explain(&error, &target.url, target.timeout))
            }
            Self::Proxied(client) => {
                let mut request = reqwest::Request::new(method, target.url.clone());
                *request.headers_mut() = headers;
                *request.body_mut() = Some(body.into());
                let sent = client.execute(request).await;
                sent.map(Response::Proxied)
                    .map_err(|error| failure::explain_reqwest(&error, &target.url, target.timeout))
            }
        }
    }

    /// Closes what has been idle for too long; runs until dropped.
    pub(super) async fn close_idle(&self) {
        match self {
            Self::Direct(connections) => connections.close_idle().await,
            Self::Proxied(_) => std::future::pending().await,
        }
    }
}

impl Response {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::Direct(response) => response.status(),
            Self::Proxied(response) => response.status(),
        }
    }

    pub(super) fn headers(&self) -> &HeaderMap {
        match self {
            Self::Direct(response) => response.headers(),
            Self::Proxied(response) => response.headers(),
        }
    }

    /// True once the body has been read; a response may have none.
    pub(super) fn is_read(&self) -> bool {
        match self {
            Self::Direct(response) => response.is_read(),
            Self::Proxied(response) => response.content_length() == Some(0),
        }
    }

    /// The next bytes of the body; `None` at its end or when the connection breaks.
    pub(super) async fn chunk(&mut self) -> Option<Bytes> {
        match self {
            Self::Direct(response) => response.chunk().await,
            Self::Proxied(response) => response.chunk().await.ok().flatten(),
        }
    }
}
