//! A CloudWatch alarm -> its CloudEvent. Pure.

use super::Events;
use super::extensions::{self, Located};
use super::origin::Origin;
use crate::decode::alarm::Alarm;
use crate::decode::arn::Arn;
use crate::event::{Data, Event, media_type, timestamp};

/// The event; its data is the alarm's JSON as CloudWatch wrote it.
pub(super) fn events(alarm: &Alarm<'_>, origin: &Origin<'_>) -> Events {
    let arn = alarm.arn.as_deref().and_then(|text| Some((text, Arn::parse(text)?)));
    let source = arn.map_or_else(|| origin.arn(), |(text, _)| text.to_owned());
    let time = timestamp::from_cloudwatch(&alarm.time);
    let event =
        Event::new(origin.id(), source, "com.amazonaws.cloudwatch.AlarmNotification", origin.time(time.as_deref()))
            .with_subject(alarm.name.to_string())
            .with_data(media_type::JSON, Data::json(origin.content.clone()));
    let account = alarm.account.clone().or(arn.map(|(_, arn)| arn.account.into()));
    let region = arn.map(|(_, arn)| arn.region.into());
    extensions::extended([Located { event, account, region }], origin)
}
