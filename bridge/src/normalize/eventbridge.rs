//! An EventBridge event -> its CloudEvent. Pure.

use super::Events;
use super::extensions::{self, Located};
use super::origin::Origin;
use super::slug::slug;
use crate::config::{DataSetting, TypeFormat};
use crate::decode::arn::Arn;
use crate::decode::eventbridge;
use crate::event::{Data, Event, attribute, media_type};

/// The event, with AWS's own id and source.
pub(super) fn events(event: &eventbridge::Event<'_>, origin: &Origin<'_>) -> Events {
    let subject = event.object_key.as_ref().or(event.resource.as_ref());
    let mapped =
        Event::new(id(event, origin), source(event, origin), ty(event, origin), origin.time(event.time.as_deref()))
            .with_subject(subject.map(ToString::to_string).unwrap_or_default())
            .with_data(media_type::JSON, data(event, origin));
    let mapped = [("awsreplayname", &event.replay_name), ("awseventname", &event.cloudtrail_name)]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.as_deref()?)))
        .fold(mapped, |mapped, (name, value)| mapped.with_extension(name, value.to_owned()));
    let mapped = extensions::with_dead_letter(mapped, origin);
    let resource = event.resource.as_deref().and_then(Arn::parse);
    let account = event.account.as_deref().or(resource.map(|arn| arn.account));
    let region = event.region.as_deref().or(resource.map(|arn| arn.region));
    let located = Located { event: mapped, account: account.map(Into::into), region: region.map(Into::into) };
    extensions::extended([located], origin)
}

/// `id`, the same for every rule that the event matches and on every retry of AWS.
pub(crate) fn id(event: &eventbridge::Event<'_>, origin: &Origin<'_>) -> String {
    event.id.as_ref().map_or_else(|| origin.id(), ToString::to_string)
}

/// `source`; an event without one happened at the queue, for all that is known.
pub(crate) fn source(event: &eventbridge::Event<'_>, origin: &Origin<'_>) -> String {
    if event.source.is_empty() { origin.arn() } else { event.source.to_string() }
}

fn ty(event: &eventbridge::Event<'_>, origin: &Origin<'_>) -> String {
    let detail_type = &*event.detail_type;
    match (origin.settings.type_format, prefix(&event.source)) {
        (TypeFormat::DetailType, _) if !detail_type.is_empty() => detail_type.to_owned(),
        (TypeFormat::DetailType, _) => slug(detail_type),
        (TypeFormat::Slug, Some(prefix)) => prefix + &slug(detail_type),
        (TypeFormat::Slug, None) if !detail_type.is_empty() && attribute::is_header_safe(detail_type) => {
            detail_type.to_owned()
        }
        (TypeFormat::Slug, None) => slug(detail_type),
    }
}

/// `com.amazonaws.ec2.` for `aws.ec2`, `com.amazonaws.partner.example.com.` for `aws.partner/example.com/x`.
fn prefix(source: &str) -> Option<String> {
    let service = source.strip_prefix("aws.")?;
    let service = match service.strip_prefix("partner/") {
        Some(partner) => {
            let host = partner.split('/').next().filter(|host| !host.is_empty())?;
            format!("partner.{host}")
        }
        None => service.to_owned(),
    };
    (!service.is_empty()).then(|| format!("com.amazonaws.{service}."))
}

fn data(event: &eventbridge::Event<'_>, origin: &Origin<'_>) -> Data {
    match (origin.settings.data, event.detail) {
        (DataSetting::Detail, Some(detail)) => Data::json(origin.slice(detail)),
        (DataSetting::Detail | DataSetting::Event | DataSetting::Envelope, _) => Data::json(origin.content.clone()),
    }
}
