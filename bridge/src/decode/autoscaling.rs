//! A JSON object -> an Auto Scaling notification or life-cycle hook. Pure.

use std::borrow::Cow;

use super::probe::{Probe, string};

/// What Auto Scaling says about one group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification<'a> {
    /// `AutoScalingGroupName`.
    pub group_name: Cow<'a, str>,
    /// `AutoScalingGroupARN`, in whatever form.
    pub group_arn: Option<Cow<'a, str>>,
    /// `Event` or `LifecycleTransition`, such as `autoscaling:EC2_INSTANCE_LAUNCH`.
    pub event: Cow<'a, str>,
    /// `AccountId`, if it is text.
    pub account: Option<Cow<'a, str>>,
    /// `Time`, in whatever form.
    pub time: Option<Cow<'a, str>>,
}

/// The notification, if the object names a group and what happened to it.
pub(super) fn decode<'a>(probe: &Probe<'a>) -> Option<Notification<'a>> {
    let group_name = string(probe.group_name)?;
    let event = string(probe.event).filter(|event| event.starts_with("autoscaling:"));
    Some(Notification {
        group_name,
        event: event.or_else(|| string(probe.lifecycle_transition))?,
        group_arn: string(probe.group_arn),
        account: string(probe.account_id),
        time: string(probe.aws_time),
    })
}
