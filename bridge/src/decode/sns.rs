//! A JSON object -> the envelope of an SNS topic. Pure.

use std::borrow::Cow;

use serde::Deserialize;

use super::arn::Arn;
use super::probe::{Probe, Raw, non_empty, object, string};

/// What SNS wraps around a message unless raw delivery is on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// What SNS wants to say.
    pub kind: Kind,
    /// `TopicArn`, an ARN of SNS.
    pub topic_arn: Cow<'a, str>,
    /// `MessageId`, perhaps empty.
    pub message_id: Cow<'a, str>,
    /// `Message`, unescaped.
    pub message: Cow<'a, str>,
    /// `Subject`, if it is text.
    pub subject: Option<Cow<'a, str>>,
    /// `Timestamp`, in whatever form.
    pub timestamp: Option<Cow<'a, str>>,
    /// The ARN in `UnsubscribeURL`.
    pub subscription_arn: Option<String>,
    /// The message attribute `traceparent` of the envelope.
    pub traceparent: Option<Cow<'a, str>>,
    /// The message attribute `tracestate` of the envelope.
    pub tracestate: Option<Cow<'a, str>>,
}

/// The `Type` of an envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A published message.
    Notification,
    /// A question that only the owner of the queue may answer.
    SubscriptionConfirmation,
    /// A subscription ended.
    UnsubscribeConfirmation,
}

impl Kind {
    /// The `Type` as SNS writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Notification => "Notification",
            Self::SubscriptionConfirmation => "SubscriptionConfirmation",
            Self::UnsubscribeConfirmation => "UnsubscribeConfirmation",
        }
    }

    fn parse(ty: &str) -> Option<Self> {
        [Self::Notification, Self::SubscriptionConfirmation, Self::UnsubscribeConfirmation]
            .into_iter()
            .find(|kind| kind.as_str() == ty)
    }
}

/// The envelope, if the object is one.
pub(super) fn decode<'a>(probe: &Probe<'a>) -> Option<Envelope<'a>> {
    let kind = Kind::parse(&string(probe.sns_type)?)?;
    let topic_arn = string(probe.topic_arn)?;
    is_topic(&topic_arn).then_some(())?;
    let (message_id, message) = (string(probe.message_id)?, string(probe.message)?);
    let Attributes { traceparent, tracestate } = object(probe.message_attributes).unwrap_or_default();
    Some(Envelope {
        kind,
        topic_arn,
        message_id,
        message,
        subject: string(probe.subject),
        timestamp: string(probe.timestamp),
        subscription_arn: string(probe.unsubscribe_url).and_then(|url| subscription_arn(&url)),
        traceparent: attribute(traceparent),
        tracestate: attribute(tracestate),
    })
}

/// True for an ARN of SNS, even one cut short, as in templates.
fn is_topic(arn: &str) -> bool {
    let mut parts = arn.split(':');
    parts.next() == Some("arn") && parts.nth(1) == Some("sns")
}

#[derive(Default, Deserialize)]
struct Attributes<'a> {
    #[serde(borrow)]
    traceparent: Raw<'a>,
    #[serde(borrow)]
    tracestate: Raw<'a>,
}

/// The value of a message attribute.
fn attribute<'a>(raw: Raw<'a>) -> Option<Cow<'a, str>> {
    #[derive(Deserialize)]
    struct Attribute<'a> {
        #[serde(borrow, rename = "Value")]
        value: Raw<'a>,
    }
    let Attribute { value } = object(raw)?;
    non_empty(value)
}

/// The query parameter `SubscriptionArn`, if it is an ARN.
fn subscription_arn(unsubscribe_url: &str) -> Option<String> {
    let (_, query) = unsubscribe_url.split_once('?')?;
    let mut parameters = url::form_urlencoded::parse(query.as_bytes());
    let (_, arn) = parameters.find(|(name, _)| name == "SubscriptionArn")?;
    Arn::parse(&arn).is_some().then(|| arn.into_owned())
}
