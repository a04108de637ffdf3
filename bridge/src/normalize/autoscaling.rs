//! An Auto Scaling notification -> its CloudEvent. Pure.

use super::Events;
use super::extensions::{self, Located};
use super::origin::Origin;
use super::slug::slug;
use crate::decode::arn::Arn;
use crate::decode::autoscaling::Notification;
use crate::event::{Data, Event, attribute, media_type};

/// The event; its data is the notification's JSON as Auto Scaling wrote it.
pub(super) fn events(notification: &Notification<'_>, origin: &Origin<'_>) -> Events {
    let arn = notification.group_arn.as_deref().and_then(|text| Some((text, Arn::parse(text)?)));
    let source = arn.map_or_else(|| origin.arn(), |(text, _)| text.to_owned());
    let event = Event::new(origin.id(), source, ty(&notification.event), origin.time(notification.time.as_deref()))
        .with_subject(notification.group_name.to_string())
        .with_data(media_type::JSON, Data::json(origin.content.clone()));
    let account = notification.account.clone().or(arn.map(|(_, arn)| arn.account.into()));
    let region = arn.map(|(_, arn)| arn.region.into());
    extensions::extended([Located { event, account, region }], origin)
}

/// `com.amazonaws.autoscaling.EC2_INSTANCE_LAUNCH` for `autoscaling:EC2_INSTANCE_LAUNCH`.
fn ty(event: &str) -> String {
    let name = event.strip_prefix("autoscaling:").unwrap_or(event);
    let is_plain = !name.is_empty() && attribute::is_header_safe(name);
    format!("com.amazonaws.autoscaling.{}", if is_plain { name.to_owned() } else { slug(name) })
}
