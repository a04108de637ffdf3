use super::*;

const ALARM: &str = r#"{"AlarmName":"CPU high","AlarmDescription":null,"AWSAccountId":"123456789012","NewStateValue":"ALARM","OldStateValue":"OK","StateChangeTime":"2018-01-12T16:30:42.236+0000","Region":"US East (N. Virginia)","AlarmArn":"arn:aws:cloudwatch:us-east-1:123456789012:alarm:CPU high","Trigger":{"Threshold":1.0}}"#;

const SCALED: &str = r#"{"Progress":50,"AccountId":"123456789012","Event":"autoscaling:EC2_INSTANCE_LAUNCH","AutoScalingGroupName":"web","AutoScalingGroupARN":"arn:aws:autoscaling:us-east-1:123456789012:autoScalingGroup:x:autoScalingGroupName/web","Time":"2020-06-08T21:55:36.918Z"}"#;

fn in_envelope(content: &str) -> Message {
    let envelope = json!({
        "Type": "Notification",
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": "arn:aws:sns:us-west-2:444455556666:alarms",
        "Message": content,
    });
    message(envelope.to_string())
}

#[test]
fn an_alarm_is_typed_and_its_time_made_rfc3339() {
    let own = |more: Value| {
        let mut own = json!({
            "source": "arn:aws:cloudwatch:us-east-1:123456789012:alarm:CPU%20high",
            "type": "com.amazonaws.cloudwatch.AlarmNotification",
            "subject": "CPU high",
            "time": "2018-01-12T16:30:42.236Z",
            "awsaccount": "123456789012",
            "awsregion": "us-east-1",
        });
        own.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        expected(own)
    };
    let bare = only(&message(ALARM), &settings());
    assert_eq!(attributes(&bare), own(json!({})));
    assert_eq!(bare.data(), ALARM);
    let sent = only(&in_envelope(ALARM), &settings());
    let topic = json!({
        "id": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "awstopicarn": "arn:aws:sns:us-west-2:444455556666:alarms",
        "awssnsmessageid": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
    });
    assert_eq!(attributes(&sent), own(topic));
    assert_eq!(sent.data(), ALARM);
}

#[test]
fn an_alarm_without_its_arn_happened_at_the_topic_or_the_queue() {
    let alarm = r#"{"AlarmName":"a","NewStateValue":"OK","StateChangeTime":"?"}"#;
    let own = json!({
        "source": "arn:aws:sqs:eu-north-1:111122223333:orders",
        "type": "com.amazonaws.cloudwatch.AlarmNotification",
        "subject": "a",
    });
    assert_eq!(attributes(&only(&message(alarm), &settings())), expected(own));
    let sent = only(&in_envelope(alarm), &settings());
    assert_eq!(sent.source(), "arn:aws:sns:us-west-2:444455556666:alarms");
    assert_eq!((sent.extension("awsaccount"), sent.extension("awsregion")), (Some("444455556666"), Some("us-west-2")));
    let incomplete = r#"{"AlarmName":"a","NewStateValue":"OK","StateChangeTime":1}"#;
    assert_eq!(only(&message(incomplete), &settings()).ty(), "com.amazonaws.sqs.message");
}

#[test]
fn an_auto_scaling_notification_is_typed_by_what_happened() {
    let own = json!({
        "source": "arn:aws:autoscaling:us-east-1:123456789012:autoScalingGroup:x:autoScalingGroupName/web",
        "type": "com.amazonaws.autoscaling.EC2_INSTANCE_LAUNCH",
        "subject": "web",
        "time": "2020-06-08T21:55:36.918Z",
        "awsaccount": "123456789012",
        "awsregion": "us-east-1",
    });
    let event = only(&message(SCALED), &settings());
    assert_eq!(attributes(&event), expected(own));
    assert_eq!(event.data(), SCALED);
    let sent = only(&in_envelope(SCALED), &settings());
    assert_eq!(sent.id(), "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324");
    assert_eq!(sent.extension("awstopicarn"), Some("arn:aws:sns:us-west-2:444455556666:alarms"));
}

#[test]
fn a_life_cycle_hook_and_a_test_notification_are_typed_likewise() {
    let ty = |more: &str| {
        let event = only(&message(format!(r#"{{"AutoScalingGroupName":"web",{more}}}"#)), &settings());
        (event.ty().to_owned(), event.source().to_owned())
    };
    let queue = "arn:aws:sqs:eu-north-1:111122223333:orders".to_owned();
    for (more, name) in [
        (r#""LifecycleTransition":"autoscaling:EC2_INSTANCE_TERMINATING""#, "EC2_INSTANCE_TERMINATING"),
        (r#""Event":"autoscaling:TEST_NOTIFICATION""#, "TEST_NOTIFICATION"),
        (r#""Event":"other","LifecycleTransition":"a b""#, "AB"),
        (r#""LifecycleTransition":"""#, "Event"),
    ] {
        assert_eq!(ty(more), (format!("com.amazonaws.autoscaling.{name}"), queue.clone()), "{more}");
    }
    assert_eq!(ty(r#""Event":"other""#).0, "com.amazonaws.sqs.message");
}

#[test]
fn other_json_of_aws_is_json() {
    for body in [
        r#"{"notificationType":"Bounce","mail":{"messageId":"1"}}"#,
        r#"{"messageType":"ConfigurationItemChangeNotification","configurationItem":{}}"#,
        r#"{"version":"1.0","requestContext":{"condition":"Success","functionArn":"arn:x"},"responsePayload":1}"#,
        r#"{"KinesisBatchInfo":{"shardId":"s"}}"#,
        r#"{"Records":[{"codecommit":{},"eventName":"ReferenceChanges","eventSource":"aws:codecommit"}]}"#,
    ] {
        let event = only(&message(body), &settings());
        assert_eq!((event.ty(), event.datacontenttype()), ("com.amazonaws.sqs.message", Some("application/json")));
    }
}
