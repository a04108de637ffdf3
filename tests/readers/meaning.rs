//! Requests of the bridge -> what they mean, and attributes of any reader -> a form in which they compare. Pure.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

/// One line of `sqs-bridge convert -o http`.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Request {
    /// The request's headers.
    pub headers: BTreeMap<String, String>,
    /// The body, when it is text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// The body in base64, when it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_base64: Option<String>,
}

impl Request {
    /// True unless the event is in the body as a whole.
    pub fn is_binary(&self) -> bool {
        let content_type = self.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        !content_type.is_some_and(|(_, value)| value.starts_with("application/cloudevents"))
    }

    /// The body.
    pub fn bytes(&self) -> Vec<u8> {
        match (&self.body, &self.body_base64) {
            (Some(text), None) => text.as_bytes().to_vec(),
            (None, Some(base64)) => STANDARD.decode(base64).expect("base64"),
            (Some(_), Some(_)) | (None, None) => panic!("body or body_base64: {self:?}"),
        }
    }
}

/// What an event says, however it travels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meaning {
    /// In the form of [`comparable`].
    pub attributes: BTreeMap<String, String>,
    /// Byte for byte.
    pub data: Vec<u8>,
}

impl Meaning {
    /// What both forms of a request mean: the structured one, whose JSON leaves no room for interpretation, gives the
    /// attributes; the binary one the data, since structured JSON has no white space around a value.
    ///
    /// # Panics
    ///
    /// When the two are not that, or hold different data.
    pub fn of(structured: &Request, binary: &Request) -> Self {
        assert!(!structured.is_binary() && binary.is_binary(), "{structured:?} {binary:?}");
        let body = structured.body.as_deref().expect("a structured event is text");
        let mut members: BTreeMap<String, Box<RawValue>> = serde_json::from_str(body).expect("a JSON object");
        let data = members.remove("data");
        let base64 = members.remove("data_base64");
        let attributes = members.iter().map(|(name, raw)| (name.clone(), value(raw))).collect();
        let meaning = Self { attributes: comparable(&attributes), data: binary.bytes() };
        let embedded = meaning.embedded(data, base64);
        assert_eq!(
            meaning.comparable(&embedded),
            meaning.comparable(&meaning.data),
            "the same data in both modes: {body}"
        );
        meaning
    }

    /// True if the data claims to be JSON, as it does when it claims nothing.
    pub fn is_json(&self) -> bool {
        let media_type = self.attributes.get("datacontenttype").and_then(|media_type| media_type.split(';').next());
        media_type.is_none_or(|media_type| {
            let media_type = media_type.trim().to_ascii_lowercase();
            media_type.ends_with("/json") || media_type.ends_with("+json")
        })
    }

    /// True if the data is JSON.
    pub fn holds_json(&self) -> bool {
        serde_json::from_slice::<&RawValue>(&self.data).is_ok()
    }

    /// Data without what structured mode may lose: white space around JSON.
    pub fn comparable<'a>(&self, data: &'a [u8]) -> &'a [u8] {
        match self.is_json() && self.holds_json() {
            true => data.trim_ascii(),
            false => data,
        }
    }

    fn embedded(&self, data: Option<Box<RawValue>>, base64: Option<Box<RawValue>>) -> Vec<u8> {
        match (data, base64) {
            (Some(raw), None) if self.is_json() => raw.get().as_bytes().to_vec(),
            (Some(raw), None) => value(&raw).as_str().expect("data that is not JSON is a string").as_bytes().to_vec(),
            (None, Some(raw)) => STANDARD.decode(value(&raw).as_str().unwrap_or_default()).expect("base64"),
            (None, None) => Vec::new(),
            (Some(_), Some(_)) => panic!("data and data_base64 exclude each other"),
        }
    }
}

/// Attributes as every reader should see them: text, with the time as an instant in UTC.
pub fn comparable(attributes: &BTreeMap<String, Value>) -> BTreeMap<String, String> {
    let text = |name: &str, value: &Value| match value {
        Value::String(text) if name == "time" => instant(text),
        Value::String(text) => text.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    };
    attributes.iter().map(|(name, value)| (name.clone(), text(name, value))).collect()
}

/// The instant with so many digits after the second, the rest cut off.
pub fn cut_time(time: &str, digits: u32) -> String {
    let Ok(exact) = time.parse::<Timestamp>() else { return time.to_owned() };
    let step = 10_i32.pow(9 - digits);
    let beyond = exact.subsec_nanosecond().rem_euclid(step);
    (exact - i64::from(beyond).nanoseconds()).to_string()
}

fn instant(time: &str) -> String {
    time.parse::<Timestamp>().map_or_else(|_| time.to_owned(), |instant| instant.to_string())
}

fn value(raw: &RawValue) -> Value {
    serde_json::from_str(raw.get()).expect("a JSON value")
}
