//! One request that reached the sink, and how it was answered. Pure.

use bytes::Bytes;
use tokio::time::Instant;

use super::event::Event;
use crate::wire::Head;

/// A request as it was on the wire.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// When its headers had been read.
    pub came: Instant,
    /// When it was answered, if it was.
    pub answered: Option<Instant>,
    /// The status of the answer.
    pub status: Option<u16>,
    /// On which connection, counted from 1.
    pub connection: u64,
    /// Method, target and headers, as sent.
    pub head: Head,
    /// The body; empty if it was not read.
    pub body: Bytes,
    /// The event that it carries.
    pub event: Event,
}

impl Delivery {
    /// True if it was answered with 2xx.
    pub fn is_accepted(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }
}
