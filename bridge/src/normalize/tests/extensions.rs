use super::*;
use crate::config::MessageAttributes;

const XRAY: &str = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// The extensions of a message that are not those of every message.
fn extensions(message: &Message, settings: &EventSettings) -> (Vec<(String, String)>, u32) {
    let events = mapped(message, settings);
    let everywhere = ["awsaccount", "awsregion", "sqsmessageid"];
    let own = events[0].extensions().filter(|(name, _)| !everywhere.contains(name));
    (own.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(), events.skipped_extensions)
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[test]
fn a_message_of_a_fifo_queue_says_its_group_and_place() {
    let mut message = message("x");
    message.attributes.sequence_number = Some("18849496460467696128".to_owned());
    message.attributes.message_group_id = Some("g".to_owned());
    let of_queue = pairs(&[("partitionkey", "g"), ("sequence", "18849496460467696128")]);
    assert_eq!(extensions(&message, &settings()), (of_queue, 0));
    message.body = r#"{"detail-type":"X","source":"s","detail":{}}"#.into();
    let of_other = pairs(&[("partitionkey", "g"), ("sqssequence", "18849496460467696128")]);
    assert_eq!(extensions(&message, &settings()), (of_other, 0));
    message.attributes.sequence_number = None;
    assert_eq!(extensions(&message, &settings()), (Vec::new(), 0));
}

#[test]
fn the_producer_s_trace_is_kept_and_opentelemetry_s_wins() {
    let state = ("tracestate", "a=1");
    let traced = with_attributes("x", &[("traceparent", PARENT), state]);
    assert_eq!(extensions(&traced, &settings()).0, pairs(&[("traceparent", PARENT), state]));
    let mut both = traced.clone();
    both.attributes.aws_trace_header = Some(XRAY.to_owned());
    assert_eq!(extensions(&both, &settings()), extensions(&traced, &settings()));
    let mut invalid = with_attributes("x", &[("traceparent", "00-x"), state]);
    assert_eq!(extensions(&invalid, &settings()).0, Vec::new());
    invalid.attributes.aws_trace_header = Some(XRAY.to_owned());
    let xray = pairs(&[("traceparent", "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01")]);
    assert_eq!(extensions(&invalid, &settings()).0, xray);
}

#[test]
fn message_attributes_become_extensions_named_by_their_letters_and_digits() {
    let mut message = with_attributes("x", &[("Tenant-Id.x", "v €"), ("trace.a", "1"), ("contentType", "text/csv")]);
    message.message_attributes.push(MessageAttribute {
        name: "raw".to_owned(),
        data_type: "Binary".to_owned(),
        value: AttributeValue::Binary(bytes::Bytes::from_static(&[0, 1, 255])),
    });
    let all = [
        ("sqsattrtenantidx", "v €"),
        ("sqsattrtracea", "1"),
        ("sqsattrcontenttype", "text/csv"),
        ("sqsattrraw", "AAH/"),
    ];
    assert_eq!(extensions(&message, &settings()), (pairs(&all), 0));
    let named = |names: &[&str]| {
        let names = names.iter().map(|&name| name.to_owned()).collect();
        EventSettings { message_attributes: MessageAttributes::Named(names), ..settings() }
    };
    assert_eq!(extensions(&message, &named(&["raw", "trace.*", "trac*", "Tenant"])), (pairs(&[all[1], all[3]]), 0));
    let none = EventSettings { message_attributes: MessageAttributes::None, ..settings() };
    assert_eq!(extensions(&message, &none), (Vec::new(), 0));
}

#[test]
fn names_that_collide_are_told_apart_by_a_hash_of_the_whole_name() {
    let message = with_attributes("x", &[("my-attr", "1"), ("myattr", "2"), ("other", "3"), ("..", "4")]);
    let own = pairs(&[
        ("sqsattrmyattr39154b6c", "1"),
        ("sqsattrmyattr804a6081", "2"),
        ("sqsattrother", "3"),
        ("sqsattr5ec1f7e7", "4"),
    ]);
    assert_eq!(extensions(&message, &settings()), (own, 0));
}

#[test]
fn values_that_are_long_or_hold_control_characters_are_skipped_and_counted() {
    let (fits, long) = ("a".repeat(1024), "a".repeat(1025));
    let message =
        with_attributes("x", &[("fits", &fits), ("long", &long), ("newline", "a\nb"), ("nonchar", "\u{fffe}")]);
    assert_eq!(extensions(&message, &settings()), (pairs(&[("sqsattrfits", &fits)]), 3));
}

#[test]
fn attributes_that_told_how_to_read_the_message_are_not_repeated() {
    let message = with_attributes(
        "x",
        &[
            ("ce-id", "1"),
            ("cloudEvents:type", "t"),
            ("ExtendedPayloadSize", "1"),
            ("SQSLargePayloadSize", "1"),
            ("ERROR_CODE", "e"),
        ],
    );
    assert_eq!(extensions(&message, &settings()), (pairs(&[("sqsattrerrorcode", "e")]), 0));
}
