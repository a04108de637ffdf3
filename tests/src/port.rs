//! A port of this machine that stays ours while nobody listens -> listeners on it. I/O: TCP.

use std::io;
use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::host;

/// Connections that wait for `accept`; the kernel caps it at its own limit.
const BACKLOG: u32 = 4096;

/// A port held by a socket that never listens, so that a server can go down and come back under the same address
/// without another process taking it in between.
#[derive(Debug)]
pub struct Port {
    address: SocketAddr,
    _reservation: TcpSocket,
}

impl Port {
    /// Takes a free port.
    pub fn reserve() -> io::Result<Self> {
        let reservation = shared_socket(SocketAddr::from((host::address(), 0)))?;
        Ok(Self { address: reservation.local_addr()?, _reservation: reservation })
    }

    /// The address, whether or not somebody listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Listens; connections are refused before this and after the listener is dropped.
    pub fn listen(&self) -> io::Result<TcpListener> {
        shared_socket(self.address)?.listen(BACKLOG)
    }
}

/// Closes a connection with a reset instead of a farewell.
pub fn reset(stream: TcpStream) {
    // Without it the peer sees an orderly end, which is close enough to go on with.
    stream.set_zero_linger().ok();
}

fn shared_socket(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseport(true)?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}
