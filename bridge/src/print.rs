//! Messages and their events -> text for `run --dry-run`: for people, as JSON, as `curl` commands. Pure.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use crate::args::EventOutput;
use crate::config::{Config, NO_SINK, Queue};
use crate::convert::title_case;
use crate::describe::QueueFacts;
use crate::event::{Encoded, Event, timestamp};
use crate::explain::without_user_info;
use crate::message::Message;
use crate::normalize::Events;

/// Longest data that is shown to people, in characters; the rest is counted.
const MOST_DATA: usize = 4_000;

/// One message as it is shown.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    /// The message.
    pub message: &'a Message,
    /// What it becomes.
    pub events: &'a Events,
    /// `maxReceiveCount` of the queue's redrive policy, if it has one and it is known.
    pub max_receive_count: Option<u32>,
}

/// What to know before the first receive.
pub fn notice(queue: &Queue, facts: Option<&QueueFacts>, max: u32) -> String {
    let mut lines = vec![format!("looking at up to {max} messages of {}: nothing is sent, nothing deleted", queue.arn)];
    lines.push(match facts.map(|facts| facts.max_receive_count) {
        Some(Some(count)) => format!(
            "each look raises a message's receive count; after {count} receives the queue moves it to its dead-letter queue"
        ),
        Some(None) => "each look raises a message's receive count; the queue has no dead-letter queue".to_owned(),
        None => "each look raises a message's receive count and may move it to a dead-letter queue; whether there is one is unknown, sqs:GetQueueAttributes was refused".to_owned(),
    });
    if queue.is_fifo() {
        lines.push("the groups of the messages shown are blocked until they are given back at the end".to_owned());
    }
    lines.push("a running adapter takes messages from the same queue; what it holds is not shown".to_owned());
    lines.iter().map(|line| format!("# {line}\n")).collect()
}

/// What was done.
pub fn summary(shown: usize, left: usize) -> String {
    let given_back = match left {
        0 => "all given back".to_owned(),
        left => format!("{left} could not be given back and are visible again within 30s"),
    };
    format!("# {shown} shown, {given_back}")
}

/// One line about a message, for people.
pub fn headline(shown: &Shown<'_>) -> String {
    let Shown { message, events, max_receive_count } = shown;
    let number =
        |count: Option<u32>, unknown: &str| count.map_or_else(|| unknown.to_owned(), |count| count.to_string());
    let count = number(message.attributes.approximate_receive_count, "?");
    let most = number(*max_receive_count, "-");
    let sent = message.attributes.sent_ms().and_then(|sent| i64::try_from(sent).ok());
    let sent = sent.map(|sent| format!(", sent {}", timestamp::from_millis(sent))).unwrap_or_default();
    let group = message.attributes.message_group_id.as_ref();
    let group = group.map(|group| format!(", group {group}")).unwrap_or_default();
    let plural = if events.len() == 1 { "event" } else { "events" };
    format!("# message {}: receive {count}/{most}{sent}{group}, {} {plural}", message.id, events.len())
}

/// The events of a message, in the form that was asked for.
pub fn events(shown: &Shown<'_>, output: EventOutput, config: &Config) -> Vec<u8> {
    let one = |event: &Event| match output {
        EventOutput::Pretty => pretty(event).into_bytes(),
        EventOutput::Json => {
            // Line ends stand between JSON's values only.
            let mut line = event.to_json();
            line.retain(|byte| !b"\r\n".contains(byte));
            line.push(b'\n');
            line
        }
        EventOutput::Curl => curl(&event.encode(config.event.content_mode), config).into_bytes(),
    };
    shown.events.iter().flat_map(one).collect()
}

fn pretty(event: &Event) -> String {
    let mut lines = vec![event.ty().to_owned()];
    let mut attribute = |name: &str, value: &str| lines.push(format!("  {name:<16} {value}"));
    attribute("id", event.id());
    attribute("source", event.source());
    for (name, value) in [("subject", event.subject()), ("dataschema", event.dataschema())] {
        if let Some(value) = value {
            attribute(name, value);
        }
    }
    attribute("time", event.time());
    for (name, value) in event.extensions() {
        attribute(name, value);
    }
    let data = event.data();
    let kind = event.datacontenttype().unwrap_or("no media type");
    attribute("data", &format!("{kind}, {} bytes", data.len()));
    lines.extend(data_lines(&data));
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// JSON over several lines, other text as it is, bytes not at all.
fn data_lines(data: &[u8]) -> Vec<String> {
    let Ok(text) = std::str::from_utf8(data) else { return Vec::new() };
    let text = match serde_json::from_slice::<Value>(data) {
        Ok(value) => format!("{value:#}"),
        Err(_) => text.to_owned(),
    };
    let shown: String =
        text.chars().take(MOST_DATA).map(|it| if it.is_control() && it != '\n' { ' ' } else { it }).collect();
    let mut lines: Vec<_> = shown.lines().map(|line| format!("    {line}")).collect();
    let rest = text.chars().count().saturating_sub(MOST_DATA);
    if rest > 0 {
        lines.push(format!("    … {rest} more characters"));
    }
    lines
}

fn curl(encoded: &Encoded, config: &Config) -> String {
    let url =
        if config.sink.url.as_str() == NO_SINK { "$K_SINK".to_owned() } else { without_user_info(&config.sink.url) };
    let url = if url == "$K_SINK" { "\"$K_SINK\"".to_owned() } else { quoted(&url) };
    let mut command = format!("curl -X POST {url}");
    for (name, value) in &encoded.headers {
        let value = value.to_str().unwrap_or_default();
        command.push_str(&format!(" -H {}", quoted(&format!("{}: {value}", title_case(name.as_str())))));
    }
    match std::str::from_utf8(&encoded.body) {
        Ok(body) => format!("{command} --data-binary {}\n", quoted(body)),
        Err(_) => {
            format!("printf %s {} | base64 -d | {command} --data-binary @-\n", BASE64_STANDARD.encode(&encoded.body))
        }
    }
}

/// A word of the shell, whatever is in it.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;

    use super::*;
    use crate::message::SystemAttributes;
    use crate::normalize;

    fn config(more: &[(&str, &str)]) -> Config {
        let url = ("AWS_SQS_URL", "https://sqs.eu-north-1.amazonaws.com/123456789012/orders");
        let sink = ("K_SINK", "http://user:hush@sink.example/");
        Config::from_env_pairs([url, sink].into_iter().chain(more.iter().copied())).expect("settings")
    }

    fn message(body: &str) -> Message {
        Message {
            id: Arc::from("5fea7756-0ea4-451a-a703-a558b933e274"),
            body: Bytes::from(body.to_owned()),
            receipt_handle: None,
            md5_of_body: None,
            md5_of_message_attributes: None,
            attributes: SystemAttributes {
                sent_timestamp: Some("1700000000000".to_owned()),
                approximate_receive_count: Some(2),
                message_group_id: Some("a".to_owned()),
                ..SystemAttributes::default()
            },
            message_attributes: Vec::new(),
        }
    }

    fn shown(body: &str, output: EventOutput, config: &Config) -> String {
        let message = message(body);
        let events = normalize::events(&message, &config.queue, &config.event, 0);
        let shown = Shown { message: &message, events: &events, max_receive_count: Some(5) };
        String::from_utf8(super::events(&shown, output, config)).expect("text")
    }

    #[test]
    fn the_headline_tells_how_near_the_dead_letter_queue_is() {
        let message = message("x");
        let config = config(&[]);
        let events = normalize::events(&message, &config.queue, &config.event, 0);
        let line = |max_receive_count| headline(&Shown { message: &message, events: &events, max_receive_count });
        let expected = "# message 5fea7756-0ea4-451a-a703-a558b933e274: receive 2/5, sent 2023-11-14T22:13:20.000Z, group a, 1 event";
        assert_eq!(line(Some(5)), expected);
        assert_eq!(line(None), expected.replace("2/5", "2/-"));
    }

    #[test]
    fn events_are_shown_to_people_with_their_data_over_several_lines() {
        let expected = r#"com.amazonaws.sqs.message
  id               5fea7756-0ea4-451a-a703-a558b933e274
  source           arn:aws:sqs:eu-north-1:123456789012:orders
  time             2023-11-14T22:13:20.000Z
  awsaccount       123456789012
  awsregion        eu-north-1
  sqsmessageid     5fea7756-0ea4-451a-a703-a558b933e274
  data             application/json, 7 bytes
    {
      "a": 1
    }
"#;
        let given = shown(r#"{"a":1}"#, EventOutput::Pretty, &config(&[]));
        assert_eq!(given, expected);
    }

    #[test]
    fn json_is_one_event_a_line() {
        let given = shown("{\"a\":\n1}", EventOutput::Json, &config(&[]));
        assert_eq!(given.lines().count(), 1);
        let event: Value = serde_json::from_str(&given).expect("JSON");
        assert_eq!(event["data"], serde_json::json!({"a": 1}));
    }

    #[test]
    fn curl_sends_what_the_bridge_would_send_without_its_secrets() {
        let given = shown("it's", EventOutput::Curl, &config(&[("BRIDGE_CONTENT_MODE", "binary")]));
        assert!(given.starts_with("curl -X POST 'http://***@sink.example/' -H '"), "{given}");
        assert!(given.contains("-H 'Ce-Id: 5fea7756-0ea4-451a-a703-a558b933e274'"), "{given}");
        assert!(given.ends_with(" --data-binary 'it'\\''s'\n"), "{given}");
    }

    #[test]
    fn bytes_go_through_base64() {
        let encoded = Encoded { headers: http::HeaderMap::new(), body: Bytes::from_static(&[0xff]) };
        let expected = "printf %s /w== | base64 -d | curl -X POST 'http://***@sink.example/' --data-binary @-\n";
        assert_eq!(curl(&encoded, &config(&[])), expected);
    }

    #[test]
    fn the_notice_says_what_looking_costs() {
        let facts = QueueFacts { max_receive_count: Some(5), ..QueueFacts::default() };
        let expected = "# looking at up to 10 messages of arn:aws:sqs:eu-north-1:123456789012:orders: nothing is sent, nothing deleted\n# each look raises a message's receive count; after 5 receives the queue moves it to its dead-letter queue\n# a running adapter takes messages from the same queue; what it holds is not shown\n";
        assert_eq!(notice(&config(&[]).queue, Some(&facts), 10), expected);
        assert!(notice(&config(&[]).queue, None, 10).contains("sqs:GetQueueAttributes was refused"));
    }
}
