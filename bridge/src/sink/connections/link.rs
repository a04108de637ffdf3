//! One connection: a request -> its response, and the connection back once that is read. I/O: TCP, TLS.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1::{Builder, Connection, SendRequest};
use tokio::time::Instant;

use super::{Body, Connections, Stream};

/// One open connection.
pub(super) struct Link {
    requests: SendRequest<Body>,
    driver: Driver,
    idle_since: Instant,
}

/// The HTTP state of a connection, which moves only while it is polled; `None` once it has ended.
struct Driver(Option<Box<Connection<Stream, Body>>>);

/// A response on the connection that brings it. Read to its end the connection is kept, dropped before it is closed.
#[derive(Debug)]
pub(in crate::sink) struct Response {
    parts: http::response::Parts,
    body: Incoming,
    way_back: Option<(Link, Arc<Connections>)>,
}

impl Link {
    pub(super) async fn open(stream: Stream) -> hyper::Result<Self> {
        // Knative's own senders write header names in title case; some receivers care.
        let (requests, connection) = Builder::new().title_case_headers(true).handshake(stream).await?;
        let driver = Driver(Some(Box::new(connection)));
        Ok(Self { requests, driver, idle_since: Instant::now() })
    }

    pub(super) fn idle_since(&self) -> Instant {
        self.idle_since
    }

    /// False if the peer has closed it meanwhile. Does not wait.
    pub(super) async fn is_ready(&mut self) -> bool {
        let Self { requests, driver, .. } = self;
        poll_fn(|context| {
            driver.poll(context);
            Poll::Ready(matches!(requests.poll_ready(context), Poll::Ready(Ok(()))))
        })
        .await
    }

    pub(super) async fn exchange(
        mut self,
        request: Request<Body>,
        home: &Arc<Connections>,
    ) -> Result<Response, TrySendError<Request<Body>>> {
        let mut response = pin!(self.requests.try_send_request(request));
        let driver = &mut self.driver;
        let response = poll_fn(|context| {
            driver.poll(context);
            response.as_mut().poll(context)
        })
        .await?;
        let (parts, body) = response.into_parts();
        let mut response = Response { parts, body, way_back: Some((self, Arc::clone(home))) };
        if response.body.is_end_stream() {
            response.ended();
        }
        Ok(response)
    }
}

impl Driver {
    /// What an end of the connection means is told to whoever waits for a response or a chunk.
    fn poll(&mut self, context: &mut Context<'_>) {
        if let Some(connection) = &mut self.0
            && Pin::new(connection).poll(context).is_ready()
        {
            self.0 = None;
        }
    }
}

impl Response {
    pub(in crate::sink) fn status(&self) -> StatusCode {
        self.parts.status
    }

    pub(in crate::sink) fn headers(&self) -> &HeaderMap {
        &self.parts.headers
    }

    pub(in crate::sink) fn is_read(&self) -> bool {
        self.way_back.is_none()
    }

    /// The next bytes of the body; `None` at its end or when the connection breaks.
    pub(in crate::sink) async fn chunk(&mut self) -> Option<Bytes> {
        while let Some((link, _)) = &mut self.way_back {
            let frame = poll_fn(|context| {
                link.driver.poll(context);
                Pin::new(&mut self.body).poll_frame(context)
            });
            match frame.await {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => return Some(data),
                    Err(_trailers) => {}
                },
                Some(Err(_)) => self.way_back = None,
                None => self.ended(),
            }
        }
        None
    }

    fn ended(&mut self) {
        if let Some((mut link, home)) = self.way_back.take()
            && link.driver.0.is_some()
        {
            link.idle_since = Instant::now();
            home.put_back(link);
        }
    }
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link").field("idle_since", &self.idle_since).finish_non_exhaustive()
    }
}
