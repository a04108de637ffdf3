//! A message -> an EventBridge event in EventBridge's own words. Pure.

use crate::decode::{self, Payload, eventbridge};
use crate::event::{Data, Event, media_type};
use crate::normalize::{self, Events, Origin};

/// One event whose type is the detail-type and whose data is the detail; what is no event of
/// EventBridge is mapped as without a profile.
pub(crate) fn events(origin: &Origin<'_>) -> Events {
    match decode::decode(origin.message) {
        Payload::EventBridge(event) => Events::one(mapped(&event, origin)),
        Payload::CloudEvents(_)
        | Payload::Sns(_)
        | Payload::S3(_)
        | Payload::S3Test(_)
        | Payload::Alarm(_)
        | Payload::AutoScaling(_)
        | Payload::Json
        | Payload::Text
        | Payload::Bytes => normalize::recognised(origin),
    }
}

fn mapped(event: &eventbridge::Event<'_>, origin: &Origin<'_>) -> Event {
    let (id, source) = (normalize::eventbridge::id(event, origin), normalize::eventbridge::source(event, origin));
    let ty = if event.detail_type.is_empty() { "Event".to_owned() } else { event.detail_type.to_string() };
    let data = event.detail.map_or_else(|| origin.content.clone(), |detail| origin.slice(detail));
    let mapped =
        Event::new(id, source, ty, origin.time(event.time.as_deref())).with_data(media_type::JSON, Data::json(data));
    [("account", &event.account), ("region", &event.region)]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.as_deref()?)))
        .fold(mapped, |mapped, (name, value)| mapped.with_extension(name, value.to_owned()))
}
