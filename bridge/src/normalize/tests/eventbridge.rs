use super::*;
use crate::config::TypeFormat;

const STATE_CHANGE: &str = r#"{
  "version": "0",
  "id": "7bf73129-1428-4cd3-a780-95db273d1602",
  "detail-type": "EC2 Instance State-change Notification",
  "source": "aws.ec2",
  "account": "123456789012",
  "time": "2015-11-11T21:29:54Z",
  "region": "us-east-1",
  "resources": ["arn:aws:ec2:us-east-1:123456789012:instance/i-abcd1111", "other"],
  "detail": {"instance-id": "i-abcd1111", "n": 1.10, "state": "pending"}
}"#;

fn state_change() -> Value {
    expected(json!({
        "id": "7bf73129-1428-4cd3-a780-95db273d1602",
        "source": "aws.ec2",
        "type": "com.amazonaws.ec2.EC2InstanceStateChangeNotification",
        "subject": "arn:aws:ec2:us-east-1:123456789012:instance/i-abcd1111",
        "time": "2015-11-11T21:29:54Z",
        "awsaccount": "123456789012",
        "awsregion": "us-east-1",
    }))
}

fn event(source: &str, detail_type: &str) -> Message {
    message(json!({ "source": source, "detail-type": detail_type, "detail": {} }).to_string())
}

#[test]
fn an_event_of_aws_keeps_its_id_source_time_account_and_region() {
    let event = only(&message(STATE_CHANGE), &settings());
    assert_eq!(attributes(&event), state_change());
    assert_eq!(event.data(), STATE_CHANGE);
}

#[test]
fn data_detail_is_the_detail_as_it_stands() {
    let settings = EventSettings { data: DataSetting::Detail, ..settings() };
    let event = only(&message(STATE_CHANGE), &settings);
    assert_eq!(attributes(&event), state_change());
    assert_eq!(event.data(), r#"{"instance-id": "i-abcd1111", "n": 1.10, "state": "pending"}"#);
    let alarm = r#"{"detail-type":"X","source":"aws.cloudwatch","alarmData":{}}"#;
    assert_eq!(only(&message(alarm), &settings).data(), alarm);
    assert_eq!(only(&message("[1]"), &settings).data(), "[1]");
}

#[test]
fn a_replay_says_of_which_archive() {
    let body = STATE_CHANGE.replacen('{', r#"{"replay-name":"monday","#, 1);
    let mut own = state_change();
    own["awsreplayname"] = json!("monday");
    assert_eq!(attributes(&only(&message(body), &settings())), own);
    let live = STATE_CHANGE.replacen('{', r#"{"replay-name":null,"#, 1);
    assert_eq!(attributes(&only(&message(live), &settings())), state_change());
}

#[test]
fn an_api_call_that_cloudtrail_recorded_says_which() {
    let body = r#"{"id":"1","detail-type":"AWS API Call via CloudTrail","source":"aws.ec2","account":"123456789012","time":"2015-11-11T21:29:54Z","region":"us-east-1","resources":[],"detail":{"eventVersion":"1.08","eventSource":"ec2.amazonaws.com","eventName":"CreateVpc"}}"#;
    let own = json!({
        "id": "1",
        "source": "aws.ec2",
        "type": "com.amazonaws.ec2.AWSAPICallViaCloudTrail",
        "time": "2015-11-11T21:29:54Z",
        "awsaccount": "123456789012",
        "awsregion": "us-east-1",
        "awseventname": "CreateVpc",
    });
    assert_eq!(attributes(&only(&message(body), &settings())), expected(own));
    let unversioned = body.replace(r#""eventVersion":"1.08","#, "");
    assert_eq!(only(&message(unversioned), &settings()).extension("awseventname"), None);
}

#[test]
fn a_schedule_is_the_subject_of_what_it_fires() {
    let body = r#"{"id":"1","detail-type":"Scheduled Event","source":"aws.scheduler","resources":["arn:aws:scheduler:us-east-1:123456789012:schedule/default/daily"],"detail":"{}"}"#;
    let own = json!({
        "id": "1",
        "source": "aws.scheduler",
        "type": "com.amazonaws.scheduler.ScheduledEvent",
        "subject": "arn:aws:scheduler:us-east-1:123456789012:schedule/default/daily",
        "awsaccount": "123456789012",
        "awsregion": "us-east-1",
    });
    assert_eq!(attributes(&only(&message(body), &settings())), expected(own));
}

#[test]
fn the_object_is_the_subject_of_an_event_of_s3() {
    let body = r#"{"id":"1","detail-type":"Object Created","source":"aws.s3","resources":["arn:aws:s3:::bkt"],"detail":{"bucket":{"name":"bkt"},"object":{"key":"a b/c.txt"}}}"#;
    let own = json!({
        "id": "1",
        "source": "aws.s3",
        "type": "com.amazonaws.s3.ObjectCreated",
        "subject": "a b/c.txt",
    });
    assert_eq!(attributes(&only(&message(body), &settings())), expected(own));
    let elsewhere = body.replace("aws.s3", "my.s3");
    assert_eq!(only(&message(elsewhere), &settings()).subject(), Some("arn:aws:s3:::bkt"));
    let nameless = body.replace(r#""name":"bkt""#, "");
    assert_eq!(only(&message(nameless), &settings()).subject(), Some("arn:aws:s3:::bkt"));
}

#[test]
fn what_a_transformer_left_out_or_retyped_comes_from_the_message() {
    let body = r#"{"detail-type":"Order placed","source":"","id":7,"time":"date","account":123456789012,"region":["x"],"resources":[1],"detail":null,"alarmData":0}"#;
    let own = json!({
        "source": "arn:aws:sqs:eu-north-1:111122223333:orders",
        "type": "OrderPlaced",
    });
    assert_eq!(attributes(&only(&message(body), &settings())), expected(own));
}

#[test]
fn the_type_of_aws_services_and_partners_is_a_slug_and_that_of_programs_theirs_if_it_is_plain() {
    for (source, detail_type, slug, verbatim) in [
        ("aws.health", "AWS Health Event", "com.amazonaws.health.AWSHealthEvent", "AWS Health Event"),
        ("aws.health", "", "com.amazonaws.health.Event", "Event"),
        ("aws.partner/shop.example/o", "order paid", "com.amazonaws.partner.shop.example.OrderPaid", "order paid"),
        ("aws.partner/", "x", "x", "x"),
        ("aws.", "x y", "XY", "x y"),
        ("my.app", "order.placed", "order.placed", "order.placed"),
        ("my.app", "order placed", "OrderPlaced", "order placed"),
        ("my.app", "100%", "100", "100%"),
        ("my.app", "", "Event", "Event"),
        ("awsome", "é", "Event", "é"),
    ] {
        let message = event(source, detail_type);
        assert_eq!(only(&message, &settings()).ty(), slug, "{source} {detail_type}");
        let settings = EventSettings { type_format: TypeFormat::DetailType, ..settings() };
        assert_eq!(only(&message, &settings).ty(), verbatim, "{source} {detail_type}");
    }
}

#[test]
fn a_source_that_is_no_uri_reference_is_made_one() {
    assert_eq!(only(&event("my app", "x"), &settings()).source(), "my%20app");
    assert_eq!(only(&event("my_app:orders", "x"), &settings()).source(), "my_app%3Aorders");
}

#[test]
fn an_event_that_a_rule_could_not_deliver_says_which_rule_and_why() {
    let dead_letter = [
        ("ERROR_CODE", "NO_PERMISSIONS"),
        ("ERROR_MESSAGE", "User is not authorized"),
        ("RETRY_ATTEMPTS", "3"),
        ("RULE_ARN", "arn:aws:events:us-east-1:123456789012:rule/r"),
        ("TARGET_ARN", "arn:aws:sqs:us-east-1:123456789012:t"),
    ];
    let mut own = state_change();
    own["awsrulearn"] = json!("arn:aws:events:us-east-1:123456789012:rule/r");
    own["awserrorcode"] = json!("NO_PERMISSIONS");
    own["sqsattrretryattempts"] = json!("3");
    assert_eq!(attributes(&only(&with_attributes(STATE_CHANGE, &dead_letter), &settings())), own);
    let incomplete = only(&with_attributes(STATE_CHANGE, &dead_letter[..4]), &settings());
    assert_eq!(incomplete.extension("awsrulearn"), None);
    assert_eq!(incomplete.extension("sqsattrerrorcode"), Some("NO_PERMISSIONS"));
}

#[test]
fn objects_that_lack_a_mark_of_eventbridge_are_json() {
    for body in [
        r#"{"detail-type":"X","source":"s"}"#,
        r#"{"detail-type":1,"source":"s","detail":{}}"#,
        r#"{"detail-type":"X","source":null,"detail":{}}"#,
        r#"{"detail-type":"X","source":"s","detail":{},"detail":{}}"#,
        r#"{"detail-type":"\ud800","source":"s","detail":{}}"#,
        r#"["detail-type","source","detail"]"#,
    ] {
        assert_eq!(only(&message(body), &settings()).ty(), "com.amazonaws.sqs.message", "{body}");
    }
}

#[test]
fn a_cloudevent_inside_the_detail_stays_there() {
    let body =
        r#"{"id":"1","detail-type":"X","source":"s","detail":{"specversion":"1.0","id":"2","source":"t","type":"u"}}"#;
    assert_eq!(only(&message(body), &settings()).id(), "1");
}
