//! Events and how they go over the wire.

use std::collections::BTreeMap;

use super::*;

fn event() -> Event {
    Event::new("1", "/s", "t", "2018-12-17T21:37:29Z")
}

fn headers(encoded: &Encoded) -> BTreeMap<&str, &str> {
    encoded.headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect()
}

fn json(event: &Event) -> String {
    String::from_utf8(event.to_json()).unwrap()
}

#[test]
fn binary_mode_has_each_attribute_as_a_header_and_the_data_as_body() {
    let event =
        event().with_subject("a").with_extension("team", "x").with_data("application/json", Data::json("{}".into()));
    let encoded = event.encode(ContentMode::Auto);
    let expected = BTreeMap::from([
        ("ce-specversion", "1.0"),
        ("ce-id", "1"),
        ("ce-source", "/s"),
        ("ce-type", "t"),
        ("ce-time", "2018-12-17T21:37:29Z"),
        ("ce-subject", "a"),
        ("ce-team", "x"),
        ("content-type", "application/json"),
    ]);
    assert_eq!((headers(&encoded), &encoded.body[..]), (expected, &b"{}"[..]));
}

#[test]
fn binary_mode_encodes_what_is_not_header_safe_and_nothing_else() {
    let value = "Euro € 😀 \"100%\" a/b:c?d#e[f]~!";
    let encoded = event().with_extension("x", value).encode(ContentMode::Binary);
    assert_eq!(headers(&encoded)["ce-x"], "Euro%20%E2%82%AC%20%F0%9F%98%80%20%22100%25%22%20a/b:c?d#e[f]~!");
}

#[test]
fn auto_is_structured_as_soon_as_one_value_needs_encoding_and_binary_encodes_it() {
    for event in [
        event().with_subject("a b"),
        event().with_subject("a%40b"),
        event().with_extension("x", "é"),
        Event::new("a\"b", "/s", "t", "2018-12-17T21:37:29Z"),
        Event::new("1", "my%20app", "t", "2018-12-17T21:37:29Z"),
    ] {
        assert_eq!(headers(&event.encode(ContentMode::Auto)), structured(), "{event:?}");
        assert!(event.encode(ContentMode::Binary).headers.contains_key("ce-id"));
    }
    assert_eq!(headers(&event().encode(ContentMode::Structured)), structured());
}

fn structured() -> BTreeMap<&'static str, &'static str> {
    BTreeMap::from([("content-type", "application/cloudevents+json")])
}

#[test]
fn auto_is_structured_from_8_kib_of_header_lines() {
    // ce-specversion, ce-id, ce-source, ce-type, ce-time and ce-x with their separators.
    let rest = [14 + 3, 5 + 1, 9 + 2, 7 + 1, 7 + 20, 4].iter().map(|line| line + 4).sum::<usize>();
    let event = |length: usize| event().with_extension("x", "a".repeat(length));
    let is_binary = |event: Event| event.encode(ContentMode::Auto).headers.contains_key("ce-id");
    assert!(is_binary(event(8191 - rest)));
    assert!(!is_binary(event(8192 - rest)));
}

#[test]
fn data_that_receivers_would_take_for_an_event_is_never_sent_binary() {
    let event = event().with_data("Application/CloudEvents+json", Data::json("{}".into()));
    for mode in [ContentMode::Auto, ContentMode::Binary] {
        let encoded = event.encode(mode);
        assert_eq!(headers(&encoded), structured());
        assert!(json(&event).ends_with(r#""data":{}}"#));
    }
}

#[test]
fn more_attributes_than_a_header_map_holds_go_structured() {
    let many = (0..40_000).map(|number| (format!("x{number}"), Forwarded::Boolean(true))).collect();
    let encoded = event().with_forwarded_extensions(many).encode(ContentMode::Binary);
    assert_eq!(headers(&encoded), structured());
}

#[test]
fn structured_mode_embeds_json_byte_for_byte_text_as_string_and_bytes_as_base64() {
    const START: &str = r#"{"specversion":"1.0","id":"1","source":"/s","type":"t","time":"2018-12-17T21:37:29Z","#;
    for (media_type, data, end) in [
        ("application/json", Data::json("{ \"n\": 1.0,\n\"n\":1 }".into()), "\"data\":{ \"n\": 1.0,\n\"n\":1 }"),
        ("a/b+JSON; c=d", Data::declared("[1]".into()), "\"data\":[1]"),
        ("application/json", Data::declared("[1".into()), "\"data_base64\":\"WzE=\""),
        ("application/json", Data::declared(r#""\ud800""#.into()), "\"data_base64\":\"Ilx1ZDgwMCI=\""),
        ("application/json", Data::declared("1e999".into()), "\"data_base64\":\"MWU5OTk=\""),
        ("text/plain", Data::text("a\0\"é\u{2028}".into()), "\"data\":\"a\\u0000\\\"é\u{2028}\""),
        ("text/plain", Data::text(Bytes::from_static(&[255])), "\"data_base64\":\"/w==\""),
        ("text/plain", Data::declared("[1]".into()), "\"data\":\"[1]\""),
        ("image/png", Data::binary("a".into()), "\"data_base64\":\"YQ==\""),
    ] {
        let event = event().with_data(media_type, data);
        assert_eq!(json(&event), format!("{START}\"datacontenttype\":\"{media_type}\",{end}}}"));
    }
}

#[test]
fn json_is_embedded_down_to_a_depth_that_every_reader_follows() {
    let nested = |depth: usize| Data::json(("[".repeat(depth) + &"]".repeat(depth)).into());
    assert!(json(&event().with_data("application/json", nested(100))).contains("\"data\":[["));
    assert!(json(&event().with_data("application/json", nested(101))).contains("\"data_base64\":"));
}

#[test]
fn control_characters_never_leave() {
    let event =
        Event::new("a\nb", "/s\0", "t\u{7f}", "2018-12-17T21:37:29Z").with_subject("\r").with_extension("x", "\u{85}");
    assert_eq!((event.id(), event.source(), event.ty()), ("a%0Ab", "/s%00", "t%7F"));
    assert_eq!((event.subject(), event.extension("x")), (Some("%0D"), Some("%C2%85")));
}

#[test]
fn extensions_replace_those_of_their_name_and_bad_names_and_empty_values_are_left_out() {
    let event = event()
        .with_extension("a", "1")
        .with_extension("b", "2")
        .with_extension("a", "3")
        .with_extension("Bad-Name", "x")
        .with_extension("subject", "x")
        .with_extension("c", "");
    assert_eq!(event.extensions().collect::<Vec<_>>(), [("a", "3"), ("b", "2")]);
    assert_eq!(event.subject(), None);
}

#[test]
fn debug_output_shows_no_data() {
    let event = event().with_data("text/plain", Data::text("secret".into())).with_extension("x", "secret");
    let shown = r#"Event { id: "1", source: "/s", type: "t", data_bytes: Some(6), .. }"#;
    assert_eq!(format!("{event:?}"), shown);
}

#[test]
fn an_event_can_be_sent_to_another_thread() {
    fn is_static_and_send<T: Send + Sync + 'static>() {}
    is_static_and_send::<Event>();
}
