//! What is not in the data of an event -> its extension attributes. Pure.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::origin::Origin;
use super::trace::{self, Trace};
use super::{Events, identity};
use crate::config::MessageAttributes;
use crate::decode::cloudevent;
use crate::event::{Event, attribute};
use crate::message::{AttributeValue, MessageAttribute};

/// A message attribute with more bytes becomes no extension: it would fill the header lines that a server accepts.
const MAX_VALUE_BYTES: usize = 1024;

/// Attributes that tell why EventBridge gave an event up (dead-letter queue of a rule).
const DEAD_LETTER: [&str; 4] = ["RULE_ARN", "TARGET_ARN", "ERROR_CODE", "ERROR_MESSAGE"];

/// Attributes that say how to read the message, and have said it.
const CONSUMED: [&str; 4] = ["traceparent", "tracestate", "ExtendedPayloadSize", "SQSLargePayloadSize"];

/// An event of AWS, and where AWS says that it happened.
pub(super) struct Located<'a> {
    pub event: Event,
    pub account: Option<Cow<'a, str>>,
    pub region: Option<Cow<'a, str>>,
}

/// The events with all extensions that every event of this message carries.
pub(super) fn extended<'a>(located: impl IntoIterator<Item = Located<'a>>, origin: &Origin<'_>) -> Events {
    let (attributes, skipped_extensions) = message_attributes(origin);
    let trace = trace(origin);
    let extend = |located: Located<'a>| {
        let event = with_trace(with_delivery(with_place(located, origin), origin), trace.as_ref());
        attributes.iter().fold(event, |event, (name, value)| event.with_extension(name.clone(), value.clone()))
    };
    Events { skipped_extensions, ..Events::each(located, extend) }
}

/// The producer's trace, unless the event has one.
pub(super) fn with_own_trace(event: Event, origin: &Origin<'_>) -> Event {
    let traced = event.extension("traceparent").or(event.extension("tracestate")).is_some();
    if traced { event } else { with_trace(event, trace(origin).as_ref()) }
}

/// Rule and error, if the message stands in the dead-letter queue of an EventBridge rule.
pub(super) fn with_dead_letter(event: Event, origin: &Origin<'_>) -> Event {
    match dead_letter(origin) {
        Some((rule, code)) => event.with_extension("awsrulearn", rule).with_extension("awserrorcode", code),
        None => event,
    }
}

/// Account and region of the event, else of the topic or queue; and the topic.
fn with_place(Located { event, account, region }: Located<'_>, origin: &Origin<'_>) -> Event {
    let account = account.filter(|account| !account.is_empty()).or_else(|| origin.account());
    let region = region.filter(|region| !region.is_empty()).unwrap_or_else(|| origin.region());
    let event = match account {
        Some(account) => event.with_extension("awsaccount", account.into_owned()),
        None => event,
    };
    let event = event.with_extension("awsregion", region.into_owned());
    match origin.topic() {
        Some(topic) => event
            .with_extension("awstopicarn", topic.topic_arn.to_string())
            .with_extension("awssnsmessageid", topic.message_id.to_string()),
        None => event,
    }
}

/// MessageId, and group and place of a message of a FIFO queue.
fn with_delivery(event: Event, origin: &Origin<'_>) -> Event {
    let event = event.with_extension("sqsmessageid", origin.message_id());
    let attributes = &origin.message.attributes;
    let Some(number) = &attributes.sequence_number else { return event };
    let event = match &attributes.message_group_id {
        Some(group) => event.with_extension("partitionkey", group.clone()),
        None => event,
    };
    // CloudEvents scopes `sequence` to the source of the event, which only the queue itself shares.
    let is_of_queue = event.source() == origin.queue.arn.to_string();
    event.with_extension(if is_of_queue { "sequence" } else { "sqssequence" }, number.clone())
}

fn with_trace(event: Event, trace: Option<&Trace<'_>>) -> Event {
    let Some(Trace { parent, state }) = trace else { return event };
    let event = event.with_extension("traceparent", parent.clone());
    match state {
        Some(state) => event.with_extension("tracestate", (*state).to_owned()),
        None => event,
    }
}

/// The trace that OpenTelemetry's producers put into the attributes of the message or the
/// topic's envelope, else X-Ray's.
fn trace<'a>(origin: &'a Origin<'_>) -> Option<Trace<'a>> {
    let text = |name| origin.message.attribute(name).and_then(MessageAttribute::text);
    let of_message = || trace::from_w3c(text("traceparent")?, text("tracestate"));
    let of_topic = || {
        let envelope = origin.envelope?;
        trace::from_w3c(envelope.traceparent.as_deref()?, envelope.tracestate.as_deref())
    };
    let of_xray = || trace::from_xray(origin.message.attributes.aws_trace_header.as_deref()?);
    of_message().or_else(of_topic).or_else(of_xray)
}

/// The rule's ARN and the error code, if the attributes of a rule's dead-letter queue are all there.
fn dead_letter<'a>(origin: &Origin<'a>) -> Option<(String, String)> {
    let text = |name| origin.message.attribute(name).and_then(MessageAttribute::text);
    let [Some(rule), Some(_), Some(code), Some(_)] = DEAD_LETTER.map(text) else { return None };
    Some((rule.to_owned(), code.to_owned()))
}

/// The message attributes that become extensions, and how many could not.
fn message_attributes(origin: &Origin<'_>) -> (Vec<(String, String)>, u32) {
    let is_dead_letter = dead_letter(origin).is_some();
    let chosen = |attribute: &&MessageAttribute| {
        is_named(&attribute.name, &origin.settings.message_attributes)
            && !CONSUMED.contains(&&*attribute.name)
            && cloudevent::attribute_name(&attribute.name).is_none()
            && !(is_dead_letter && DEAD_LETTER.contains(&&*attribute.name))
    };
    let chosen: Vec<_> = origin.message.message_attributes.iter().filter(chosen).collect();
    let names: Vec<_> = chosen.iter().map(|chosen| attribute::stripped(&chosen.name)).collect();
    let mut extensions = Vec::with_capacity(chosen.len());
    for (attribute, name) in chosen.iter().zip(&names) {
        let is_unique = names.iter().filter(|other| *other == name).count() == 1 && !name.is_empty();
        let suffix = if is_unique { String::new() } else { identity::short_hash::<4>(attribute.name.as_bytes()) };
        extensions.extend(value(attribute).map(|value| (format!("sqsattr{name}{suffix}"), value)));
    }
    let skipped = u32::try_from(chosen.len() - extensions.len()).unwrap_or(u32::MAX);
    (extensions, skipped)
}

fn is_named(name: &str, wanted: &MessageAttributes) -> bool {
    match wanted {
        MessageAttributes::All => true,
        MessageAttributes::Named(patterns) => patterns.iter().any(|pattern| matches(name, pattern)),
        MessageAttributes::None => false,
    }
}

/// `trace.*` stands for every name that starts with `trace.`.
fn matches(name: &str, pattern: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) if prefix.ends_with('.') => name.starts_with(prefix),
        _ => name == pattern,
    }
}

/// The value as text; `None` if it is too long or holds control characters.
fn value(attribute: &MessageAttribute) -> Option<String> {
    let text = match &attribute.value {
        AttributeValue::Text(text) if attribute::is_clean(text) => Cow::Borrowed(text),
        AttributeValue::Text(_) => return None,
        AttributeValue::Binary(bytes) => Cow::Owned(STANDARD.encode(bytes)),
    };
    (text.len() <= MAX_VALUE_BYTES && !text.is_empty()).then(|| text.into_owned())
}
