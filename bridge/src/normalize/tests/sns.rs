use super::*;
use crate::config::SnsUnwrap;

const TOPIC: &str = "arn:aws:sns:us-west-2:123456789012:MyTopic";
const SUBSCRIPTION: &str = "arn:aws:sns:us-west-2:123456789012:MyTopic:c9135db0-26c4-47ec-8998-413945fb5a96";
const SNS_ID: &str = "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324";

fn envelope(content: &str) -> Value {
    json!({
        "Type": "Notification",
        "MessageId": SNS_ID,
        "TopicArn": TOPIC,
        "Subject": "My First Message",
        "Message": content,
        "Timestamp": "2012-05-02T00:54:06.655Z",
        "SignatureVersion": "1",
        "UnsubscribeURL": format!("https://sns.us-west-2.amazonaws.com/?Action=Unsubscribe&SubscriptionArn={SUBSCRIPTION}"),
    })
}

fn from_topic(own: Value) -> Value {
    let mut base = json!({
        "awsaccount": "123456789012",
        "awsregion": "us-west-2",
        "awstopicarn": TOPIC,
        "awssnsmessageid": SNS_ID,
    });
    base.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
    expected(base)
}

fn notification() -> Value {
    from_topic(json!({
        "id": SNS_ID,
        "source": SUBSCRIPTION,
        "type": "com.amazonaws.sns.Notification",
        "subject": "My First Message",
        "time": "2012-05-02T00:54:06.655Z",
        "awssnsmessageid": null,
    }))
}

#[test]
fn an_envelope_around_text_or_unknown_json_is_the_event() {
    for content in ["Hello world!", "", "[1]", "{\"a\":1}", "\"x\""] {
        let body = envelope(content).to_string();
        let event = only(&message(body.clone()), &settings());
        assert_eq!(attributes(&event), notification(), "{content}");
        assert_eq!(event.data(), body);
    }
}

#[test]
fn without_a_link_to_unsubscribe_the_topic_is_the_source() {
    for url in [json!(null), json!("x"), json!("https://sns/?SubscriptionArn=x"), json!(1)] {
        let mut body = envelope("x");
        body["UnsubscribeURL"] = url;
        body["Subject"] = json!("");
        body["Timestamp"] = json!("yesterday");
        let mut own = notification();
        own["source"] = json!(TOPIC);
        own["time"] = json!(SENT);
        own.as_object_mut().unwrap().remove("subject");
        assert_eq!(attributes(&only(&message(body.to_string()), &settings())), own);
    }
}

#[test]
fn a_confirmation_is_forwarded_with_the_topic_as_source() {
    for kind in ["SubscriptionConfirmation", "UnsubscribeConfirmation"] {
        let mut body = envelope("You have chosen to subscribe");
        body["Type"] = json!(kind);
        let own = json!({
            "id": SNS_ID,
            "source": TOPIC,
            "type": format!("com.amazonaws.sns.{kind}"),
            "time": "2012-05-02T00:54:06.655Z",
            "awsaccount": "123456789012",
            "awsregion": "us-west-2",
        });
        assert_eq!(attributes(&only(&message(body.to_string()), &settings())), expected(own));
    }
}

#[test]
fn a_known_event_inside_is_the_event_and_says_which_topic_carried_it() {
    let inner = "{\"detail-type\":\"X\",\"source\":\"my.app\",\n\"detail\":{\"n\":1.0}}";
    let event = only(&message(envelope(inner).to_string()), &settings());
    assert_eq!(attributes(&event), from_topic(json!({ "id": SNS_ID, "source": "my.app", "type": "X" })));
    assert_eq!(event.data(), inner);
    let never = EventSettings { sns_unwrap: SnsUnwrap::Never, ..settings() };
    assert_eq!(attributes(&only(&message(envelope(inner).to_string()), &never)), notification());
}

#[test]
fn records_of_s3_inside_take_missing_ids_from_the_topic_s_message() {
    let record =
        r#"{"eventSource":"aws:s3","eventName":"ObjectCreated:Put","s3":{"bucket":{"name":"b"},"object":{"key":"k"}}}"#;
    let events = mapped(&message(envelope(&format!("{{\"Records\":[{record},{record}]}}")).to_string()), &settings());
    let own = |index| {
        from_topic(json!({
            "id": format!("{SNS_ID}.{index}"),
            "source": "aws:s3.us-west-2.b",
            "type": "com.amazonaws.s3.ObjectCreated:Put",
            "subject": "k",
        }))
    };
    assert_eq!(events.iter().map(attributes).collect::<Vec<_>>(), [own(0), own(1)]);
    assert_eq!(events[1].data(), record);
    let test = r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"b"}"#;
    let test = only(&message(envelope(test).to_string()), &settings());
    assert_eq!((test.id(), test.source()), (SNS_ID, "aws:s3.us-west-2.b"));
}

#[test]
fn a_cloudevent_inside_stays_as_it_is() {
    let inner = r#"{"specversion":"1.0","id":"1","source":"/a","type":"t","time":"2018-04-05T17:31:00Z","data":[1.0]}"#;
    let event = only(&message(envelope(inner).to_string()), &settings());
    let own = json!({
        "specversion": "1.0",
        "id": "1",
        "source": "/a",
        "type": "t",
        "time": "2018-04-05T17:31:00Z",
        "datacontenttype": "application/json",
    });
    assert_eq!(attributes(&event), own);
    assert_eq!(event.data(), "[1.0]");
    let batch = mapped(&message(envelope(&format!("[{inner},{inner}]")).to_string()), &settings());
    assert_eq!(batch.len(), 2);
}

#[test]
fn an_envelope_inside_an_envelope_is_not_opened() {
    let inner = envelope("x").to_string();
    let event = only(&message(envelope(&inner).to_string()), &settings());
    assert_eq!(attributes(&event), notification());
}

#[test]
fn the_trace_of_a_topic_s_producer_is_kept() {
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let mut body = envelope("x");
    body["MessageAttributes"] = json!({
        "traceparent": { "Type": "String", "Value": parent },
        "tracestate": { "Type": "String", "Value": "a=1" },
    });
    let event = only(&message(body.to_string()), &settings());
    assert_eq!((event.extension("traceparent"), event.extension("tracestate")), (Some(parent), Some("a=1")));
    body["Message"] = json!(r#"{"detail-type":"X","source":"s","detail":{}}"#);
    let unwrapped = only(&message(body.to_string()), &settings());
    assert_eq!((unwrapped.ty(), unwrapped.extension("traceparent")), ("X", Some(parent)));
}

#[test]
fn objects_that_lack_a_mark_of_an_envelope_are_json() {
    for (key, value) in [
        ("Type", json!("Note")),
        ("TopicArn", json!("arn:aws:sqs:us-west-2:123456789012:MyTopic")),
        ("TopicArn", json!("MyTopic")),
        ("MessageId", json!(1)),
        ("Message", json!({})),
    ] {
        let mut body = envelope("x");
        body[key] = value;
        assert_eq!(only(&message(body.to_string()), &settings()).ty(), "com.amazonaws.sqs.message", "{key}");
    }
}

#[test]
fn an_envelope_without_an_id_takes_that_of_the_message() {
    let mut body = envelope("x");
    body["MessageId"] = json!("");
    assert_eq!(only(&message(body.to_string()), &settings()).id(), MESSAGE_ID);
    body["Message"] = json!(r#"{"detail-type":"X","source":"s","detail":{}}"#);
    assert_eq!(only(&message(body.to_string()), &settings()).id(), MESSAGE_ID);
}
