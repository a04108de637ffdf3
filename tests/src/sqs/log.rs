//! Every call that came over the wire, when and from whom, and what it came to. Pure.

use std::sync::Arc;

use tokio::time::Instant;

use super::clock::Time;
use super::request::{Action, ReceiveMessage, Request};

/// One call.
#[derive(Clone, Debug)]
pub struct Call {
    /// When it came, in SQS time.
    pub at: Time,
    /// When it came, on the runtime's clock.
    pub came: Instant,
    /// When it was answered, if it was.
    pub answered: Option<Instant>,
    /// On which connection, counted from 1.
    pub connection: u64,
    /// What was asked, with absent fields absent; of sends without the bodies.
    pub request: Request,
    /// Who asked.
    pub caller: Caller,
    /// The status of the answer.
    pub status: Option<u16>,
    /// The code of the query protocol if it was refused.
    pub error: Option<&'static str>,
    /// The fault that befell it.
    pub fault: Option<&'static str>,
    /// Ids of the messages handed over, taken or settled.
    pub messages: Vec<Arc<str>>,
    /// Codes of the entries of a batch that failed.
    pub failed: Vec<&'static str>,
}

/// Who asked, by the headers of the request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    /// `Host`.
    pub host: String,
    /// The access key of the signature; empty without one.
    pub access_key: String,
    /// The region of the signature; empty without one.
    pub region: String,
    /// The session token, if one was sent.
    pub session_token: Option<String>,
    /// `User-Agent`.
    pub user_agent: String,
}

impl Call {
    /// What was asked.
    pub fn action(&self) -> Action {
        self.request.action()
    }

    /// The request, if it is a receive.
    pub fn receive(&self) -> Option<&ReceiveMessage> {
        if let Request::ReceiveMessage(ask) = &self.request { Some(ask) } else { None }
    }
}

impl Caller {
    /// Reads the headers, of which `header` gives one by its name.
    pub fn read<'a>(header: impl Fn(&str) -> Option<&'a str>) -> Self {
        let text = |name| header(name).unwrap_or_default().to_owned();
        let authorization = text("authorization");
        let scope = authorization.split("Credential=").nth(1).and_then(|rest| rest.split([',', ' ']).next());
        let mut parts = scope.unwrap_or_default().split('/');
        Self {
            host: text("host"),
            access_key: parts.next().unwrap_or_default().to_owned(),
            region: parts.nth(1).unwrap_or_default().to_owned(),
            session_token: header("x-amz-security-token").map(str::to_owned),
            user_agent: text("user-agent"),
        }
    }
}

/// The request as it is kept: the bodies of sends would only take memory.
pub fn without_bodies(request: &Request) -> Request {
    let mut kept = request.clone();
    #[expect(clippy::wildcard_enum_match_arm, reason = "all other actions have no bodies")]
    match &mut kept {
        Request::SendMessage(ask) => ask.message.message_body.clear(),
        Request::SendMessageBatch(ask) => ask.entries.iter_mut().for_each(|entry| entry.message.message_body.clear()),
        _ => {}
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caller_is_read_from_the_signature() {
        let header = |name: &str| match name {
            "authorization" => Some(
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261124/eu-north-1/sqs/aws4_request, SignedHeaders=host, \
                 Signature=00",
            ),
            "host" => Some("127.0.0.1:1"),
            _ => None,
        };
        let expected = Caller {
            host: "127.0.0.1:1".to_owned(),
            access_key: "AKIDEXAMPLE".to_owned(),
            region: "eu-north-1".to_owned(),
            ..Caller::default()
        };
        assert_eq!(Caller::read(header), expected);
    }
}
