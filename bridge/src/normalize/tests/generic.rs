use super::*;

fn generic(own: Value) -> Value {
    let mut base = json!({
        "source": "arn:aws:sqs:eu-north-1:111122223333:orders",
        "type": "com.amazonaws.sqs.message",
    });
    base.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
    expected(base)
}

#[test]
fn json_that_nobody_knows_is_json() {
    for body in ["{\"a\":1}", " [1, 2]\n", "\"baz\"", r#"{"Records":[]}"#, r#"{"Records":["x"]}"#, "{\"a\":1,\"a\":2}"]
    {
        let event = only(&message(body), &settings());
        assert_eq!(attributes(&event), generic(json!({})));
        assert_eq!(event.data(), body);
    }
}

#[test]
fn everything_else_is_text() {
    for body in ["", "hi", "1", "true", "\"a\"\n\"b\"", "H4sIAAAAAAAA", "{", "\0", "<x/>", "{\"a\":\"\\x\"}"] {
        let event = only(&message(body), &settings());
        assert_eq!(attributes(&event), generic(json!({ "datacontenttype": "text/plain; charset=utf-8" })));
        assert_eq!(event.data(), body);
    }
}

#[test]
fn bytes_that_are_not_text_are_bytes() {
    let event = only(&message(vec![0x1f, 0x8b, 0xff]), &settings());
    assert_eq!(attributes(&event), generic(json!({ "datacontenttype": "application/octet-stream" })));
    assert_eq!(event.data(), &[0x1f, 0x8b, 0xff][..]);
}

#[test]
fn the_producer_s_media_type_wins_if_it_is_one() {
    for (name, declared, expected) in [
        ("contentType", "text/csv; header=present", "text/csv; header=present"),
        ("content-type", "application/json; charset=utf-8", "application/json"),
        ("Content-Type", "application/vnd.x+json", "application/vnd.x+json"),
        ("contentType", "csv", "application/json"),
        ("contentType", "text/csv\n", "application/json"),
        // A receiver would take the body for a whole event.
        ("contentType", "application/cloudevents+json", "application/json"),
    ] {
        let event = only(&with_attributes("{}", &[(name, declared)]), &settings());
        assert_eq!(event.datacontenttype(), Some(expected), "{declared:?}");
    }
}

#[test]
fn an_unknown_account_is_not_invented() {
    let mut queue = queue();
    queue.arn.account = String::new();
    let event = events(&message("x"), &queue, &settings(), 0)[0].clone();
    assert_eq!(event.source(), "arn:aws:sqs:eu-north-1::orders");
    assert_eq!(event.extension("awsaccount"), None);
}

#[test]
fn the_pointer_of_the_extended_client_is_json() {
    let body = r#"["software.amazon.payloadoffloading.PayloadS3Pointer",{"s3BucketName":"b","s3Key":"k"}]"#;
    let event = only(&with_attributes(body, &[("ExtendedPayloadSize", "300000")]), &settings());
    assert_eq!(attributes(&event), generic(json!({})));
    assert_eq!(event.data(), body);
}

#[test]
fn a_million_nested_arrays_are_json_and_overflow_nothing() {
    let body = "[".repeat(500_000) + &"]".repeat(500_000);
    let event = only(&message(body.clone()), &settings());
    assert_eq!(event.datacontenttype(), Some("application/json"));
    assert_eq!(event.data(), body);
    // No reader follows so deep: structured mode sends it as base64.
    let json: Value = serde_json::from_slice(&event.to_json()).unwrap();
    assert!(json["data_base64"].is_string());
}

#[test]
fn a_known_shape_that_nests_too_deep_is_still_known() {
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    let body = format!(r#"{{"detail-type":"X","source":"my.app","id":"1","detail":{deep}}}"#);
    let event = only(&message(body.clone()), &settings());
    assert_eq!((event.id(), event.ty(), event.data().len()), ("1", "X", body.len()));
}
