//! The records of an S3 notification -> one CloudEvent each. Pure.
//!
//! As the CloudEvents adapter for S3 has it, with one repair: where one request changes many
//! objects, its request id alone would give different changes the same id.

use super::extensions::{self, Located};
use super::origin::Origin;
use super::{Events, identity};
use crate::decode::s3::{Record, TestEvent};
use crate::event::{Data, Event, media_type};

/// Events of requests that change one object.
const OF_ONE_OBJECT: [&str; 4] = ["ObjectCreated:", "ObjectTagging:", "ObjectAcl:Put", "ObjectRestore:Post"];

/// One event per record, whose data is the record.
pub(super) fn events(records: &[Record<'_>], origin: &Origin<'_>) -> Events {
    let located = records.iter().enumerate().map(|(index, record)| Located {
        event: event(record, index, origin),
        account: None,
        region: record.region.clone(),
    });
    extensions::extended(located, origin)
}

/// The event of S3's test message.
pub(super) fn test_event(test: &TestEvent<'_>, origin: &Origin<'_>) -> Events {
    let id = test.request.as_ref().map_or_else(|| origin.id(), |(request, host)| format!("{request}.{host}"));
    let bucket = test.bucket.as_ref();
    let source = bucket.map_or_else(|| origin.arn(), |bucket| format!("aws:s3.{}.{bucket}", origin.region()));
    let event = Event::new(id, source, "com.amazonaws.s3.TestEvent", origin.time(test.time.as_deref()))
        .with_data(media_type::JSON, Data::json(origin.content.clone()));
    extensions::extended([Located { event, account: None, region: None }], origin)
}

fn event(record: &Record<'_>, index: usize, origin: &Origin<'_>) -> Event {
    let Record { event_source, event_name, bucket, .. } = record;
    let region = record.region.clone().unwrap_or_else(|| origin.region());
    let source = format!("{event_source}.{region}.{bucket}");
    let ty = format!("com.amazonaws.s3.{event_name}");
    let event = Event::new(id(record, index, origin), source, ty, origin.time(record.time.as_deref()))
        .with_subject(record.key.to_string())
        .with_data(media_type::JSON, Data::json(origin.slice(record.raw)));
    match &record.sequencer {
        Some(sequencer) => event.with_extension("s3sequencer", sequencer.to_string()),
        None => event,
    }
}

/// The id of the request that made the change, made unique where one request changes many objects.
pub(crate) fn id(record: &Record<'_>, index: usize, origin: &Origin<'_>) -> String {
    let Some((request, id_2)) = &record.request else { return format!("{}.{index}", origin.id()) };
    if OF_ONE_OBJECT.iter().any(|name| record.event_name.starts_with(name)) {
        return format!("{request}.{id_2}");
    }
    let (version, sequencer) = (record.version_id.as_deref(), record.sequencer.as_deref());
    let change = [&record.event_name, &record.key, version.unwrap_or_default(), sequencer.unwrap_or_default()];
    format!("{request}.{id_2}.{}", identity::short_hash::<8>(change.join("\0").as_bytes()))
}
