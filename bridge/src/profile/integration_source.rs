//! A message -> the event of Knative's IntegrationSource. Pure.

use crate::decode::text;
use crate::event::{Data, Event, media_type};
use crate::normalize::{Events, Origin};

/// One event whose data is the body, and whose attributes are the same for every queue.
pub(crate) fn events(origin: &Origin<'_>) -> Events {
    let content = origin.content.clone();
    let (media_type, data) = match origin.text() {
        Some(body) if text::is_json(body) => (media_type::JSON, Data::json(content)),
        Some(_) => (media_type::TEXT, Data::text(content)),
        None => (media_type::BYTES, Data::binary(content)),
    };
    let event = Event::new(
        origin.message_id(),
        "dev.knative.eventing.aws-sqs-source",
        "dev.knative.eventing.aws-sqs",
        origin.time(None),
    );
    Events::one(event.with_subject("aws-sqs-source").with_data(media_type, data))
}
