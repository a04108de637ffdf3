//! A message of no known shape -> one event whose data is the body. Pure.

use super::Events;
use super::extensions::{self, Located};
use super::origin::Origin;
use crate::decode::cloudevent;
use crate::event::{Data, Event, Text, media_type};

const TYPE: &str = "com.amazonaws.sqs.message";

/// The event of a JSON body.
pub(super) fn json(origin: &Origin<'_>) -> Events {
    event(origin, Data::json(origin.content.clone()), media_type::JSON)
}

/// The event of a text body.
pub(super) fn text(origin: &Origin<'_>) -> Events {
    event(origin, Data::text(origin.content.clone()), media_type::TEXT)
}

/// The event of a body that is not even text.
pub(super) fn bytes(origin: &Origin<'_>) -> Events {
    event(origin, Data::binary(origin.content.clone()), media_type::BYTES)
}

/// What the producer declares in a message attribute is the media type; else what the body looks like.
fn event(origin: &Origin<'_>, data: Data, media_type: Text) -> Events {
    let declared = cloudevent::content_type(&origin.message.message_attributes);
    let event = Event::new(origin.id(), origin.queue.arn.to_string(), TYPE, origin.time(None));
    let event = match declared {
        Some(declared) => {
            event.with_data(media_type::without_json_parameters(declared), Data::declared(origin.content.clone()))
        }
        None => event.with_data(media_type, data),
    };
    extensions::extended([Located { event, account: None, region: None }], origin)
}
