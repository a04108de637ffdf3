//! A function from request to answer -> an HTTP server on one thread. I/O: TCP on 127.0.0.1, time.

use std::convert::Infallible;
use std::future::Future;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, sleep_until};

/// tokio's timer rounds up to the next millisecond and epoll to another: the mean of both comes off every delay.
const TIMER_SLACK: Duration = Duration::from_micros(1_100);
/// Connections that wait for `accept`.
const BACKLOG: u32 = 1_024;

/// The answer to a request.
pub type Answer = Response<Full<Bytes>>;

/// Serves until the process is killed; prints the address when it listens.
///
/// # Errors
///
/// When no port can be had.
pub fn serve<F>(answer: impl Fn(Parts, Bytes) -> F + Clone + 'static) -> io::Result<()>
where
    F: Future<Output = Answer> + 'static,
{
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    tokio::task::LocalSet::new().block_on(&runtime, async move {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        let listener = socket.listen(BACKLOG)?;
        writeln!(io::stdout(), "{}", listener.local_addr()?)?;
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            tokio::task::spawn_local(connection(stream, answer.clone()));
        }
    })
}

/// An answer with a JSON body.
pub fn json(status: u16, body: Vec<u8>) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(body)));
    *answer.status_mut() = http::StatusCode::from_u16(status).unwrap_or_default();
    answer.headers_mut().insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static(JSON));
    answer
}

/// What SQS calls its JSON.
const JSON: &str = "application/x-amz-json-1.0";

/// Waits until `delay` has passed since `from`, as exactly as timers allow.
pub async fn delay_until(due: Instant) {
    if let Some(due) = due.checked_sub(TIMER_SLACK)
        && due > Instant::now()
    {
        sleep_until(due).await;
    }
}

/// Microseconds since the Unix epoch.
pub fn unix_us() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

async fn connection<F>(stream: TcpStream, answer: impl Fn(Parts, Bytes) -> F)
where
    F: Future<Output = Answer>,
{
    let service = service_fn(async |request: Request<Incoming>| {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        Ok::<_, Infallible>(answer(parts, body).await)
    });
    // A client that closes a connection in the middle of something is a client that was stopped.
    http1::Builder::new().serve_connection(TokioIo::new(stream), service).await.ok();
}
