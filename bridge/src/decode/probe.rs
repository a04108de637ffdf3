//! A JSON object -> the raw values of the keys by which messages are recognised. Pure.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

/// A value as it stands in the body; absent and `null` are the same.
pub(super) type Raw<'a> = Option<&'a RawValue>;

/// Every key of the top level that some recognition looks at.
#[derive(Deserialize)]
pub(super) struct Probe<'a> {
    // CloudEvents and EventBridge
    #[serde(borrow)]
    pub specversion: Raw<'a>,
    #[serde(borrow)]
    pub id: Raw<'a>,
    #[serde(borrow)]
    pub source: Raw<'a>,
    #[serde(borrow, rename = "type")]
    pub ty: Raw<'a>,
    #[serde(borrow, rename = "detail-type")]
    pub detail_type: Raw<'a>,
    #[serde(borrow)]
    pub detail: Raw<'a>,
    #[serde(borrow, rename = "alarmData")]
    pub alarm_data: Raw<'a>,
    #[serde(borrow)]
    pub time: Raw<'a>,
    #[serde(borrow)]
    pub account: Raw<'a>,
    #[serde(borrow)]
    pub region: Raw<'a>,
    #[serde(borrow)]
    pub resources: Raw<'a>,
    #[serde(borrow, rename = "replay-name")]
    pub replay_name: Raw<'a>,
    // SNS
    #[serde(borrow, rename = "Type")]
    pub sns_type: Raw<'a>,
    #[serde(borrow, rename = "TopicArn")]
    pub topic_arn: Raw<'a>,
    #[serde(borrow, rename = "MessageId")]
    pub message_id: Raw<'a>,
    #[serde(borrow, rename = "Message")]
    pub message: Raw<'a>,
    #[serde(borrow, rename = "Subject")]
    pub subject: Raw<'a>,
    #[serde(borrow, rename = "Timestamp")]
    pub timestamp: Raw<'a>,
    #[serde(borrow, rename = "UnsubscribeURL")]
    pub unsubscribe_url: Raw<'a>,
    #[serde(borrow, rename = "MessageAttributes")]
    pub message_attributes: Raw<'a>,
    // S3
    #[serde(borrow, rename = "Records")]
    pub records: Raw<'a>,
    #[serde(borrow, rename = "Service")]
    pub service: Raw<'a>,
    #[serde(borrow, rename = "Event")]
    pub event: Raw<'a>,
    #[serde(borrow, rename = "Time")]
    pub aws_time: Raw<'a>,
    #[serde(borrow, rename = "Bucket")]
    pub bucket: Raw<'a>,
    #[serde(borrow, rename = "RequestId")]
    pub request_id: Raw<'a>,
    #[serde(borrow, rename = "HostId")]
    pub host_id: Raw<'a>,
    // CloudWatch alarms
    #[serde(borrow, rename = "AlarmName")]
    pub alarm_name: Raw<'a>,
    #[serde(borrow, rename = "NewStateValue")]
    pub new_state_value: Raw<'a>,
    #[serde(borrow, rename = "StateChangeTime")]
    pub state_change_time: Raw<'a>,
    #[serde(borrow, rename = "AlarmArn")]
    pub alarm_arn: Raw<'a>,
    #[serde(borrow, rename = "AWSAccountId")]
    pub aws_account_id: Raw<'a>,
    // Auto Scaling
    #[serde(borrow, rename = "AutoScalingGroupName")]
    pub group_name: Raw<'a>,
    #[serde(borrow, rename = "AutoScalingGroupARN")]
    pub group_arn: Raw<'a>,
    #[serde(borrow, rename = "LifecycleTransition")]
    pub lifecycle_transition: Raw<'a>,
    #[serde(borrow, rename = "AccountId")]
    pub account_id: Raw<'a>,
}

impl<'a> Probe<'a> {
    /// The probe of one JSON object; `None` if the text is not one, or a probed key appears twice.
    pub(super) fn parse(object: &'a str) -> Option<Self> {
        serde_json::from_str(object).ok()
    }
}

/// A value that is a JSON object; serde alone would read a struct from an array as well.
pub(super) fn object<'a, T: Deserialize<'a>>(raw: Raw<'a>) -> Option<T> {
    serde_json::from_str(raw?.get().strip_prefix('{').and(raw)?.get()).ok()
}

/// The text of a JSON string; `None` for anything else, and for a string with a lone surrogate.
pub(super) fn string<'a>(raw: Raw<'a>) -> Option<Cow<'a, str>> {
    let inner = raw?.get().strip_prefix('"')?.strip_suffix('"')?;
    // A string of valid JSON without a backslash stands for itself.
    if inner.contains('\\') {
        serde_json::from_str(raw?.get()).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(inner))
    }
}

/// The text of a JSON string that is not empty.
pub(super) fn non_empty<'a>(raw: Raw<'a>) -> Option<Cow<'a, str>> {
    string(raw).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_borrowed_unless_they_hold_an_escape() {
        let probe = Probe::parse(r#"{"id":"a é","source":"a\"b","type":7,"time":"\ud800","account":null}"#).unwrap();
        assert!(matches!(string(probe.id), Some(Cow::Borrowed("a é"))));
        assert_eq!(string(probe.source).as_deref(), Some("a\"b"));
        assert_eq!((string(probe.ty), string(probe.time), string(probe.account)), (None, None, None));
    }

    #[test]
    fn a_probed_key_that_appears_twice_and_text_after_the_object_are_no_probe() {
        assert!(Probe::parse(r#"{"id":"a","id":"b"}"#).is_none());
        assert!(Probe::parse(r#"{"id":"a"}{"#).is_none());
        assert!(Probe::parse(r#"{"other":1,"other":2}"#).is_some());
    }
}
