//! A JSON object, array, or message attributes -> CloudEvents 1.0 to be forwarded. Pure.
//!
//! What says it is a CloudEvent but breaks a rule of the specification is not one: brokers
//! would refuse it for ever, and mending it would make another event of it.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::{Deserializer as _, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::probe::{Probe, non_empty, string};
use crate::event::{Forwarded, attribute, media_type, timestamp, uri_reference};
use crate::message::{AttributeValue, MessageAttribute};

/// A valid CloudEvent 1.0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CloudEvent<'a> {
    /// `id`.
    pub id: Cow<'a, str>,
    /// `source`.
    pub source: Cow<'a, str>,
    /// `type`.
    pub ty: Cow<'a, str>,
    /// `subject`.
    pub subject: Option<Cow<'a, str>>,
    /// `time`.
    pub time: Option<Cow<'a, str>>,
    /// `datacontenttype`.
    pub datacontenttype: Option<Cow<'a, str>>,
    /// `dataschema`.
    pub dataschema: Option<Cow<'a, str>>,
    /// All other attributes.
    pub extensions: Vec<(String, Forwarded)>,
    /// The data.
    pub content: Content<'a>,
}

/// The data of a CloudEvent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Content<'a> {
    /// None.
    #[default]
    None,
    /// A JSON value, byte for byte.
    Json(&'a str),
    /// Text of another media type, unescaped.
    Text(Cow<'a, str>),
    /// What `data_base64` stands for.
    Binary(Vec<u8>),
    /// The body of the message; the attributes were message attributes.
    Body,
}

/// True if the object says that it is a CloudEvent 1.0 and has its three texts.
pub(super) fn is_structured(probe: &Probe<'_>) -> bool {
    string(probe.specversion).is_some_and(|version| version == "1.0")
        && [probe.id, probe.source, probe.ty].into_iter().all(|raw| non_empty(raw).is_some())
}

/// The event in the JSON format, if it is valid.
pub(super) fn structured(object: &str) -> Option<CloudEvent<'_>> {
    let members = serde_json::Deserializer::from_str(object).deserialize_map(Members).ok()?;
    let mut names = HashSet::with_capacity(members.len());
    if !members.iter().all(|(name, _)| names.insert(&**name)) {
        return None;
    }
    let mut event = CloudEvent::default();
    let (mut specversion, mut data, mut base64) = (None, None, None);
    for (name, raw) in &members {
        match &**name {
            "specversion" => specversion = string(Some(raw)),
            "data" => data = Some(raw.get()),
            "data_base64" => base64 = Some(string(Some(raw))?),
            _ => event.set_json(name, raw)?,
        }
    }
    event.set_content(data, base64)?;
    (specversion? == "1.0" && event.is_valid()).then_some(event)
}

/// The events of an array in which every element is a valid CloudEvent, and there is one.
pub(super) fn batch(array: &str) -> Option<Vec<CloudEvent<'_>>> {
    serde_json::Deserializer::from_str(array).deserialize_seq(Batch).ok()
}

/// Prefixes of attribute names, as the HTTP, Kafka, AMQP and JMS bindings spell them.
const PREFIXES: [&str; 4] = ["ce-", "ce_", "cloudevents_", "cloudevents:"];

/// The name of the CloudEvents attribute that a message attribute of this name stands for.
pub fn attribute_name(message_attribute: &str) -> Option<String> {
    let name = message_attribute.to_ascii_lowercase();
    PREFIXES.iter().find_map(|prefix| name.strip_prefix(prefix).map(str::to_owned))
}

/// True if the message attributes say that the message is a CloudEvent in binary mode.
pub(super) fn is_in_attributes(attributes: &[MessageAttribute]) -> bool {
    let is_text = |attribute: &&MessageAttribute| attribute.data_type.starts_with("String");
    let names: Vec<_> = attributes.iter().filter(is_text).filter_map(|known| attribute_name(&known.name)).collect();
    ["specversion", "id", "source", "type"].into_iter().all(|required| names.iter().any(|name| name == required))
}

/// The event in the message attributes, if it is valid; the body is its data.
pub(super) fn from_attributes(attributes: &[MessageAttribute]) -> Option<CloudEvent<'_>> {
    let mut event = CloudEvent { content: Content::Body, ..CloudEvent::default() };
    let mut names = HashSet::with_capacity(attributes.len());
    let mut specversion = None;
    for MessageAttribute { name, value, .. } in attributes {
        let Some(name) = attribute_name(name) else { continue };
        let AttributeValue::Text(value) = value else { return None };
        match &*name {
            "specversion" => specversion = Some(value),
            _ => event.set_text(&name, Cow::Borrowed(value))?,
        }
        if !names.insert(name) {
            return None;
        }
    }
    event.datacontenttype = event.datacontenttype.or_else(|| content_type(attributes).map(Cow::Borrowed));
    (specversion? == "1.0" && event.is_valid()).then_some(event)
}

/// The media type that a producer declares for the body, if it is one, and not that of a whole event.
pub fn content_type(attributes: &[MessageAttribute]) -> Option<&str> {
    let names = ["contentType", "content-type"];
    let declared = attributes.iter().find(|known| names.iter().any(|name| known.name.eq_ignore_ascii_case(name)))?;
    declared.text().filter(|text| media_type::is_valid(text) && !media_type::is_cloudevents(text))
}

impl<'a> CloudEvent<'a> {
    /// Sets an attribute from its JSON value; `null` is no attribute. `None` if the type is wrong.
    fn set_json(&mut self, name: &str, raw: &'a RawValue) -> Option<()> {
        match raw.get() {
            "null" => Some(()),
            "true" | "false" if attribute::is_extension_name(name) => {
                self.push(name, Forwarded::Boolean(raw.get() == "true"))
            }
            number if number.starts_with(|first: char| first == '-' || first.is_ascii_digit()) => {
                self.push(name, Forwarded::Integer(number.parse().ok()?))
            }
            _ => self.set_text(name, string(Some(raw))?),
        }
    }

    fn set_text(&mut self, name: &str, value: Cow<'a, str>) -> Option<()> {
        match name {
            "id" => self.id = value,
            "source" => self.source = value,
            "type" => self.ty = value,
            "subject" => self.subject = Some(value),
            "time" => self.time = Some(value),
            "datacontenttype" => self.datacontenttype = Some(value),
            "dataschema" => self.dataschema = Some(value),
            _ if attribute::is_clean(&value) => self.push(name, Forwarded::Text(value.into_owned()))?,
            _ => return None,
        }
        Some(())
    }

    fn push(&mut self, name: &str, value: Forwarded) -> Option<()> {
        attribute::is_extension_name(name).then(|| self.extensions.push((name.to_owned(), value)))
    }

    /// Takes over `data` or `data_base64`; `None` if there are both, or the latter is not base64.
    fn set_content(&mut self, data: Option<&'a str>, base64: Option<Cow<'a, str>>) -> Option<()> {
        self.content = match (data, base64) {
            (None, None) => Content::None,
            (None, Some(base64)) => Content::Binary(STANDARD.decode(&*base64).ok()?),
            (Some(json), None) => self.content_of(json)?,
            (Some(_), Some(_)) => return None,
        };
        Some(())
    }

    /// A JSON value, unless the media type is another and the value a string.
    ///
    /// An event in the JSON format without a media type has JSON data (CloudEvents 1.0.2, `datacontenttype`).
    fn content_of(&mut self, json: &'a str) -> Option<Content<'a>> {
        let datacontenttype = self.datacontenttype.get_or_insert(media_type::JSON);
        if media_type::is_json(datacontenttype) || !json.starts_with('"') {
            return Some(Content::Json(json));
        }
        let text: Cow<'a, str> = serde_json::from_str::<String>(json).ok()?.into();
        Some(Content::Text(text))
    }

    fn is_valid(&self) -> bool {
        let text = |text: &str| !text.is_empty() && attribute::is_clean(text);
        text(&self.id)
            && text(&self.ty)
            && uri_reference::is_valid(&self.source)
            && self.subject.as_deref().is_none_or(text)
            && self.time.as_deref().is_none_or(timestamp::is_rfc3339)
            && self.datacontenttype.as_deref().is_none_or(media_type::is_valid)
            && self.dataschema.as_deref().is_none_or(uri_reference::is_absolute)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Vec<(String, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::with_capacity(12);
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(members)
    }
}

struct Batch;

impl<'de> Visitor<'de> for Batch {
    type Value = Vec<CloudEvent<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of CloudEvents")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
        let mut events = Vec::new();
        while let Some(raw) = elements.next_element::<&RawValue>()? {
            let event = Some(raw.get()).filter(|raw| raw.starts_with('{')).and_then(structured);
            events.push(event.ok_or_else(|| A::Error::custom("not a CloudEvent"))?);
        }
        if events.is_empty() { Err(A::Error::custom("no event")) } else { Ok(events) }
    }
}
