//! An event -> the headers of binary mode, and whether that mode is safe for it. Pure.

use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};

use super::{Event, attribute, media_type};

/// The `ce-*` and `Content-Type` lines of an event that `auto` sends in binary mode are shorter
/// than this: the smallest limit for all header lines among common servers (nginx, Tomcat) is
/// 8 KiB, in bytes.
const MAX_HEADER_BYTES: usize = 8 * 1024;

/// True if every receiver reads the same from the headers: all values are header-safe, and the lines are short.
pub(super) fn travels_safely(event: &Event) -> bool {
    attributes(event).all(|(_, value)| attribute::is_header_safe(value)) && line_bytes(event) < MAX_HEADER_BYTES
}

/// The headers of binary mode; `None` if the event's media type would make receivers take its
/// data for a structured event, or if the event has more attributes than a header map holds.
pub(super) fn encode(event: &Event) -> Option<HeaderMap> {
    let mut headers = HeaderMap::with_capacity(16);
    headers.insert(HeaderName::from_static("ce-specversion"), HeaderValue::from_static("1.0"));
    for (name, value) in event.context() {
        headers.try_insert(context_header(name)?, header_value(value)?).ok()?;
    }
    for (name, value) in event.extensions() {
        headers.try_insert(extension_header(name)?, header_value(value)?).ok()?;
    }
    if let Some(datacontenttype) = event.datacontenttype() {
        if media_type::is_cloudevents(datacontenttype) {
            return None;
        }
        headers.try_insert(CONTENT_TYPE, HeaderValue::from_str(datacontenttype).ok()?).ok()?;
    }
    Some(headers)
}

/// The headers of structured mode.
pub(super) fn structured() -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(1);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/cloudevents+json"));
    headers
}

fn attributes(event: &Event) -> impl Iterator<Item = (&str, &str)> {
    event.context().chain(event.extensions())
}

/// Bytes of the lines `ce-<name>: <value>` and `Content-Type: <value>`, with their line ends.
fn line_bytes(event: &Event) -> usize {
    let line = |name: usize, value: usize| name + ": ".len() + value + "\r\n".len();
    let attributes = attributes(event).map(|(name, value)| line("ce-".len() + name.len(), value.len()));
    let content_type = event.datacontenttype().map(|value| line("content-type".len(), value.len()));
    line("ce-specversion".len(), "1.0".len()) + attributes.sum::<usize>() + content_type.unwrap_or_default()
}

fn context_header(name: &str) -> Option<HeaderName> {
    Some(match name {
        "id" => HeaderName::from_static("ce-id"),
        "source" => HeaderName::from_static("ce-source"),
        "type" => HeaderName::from_static("ce-type"),
        "time" => HeaderName::from_static("ce-time"),
        other => return extension_header(other),
    })
}

fn extension_header(name: &str) -> Option<HeaderName> {
    let mut header = String::with_capacity("ce-".len() + name.len());
    header.push_str("ce-");
    header.push_str(name);
    HeaderName::try_from(header).ok()
}

/// Percent-encodes what is not header-safe, and nothing else (CloudEvents HTTP binding 3.1.3.2).
fn header_value(value: &str) -> Option<HeaderValue> {
    if attribute::is_header_safe(value) {
        return HeaderValue::from_str(value).ok();
    }
    let kept = |character: char| character.is_ascii_graphic() && character != '"' && character != '%';
    HeaderValue::try_from(attribute::escape(value, kept)).ok()
}
