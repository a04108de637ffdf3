//! A sink that is looked at by `check` -> whether it can be reached, and what it makes of one event. I/O: HTTP.

use bytes::Bytes;
use http::{HeaderMap, Method, header};

use super::client::Response;
use super::{Sink, answer, no_token};
use crate::event::Encoded;
use crate::outcome::Answer;

/// What a sink made of one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trial {
    /// Its answer.
    pub answer: Answer,
    /// The body of an answer of 2xx.
    pub reply: Reply,
}

/// The body of an answer, which the bridge ignores but a Knative Trigger does not: there a body that is no CloudEvent
/// counts as a failed delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// No body.
    Empty,
    /// A CloudEvent.
    CloudEvent,
    /// Something else.
    Other,
}

impl Sink {
    /// Asks the sink with OPTIONS, which changes nothing there: any status means that name, port and certificate work.
    pub async fn reach(&self) -> Answer {
        match self.execute(Method::OPTIONS, self.fixed.clone(), Bytes::new()).await {
            Ok(response) => answer::read(response).await,
            Err(failure) => Answer::Failed(failure),
        }
    }

    /// One POST as any other, whose answer is looked at more closely.
    pub async fn try_out(&self, encoded: &Encoded) -> Trial {
        let headers = match self.token.current().await {
            Ok(token) => self.headers_of(encoded, token),
            Err(reason) => return Trial { answer: no_token(&reason), reply: Reply::Empty },
        };
        match self.execute(Method::POST, headers, encoded.body.clone()).await {
            Ok(response) if response.status().is_success() => judge(response).await,
            Ok(response) => Trial { answer: answer::read(response).await, reply: Reply::Empty },
            Err(failure) => Trial { answer: Answer::Failed(failure), reply: Reply::Empty },
        }
    }
}

async fn judge(mut response: Response) -> Trial {
    let code = response.status().as_u16();
    let is_event = is_cloud_event(response.headers());
    // A body that cannot be read to its first byte is none.
    let empty = response.chunk().await.is_none_or(|chunk| chunk.is_empty());
    let reply = match (empty, is_event) {
        (true, _) => Reply::Empty,
        (false, true) => Reply::CloudEvent,
        (false, false) => Reply::Other,
    };
    Trial { answer: Answer::Status { code, retry_after: None, body: Bytes::new() }, reply }
}

fn is_cloud_event(headers: &HeaderMap) -> bool {
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    headers.contains_key("ce-specversion") || media_type.to_ascii_lowercase().starts_with("application/cloudevents")
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_reply_is_an_event_by_its_headers() {
        let with = |name: &'static str, value: &'static str| {
            HeaderMap::from_iter([(http::HeaderName::from_static(name), HeaderValue::from_static(value))])
        };
        assert!(is_cloud_event(&with("ce-specversion", "1.0")));
        assert!(is_cloud_event(&with("content-type", "application/cloudevents+json; charset=utf-8")));
        assert!(!is_cloud_event(&with("content-type", "application/json")));
    }
}
