//! A JSON object -> a CloudWatch alarm as SNS carries it. Pure.

use std::borrow::Cow;

use super::probe::{Probe, string};

/// A change of an alarm's state. Its shape is not that of EventBridge's `CloudWatch Alarm State Change`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm<'a> {
    /// `AlarmName`.
    pub name: Cow<'a, str>,
    /// `AlarmArn`, in whatever form.
    pub arn: Option<Cow<'a, str>>,
    /// `AWSAccountId`, if it is text.
    pub account: Option<Cow<'a, str>>,
    /// `StateChangeTime`, whose offset has no colon.
    pub time: Cow<'a, str>,
}

/// The alarm, if the object has an alarm's name, new state and time of change.
pub(super) fn decode<'a>(probe: &Probe<'a>) -> Option<Alarm<'a>> {
    string(probe.new_state_value)?;
    Some(Alarm {
        name: string(probe.alarm_name)?,
        time: string(probe.state_change_time)?,
        arn: string(probe.alarm_arn),
        account: string(probe.aws_account_id),
    })
}
