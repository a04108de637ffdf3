//! A server that answers each request as a script says, and remembers what it read. I/O: a listener.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// One request as it stood on the wire.
#[derive(Clone, Debug)]
pub struct Request {
    /// Counted from 0 over all connections of the server.
    pub number: usize,
    /// Request line and headers, byte for byte.
    pub head: String,
    pub body: Vec<u8>,
}

impl Request {
    /// The value of the header with exactly this name, capitals included.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

/// What to do about a request.
pub enum Reply {
    /// Write this and go on.
    Answer(String),
    /// Write this and close the connection.
    AnswerAndClose(String),
    /// Never answer.
    Hang,
    /// Close the connection so that the peer's is reset.
    Reset,
}

/// An answer without a body.
pub fn empty(status: &str) -> Reply {
    with_headers(status, "")
}

/// An answer without a body and with these header lines, each ending in `\r\n`.
pub fn with_headers(status: &str, headers: &str) -> Reply {
    Reply::Answer(format!("HTTP/1.1 {status}\r\n{headers}Content-Length: 0\r\n\r\n"))
}

/// An answer with a body.
pub fn with_body(status: &str, body: &str) -> Reply {
    Reply::Answer(format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len()))
}

/// A running server.
pub struct Server {
    address: SocketAddr,
    scheme: &'static str,
    state: Arc<State>,
}

struct State {
    script: Box<dyn Fn(&Request) -> Reply + Send + Sync>,
    requests: Mutex<Vec<Request>>,
    connections: AtomicUsize,
    closed: AtomicUsize,
}

impl Server {
    /// Speaks plain HTTP.
    pub async fn plain(script: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::start(None, script).await
    }

    /// Speaks HTTP over TLS, under the name `localhost`.
    pub async fn tls(acceptor: TlsAcceptor, script: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::start(Some(acceptor), script).await
    }

    async fn start(tls: Option<TlsAcceptor>, script: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let state = Arc::new(State {
            script: Box::new(script),
            requests: Mutex::default(),
            connections: AtomicUsize::new(0),
            closed: AtomicUsize::new(0),
        });
        tokio::spawn(accept(listener, tls, state.clone()));
        Self { address, scheme, state }
    }

    pub fn url(&self) -> String {
        format!("{}://localhost:{}/", self.scheme, self.address.port())
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    pub fn requests(&self) -> Vec<Request> {
        self.state.requests.lock().unwrap().clone()
    }

    /// Connections accepted, for TLS after the handshake.
    pub fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }

    /// Connections that have ended.
    pub fn closed(&self) -> usize {
        self.state.closed.load(Ordering::SeqCst)
    }
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, state: Arc<State>) {
    while let Ok((stream, _)) = listener.accept().await {
        // As servers do; else an answer after the TLS tickets waits for the peer's delayed acknowledgement.
        stream.set_nodelay(true).unwrap();
        let (tls, state) = (tls.clone(), state.clone());
        tokio::spawn(async move {
            match tls {
                None => converse(stream, &state).await,
                Some(acceptor) => {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        converse(stream, &state).await;
                    }
                }
            }
            state.closed.fetch_add(1, Ordering::SeqCst);
        });
    }
}

async fn converse(mut stream: impl AsyncRead + AsyncWrite + Unpin + Linger, state: &State) {
    state.connections.fetch_add(1, Ordering::SeqCst);
    while let Some((head, body)) = read(&mut stream).await {
        let request = {
            let mut requests = state.requests.lock().unwrap();
            let number = requests.len();
            requests.push(Request { number, head, body });
            requests.last().unwrap().clone()
        };
        match (state.script)(&request) {
            Reply::Answer(answer) => drop(stream.write_all(answer.as_bytes()).await),
            Reply::AnswerAndClose(answer) => {
                drop(stream.write_all(answer.as_bytes()).await);
                drop(stream.shutdown().await);
                return;
            }
            Reply::Hang => std::future::pending().await,
            Reply::Reset => return stream.reset(),
        }
    }
}

async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Option<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let mut body = bytes.split_off(end);
    let head = String::from_utf8(bytes).unwrap();
    let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    while body.len() < length.unwrap_or(0) {
        stream.read_buf(&mut body).await.ok()?;
    }
    Some((head, body))
}

trait Linger {
    /// Closes with a reset instead of an orderly end.
    fn reset(self);
}

impl Linger for TcpStream {
    fn reset(self) {
        socket_linger(&self);
    }
}

impl Linger for tokio_rustls::server::TlsStream<TcpStream> {
    fn reset(self) {
        socket_linger(self.get_ref().0);
    }
}

#[expect(deprecated, reason = "a linger of zero never blocks, which is what the deprecation warns of")]
fn socket_linger(stream: &TcpStream) {
    stream.set_linger(Some(Duration::ZERO)).unwrap();
}
