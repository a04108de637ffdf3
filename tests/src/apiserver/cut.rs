//! A connection to the API server that goes dead after so many bytes, as when a node loses its network. I/O: TCP.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Bytes that are passed on at once: small, so that a request can be cut in its middle.
const PIECE: usize = 512;

/// A proxy before the API server; it ends when dropped.
#[derive(Debug)]
pub struct Cut {
    address: SocketAddr,
    dead: watch::Receiver<bool>,
    task: JoinHandle<()>,
}

impl Cut {
    /// Passes on so many bytes of what clients send, over all connections; then nothing goes either way any more.
    ///
    /// # Panics
    ///
    /// When no port can be had.
    pub async fn after(bytes: i64, server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        let (tell, dead) = watch::channel(false);
        let line = Arc::new(Line { left: AtomicI64::new(bytes), tell });
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let line = Arc::clone(&line);
                tokio::spawn(async move {
                    if let Ok(server) = TcpStream::connect(server).await {
                        line.pass(client, server).await;
                    }
                });
            }
        });
        Self { address, dead, task }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns when the line is dead.
    ///
    /// # Panics
    ///
    /// When the proxy has ended.
    pub async fn dead(&self) {
        self.dead.clone().wait_for(|dead| *dead).await.expect("the proxy runs");
    }
}

impl Drop for Cut {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Line {
    left: AtomicI64,
    tell: watch::Sender<bool>,
}

impl Line {
    async fn pass(&self, client: TcpStream, server: TcpStream) {
        let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
        tokio::join!(self.up(from_client, to_server), self.down(from_server, to_client));
    }

    async fn up(&self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
        let mut piece = [0; PIECE];
        while let Ok(count) = from.read(&mut piece).await {
            let left = self.left.fetch_sub(i64::try_from(count).unwrap_or(i64::MAX), Ordering::SeqCst);
            if left <= 0 {
                self.tell.send_replace(true);
                // The connection stays open: who waits for an answer does not learn of it.
                return std::future::pending().await;
            }
            if count == 0 || to.write_all(&piece[..count]).await.is_err() {
                return;
            }
        }
    }

    async fn down(&self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
        let mut piece = [0; PIECE];
        while let Ok(count) = from.read(&mut piece).await {
            if *self.tell.borrow() {
                return std::future::pending().await;
            }
            if count == 0 || to.write_all(&piece[..count]).await.is_err() {
                return;
            }
        }
    }
}
