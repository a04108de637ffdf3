//! The CloudEvent value and its HTTP encodings. Pure.
//!
//! An [`Event`] cannot be made without id, source, type and time, and what it holds may go
//! anywhere: characters that CloudEvents forbids in an attribute are percent-escaped on the
//! way in, the source is a URI-reference, the time RFC 3339.

pub mod attribute;
mod headers;
mod json;
pub mod media_type;
pub mod timestamp;
pub mod uri_reference;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use http::HeaderMap;

use crate::config::ContentMode;

/// Text of an attribute: a constant, or owned.
pub type Text = Cow<'static, str>;

/// One event as it goes over the wire: the `ce-*` and `Content-Type` headers (or structured content) and the body.
#[derive(Clone, Debug)]
pub struct Encoded {
    /// `ce-*` and `content-type`; nothing about authorization, tracing or the connection.
    pub headers: HeaderMap,
    /// The HTTP body.
    pub body: Bytes,
}

/// One CloudEvent 1.0.
#[derive(Clone, PartialEq, Eq)]
pub struct Event {
    id: Text,
    source: Text,
    ty: Text,
    time: Text,
    subject: Option<Text>,
    datacontenttype: Option<Text>,
    dataschema: Option<Text>,
    extensions: Vec<Extension>,
    data: Option<Data>,
}

/// One extension attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Extension {
    name: Text,
    value: Text,
    /// True for an Integer or Boolean of a forwarded CloudEvent, which JSON shows without quotes.
    bare: bool,
}

/// The data of an event: bytes, and what structured mode makes of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Data {
    bytes: Bytes,
    form: Form,
}

/// How data stands in a structured event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// One valid JSON text: the value of `data`.
    Json,
    /// Text of a media type other than JSON: a string in `data`.
    Text,
    /// `data_base64`.
    Binary,
    /// Whatever the event's media type says.
    Declared,
}

impl Data {
    /// Bytes that are known to be one valid JSON text.
    pub fn json(bytes: Bytes) -> Self {
        Self { bytes, form: Form::Json }
    }

    /// Text that is not JSON.
    pub fn text(bytes: Bytes) -> Self {
        Self { bytes, form: Form::Text }
    }

    /// Bytes that structured mode sends as base64, whatever their media type.
    pub fn binary(bytes: Bytes) -> Self {
        Self { bytes, form: Form::Binary }
    }

    /// Bytes that are what the event's `datacontenttype` says, as far as anyone knows.
    pub fn declared(bytes: Bytes) -> Self {
        Self { bytes, form: Form::Declared }
    }

    /// The bytes, as they were in the message.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }
}

impl Event {
    /// An event without subject, data and extensions.
    ///
    /// `id`, `source` and `ty` must not be empty; `time` must be RFC 3339.
    pub fn new(id: impl Into<Text>, source: impl Into<Text>, ty: impl Into<Text>, time: impl Into<Text>) -> Self {
        Self {
            id: attribute::clean(id.into()),
            source: uri_reference::encode(source.into()),
            ty: attribute::clean(ty.into()),
            time: time.into(),
            subject: None,
            datacontenttype: None,
            dataschema: None,
            extensions: Vec::new(),
            data: None,
        }
    }

    /// Sets the subject; an empty one is left out, as CloudEvents asks.
    #[must_use]
    pub fn with_subject(mut self, subject: impl Into<Text>) -> Self {
        self.subject = Some(subject.into()).filter(|subject| !subject.is_empty()).map(attribute::clean);
        self
    }

    /// Sets the data and its media type; a schema of other data goes.
    #[must_use]
    pub fn with_data(mut self, datacontenttype: impl Into<Text>, data: Data) -> Self {
        self.datacontenttype = Some(datacontenttype.into());
        self.dataschema = None;
        self.data = Some(data);
        self
    }

    /// Sets the data of a forwarded CloudEvent, whose media type may be absent.
    #[must_use]
    pub(crate) fn with_forwarded_data(mut self, datacontenttype: Option<String>, data: Option<Data>) -> Self {
        self.datacontenttype = datacontenttype.map(Text::Owned);
        self.data = data;
        self
    }

    /// Sets the schema of the data, an absolute URI.
    #[must_use]
    pub(crate) fn with_dataschema(mut self, dataschema: Option<String>) -> Self {
        self.dataschema = dataschema.map(Text::Owned);
        self
    }

    /// Sets an extension attribute, replacing one of that name.
    ///
    /// Leaves the event as it is if CloudEvents allows no extension of this name (lower-case
    /// letters and digits only, no context attribute) or if the value is empty.
    #[must_use]
    pub fn with_extension(mut self, name: impl Into<Text>, value: impl Into<Text>) -> Self {
        let (name, value) = (name.into(), value.into());
        if attribute::is_extension_name(&name) && !value.is_empty() {
            self.set(Extension { name, value: attribute::clean(value), bare: false });
        }
        self
    }

    /// Adds the extensions of a forwarded CloudEvent, whose names are valid and differ.
    #[must_use]
    pub(crate) fn with_forwarded_extensions(mut self, extensions: Vec<(String, Forwarded)>) -> Self {
        self.extensions = extensions.into_iter().map(|(name, value)| value.named(name)).collect();
        self
    }

    fn set(&mut self, extension: Extension) {
        match self.extensions.iter_mut().find(|known| known.name == extension.name) {
            Some(known) => *known = extension,
            None => self.extensions.push(extension),
        }
    }

    /// The id: the same on every delivery of the message.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Where it happened, a URI-reference.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// What happened.
    pub fn ty(&self) -> &str {
        &self.ty
    }

    /// When it happened, RFC 3339.
    pub fn time(&self) -> &str {
        &self.time
    }

    /// What it happened to, within the source.
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// The media type of the data.
    pub fn datacontenttype(&self) -> Option<&str> {
        self.datacontenttype.as_deref()
    }

    /// The schema of the data.
    pub fn dataschema(&self) -> Option<&str> {
        self.dataschema.as_deref()
    }

    /// The extension attributes, in the order they are sent.
    pub fn extensions(&self) -> impl Iterator<Item = (&str, &str)> {
        self.extensions.iter().map(|extension| (&*extension.name, &*extension.value))
    }

    /// The value of one extension attribute.
    pub fn extension(&self, name: &str) -> Option<&str> {
        self.extensions().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// The data, as it was in the message; empty if there is none.
    pub fn data(&self) -> Bytes {
        self.data.as_ref().map(|data| data.bytes.clone()).unwrap_or_default()
    }

    /// The event as headers and body of a POST.
    ///
    /// `Auto` is binary if every attribute reads alike whether or not the receiver
    /// percent-decodes, and the header lines are short enough for any server. An event that no
    /// receiver could tell from a structured one, and one with more attributes than HTTP can
    /// carry as headers, is structured in every mode.
    pub fn encode(&self, mode: ContentMode) -> Encoded {
        let binary = match mode {
            ContentMode::Auto => headers::travels_safely(self).then(|| headers::encode(self)).flatten(),
            ContentMode::Binary => headers::encode(self),
            ContentMode::Structured => None,
        };
        match binary {
            Some(headers) => Encoded { headers, body: self.data() },
            None => Encoded { headers: headers::structured(), body: Bytes::from(self.to_json()) },
        }
    }

    /// The event in the CloudEvents JSON format. JSON data is embedded as it is, white space and all.
    pub fn to_json(&self) -> Vec<u8> {
        json::encode(self)
    }

    /// Id, source, type, time and the other attributes that CloudEvents defines, in the order they are sent.
    fn context(&self) -> impl Iterator<Item = (&str, &str)> {
        let optional = [("subject", &self.subject), ("dataschema", &self.dataschema)];
        [("id", self.id()), ("source", self.source()), ("type", self.ty()), ("time", self.time())]
            .into_iter()
            .chain(optional.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?))))
    }
}

/// Shows what identifies the event, never its data.
impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let data = self.data.as_ref().map(|data| data.bytes.len());
        f.debug_struct("Event")
            .field("id", &self.id)
            .field("source", &self.source)
            .field("type", &self.ty)
            .field("data_bytes", &data)
            .finish_non_exhaustive()
    }
}

/// The value of an extension of a forwarded CloudEvent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Forwarded {
    /// A String, or anything else that JSON shows in quotes.
    Text(String),
    /// An Integer.
    Integer(i32),
    /// A Boolean.
    Boolean(bool),
}

impl Forwarded {
    fn named(self, name: String) -> Extension {
        let (value, bare) = match self {
            Self::Text(text) => (text, false),
            Self::Integer(number) => (number.to_string(), true),
            Self::Boolean(truth) => (truth.to_string(), true),
        };
        Extension { name: Text::Owned(name), value: Text::Owned(value), bare }
    }
}
