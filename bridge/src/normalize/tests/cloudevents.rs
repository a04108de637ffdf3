use super::*;

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

fn cloudevent(more: Value) -> Value {
    let mut event = json!({
        "specversion": "1.0",
        "id": "A234-1234-1234",
        "source": "https://github.com/cloudevents/spec/pull/123",
        "type": "com.example.someevent",
        "time": "2018-04-05T17:31:00.000+02:00",
    });
    event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    event
}

fn forwarded(event: &Value) -> Value {
    serde_json::from_slice(&only(&message(event.to_string()), &settings()).to_json()).unwrap()
}

#[test]
fn a_structured_event_is_forwarded_attribute_for_attribute() {
    for more in [
        json!({}),
        json!({ "subject": "a b€", "datacontenttype": "application/vnd.x+json; charset=utf-8", "data": { "a": null } }),
        json!({ "datacontenttype": "text/xml", "data": "<much wow=\"xml\"/>\n" }),
        json!({ "datacontenttype": "text/plain", "dataschema": "urn:x", "data_base64": "AP8=" }),
        json!({ "data_base64": "e30=" }),
        json!({ "datacontenttype": "application/json", "data": "text" }),
        json!({ "datacontenttype": "application/json", "data": null }),
        json!({ "text": "x", "number": -42, "truth": true, "lie": false, "averylongextensionname1": "y" }),
        json!({ "traceparent": PARENT, "knativearrivaltime": "2018-04-05T17:31:00Z" }),
    ] {
        assert_eq!(forwarded(&cloudevent(more.clone())), cloudevent(more));
    }
}

#[test]
fn absent_is_made_explicit_where_the_format_implies_it_and_null_is_absent() {
    let event = cloudevent(json!({ "data": [1], "subject": null, "x": null }));
    assert_eq!(forwarded(&event), cloudevent(json!({ "data": [1], "datacontenttype": "application/json" })));
    let mut timeless = cloudevent(json!({}));
    timeless.as_object_mut().unwrap().remove("time");
    assert_eq!(forwarded(&timeless), cloudevent(json!({ "time": SENT })));
}

#[test]
fn data_is_the_slice_of_the_body_or_what_it_stands_for() {
    let data = |event: &str| only(&message(event.to_owned()), &settings()).data();
    let event = |more: &str| format!(r#"{{"specversion":"1.0","id":"1","source":"/s","type":"t",{more}}}"#);
    assert_eq!(data(&event(r#""data" : {"n": 1.10, "a":1,"a":2} "#)), r#"{"n": 1.10, "a":1,"a":2}"#);
    assert_eq!(data(&event(r#""datacontenttype":"text/plain","data":"a\n\u00e9""#)), "a\né");
    assert_eq!(data(&event(r#""datacontenttype":"text/plain","data":[1, 2]"#)), "[1, 2]");
    assert_eq!(data(&event(r#""data_base64":"AP8=""#)), &[0, 255][..]);
    assert_eq!(data(&event(r#""x":"y""#)), "");
}

#[test]
fn a_missing_trace_is_added_and_nothing_else() {
    let mut message =
        with_attributes(&cloudevent(json!({ "x": "y" })).to_string(), &[("traceparent", PARENT), ("tenant", "t")]);
    message.attributes.sequence_number = Some("1".to_owned());
    assert_eq!(attributes(&only(&message, &settings())), cloudevent(json!({ "x": "y", "traceparent": PARENT })));
    let other = PARENT.replace("-01", "-00");
    message.body = cloudevent(json!({ "traceparent": other })).to_string().into();
    assert_eq!(attributes(&only(&message, &settings())), cloudevent(json!({ "traceparent": other })));
}

#[test]
fn a_batch_is_as_many_events() {
    let batch = format!("[{},\n{}]", cloudevent(json!({})), cloudevent(json!({ "id": "2" })));
    let events = mapped(&message(batch), &settings());
    assert_eq!(
        events.iter().map(attributes).collect::<Vec<_>>(),
        [cloudevent(json!({})), cloudevent(json!({ "id": "2" }))]
    );
    for body in
        ["[]".to_owned(), format!("[{},1]", cloudevent(json!({}))), format!("[{}]", cloudevent(json!({ "A": "x" })))]
    {
        assert_eq!(only(&message(body), &settings()).ty(), "com.amazonaws.sqs.message");
    }
}

#[test]
fn what_breaks_a_rule_of_cloudevents_is_json() {
    for more in [
        json!({ "specversion": "0.3" }),
        json!({ "specversion": 1.0 }),
        json!({ "id": "" }),
        json!({ "id": 1 }),
        json!({ "id": "a\u{1}b" }),
        json!({ "source": "a b" }),
        json!({ "source": "my_app:x" }),
        json!({ "type": null }),
        json!({ "subject": "" }),
        json!({ "subject": "a\nb" }),
        json!({ "subject": 1 }),
        json!({ "subject": true }),
        json!({ "time": "yesterday" }),
        json!({ "datacontenttype": "json" }),
        json!({ "dataschema": "relative" }),
        json!({ "Upper": "x" }),
        json!({ "snake_case": "x" }),
        json!({ "number": 1.5 }),
        json!({ "number": 3_000_000_000_u32 }),
        json!({ "object": {} }),
        json!({ "array": [] }),
        json!({ "control": "\u{7f}" }),
        json!({ "data": 1, "data_base64": "AA==" }),
        json!({ "data_base64": "?" }),
        json!({ "data_base64": {} }),
    ] {
        let event = cloudevent(more);
        let mapped = only(&message(event.to_string()), &settings());
        assert_eq!((mapped.ty(), mapped.data()), ("com.amazonaws.sqs.message", event.to_string().into()), "{event}");
    }
    let twice = r#"{"specversion":"1.0","id":"1","source":"/s","type":"t","x":"1","x":"2"}"#;
    assert_eq!(only(&message(twice), &settings()).ty(), "com.amazonaws.sqs.message");
}

#[test]
fn an_event_in_message_attributes_has_the_body_as_its_data() {
    for [version, id, source, ty, extension] in [
        ["ce-specversion", "ce-id", "ce-source", "ce-type", "ce-team"],
        ["ce_specversion", "CE_ID", "ce_source", "ce_type", "ce_team"],
        ["cloudEvents_specversion", "cloudEvents_id", "cloudEvents_source", "cloudEvents_type", "cloudEvents_team"],
        ["cloudEvents:specversion", "cloudevents:id", "cloudEvents:source", "cloudEvents:type", "cloudEvents:team"],
    ] {
        let attributes = [
            (version, "1.0"),
            (id, "1"),
            (source, "/s"),
            (ty, "t"),
            (extension, "x y"),
            ("contentType", "text/csv"),
            ("other", "o"),
        ];
        let event = only(&with_attributes("a,b", &attributes), &settings());
        let own = json!({
            "specversion": "1.0", "id": "1", "source": "/s", "type": "t", "time": SENT,
            "team": "x y", "datacontenttype": "text/csv", "data": "a,b",
        });
        assert_eq!(serde_json::from_slice::<Value>(&event.to_json()).unwrap(), own);
    }
}

#[test]
fn attributes_that_are_no_valid_event_leave_the_body_what_it_is() {
    let valid = [("ce-specversion", "1.0"), ("ce-id", "1"), ("ce-source", "/s"), ("ce-type", "t")];
    let with = |changed: (&'static str, &'static str)| {
        let rest = valid.into_iter().filter(|(name, _)| *name != changed.0);
        with_attributes("{}", &rest.chain([changed]).collect::<Vec<_>>())
    };
    assert_eq!(only(&with(("ce-type", "u")), &settings()).ty(), "u");
    for changed in [
        ("ce-specversion", "0.3"),
        ("ce-id", ""),
        ("ce-source", "a b"),
        ("ce_id", "2"),
        ("ce-my-ext", "x"),
        ("ce-data", "x"),
        ("ce-time", "now"),
        ("ce-subject", "a\nb"),
    ] {
        assert_eq!(only(&with(changed), &settings()).ty(), "com.amazonaws.sqs.message", "{changed:?}");
    }
    let mut binary = with(("ce-x", "y"));
    binary.message_attributes[4].value = AttributeValue::Binary("y".into());
    assert_eq!(only(&binary, &settings()).ty(), "com.amazonaws.sqs.message");
    let mut untyped = with(("ce-type", "u"));
    untyped.message_attributes[3].data_type = "Number".to_owned();
    assert_eq!(only(&untyped, &settings()).ty(), "com.amazonaws.sqs.message");
}
