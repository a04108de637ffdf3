//! Headers and body of a request -> the CloudEvent in it, read without the bridge's own code. Pure.

use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use serde_json::Value;

use crate::wire::Head;

/// A CloudEvent as a receiver sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// True in structured mode.
    pub structured: bool,
    /// Context attributes by name, as text.
    pub attributes: BTreeMap<String, String>,
    /// The data as bytes; of structured JSON data its text.
    pub data: Bytes,
}

impl Event {
    /// Reads either mode; what is no CloudEvent has no attributes.
    pub fn read(head: &Head, body: &Bytes) -> Self {
        let content_type = head.header("content-type").unwrap_or_default();
        if content_type.starts_with("application/cloudevents+json") { structured(body) } else { binary(head, body) }
    }

    /// One attribute.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }

    /// `id`, or nothing.
    pub fn id(&self) -> &str {
        self.get("id").unwrap_or_default()
    }

    /// `source`, or nothing.
    pub fn source(&self) -> &str {
        self.get("source").unwrap_or_default()
    }

    /// `type`, or nothing.
    pub fn kind(&self) -> &str {
        self.get("type").unwrap_or_default()
    }

    /// `subject`.
    pub fn subject(&self) -> Option<&str> {
        self.get("subject")
    }

    /// What tells an event from all others.
    pub fn key(&self) -> (String, String) {
        (self.source().to_owned(), self.id().to_owned())
    }

    /// The data as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.data).into_owned()
    }
}

fn binary(head: &Head, body: &Bytes) -> Event {
    let mut attributes = BTreeMap::new();
    for (name, value) in &head.headers {
        let name = name.to_ascii_lowercase();
        if let Some(name) = name.strip_prefix("ce-") {
            attributes.insert(name.to_owned(), percent_decoded(value));
        } else if name == "content-type" {
            attributes.insert("datacontenttype".to_owned(), value.clone());
        }
    }
    Event { structured: false, attributes, data: body.clone() }
}

fn structured(body: &Bytes) -> Event {
    let Ok(Value::Object(members)) = serde_json::from_slice(body) else { return Event::default() };
    let mut event = Event { structured: true, ..Event::default() };
    for (name, value) in members {
        match (name.as_str(), value) {
            ("data", Value::String(text)) => event.data = text.into(),
            ("data", value) => event.data = value.to_string().into(),
            ("data_base64", Value::String(text)) => {
                event.data = BASE64_STANDARD.decode(text).unwrap_or_default().into();
            }
            (_, Value::String(text)) => {
                event.attributes.insert(name, text);
            }
            (_, value) => {
                event.attributes.insert(name, value.to_string());
            }
        }
    }
    event
}

fn percent_decoded(value: &str) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = (*first == b'%').then(|| tail.get(..2)).flatten();
        let decoded = escaped.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        bytes.push(decoded.unwrap_or(*first));
        rest = if decoded.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(headers: &[(&str, &str)]) -> Head {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Head { method: "POST".to_owned(), target: "/".to_owned(), headers: headers.collect() }
    }

    fn event(structured: bool, attributes: &[(&str, &str)], data: &'static str) -> Event {
        let attributes = attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Event { structured, attributes: attributes.collect(), data: data.into() }
    }

    #[test]
    fn binary_headers_are_percent_decoded() {
        let head = head(&[("Ce-Id", "1"), ("ce-subject", "%E2%82%AC%20a%"), ("Content-Type", "text/plain")]);
        let expected = [("id", "1"), ("subject", "€ a%"), ("datacontenttype", "text/plain")];
        assert_eq!(Event::read(&head, &"hi".into()), event(false, &expected, "hi"));
    }

    #[test]
    fn structured_members_become_attributes_and_data() {
        let head = head(&[("Content-Type", "application/cloudevents+json; charset=utf-8")]);
        let body = r#"{"id":"1","n":5,"data":{"a":1}}"#;
        assert_eq!(Event::read(&head, &body.into()), event(true, &[("id", "1"), ("n", "5")], r#"{"a":1}"#));
        let body = r#"{"id":"1","data_base64":"aGk="}"#;
        assert_eq!(Event::read(&head, &body.into()), event(true, &[("id", "1")], "hi"));
    }
}
