//! An event -> the CloudEvents JSON format. Pure.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::{Data, Event, Form, media_type};

/// JSON data nested deeper than this is sent as base64: serde_json gives up at 128 levels,
/// other readers at 1,000, and no event of AWS comes near.
const MAX_DEPTH: u8 = 100;

/// The event as one JSON object; its JSON data stands in it byte for byte.
pub(super) fn encode(event: &Event) -> Vec<u8> {
    let data = event.data.as_ref();
    let mut out = Vec::with_capacity(512 + data.map_or(0, |data| data.bytes.len()));
    out.extend_from_slice(br#"{"specversion":"1.0""#);
    for (name, value) in event.context() {
        member(&mut out, name, |out| string(out, value));
    }
    if let Some(datacontenttype) = event.datacontenttype() {
        member(&mut out, "datacontenttype", |out| string(out, datacontenttype));
    }
    for extension in &event.extensions {
        member(&mut out, &extension.name, |out| match extension.bare {
            true => out.extend_from_slice(extension.value.as_bytes()),
            false => string(out, &extension.value),
        });
    }
    if let Some(data) = data {
        embed(&mut out, data, event.datacontenttype());
    }
    out.push(b'}');
    out
}

fn embed(out: &mut Vec<u8>, data: &Data, datacontenttype: Option<&str>) {
    match embedding(data, datacontenttype) {
        Embedding::Json(json) => member(out, "data", |out| out.extend_from_slice(json.as_bytes())),
        Embedding::String(text) => member(out, "data", |out| string(out, text)),
        Embedding::Base64 => member(out, "data_base64", |out| {
            out.push(b'"');
            out.extend_from_slice(STANDARD.encode(&data.bytes).as_bytes());
            out.push(b'"');
        }),
    }
}

enum Embedding<'a> {
    Json(&'a str),
    String(&'a str),
    Base64,
}

fn embedding<'a>(data: &'a Data, datacontenttype: Option<&str>) -> Embedding<'a> {
    let Ok(text) = std::str::from_utf8(&data.bytes) else { return Embedding::Base64 };
    let is_json = match data.form {
        Form::Json => true,
        Form::Text => false,
        Form::Binary => return Embedding::Base64,
        Form::Declared => datacontenttype.is_none_or(media_type::is_json),
    };
    match is_json {
        true if is_readable(text) => Embedding::Json(text),
        true => Embedding::Base64,
        false => Embedding::String(text),
    }
}

fn member(out: &mut Vec<u8>, name: &str, value: impl FnOnce(&mut Vec<u8>)) {
    out.push(b',');
    string(out, name);
    out.push(b':');
    value(out);
}

/// One string, escaped only where JSON demands it. Writing to memory cannot fail.
fn string(out: &mut Vec<u8>, text: &str) {
    let start = out.len();
    if serde_json::to_writer(&mut *out, text).is_err() {
        out.truncate(start);
        out.extend_from_slice(b"\"\"");
    }
}

/// True if readers of every kind take this JSON text inside a structured event: beyond being
/// valid it has no lone surrogate, no number beyond a double, and is not nested too deep.
fn is_readable(json: &str) -> bool {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    Readable { depth: MAX_DEPTH }.deserialize(&mut deserializer).is_ok() && deserializer.end().is_ok()
}

#[derive(Clone, Copy)]
struct Readable {
    depth: u8,
}

impl Readable {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        let depth = self.depth.checked_sub(1).ok_or_else(|| E::custom("nested too deep"))?;
        Ok(Self { depth })
    }
}

impl<'de> DeserializeSeed<'de> for Readable {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Readable {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<(), E> {
        if number.is_finite() { Ok(()) } else { Err(E::custom("number beyond a double")) }
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        let element = self.deeper()?;
        while elements.next_element_seed(element)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let value = self.deeper()?;
        while members.next_key_seed(value)?.is_some() {
            members.next_value_seed(value)?;
        }
        Ok(())
    }
}
