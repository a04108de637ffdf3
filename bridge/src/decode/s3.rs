//! A JSON object -> the records of an S3 notification, or S3's test event. Pure.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer as _, Error as _, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::probe::{Probe, Raw, non_empty, object, string};

/// One record of a notification by S3 or a store that speaks its language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// The record, byte for byte.
    pub raw: &'a str,
    /// `eventName`, such as `ObjectCreated:Put`.
    pub event_name: Cow<'a, str>,
    /// `eventSource`, such as `aws:s3` or `minio:s3`.
    pub event_source: Cow<'a, str>,
    /// `awsRegion`, if it is text.
    pub region: Option<Cow<'a, str>>,
    /// `eventTime`, in whatever form.
    pub time: Option<Cow<'a, str>>,
    /// `s3.bucket.name`.
    pub bucket: Cow<'a, str>,
    /// `s3.bucket.arn`, if it is text.
    pub bucket_arn: Option<Cow<'a, str>>,
    /// `s3.object.key`, URL-encoded as S3 sends it.
    pub key: Cow<'a, str>,
    /// `s3.object.versionId`, of a bucket with versions.
    pub version_id: Option<Cow<'a, str>>,
    /// `s3.object.sequencer`: the order of changes to one key.
    pub sequencer: Option<Cow<'a, str>>,
    /// `x-amz-request-id` and `x-amz-id-2` of the request that made the change.
    pub request: Option<(Cow<'a, str>, Cow<'a, str>)>,
}

/// What S3 sends when a notification is set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestEvent<'a> {
    /// `Bucket`.
    pub bucket: Option<Cow<'a, str>>,
    /// `Time`, in whatever form.
    pub time: Option<Cow<'a, str>>,
    /// `RequestId` and `HostId`.
    pub request: Option<(Cow<'a, str>, Cow<'a, str>)>,
}

/// The records, if there is one and each names bucket, key, event and event source.
///
/// Kinesis, DynamoDB, SES, SNS, SQS, CodeCommit and CloudTrail send `Records` too.
pub(super) fn records<'a>(probe: &Probe<'a>) -> Option<Vec<Record<'a>>> {
    serde_json::Deserializer::from_str(probe.records?.get()).deserialize_seq(Records).ok()
}

/// The test event, if the object is one.
pub(super) fn test_event<'a>(probe: &Probe<'a>) -> Option<TestEvent<'a>> {
    if string(probe.service)? != "Amazon S3" || string(probe.event)? != "s3:TestEvent" {
        return None;
    }
    Some(TestEvent {
        bucket: non_empty(probe.bucket),
        time: string(probe.aws_time),
        request: non_empty(probe.request_id).zip(non_empty(probe.host_id)),
    })
}

struct Records;

impl<'de> Visitor<'de> for Records {
    type Value = Vec<Record<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("records of S3")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
        let mut records = Vec::with_capacity(1);
        while let Some(raw) = elements.next_element::<&RawValue>()? {
            records.push(record(raw).ok_or_else(|| A::Error::custom("not a record of S3"))?);
        }
        if records.is_empty() { Err(A::Error::custom("no record")) } else { Ok(records) }
    }
}

#[derive(Deserialize)]
struct Top<'a> {
    #[serde(borrow, rename = "eventName")]
    event_name: Raw<'a>,
    #[serde(borrow, rename = "eventSource")]
    event_source: Raw<'a>,
    #[serde(borrow, rename = "awsRegion")]
    region: Raw<'a>,
    #[serde(borrow, rename = "eventTime")]
    time: Raw<'a>,
    #[serde(borrow, rename = "responseElements")]
    response_elements: Raw<'a>,
    #[serde(borrow)]
    s3: Raw<'a>,
}

#[derive(Deserialize)]
struct S3<'a> {
    #[serde(borrow)]
    bucket: Raw<'a>,
    #[serde(borrow)]
    object: Raw<'a>,
}

#[derive(Deserialize)]
struct Bucket<'a> {
    #[serde(borrow)]
    name: Raw<'a>,
    #[serde(borrow)]
    arn: Raw<'a>,
}

#[derive(Deserialize)]
struct Object<'a> {
    #[serde(borrow)]
    key: Raw<'a>,
    #[serde(borrow, rename = "versionId")]
    version_id: Raw<'a>,
    #[serde(borrow)]
    sequencer: Raw<'a>,
}

fn record(raw: &RawValue) -> Option<Record<'_>> {
    let top: Top<'_> = object(Some(raw))?;
    let s3: S3<'_> = object(top.s3)?;
    let (Bucket { name, arn }, Object { key, version_id, sequencer }) = (object(s3.bucket)?, object(s3.object)?);
    Some(Record {
        raw: raw.get(),
        event_name: string(top.event_name)?,
        event_source: string(top.event_source)?,
        region: non_empty(top.region),
        time: string(top.time),
        bucket: string(name)?,
        bucket_arn: non_empty(arn),
        key: string(key)?,
        version_id: string(version_id),
        sequencer: string(sequencer),
        request: request(top.response_elements),
    })
}

fn request<'a>(response_elements: Raw<'a>) -> Option<(Cow<'a, str>, Cow<'a, str>)> {
    #[derive(Deserialize)]
    struct ResponseElements<'a> {
        #[serde(borrow, rename = "x-amz-request-id")]
        request_id: Raw<'a>,
        #[serde(borrow, rename = "x-amz-id-2")]
        id_2: Raw<'a>,
    }
    let ResponseElements { request_id, id_2 } = object(response_elements)?;
    non_empty(request_id).zip(non_empty(id_2))
}
