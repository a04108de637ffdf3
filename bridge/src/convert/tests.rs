//! What `convert` prints.

use serde_json::{Value, json};

use super::*;
use crate::config::{ContentMode, SnsUnwrap};
use crate::normalize::tests::{queue, settings};

const STRUCTURED: Options = Options { lines: false, output: Output::Structured };
const HTTP: Options = Options { lines: false, output: Output::Http };

fn printed(input: impl AsRef<[u8]>, options: Options) -> String {
    printed_with(input, options, &settings())
}

fn printed_with(input: impl AsRef<[u8]>, options: Options, settings: &EventSettings) -> String {
    let mut out = Vec::new();
    convert(input.as_ref(), &queue(), settings, options, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn ids(printed: &str) -> Vec<String> {
    printed
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_bare_body_has_an_id_made_of_it_and_the_time_of_the_epoch() {
    let expected = r#"{"specversion":"1.0","id":"2cf24dba-5fb0-a30e-26e8-3b2ac5b9e29e","source":"arn:aws:sqs:eu-north-1:111122223333:orders","type":"com.amazonaws.sqs.message","time":"1970-01-01T00:00:00.000Z","datacontenttype":"text/plain; charset=utf-8","awsaccount":"111122223333","awsregion":"eu-north-1","sqsmessageid":"2cf24dba-5fb0-a30e-26e8-3b2ac5b9e29e","data":"hello"}"#;
    assert_eq!(printed("hello", STRUCTURED), format!("{expected}\n"));
}

#[test]
fn a_structured_event_is_one_line_even_if_its_body_is_many() {
    let printed = printed("{\r\n \"a\": \"\\n\",\n \"b\": [1,\n2]\n}\n", STRUCTURED);
    assert_eq!(printed.matches('\n').count(), 1);
    assert_eq!(serde_json::from_str::<Value>(&printed).unwrap()["data"], json!({ "a": "\n", "b": [1, 2] }));
}

#[test]
fn the_request_shows_headers_as_on_the_wire_and_the_body_as_it_is() {
    let body =
        "{\n\"id\":\"1\",\"detail-type\":\"X\",\"source\":\"my.app\",\"time\":\"2020-01-01T00:00:00Z\",\"detail\":{}}";
    let expected = json!({
        "headers": {
            "Ce-Specversion": "1.0",
            "Ce-Id": "1",
            "Ce-Source": "my.app",
            "Ce-Type": "X",
            "Ce-Time": "2020-01-01T00:00:00Z",
            "Ce-Awsaccount": "111122223333",
            "Ce-Awsregion": "eu-north-1",
            "Ce-Sqsmessageid": normalize::identity::content_id(body.as_bytes()),
            "Content-Type": "application/json",
        },
        "body": body,
    });
    assert_eq!(serde_json::from_str::<Value>(&printed(body, HTTP)).unwrap(), expected);
}

#[test]
fn a_body_that_is_not_text_is_shown_as_base64() {
    let printed: Value = serde_json::from_str(&printed([0xff, 0x00], HTTP)).unwrap();
    assert_eq!((&printed["body_base64"], &printed["body"]), (&json!("/wA="), &Value::Null));
    assert_eq!(printed["headers"]["Content-Type"], "application/octet-stream");
}

#[test]
fn the_content_mode_and_all_other_settings_count() {
    let settings = EventSettings { content_mode: ContentMode::Structured, sns_unwrap: SnsUnwrap::Never, ..settings() };
    let printed: Value = serde_json::from_str(&printed_with("x", HTTP, &settings)).unwrap();
    assert_eq!(printed["headers"], json!({ "Content-Type": "application/cloudevents+json" }));
    assert!(printed["body"].as_str().unwrap().starts_with("{\"specversion\":\"1.0\""));
}

#[test]
fn a_message_of_the_api_brings_its_id_time_and_attributes() {
    let message = json!({
        "MessageId": "m-1",
        "ReceiptHandle": "secret",
        "MD5OfBody": "49f68a5c8493ec2c0bf489821c21fc3b",
        "Body": "hi",
        "Attributes": { "SentTimestamp": "1545082881183", "ApproximateReceiveCount": "1", "SenderId": "x" },
        "MessageAttributes": {
            "n": { "DataType": "Number.int", "StringValue": "12" },
            "b": { "DataType": "Binary", "BinaryValue": "AAH/" },
        },
    });
    let printed: Value = serde_json::from_str(&printed(message.to_string(), STRUCTURED)).unwrap();
    let expected = json!({
        "specversion": "1.0",
        "id": "m-1",
        "source": "arn:aws:sqs:eu-north-1:111122223333:orders",
        "type": "com.amazonaws.sqs.message",
        "time": "2018-12-17T21:41:21.183Z",
        "datacontenttype": "text/plain; charset=utf-8",
        "awsaccount": "111122223333",
        "awsregion": "eu-north-1",
        "sqsmessageid": "m-1",
        "sqsattrb": "AAH/",
        "sqsattrn": "12",
        "data": "hi",
    });
    assert_eq!(printed, expected);
}

#[test]
fn an_answer_is_all_of_its_messages_and_an_empty_one_none() {
    let answer = json!({ "Messages": [{ "MessageId": "1", "Body": "a" }, { "MessageId": "2", "Body": "b" }] });
    assert_eq!(ids(&printed(answer.to_string(), STRUCTURED)), ["1", "2"]);
    assert_eq!(printed(r#"{"Messages":[]}"#, STRUCTURED), "");
}

#[test]
fn each_line_is_a_message_an_answer_or_a_body() {
    let input = "{\"MessageId\":\"1\",\"Body\":\"a\"}\r\n\n  \n{\"Messages\":[{\"MessageId\":\"2\",\"Body\":\"\"},{\"MessageId\":\"3\",\"Body\":\"\"}]}\nhello\n\u{2028}x";
    let lines = Options { lines: true, ..STRUCTURED };
    let ids = ids(&printed(input, lines));
    assert_eq!(ids[..4], ["1", "2", "3", "2cf24dba-5fb0-a30e-26e8-3b2ac5b9e29e"]);
    assert_eq!(ids.len(), 5);
}

#[test]
fn what_only_looks_like_a_message_is_a_body() {
    for body in [
        "",
        "{",
        r#"{"MessageId":"1"}"#,
        r#"{"MessageId":1,"Body":"a"}"#,
        r#"{"MessageId":"1","Body":"\ud800"}"#,
        r#"{"MessageId":"1","Body":"a","MessageAttributes":{"b":{"DataType":"Binary","BinaryValue":"?"}}}"#,
        r#"{"MessageId":"1","Body":"a","MessageAttributes":{"b":{"DataType":"String"}}}"#,
        r#"{"Messages":[{"MessageId":"1","Body":"a"},{}]}"#,
        r#"["1","a"]"#,
    ] {
        let printed: Value = serde_json::from_str(&printed(body, HTTP)).unwrap();
        assert_eq!(printed["headers"]["Ce-Type"].as_str().or(Some("structured")), Some("com.amazonaws.sqs.message"));
        assert_eq!(printed["body"], body);
    }
}

#[test]
fn a_reader_that_goes_away_is_an_error_in_one_sentence() {
    struct Gone;
    impl Write for Gone {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let error = convert(b"x", &queue(), &settings(), STRUCTURED, &mut Gone).unwrap_err();
    assert_eq!(error.to_string(), "could not write the converted events");
    assert_eq!(error.source().unwrap().to_string(), "broken pipe");
}
