//! What the sink does with one request. Pure.

use std::time::Duration;

use crate::sqs::Latency;
use crate::wire::Answer;

/// What is done with a request.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// The answer, if it comes to one.
    pub answer: Answer,
    /// How long it takes.
    pub takes: Option<Latency>,
    /// What is done instead of a plain answer.
    pub ending: Ending,
}

/// How a request ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It is answered, and the connection stays open.
    Answered,
    /// It is answered, and the connection is closed.
    AnsweredAndClosed,
    /// Status and headers are sent, then the connection is reset in the middle of the body.
    CutShort,
    /// It is read and never answered; the connection stays open.
    Hanging,
    /// The connection is reset after the request was read.
    ResetAfterReading,
    /// The connection is reset after the headers, before the body was read.
    ResetBeforeReading,
}

impl Reply {
    /// 202 at once.
    pub fn accept() -> Self {
        Self::status(202)
    }

    /// This status, without a body.
    pub fn status(status: u16) -> Self {
        let answer = Answer { status, headers: Vec::new(), body: Default::default() };
        Self { answer, takes: None, ending: Ending::Answered }
    }

    /// Never an answer.
    pub fn hang() -> Self {
        Self::accept().ending(Ending::Hanging)
    }

    /// A reset after the request was read.
    pub fn reset() -> Self {
        Self::accept().ending(Ending::ResetAfterReading)
    }

    /// With this header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.answer.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With `Retry-After`.
    pub fn retry_after(self, value: &str) -> Self {
        self.header("Retry-After", value)
    }

    /// With this body.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.answer.body = body.into().into();
        self
    }

    /// After so long.
    pub fn after(self, duration: Duration) -> Self {
        self.taking(Latency::exactly(duration))
    }

    /// After a time of this distribution.
    pub fn taking(self, latency: Latency) -> Self {
        Self { takes: Some(latency), ..self }
    }

    /// With this ending.
    pub fn ending(self, ending: Ending) -> Self {
        Self { ending, ..self }
    }
}
