//! A message -> the event of `knative-extensions/eventing-awssqs`, byte for byte. Pure.

use crate::config::Queue;
use crate::event::{Data, Event, media_type, timestamp};
use crate::normalize::{Events, Origin};

use super::go_json::{self, Body};

/// One event whose data is the whole message as the AWS SDK for Go holds it, receipt handle and all.
pub(crate) fn events(origin: &Origin<'_>) -> Events {
    let time = timestamp::from_millis_trimmed(origin.sent_millis());
    let json = go_json::encode(origin.message, Body::Text(&String::from_utf8_lossy(origin.content)));
    let event = Event::new(origin.message_id(), url(origin.queue), "aws.sqs.message", time)
        .with_data(media_type::JSON, Data::json(json.into()));
    Events::one(event)
}

/// The queue's URL; where only its ARN is known, the one that AWS gives it.
fn url(queue: &Queue) -> String {
    let arn = &queue.arn;
    let domain = if arn.partition == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" };
    let made = || format!("https://sqs.{}.{domain}/{}/{}", arn.region, arn.account, arn.name);
    queue.url.as_ref().map_or_else(made, ToString::to_string)
}
