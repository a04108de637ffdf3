//! An SNS envelope -> the event inside it, or the envelope as an event. Pure.

use std::borrow::Cow;

use bytes::Bytes;

use super::extensions::{self, Located};
use super::origin::Origin;
use super::{Events, payload_events};
use crate::config::SnsUnwrap;
use crate::decode::decode_inner;
use crate::decode::sns::{Envelope, Kind};
use crate::event::{Data, Event, media_type};

/// The events of what the topic carried if that is an event in its own right, else one of the envelope.
pub(super) fn events(envelope: &Envelope<'_>, origin: &Origin<'_>) -> Events {
    let origin = origin.of_envelope(envelope);
    match origin.settings.sns_unwrap {
        SnsUnwrap::Auto => inner(envelope, &origin).unwrap_or_else(|| outer(envelope, &origin)),
        SnsUnwrap::Never => outer(envelope, &origin),
    }
}

fn inner(envelope: &Envelope<'_>, origin: &Origin<'_>) -> Option<Events> {
    let content = match &envelope.message {
        Cow::Borrowed(text) => origin.slice(text),
        Cow::Owned(text) => Bytes::copy_from_slice(text.as_bytes()),
    };
    let payload = decode_inner(std::str::from_utf8(&content).ok()?)?;
    Some(payload_events(&payload, &origin.unwrapped(&content)))
}

/// As the CloudEvents adapter for SNS has it. Confirmations are forwarded, never answered.
fn outer(envelope: &Envelope<'_>, origin: &Origin<'_>) -> Events {
    let id = if envelope.message_id.is_empty() { origin.id() } else { envelope.message_id.to_string() };
    let ty = format!("com.amazonaws.sns.{}", envelope.kind.as_str());
    let event = Event::new(id, source(envelope), ty, origin.time(envelope.timestamp.as_deref()))
        .with_data(media_type::JSON, Data::json(origin.content.clone()));
    let event = match envelope.kind {
        Kind::Notification => event
            .with_subject(envelope.subject.as_deref().unwrap_or_default().to_owned())
            .with_extension("awstopicarn", envelope.topic_arn.to_string()),
        Kind::SubscriptionConfirmation | Kind::UnsubscribeConfirmation => event,
    };
    extensions::extended([Located { event, account: None, region: None }], origin)
}

/// The subscription's ARN, which starts with the topic's; SNS shows it only in the link that ends it.
fn source(envelope: &Envelope<'_>) -> String {
    let subscription = envelope.subscription_arn.clone().filter(|_| envelope.kind == Kind::Notification);
    subscription.unwrap_or_else(|| envelope.topic_arn.to_string())
}
