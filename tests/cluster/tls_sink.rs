//! A sink behind TLS whose certificate comes from an authority that nobody knows yet. I/O: TCP.

use std::net::SocketAddr;

use tests::host;
use tests::wire::{Answer, Connection};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::certificates::Authority;

/// A running one, which accepts every event; it stops with this value.
pub struct TlsSink {
    address: SocketAddr,
    authority: Authority,
    task: JoinHandle<()>,
}

impl TlsSink {
    /// At the address where servers of the tests listen, for which its certificate is.
    pub async fn start() -> Self {
        let listener = TcpListener::bind((host::address(), 0)).await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        let authority = Authority::new();
        let versions = [&rustls::version::TLS13, &rustls::version::TLS12];
        let acceptor = authority.acceptor_of(&address.ip().to_string(), &versions);
        Self { address, authority, task: tokio::spawn(accept(listener, acceptor)) }
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("https://{}/", self.address)
    }

    /// The certificate of its authority.
    pub fn authority(&self) -> String {
        self.authority.pem()
    }
}

impl Drop for TlsSink {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, acceptor: TlsAcceptor) {
    while let Ok((stream, _)) = listener.accept().await {
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            let Ok(stream) = acceptor.accept(stream).await else { return };
            let mut connection = Connection::new(stream);
            while let Ok(Some(head)) = connection.read_head().await {
                let accepted = Answer { status: 202, headers: Vec::new(), body: Default::default() };
                if connection.read_body(&head).await.is_err() || connection.write(&accepted, true).await.is_err() {
                    return;
                }
            }
        });
    }
}
