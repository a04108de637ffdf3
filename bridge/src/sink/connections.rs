//! Requests to one destination -> their responses, over connections that are kept while they are good.
//! I/O: DNS, TCP, TLS.

mod link;

use std::error::Error;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Uri};
use http_body_util::Full;
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::{GaiAddrs, GaiResolver, Name};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::Instant;
use tower::{Service, ServiceExt};

use super::failure::CONNECT_TIMEOUT;
use crate::metrics::Metrics;
use link::Link;

pub(super) use link::Response;

/// Knative's receivers close a connection that was silent for 10 s, so ours are given up before that.
/// <https://github.com/knative/eventing/blob/main/pkg/kncloudevents/event_receiver.go>
pub(super) const IDLE: Duration = Duration::from_secs(8);
/// How soon a silent peer is asked whether it still lives.
const KEEPALIVE: Duration = Duration::from_secs(15);
/// How long sent bytes may go unacknowledged until the peer counts as dead.
#[cfg(target_os = "linux")]
const UNACKNOWLEDGED: Duration = Duration::from_secs(30);

pub(super) type Body = Full<Bytes>;
type Stream = MaybeHttpsStream<TokioIo<TcpStream>>;

/// Why a request got no response.
#[derive(Debug)]
pub(super) enum SendError {
    /// No connection could be opened.
    Connect(Box<dyn Error + Send + Sync>),
    /// No connection was open in time.
    ConnectTimeout,
    /// No status line came in time.
    Timeout,
    /// The connection broke, or brought something that is not HTTP.
    Broken(hyper::Error),
}

/// Name of a host that has no address.
#[derive(Debug)]
pub(super) struct Unresolved(io::Error);

/// The connections to one destination. A connection is driven by the task whose request it carries, and by nobody
/// while it is idle: no task, no wake-up.
pub(super) struct Connections {
    destination: Uri,
    connector: HttpsConnector<HttpConnector<Resolver>>,
    idle: Mutex<Vec<Link>>,
    /// Told when the first connection becomes idle.
    first_idle: Notify,
    metrics: Arc<Metrics>,
}

impl Connections {
    pub(super) fn new(destination: Uri, tls: ClientConfig, metrics: Arc<Metrics>) -> Self {
        let mut tcp = HttpConnector::new_with_resolver(Resolver(GaiResolver::new()));
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_keepalive(Some(KEEPALIVE));
        #[cfg(target_os = "linux")]
        tcp.set_tcp_user_timeout(Some(UNACKNOWLEDGED));
        Self {
            destination,
            connector: HttpsConnector::from((tcp, tls)),
            idle: Mutex::default(),
            first_idle: Notify::new(),
            metrics,
        }
    }

    /// Sends a request once. It is given to another connection only if nothing of it was written to the first one,
    /// which the peer had closed.
    pub(super) async fn send(self: &Arc<Self>, mut request: Request<Body>) -> Result<Response, SendError> {
        while let Some(link) = self.take().await {
            match link.exchange(request, self).await {
                Ok(response) => return Ok(response),
                Err(mut unsent) => match unsent.take_message() {
                    Some(message) => request = message,
                    None => return Err(SendError::Broken(unsent.into_error())),
                },
            }
        }
        let link = self.connect().await?;
        link.exchange(request, self).await.map_err(|unsent| SendError::Broken(unsent.into_error()))
    }

    /// Closes what has been idle for too long; runs until dropped, and sleeps while nothing is idle.
    pub(super) async fn close_idle(&self) {
        loop {
            let oldest = self.idle().first().map(Link::idle_since);
            match oldest {
                None => self.first_idle.notified().await,
                Some(since) => tokio::time::sleep_until(since + IDLE).await,
            }
            let now = Instant::now();
            self.idle().retain(|link| link.idle_since() + IDLE > now);
        }
    }

    /// An open connection that is idle; the one used last, so that those that are not needed grow old.
    async fn take(&self) -> Option<Link> {
        loop {
            let mut link = self.idle().pop()?;
            if link.idle_since() + IDLE > Instant::now() && link.is_ready().await {
                return Some(link);
            }
        }
    }

    fn put_back(&self, link: Link) {
        let mut idle = self.idle();
        idle.push(link);
        if idle.len() == 1 {
            self.first_idle.notify_one();
        }
    }

    async fn connect(&self) -> Result<Link, SendError> {
        let connecting = self.connector.clone().oneshot(self.destination.clone());
        let opened = async {
            let stream = connecting.await.map_err(SendError::Connect)?;
            Link::open(stream).await.map_err(SendError::Broken)
        };
        let link = tokio::time::timeout(CONNECT_TIMEOUT, opened).await.unwrap_or(Err(SendError::ConnectTimeout))?;
        self.metrics.connection_opened();
        Ok(link)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Link>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connections").field("idle", &self.idle().len()).finish_non_exhaustive()
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect(_) => f.write_str("could not connect"),
            Self::ConnectTimeout => f.write_str("could not connect in time"),
            Self::Timeout => f.write_str("no answer in time"),
            Self::Broken(_) => f.write_str("the connection broke"),
        }
    }
}

impl Error for SendError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Connect(error) => Some(error.as_ref()),
            Self::ConnectTimeout | Self::Timeout => None,
            Self::Broken(error) => Some(error),
        }
    }
}

impl fmt::Display for Unresolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for Unresolved {}

/// The operating system's resolver, whose failures can be told from those of connecting.
#[derive(Clone)]
struct Resolver(GaiResolver);

impl Service<Name> for Resolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = Unresolved;
    type Future = BoxFuture<'static, Result<Self::Response, Unresolved>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Unresolved>> {
        self.0.poll_ready(context).map_err(Unresolved)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let resolving = self.0.call(name);
        Box::pin(async move {
            let addresses: GaiAddrs = resolving.await.map_err(Unresolved)?;
            Ok(addresses.collect::<Vec<_>>().into_iter())
        })
    }
}
