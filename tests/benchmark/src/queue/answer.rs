//! What an action did -> the body of its answer in AWS JSON 1.0. Pure.

use std::io::Write;

use super::body::{Body, write_number};
use super::line::{Delivery, Line};
use super::request::Request;

/// Entries of a batch and what became of each: the code of its failure, if it failed.
pub type Entries<'a> = Vec<(&'a str, Option<&'static str>)>;

/// The answer to a receive.
pub fn messages(line: &Line, body: &Body, taken: &[Delivery], request: &Request) -> Vec<u8> {
    if taken.is_empty() {
        return b"{}".to_vec();
    }
    let mut out = Vec::with_capacity(taken.len() * (body.len() * 9 / 8 + 1_024));
    out.extend_from_slice(b"{\"Messages\":[");
    for (index, delivery) in taken.iter().enumerate() {
        separate(index, &mut out);
        message(line, body, *delivery, request, &mut out);
    }
    out.extend_from_slice(b"]}");
    out
}

/// The answer to a batch of deletes or visibility changes.
pub fn batch(entries: &Entries) -> Vec<u8> {
    let mut out = b"{\"Successful\":[".to_vec();
    let (done, failed): (Entries, Entries) = entries.iter().partition(|(_, failure)| failure.is_none());
    for (index, (id, _)) in done.iter().enumerate() {
        separate(index, &mut out);
        put(&mut out, format_args!("{{\"Id\":\"{id}\"}}"));
    }
    out.extend_from_slice(b"],\"Failed\":[");
    for (index, (id, code)) in failed.iter().enumerate() {
        separate(index, &mut out);
        let code = code.unwrap_or_default();
        put(&mut out, format_args!("{{\"Id\":\"{id}\",\"SenderFault\":true,\"Code\":\"{code}\"}}"));
    }
    out.extend_from_slice(b"]}");
    out
}

/// The answer to GetQueueAttributes: what a queue without redrive policy would say.
pub fn attributes(line: &Line, visibility: u64) -> Vec<u8> {
    let visible = line.slots().len();
    let text = format!(
        r#"{{"Attributes":{{"VisibilityTimeout":"{visibility}","ApproximateNumberOfMessages":"{visible}","ApproximateNumberOfMessagesNotVisible":"0"}}}}"#
    );
    text.into_bytes()
}

/// The answer to what the load server cannot do.
pub fn error(code: &str) -> Vec<u8> {
    format!(r#"{{"__type":"com.amazonaws.sqs#{code}","message":"the load server does not do this"}}"#).into_bytes()
}

fn message(line: &Line, body: &Body, delivery: Delivery, request: &Request, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"MessageId\":\"11111111-0000-4001-8001-");
    write_number(delivery.number, out);
    put(out, format_args!("\",\"ReceiptHandle\":\"{}-", delivery.receive));
    write_number(delivery.number, out);
    out.extend_from_slice(b"\",\"MD5OfBody\":\"");
    body.write_digest(delivery.number, out);
    out.extend_from_slice(b"\",\"Body\":\"");
    body.write_escaped(delivery.number, out);
    out.extend_from_slice(b"\",\"Attributes\":{");
    system_attributes(line, delivery, request, out);
    out.extend_from_slice(b"}}");
}

fn system_attributes(line: &Line, delivery: Delivery, request: &Request, out: &mut Vec<u8>) {
    let number = delivery.number;
    let sent = line.slots()[number as usize].sent / 1_000;
    let group = line.group(number);
    let mut written = 0;
    let mut attribute = |name: &str, value: std::fmt::Arguments| {
        if request.wants(name) {
            separate(written, out);
            put(out, format_args!("\"{name}\":\"{value}\""));
            written += 1;
        }
    };
    attribute("SentTimestamp", format_args!("{sent}"));
    attribute("ApproximateReceiveCount", format_args!("{}", delivery.receive));
    if let Some(group) = group {
        attribute("MessageGroupId", format_args!("group-{group}"));
        attribute("MessageDeduplicationId", format_args!("deduplication-{number}"));
        // Twenty digits, as SQS has them.
        attribute("SequenceNumber", format_args!("188{number:017}"));
    }
}

fn separate(index: usize, out: &mut Vec<u8>) {
    if index > 0 {
        out.push(b',');
    }
}

fn put(out: &mut Vec<u8>, text: std::fmt::Arguments) {
    // Writing to a vector never fails.
    out.write_fmt(text).ok();
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn parsed(bytes: &[u8]) -> Value {
        serde_json::from_slice(bytes).unwrap()
    }

    #[test]
    fn a_message_is_what_sqs_would_hand_over() {
        let mut line = Line::new(2);
        line.feed(2, 1_796_000_000_123_456);
        let taken = line.receive(1, 0, 1);
        let request: Request = serde_json::from_str(r#"{"MessageSystemAttributeNames":["All"]}"#).unwrap();
        let mut answer = parsed(&messages(&line, &Body::new(256), &taken, &request));
        let message = &mut answer["Messages"][0];
        assert_eq!(message["Body"].take().as_str().unwrap().len(), 256);
        assert_eq!(message["MD5OfBody"].take().as_str().unwrap().len(), 32);
        let attributes = json!({
            "SentTimestamp": "1796000000123",
            "ApproximateReceiveCount": "1",
            "MessageGroupId": "group-0",
            "MessageDeduplicationId": "deduplication-0",
            "SequenceNumber": "18800000000000000000",
        });
        let expected = json!({
            "MessageId": "11111111-0000-4001-8001-000000000000",
            "ReceiptHandle": "1-000000000000",
            "MD5OfBody": null,
            "Body": null,
            "Attributes": attributes,
        });
        assert_eq!(*message, expected);
    }

    #[test]
    fn nothing_is_an_empty_object_and_attributes_come_when_asked_for() {
        let mut line = Line::new(0);
        line.feed(1, 0);
        let (body, request) = (Body::new(0), Request::default());
        assert_eq!(messages(&line, &body, &[], &request), b"{}");
        let taken = line.receive(1, 0, 1);
        assert_eq!(parsed(&messages(&line, &body, &taken, &request))["Messages"][0]["Attributes"], json!({}));
    }

    #[test]
    fn a_batch_tells_what_failed() {
        let answer = batch(&vec![("0", None), ("1", Some("MessageNotInflight"))]);
        let failed = json!([{"Id": "1", "SenderFault": true, "Code": "MessageNotInflight"}]);
        assert_eq!(parsed(&answer), json!({"Successful": [{"Id": "0"}], "Failed": failed}));
    }
}
