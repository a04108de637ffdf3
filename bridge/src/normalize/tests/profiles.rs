use super::*;

const STATE_CHANGE: &str = r#"{"id":"1","detail-type":"EC2 Change","source":"aws.ec2","account":"123456789012","time":"2015-11-11T21:29:54Z","region":"us-east-1","resources":["r"],"detail":{"n":1.0}}"#;

fn with(format: Format) -> EventSettings {
    EventSettings { format, ..settings() }
}

#[test]
fn eventing_awssqs_sends_the_message_as_go_writes_it() {
    let mut message = with_attributes("<a>&\u{2028}\u{2029}\u{8}\u{c}\u{1}\t\"\\é/", &[("b", "2"), ("a", "1")]);
    message.message_attributes.push(MessageAttribute {
        name: "c".to_owned(),
        data_type: "Binary".to_owned(),
        value: AttributeValue::Binary(bytes::Bytes::from_static(&[0])),
    });
    message.attributes.sent_timestamp = Some("1545082649180".to_owned());
    let event = only(&message, &with(Format::EventingAwssqs));
    let own = json!({
        "specversion": "1.0",
        "id": MESSAGE_ID,
        "source": "https://sqs.eu-north-1.amazonaws.com/111122223333/orders",
        "type": "aws.sqs.message",
        "time": "2018-12-17T21:37:29.18Z",
        "datacontenttype": "application/json",
    });
    assert_eq!(attributes(&event), own);
    let text = |name: &str, value: &str| {
        format!(
            r#""{name}":{{"BinaryListValues":null,"BinaryValue":null,"DataType":"String","StringListValues":null,"StringValue":"{value}"}}"#
        )
    };
    let binary = r#""c":{"BinaryListValues":null,"BinaryValue":"AA==","DataType":"Binary","StringListValues":null,"StringValue":null}"#;
    let data = [
        r#"{"Attributes":{"SentTimestamp":"1545082649180"},"Body":"\u003ca\u003e\u0026\u2028\u2029\u0008\u000c\u0001\t\"\\é/","#,
        r#""MD5OfBody":"d41d8cd98f00b204e9800998ecf8427e","MD5OfMessageAttributes":null,"MessageAttributes":{"#,
        &[text("a", "1"), text("b", "2"), binary.to_owned()].join(","),
        r#"},"MessageId":"059f36b4-87a3-44ab-83d2-661975830a7d","ReceiptHandle":"AQEB-handle"}"#,
    ];
    assert_eq!(event.data(), data.concat());
}

#[test]
fn eventing_awssqs_shows_what_is_absent_as_null() {
    let message =
        Message { md5_of_body: None, receipt_handle: None, attributes: SystemAttributes::default(), ..message("") };
    let mut queue = queue();
    queue.url = None;
    queue.arn.partition = "aws-cn".to_owned();
    let event = events(&message, &queue, &with(Format::EventingAwssqs), RECEIVED_AT_MS)[0].clone();
    assert_eq!(event.source(), "https://sqs.eu-north-1.amazonaws.com.cn/111122223333/orders");
    assert_eq!(event.time(), "2020-09-13T12:26:40Z");
    let data = r#"{"Attributes":null,"Body":"","MD5OfBody":null,"MD5OfMessageAttributes":null,"MessageAttributes":null,"MessageId":"059f36b4-87a3-44ab-83d2-661975830a7d","ReceiptHandle":null}"#;
    assert_eq!(event.data(), data);
}

#[test]
fn triggermesh_knows_eventbridge_and_s3() {
    let event = only(&message(STATE_CHANGE), &with(Format::TriggerMesh));
    let own = json!({
        "specversion": "1.0",
        "id": "1",
        "source": "arn:aws:events:eu-north-1:111122223333:event-bus/default",
        "type": "com.amazon.events.event",
        "time": "2015-11-11T21:29:54Z",
        "datacontenttype": "application/json",
        "awseventssource": "aws.ec2",
        "awseventsdetailtype": "EC2 Change",
    });
    assert_eq!(attributes(&event), own);
    assert_eq!(event.data(), STATE_CHANGE);
    let record = r#"{"eventSource":"aws:s3","eventName":"ObjectRemoved:Delete","s3":{"bucket":{"name":"b","arn":"arn:aws-cn:s3:::b"},"object":{"key":"k"}}}"#;
    let s3 = only(&message(format!(r#"{{"Records":[{record}]}}"#)), &with(Format::TriggerMesh));
    let own = json!({
        "specversion": "1.0",
        "id": format!("{MESSAGE_ID}.0"),
        "source": "arn:aws-cn:s3:::b",
        "type": "com.amazon.s3.objectremoved",
        "subject": "k",
        "time": SENT,
        "datacontenttype": "application/json",
    });
    assert_eq!((attributes(&s3), s3.data()), (own, record.into()));
    let test =
        only(&message(r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"b"}"#), &with(Format::TriggerMesh));
    assert_eq!((test.id(), test.source(), test.ty()), (MESSAGE_ID, "arn:aws:s3:::b", "com.amazon.s3.testevent"));
}

#[test]
fn triggermesh_sends_any_other_message_whole_with_its_json_as_json() {
    let event = only(&with_attributes("{\"a\": 1.0}", &[("My-Attr", "v")]), &with(Format::TriggerMesh));
    let own = json!({
        "specversion": "1.0",
        "id": MESSAGE_ID,
        "source": "arn:aws:sqs:eu-north-1:111122223333:orders",
        "type": "com.amazon.sqs.message",
        "time": SENT,
        "datacontenttype": "application/json",
        "sqsmsgmyattr": "v",
    });
    assert_eq!(attributes(&event), own);
    let data: Value = serde_json::from_slice(&event.data()).unwrap();
    assert_eq!((&data["Body"], &data["ReceiptHandle"]), (&json!({ "a": 1.0 }), &json!("AQEB-handle")));
    let text: Value = serde_json::from_slice(&only(&message("a"), &with(Format::TriggerMesh)).data()).unwrap();
    assert_eq!(text["Body"], "a");
}

#[test]
fn aws_speaks_eventbridge_s_own_words() {
    let event = only(&message(STATE_CHANGE), &with(Format::Aws));
    let own = json!({
        "specversion": "1.0",
        "id": "1",
        "source": "aws.ec2",
        "type": "EC2 Change",
        "time": "2015-11-11T21:29:54Z",
        "datacontenttype": "application/json",
        "account": "123456789012",
        "region": "us-east-1",
    });
    assert_eq!((attributes(&event), event.data()), (own, r#"{"n":1.0}"#.into()));
    for body in ["x", "{}", r#"{"Service":"Amazon S3","Event":"s3:TestEvent"}"#] {
        assert_eq!(mapped(&message(body), &with(Format::Aws)), mapped(&message(body), &settings()));
    }
}

#[test]
fn integration_source_has_the_same_attributes_for_every_queue() {
    for (body, media_type) in [("{\"message\":\"Hello\"}", "application/json"), ("hi", "text/plain; charset=utf-8")] {
        let event = only(&with_attributes(body, &[("a", "b")]), &with(Format::IntegrationSource));
        let own = json!({
            "specversion": "1.0",
            "id": MESSAGE_ID,
            "source": "dev.knative.eventing.aws-sqs-source",
            "type": "dev.knative.eventing.aws-sqs",
            "subject": "aws-sqs-source",
            "time": SENT,
            "datacontenttype": media_type,
        });
        assert_eq!((attributes(&event), event.data()), (own, body.into()));
    }
}

#[test]
fn profiles_take_bodies_of_any_bytes_and_overrides() {
    for format in [Format::EventingAwssqs, Format::TriggerMesh, Format::Aws, Format::IntegrationSource] {
        let mut settings = with(format);
        settings.overrides.insert("team".to_owned(), "x".to_owned());
        for body in [&b"\xff\xfe"[..], b"", b"{\"Records\":[]}", b"\0"] {
            let event = only(&message(body), &settings);
            assert_eq!(event.extension("team"), Some("x"));
            serde_json::from_slice::<Value>(&event.to_json()).unwrap();
        }
    }
}
