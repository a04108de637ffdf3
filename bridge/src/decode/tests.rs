//! One message of each shape, and what it is recognised as.

use std::borrow::Cow;

use super::*;
use crate::normalize::tests::{message, with_attributes};

fn borrowed(text: &str) -> Option<Cow<'_, str>> {
    Some(Cow::Borrowed(text))
}

#[test]
fn an_eventbridge_event_is_told_by_its_detail_type() {
    let body = r#"{"id":"1","replay-name":"r","detail-type":"Object Created","source":"aws.s3","account":"123456789012","time":"t","region":"us-east-1","resources":["arn:aws:s3:::b",7],"detail": {"eventVersion":"1","eventName":"n","eventSource":"s","bucket":{"name":"b"},"object":{"key":"k"}} }"#;
    let event = eventbridge::Event {
        id: borrowed("1"),
        source: "aws.s3".into(),
        detail_type: "Object Created".into(),
        time: borrowed("t"),
        account: borrowed("123456789012"),
        region: borrowed("us-east-1"),
        resource: borrowed("arn:aws:s3:::b"),
        replay_name: borrowed("r"),
        detail: Some(
            r#"{"eventVersion":"1","eventName":"n","eventSource":"s","bucket":{"name":"b"},"object":{"key":"k"}}"#,
        ),
        cloudtrail_name: borrowed("n"),
        object_key: borrowed("k"),
    };
    assert_eq!(decode(&message(body)), Payload::EventBridge(Box::new(event)));
}

#[test]
fn an_envelope_of_sns_is_told_by_its_type_and_topic() {
    let body = r#"{"Type":"Notification","TopicArn":"arn:aws:sns:us-east-1:123456789012:t","MessageId":"1","Message":"a\nb","Subject":"s","Timestamp":"t","UnsubscribeURL":"https://x/?a=b&SubscriptionArn=arn%3Aaws%3Asns%3Aus-east-1%3A123456789012%3At%3Ax","MessageAttributes":{"traceparent":{"Type":"String","Value":"p"},"tracestate":[]}}"#;
    let envelope = sns::Envelope {
        kind: sns::Kind::Notification,
        topic_arn: "arn:aws:sns:us-east-1:123456789012:t".into(),
        message_id: "1".into(),
        message: "a\nb".into(),
        subject: borrowed("s"),
        timestamp: borrowed("t"),
        subscription_arn: Some("arn:aws:sns:us-east-1:123456789012:t:x".to_owned()),
        traceparent: borrowed("p"),
        tracestate: None,
    };
    assert_eq!(decode(&message(body)), Payload::Sns(Box::new(envelope)));
    assert_eq!(decode_inner(body), None);
}

#[test]
fn records_of_s3_are_told_by_bucket_and_key() {
    let record = r#"{"eventName":"n","eventSource":"s","awsRegion":"r","eventTime":"t","responseElements":{"x-amz-request-id":"q","x-amz-id-2":"h"},"s3":{"bucket":{"name":"b","arn":"a"},"object":{"key":"k","versionId":"v","sequencer":"0"}}}"#;
    let decoded = s3::Record {
        raw: record,
        event_name: "n".into(),
        event_source: "s".into(),
        region: borrowed("r"),
        time: borrowed("t"),
        bucket: "b".into(),
        bucket_arn: borrowed("a"),
        key: "k".into(),
        version_id: borrowed("v"),
        sequencer: borrowed("0"),
        request: borrowed("q").zip(borrowed("h")),
    };
    assert_eq!(decode(&message(format!("{{\"Records\":[ {record}]}}"))), Payload::S3(vec![decoded]));
}

#[test]
fn messages_of_s3_alarms_and_auto_scaling_are_told_by_their_fields() {
    let test = r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Time":"t","Bucket":"b","RequestId":"q","HostId":"h"}"#;
    let request = borrowed("q").zip(borrowed("h"));
    let expected = s3::TestEvent { bucket: borrowed("b"), time: borrowed("t"), request };
    assert_eq!(decode(&message(test)), Payload::S3Test(expected));
    let alarm = r#"{"AlarmName":"n","NewStateValue":"OK","StateChangeTime":"t","AlarmArn":"a","AWSAccountId":"1"}"#;
    let expected = alarm::Alarm { name: "n".into(), arn: borrowed("a"), account: borrowed("1"), time: "t".into() };
    assert_eq!(decode(&message(alarm)), Payload::Alarm(expected));
    let scaled = r#"{"AutoScalingGroupName":"g","AutoScalingGroupARN":"a","LifecycleTransition":"l","AccountId":"1","Time":"t"}"#;
    let expected = autoscaling::Notification {
        group_name: "g".into(),
        group_arn: borrowed("a"),
        event: "l".into(),
        account: borrowed("1"),
        time: borrowed("t"),
    };
    assert_eq!(decode(&message(scaled)), Payload::AutoScaling(expected));
}

#[test]
fn a_cloudevent_is_told_by_its_version_and_comes_before_all_else() {
    let body = r#"{"specversion":"1.0","id":"1","source":"/s","type":"t","data":{"a":1}}"#;
    let event = cloudevent::CloudEvent {
        id: "1".into(),
        source: "/s".into(),
        ty: "t".into(),
        datacontenttype: borrowed("application/json"),
        content: cloudevent::Content::Json(r#"{"a":1}"#),
        ..cloudevent::CloudEvent::default()
    };
    assert_eq!(decode(&message(body)), Payload::CloudEvents(vec![event.clone()]));
    assert_eq!(decode(&message(format!("[{body}]"))), Payload::CloudEvents(vec![event]));
    let named = [("ce-specversion", "1.0"), ("ce-id", "2"), ("ce-source", "/s"), ("ce-type", "t")];
    let event = cloudevent::CloudEvent {
        id: "2".into(),
        source: "/s".into(),
        ty: "t".into(),
        content: cloudevent::Content::Body,
        ..cloudevent::CloudEvent::default()
    };
    assert_eq!(decode(&with_attributes(body, &named)), Payload::CloudEvents(vec![event]));
}

#[test]
fn everything_else_is_json_text_or_bytes() {
    assert_eq!(decode(&message("{}")), Payload::Json);
    assert_eq!(decode(&message("x")), Payload::Text);
    assert_eq!(decode(&message(vec![0xc3])), Payload::Bytes);
}

/// Debug builds have the largest stack frames: what recursed anywhere would overflow here.
#[test]
fn nesting_takes_no_stack_in_any_shape() {
    let deep = "[".repeat(200_000) + &"]".repeat(200_000);
    let unfinished = "{\"a\":".repeat(200_000);
    for body in [
        format!(
            r#"{{"detail-type":"X","source":"aws.s3","resources":{deep},"detail":{{"eventVersion":{deep},"bucket":{deep}}}}}"#
        ),
        format!(r#"{{"Records":[{{"s3":{{"bucket":{deep}}}}}]}}"#),
        format!(r#"{{"specversion":"1.0","id":"1","source":"/s","type":"t","data":{deep},"x":{deep}}}"#),
        format!(r#"{{"Type":"Notification","MessageAttributes":{deep}}}"#),
        format!("[{deep}]"),
        unfinished,
    ] {
        assert!(matches!(decode(&message(body)), Payload::Json | Payload::Text | Payload::EventBridge(_)));
    }
}
