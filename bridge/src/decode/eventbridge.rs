//! A JSON object -> an EventBridge event. Pure.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer as _, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::probe::{Probe, Raw, non_empty, object, string};

/// An event of EventBridge. Only `source` and `detail_type` are certain: input transformers and
/// test events leave out or retype everything else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event<'a> {
    /// `id`, if it is text.
    pub id: Option<Cow<'a, str>>,
    /// `source`, perhaps empty.
    pub source: Cow<'a, str>,
    /// `detail-type`, perhaps empty.
    pub detail_type: Cow<'a, str>,
    /// `time`, in whatever form.
    pub time: Option<Cow<'a, str>>,
    /// `account`, if it is text.
    pub account: Option<Cow<'a, str>>,
    /// `region`, if it is text.
    pub region: Option<Cow<'a, str>>,
    /// The first of `resources`: the primary one.
    pub resource: Option<Cow<'a, str>>,
    /// `replay-name`, if this is a replay from an archive.
    pub replay_name: Option<Cow<'a, str>>,
    /// `detail`, byte for byte; absent in alarm events that carry `alarmData`.
    pub detail: Option<&'a str>,
    /// `detail.eventName` of an API call that CloudTrail recorded.
    pub cloudtrail_name: Option<Cow<'a, str>>,
    /// `detail.object.key` of an S3 event, not URL-encoded.
    pub object_key: Option<Cow<'a, str>>,
}

/// The event, if the object is one: `detail-type` and `source` are text, and `detail` or `alarmData` is there.
pub(super) fn decode<'a>(probe: &Probe<'a>) -> Option<Event<'a>> {
    let (detail_type, source) = (string(probe.detail_type)?, string(probe.source)?);
    if probe.detail.is_none() && probe.alarm_data.is_none() {
        return None;
    }
    let object_key = (source == "aws.s3").then(|| object_key(probe.detail)).flatten();
    Some(Event {
        id: non_empty(probe.id),
        time: string(probe.time),
        account: non_empty(probe.account),
        region: non_empty(probe.region),
        resource: first(probe.resources),
        replay_name: non_empty(probe.replay_name),
        detail: probe.detail.map(RawValue::get),
        cloudtrail_name: cloudtrail_name(probe.detail),
        source,
        detail_type,
        object_key,
    })
}

/// `eventName`, if `eventVersion`, `eventName` and `eventSource` are text.
fn cloudtrail_name<'a>(detail: Raw<'a>) -> Option<Cow<'a, str>> {
    #[derive(Deserialize)]
    struct Detail<'a> {
        #[serde(borrow, rename = "eventVersion")]
        version: Raw<'a>,
        #[serde(borrow, rename = "eventName")]
        name: Raw<'a>,
        #[serde(borrow, rename = "eventSource")]
        source: Raw<'a>,
    }
    // Most events are not CloudTrail's: a search for bytes is far cheaper than another parse.
    if !detail?.get().contains("\"eventVersion\"") {
        return None;
    }
    let Detail { version, name, source } = object(detail)?;
    string(version).and(string(source)).and(non_empty(name))
}

/// `object.key`, if it and `bucket.name` are text.
fn object_key<'a>(detail: Raw<'a>) -> Option<Cow<'a, str>> {
    #[derive(Deserialize)]
    struct Detail<'a> {
        #[serde(borrow)]
        bucket: Raw<'a>,
        #[serde(borrow)]
        object: Raw<'a>,
    }
    #[derive(Deserialize)]
    struct Bucket<'a> {
        #[serde(borrow)]
        name: Raw<'a>,
    }
    #[derive(Deserialize)]
    struct Object<'a> {
        #[serde(borrow)]
        key: Raw<'a>,
    }
    let detail: Detail<'a> = object(detail)?;
    let (Bucket { name }, Object { key }) = (object(detail.bucket)?, object(detail.object)?);
    string(name).and(non_empty(key))
}

/// The first element of an array, if it is text that is not empty.
fn first<'a>(array: Raw<'a>) -> Option<Cow<'a, str>> {
    struct First;

    impl<'de> Visitor<'de> for First {
        type Value = Raw<'de>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an array")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
            let first = elements.next_element::<&RawValue>()?;
            while elements.next_element::<IgnoredAny>()?.is_some() {}
            Ok(first)
        }
    }

    non_empty(serde_json::Deserializer::from_str(array?.get()).deserialize_seq(First).ok()?)
}
