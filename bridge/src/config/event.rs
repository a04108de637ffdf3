//! Event settings -> how messages become events. Pure.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Strings;
use super::parse::{self, Fix};
use super::read::Reader;
use super::settings;

/// How messages become events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventSettings {
    /// Recognition, or one of the compatibility profiles.
    pub format: Format,
    /// HTTP content mode.
    pub content_mode: ContentMode,
    /// What of the message is the event's data.
    pub data: DataSetting,
    /// How the detail-type of an EventBridge event becomes a CloudEvents type.
    pub type_format: TypeFormat,
    /// Whether a known event inside an SNS envelope is unwrapped.
    pub sns_unwrap: SnsUnwrap,
    /// Which message attributes become extensions.
    pub message_attributes: MessageAttributes,
    /// `K_CE_OVERRIDES`: extensions set on every event, names in lower case.
    pub overrides: BTreeMap<String, String>,
}

/// Recognition and mapping as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Recognise each message.
    #[default]
    Auto,
    /// As knative-extensions/eventing-awssqs, byte for byte.
    EventingAwssqs,
    /// As triggermesh/triggermesh.
    TriggerMesh,
    /// EventBridge's own attributes.
    Aws,
    /// As Knative's IntegrationSource.
    IntegrationSource,
}

/// HTTP content mode of a POST.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ContentMode {
    /// Binary when every attribute survives every receiver, else structured.
    #[default]
    Auto,
    /// Always binary, percent-encoded where the specification says so.
    Binary,
    /// Always structured.
    Structured,
}

/// What of the message is the event's data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DataSetting {
    /// The whole event.
    #[default]
    Event,
    /// The `detail` of an EventBridge event.
    Detail,
    /// The message as ReceiveMessage JSON, without its receipt handle.
    Envelope,
}

/// How the detail-type of an EventBridge event becomes a CloudEvents type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TypeFormat {
    /// `com.amazonaws.ec2.EC2InstanceStateChangeNotification`.
    #[default]
    Slug,
    /// `EC2 Instance State-change Notification`.
    DetailType,
}

/// Whether a known event inside an SNS envelope is unwrapped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SnsUnwrap {
    /// A recognised inner event is delivered as itself.
    #[default]
    Auto,
    /// The envelope is the event.
    Never,
}

/// Which message attributes become extensions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum MessageAttributes {
    /// All of them.
    #[default]
    All,
    /// These: exact names, or prefixes ending in `.*`.
    Named(Vec<String>),
    /// None.
    None,
}

impl Format {
    /// The names of the values.
    pub const NAMES: &'static [(&'static str, Self)] = &[
        ("auto", Self::Auto),
        ("eventing-awssqs", Self::EventingAwssqs),
        ("triggermesh", Self::TriggerMesh),
        ("aws", Self::Aws),
        ("integrationsource", Self::IntegrationSource),
    ];
}

impl ContentMode {
    /// The names of the values.
    pub const NAMES: &'static [(&'static str, Self)] =
        &[("auto", Self::Auto), ("binary", Self::Binary), ("structured", Self::Structured)];
}

impl DataSetting {
    /// The names of the values.
    pub const NAMES: &'static [(&'static str, Self)] =
        &[("event", Self::Event), ("detail", Self::Detail), ("envelope", Self::Envelope)];
}

impl TypeFormat {
    /// The names of the values.
    pub const NAMES: &'static [(&'static str, Self)] = &[("slug", Self::Slug), ("detail-type", Self::DetailType)];
}

impl SnsUnwrap {
    /// The names of the values.
    pub const NAMES: &'static [(&'static str, Self)] = &[("auto", Self::Auto), ("never", Self::Never)];
}

/// The attributes that `K_CE_OVERRIDES` cannot set.
///
/// Names: <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md#context-attributes>.
const CONTEXT_ATTRIBUTES: [&str; 9] =
    ["data", "datacontenttype", "dataschema", "id", "source", "specversion", "subject", "time", "type"];

/// Reads the event settings.
pub(super) fn read<E: Strings>(reader: &mut Reader<E>) -> Option<EventSettings> {
    let format = reader.value(&settings::FORMAT, parse::choice(Format::NAMES));
    let content_mode = reader.value(&settings::CONTENT_MODE, parse::choice(ContentMode::NAMES));
    let data = reader.value(&settings::DATA, parse::choice(DataSetting::NAMES));
    let type_format = reader.value(&settings::TYPE_FORMAT, parse::choice(TypeFormat::NAMES));
    let sns_unwrap = reader.value(&settings::SNS_UNWRAP, parse::choice(SnsUnwrap::NAMES));
    let message_attributes = reader.value(&settings::MESSAGE_ATTRIBUTES, message_attributes);
    let overrides = overrides(reader);
    if format.is_some_and(|format| format != Format::Auto) {
        reject_without_effect(reader);
    }
    Some(EventSettings {
        format: format?,
        content_mode: content_mode?,
        data: data?,
        type_format: type_format?,
        sns_unwrap: sns_unwrap?,
        message_attributes: message_attributes?,
        overrides: overrides?,
    })
}

/// The compatibility formats are fixed: an option that they ignore is a mistake worth telling.
fn reject_without_effect<E: Strings>(reader: &mut Reader<E>) {
    for setting in [&settings::DATA, &settings::TYPE_FORMAT, &settings::SNS_UNWRAP] {
        if reader.given(setting).is_some() {
            reader.reject(
                setting,
                "has no effect unless BRIDGE_FORMAT (flag --format) is auto: leave out one of the two",
            );
        }
    }
}

fn message_attributes(text: &str) -> Result<MessageAttributes, Fix> {
    match text.trim() {
        "all" => Ok(MessageAttributes::All),
        "none" => Ok(MessageAttributes::None),
        names => {
            let names: Vec<_> = names.split(',').map(|name| name.trim().to_owned()).collect();
            let fix = || "use all, none, or attribute names separated by commas, such as tenant,trace.*".to_owned();
            if names.iter().all(|name| is_attribute_name(name)) {
                Ok(MessageAttributes::Named(names))
            } else {
                Err(fix())
            }
        }
    }
}

/// A name, or a prefix ending in `.*`.
fn is_attribute_name(text: &str) -> bool {
    let name = text.strip_suffix(".*").unwrap_or(text);
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Overrides {
    extensions: Option<BTreeMap<String, String>>,
}

fn overrides<E: Strings>(reader: &mut Reader<E>) -> Option<BTreeMap<String, String>> {
    let parse = |text: &str| {
        let parsed: Option<Overrides> = serde_json::from_str(text).map_err(|_| overrides_fix())?;
        extensions(parsed.and_then(|overrides| overrides.extensions).unwrap_or_default())
    };
    if reader.given(&settings::CE_OVERRIDES).is_none_or(|given| given.value.trim().is_empty()) {
        return Some(BTreeMap::new());
    }
    let (ignored, extensions): (BTreeMap<_, _>, BTreeMap<_, _>) = reader
        .optional(&settings::CE_OVERRIDES, parse)?
        .into_iter()
        .partition(|(name, _)| CONTEXT_ATTRIBUTES.contains(&name.as_str()));
    if !ignored.is_empty() {
        let names: Vec<_> = ignored.into_keys().collect();
        let names = names.join(", ");
        reader.warnings.push(format!("K_CE_OVERRIDES cannot set context attributes, these are ignored: {names}"));
    }
    Some(extensions)
}

fn extensions(given: BTreeMap<String, String>) -> Result<BTreeMap<String, String>, Fix> {
    let lowered: BTreeMap<_, _> = given.into_iter().map(|(name, value)| (name.to_lowercase(), value)).collect();
    let valid =
        |name: &String| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    if lowered.keys().all(valid) { Ok(lowered) } else { Err(overrides_fix()) }
}

fn overrides_fix() -> Fix {
    r#"use JSON such as {"extensions":{"team":"payments"}}, names of letters and digits, values in quotes"#.to_owned()
}
