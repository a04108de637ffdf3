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

/// What an answer means for the event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The sink has it.
    Accepted,
    /// Later, perhaps.
    Retry {
        /// The sink's own wish, on 429 and 503.
        after: Option<Duration>,
    },
    /// Never: the sink refuses this event.
    Refused,
}

/// The result table of the Knative data-plane specification, as knative/eventing's senders apply it.
///
/// | answer | verdict |
/// |---|---|
/// | 2xx | accepted |
/// | 404, 408, 409, 429, 5xx; no answer | retry |
/// | 1xx, 3xx, any other 4xx | refused |
///
/// A 401 comes here only after the token was refreshed and the request repeated once.
/// Source: knative/specs `specs/eventing/data-plane.md`, knative/eventing `pkg/kncloudevents/retries.go`.
pub fn verdict(answer: &Answer) -> Verdict {
    let Answer::Status { code, retry_after, .. } = answer else {
        return Verdict::Retry { after: None };
    };
    match code {
        200..=299 => Verdict::Accepted,
        429 | 503 => Verdict::Retry { after: *retry_after },
        404 | 408 | 409 | 500..=599 => Verdict::Retry { after: None },
        _ => Verdict::Refused,
    }
}

/// True for the answers that ask for fewer POSTs at once: 429, 503 and a timeout.
pub fn is_overload(answer: &Answer) -> bool {
    match answer {
        Answer::Status { code, .. } => matches!(code, 429 | 503),
        Answer::Failed(failure) => failure.class == TransportClass::Timeout,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(code: u16) -> Answer {
        Answer::Status { code, retry_after: Some(Duration::from_secs(3)), body: Bytes::new() }
    }

    #[test]
    fn every_answer_has_the_verdict_of_the_data_plane_specification() {
        let retry = Verdict::Retry { after: None };
        let wish = Verdict::Retry { after: Some(Duration::from_secs(3)) };
        let cases: [(&[u16], Verdict); 4] = [
            (&[200, 202, 204, 299], Verdict::Accepted),
            (&[404, 408, 409, 500, 502, 504, 599], retry.clone()),
            (&[429, 503], wish),
            (&[100, 101, 301, 302, 307, 400, 401, 403, 410, 413, 415, 422, 600], Verdict::Refused),
        ];
        for (codes, expected) in cases {
            for code in codes {
                assert_eq!(verdict(&status(*code)), expected, "{code}");
            }
        }
        let failure = TransportFailure { class: TransportClass::Reset, message: "connection reset".into() };
        assert_eq!(verdict(&Answer::Failed(failure)), retry);
    }
}
