//! A CloudEvent in a message -> the same CloudEvent, attribute for attribute. Pure.
//!
//! The bridge is an intermediary here: it adds what consumers would otherwise invent (a missing
//! time, which some make the time of reading) and a missing trace, nothing else.

use bytes::Bytes;

use super::extensions;
use super::origin::Origin;
use crate::decode::cloudevent::{CloudEvent, Content};
use crate::event::{Data, Event};

/// The event as it is forwarded.
pub(super) fn event(event: &CloudEvent<'_>, origin: &Origin<'_>) -> Event {
    let owned = |text: &Option<_>| text.as_deref().map(str::to_owned);
    let time = origin.time(event.time.as_deref());
    let forwarded = Event::new(event.id.to_string(), event.source.to_string(), event.ty.to_string(), time)
        .with_subject(owned(&event.subject).unwrap_or_default())
        .with_forwarded_data(owned(&event.datacontenttype), data(&event.content, origin))
        .with_dataschema(owned(&event.dataschema))
        .with_forwarded_extensions(event.extensions.clone());
    extensions::with_own_trace(forwarded, origin)
}

fn data(content: &Content<'_>, origin: &Origin<'_>) -> Option<Data> {
    match content {
        Content::None => None,
        Content::Json(json) => Some(Data::json(origin.slice(json))),
        Content::Text(text) => Some(Data::text(origin.slice(text))),
        Content::Binary(bytes) => Some(Data::binary(Bytes::copy_from_slice(bytes))),
        Content::Body => Some(Data::declared(origin.content.clone())),
    }
}
