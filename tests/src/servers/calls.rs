//! What people set up around a queue (rules, topics, buckets, alarms) -> calls to ministack. I/O: TCP.
//!
//! On the wire as AWS documents it, without a signature: ministack looks only at the service named in it.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::Watched;
use super::http::{self, Answer};

/// The services of a ministack that feed queues.
///
/// Every method panics when the server refuses, with what it said.
#[derive(Clone, Copy, Debug)]
pub struct Aws {
    address: SocketAddr,
}

impl Watched {
    /// The services around its queues.
    pub fn aws(&self) -> Aws {
        Aws { address: self.server.address() }
    }
}

impl Aws {
    /// EventBridge: events of the default bus that match `pattern` go to the queue.
    pub fn rule(&self, name: &str, pattern: &Value, queue_arn: &str) {
        self.events("PutRule", &json!({"Name": name, "EventPattern": pattern.to_string()}));
        let answer = self.events("PutTargets", &json!({"Rule": name, "Targets": [{"Id": "queue", "Arn": queue_arn}]}));
        assert_eq!(answer["FailedEntryCount"], 0, "the queue becomes a target: {answer}");
    }

    /// EventBridge: one event on the default bus; answers with its id.
    pub fn put_event(&self, source: &str, detail_type: &str, resources: &[&str], detail: &Value) -> String {
        let entry = json!({
            "Source": source, "DetailType": detail_type, "Resources": resources, "Detail": detail.to_string(),
        });
        let answer = self.events("PutEvents", &json!({"Entries": [entry]}));
        assert_eq!(answer["FailedEntryCount"], 0, "the event is taken: {answer}");
        answer["Entries"][0]["EventId"].as_str().expect("an event id").to_owned()
    }

    /// SNS: a topic; answers with its ARN.
    pub fn topic(&self, name: &str) -> String {
        element(&self.query("sns", "2010-03-31", "CreateTopic", &[("Name", name)]), "TopicArn")
    }

    /// SNS: what is published to the topic goes to the queue, `raw` or in the SNS envelope.
    pub fn subscribe(&self, topic_arn: &str, queue_arn: &str, raw: bool) {
        let mut parameters = vec![("TopicArn", topic_arn), ("Protocol", "sqs"), ("Endpoint", queue_arn)];
        if raw {
            parameters.extend([("Attributes.entry.1.key", "RawMessageDelivery"), ("Attributes.entry.1.value", "true")]);
        }
        self.query("sns", "2010-03-31", "Subscribe", &parameters);
    }

    /// SNS: publishes a message; answers with its id.
    pub fn publish(&self, topic_arn: &str, subject: &str, message: &str) -> String {
        let parameters = [("TopicArn", topic_arn), ("Subject", subject), ("Message", message)];
        element(&self.query("sns", "2010-03-31", "Publish", &parameters), "MessageId")
    }

    /// S3: a bucket whose new objects are told to the queue.
    pub fn bucket(&self, name: &str, queue_arn: &str) {
        self.s3("PUT", &format!("/{name}"), b"");
        let notification = format!(
            "<NotificationConfiguration><QueueConfiguration><Id>to-queue</Id><Queue>{queue_arn}</Queue>\
             <Event>s3:ObjectCreated:*</Event></QueueConfiguration></NotificationConfiguration>"
        );
        self.s3("PUT", &format!("/{name}?notification"), notification.as_bytes());
    }

    /// S3: an object; `key` as it stands in the request's path, percent-encoded.
    pub fn put_object(&self, bucket: &str, key: &str, body: &[u8]) {
        self.s3("PUT", &format!("/{bucket}/{key}"), body);
    }

    /// CloudWatch: an alarm that tells the topic when it goes off.
    pub fn alarm(&self, name: &str, topic_arn: &str) {
        let parameters = [
            ("AlarmName", name),
            ("AlarmDescription", "too many messages wait"),
            ("AlarmActions.member.1", topic_arn),
            ("Namespace", "AWS/SQS"),
            ("MetricName", "ApproximateNumberOfMessagesVisible"),
            ("Dimensions.member.1.Name", "QueueName"),
            ("Dimensions.member.1.Value", "orders"),
            ("Statistic", "Maximum"),
            ("Period", "60"),
            ("EvaluationPeriods", "1"),
            ("Threshold", "100"),
            ("ComparisonOperator", "GreaterThanThreshold"),
        ];
        self.query("monitoring", "2010-08-01", "PutMetricAlarm", &parameters);
    }

    /// CloudWatch: puts an alarm into state `ALARM`.
    pub fn set_off(&self, alarm: &str, reason: &str) {
        let parameters = [("AlarmName", alarm), ("StateValue", "ALARM"), ("StateReason", reason)];
        self.query("monitoring", "2010-08-01", "SetAlarmState", &parameters);
    }

    fn events(&self, operation: &str, input: &Value) -> Value {
        let target = format!("AWSEvents.{operation}");
        let headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", target.as_str())];
        let answer = self.ask("events", operation, "POST", "/", &headers, input.to_string().as_bytes());
        serde_json::from_str(&answer.body).expect("EventBridge answers with JSON")
    }

    fn query(&self, service: &str, version: &str, action: &str, parameters: &[(&str, &str)]) -> Answer {
        let all = [("Action", action), ("Version", version)].into_iter().chain(parameters.iter().copied());
        let pairs: Vec<String> = all.map(|(name, value)| format!("{name}={}", percent_encoded(value))).collect();
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        self.ask(service, action, "POST", "/", &headers, pairs.join("&").as_bytes())
    }

    fn s3(&self, method: &str, path: &str, body: &[u8]) {
        self.ask("s3", path, method, path, &[], body);
    }

    fn ask(
        &self,
        service: &str,
        what: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let scope = format!(
            "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
        );
        let headers: Vec<(&str, &str)> = headers.iter().copied().chain([("authorization", scope.as_str())]).collect();
        let answer = http::request(self.address, method, path, &headers, body);
        let answer = answer.unwrap_or_else(|error| panic!("{service} {what}: {error}"));
        assert_eq!(answer.status, 200, "{service} {what}: {}", answer.body);
        answer
    }
}

/// The text of the first element of that name.
fn element(answer: &Answer, name: &str) -> String {
    let start = answer.body.split_once(&format!("<{name}>")).map(|(_, rest)| rest);
    let text = start.and_then(|rest| rest.split_once('<')).map(|(text, _)| text);
    text.unwrap_or_else(|| panic!("<{name}> in {}", answer.body)).to_owned()
}

fn percent_encoded(value: &str) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    value.bytes().map(encode).collect()
}
