//! The answer of a sink -> what it means for the event. Pure.

use std::time::Duration;

use bytes::Bytes;

/// What one POST came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The sink's status line was read.
    Status {
        /// The HTTP status code.
        code: u16,
        /// `Retry-After`, as a wait from now; only looked at on 429 and 503.
        retry_after: Option<Duration>,
        /// At most the first 768 bytes of the body, kept for `knativeerrordata` when `code` is not 2xx.
        body: Bytes,
    },
    /// No answer.
    Failed(TransportFailure),
}

/// Why there was no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransportFailure {
    /// The kind of failure, a label.
    pub class: TransportClass,
    /// One clause for people: what failed, without secrets or payload.
    pub message: String,
}

/// The kinds of transport failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TransportClass {
    /// The host's name has no address.
    Dns,
    /// Nobody listens.
    Refused,
    /// The connection could not be opened in time or for another reason.
    Connect,
    /// The peer's certificate is not trusted or the handshake failed.
    Tls,
    /// No answer within the time limit.
    Timeout,
    /// The connection broke.
    Reset,
    /// The request could not be made, such as no token for the sink's audience.
    Request,
}

impl TransportClass {
    /// The label of metrics and `knativeerrordata`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Refused => "refused",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Reset => "reset",
            Self::Request => "request",
        }
    }
}
