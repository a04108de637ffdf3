//! The names of SQS servers that others wrote -> running ones, each on a port of its own. I/O: child processes, TCP.
//!
//! One server of a kind serves the whole test binary, so cases use queues with names of their own. It ends with the
//! process that started it, however that ends.

use std::sync::{Arc, OnceLock};

pub mod calls;
mod elasticmq;
mod http;
mod ministack;
mod process;
mod state;

pub use process::{Running, installed};

use crate::suite::{Endpoint, Server};

/// The ministack of this test binary.
///
/// # Panics
///
/// When it is not installed or does not start.
pub fn ministack() -> Watched {
    static SHARED: OnceLock<Arc<Running>> = OnceLock::new();
    Watched { kind: Server::Ministack, server: SHARED.get_or_init(|| Arc::new(ministack::start_ministack())).clone() }
}

/// The ElasticMQ of this test binary.
///
/// # Panics
///
/// When it is not installed or does not start.
pub fn elasticmq() -> Watched {
    static SHARED: OnceLock<Arc<Running>> = OnceLock::new();
    Watched { kind: Server::ElasticMq, server: SHARED.get_or_init(|| Arc::new(elasticmq::start_elasticmq())).clone() }
}

/// A running server as one test sees it: should the test panic, what the server knows and last logged is printed.
#[derive(Debug)]
pub struct Watched {
    kind: Server,
    server: Arc<Running>,
}

impl Watched {
    /// Where it listens, for the semantic suite.
    pub fn endpoint(&self) -> Endpoint {
        Endpoint { server: self.kind, url: self.url() }
    }

    /// Where it listens, such as `http://127.0.0.1:4566`.
    pub fn url(&self) -> String {
        self.server.url()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.server.print_evidence();
        }
    }
}
