//! What an event looks like.

use serde_json::{Value, json};
use tests::sink::Delivery;
use tests::sqs::Attribute;

use crate::row::{Becomes::Env, Row, row, wire};
use crate::stage::Stage;

/// An event of EventBridge.
const EVENT: &str = r#"{"version":"0","id":"6a7e8feb-b491-4cf7-a9f1-bf3703467718","detail-type":"EC2 Instance State-change Notification","source":"aws.ec2","account":"111122223333","time":"2017-12-22T18:43:48Z","region":"us-west-1","resources":[],"detail":{"state":"terminated"}}"#;

/// What the sink gets of this message.
async fn delivered(stage: Stage, body: &str, event: Value) -> Delivery {
    let ten = Attribute::string("a");
    stage.queue.send_with(body, &[("tenant", ten.clone()), ("trace.id", ten.clone()), ("other", ten)]);
    let _pod = stage.start(&json!({"event": event})).await;
    stage.drained().await;
    stage.sink.accepted().remove(0)
}

/// The message attributes that became extensions.
fn extensions(delivery: &Delivery) -> Vec<&str> {
    let names = ["sqsattrother", "sqsattrtenant", "sqsattrtraceid"];
    names.into_iter().filter(|name| delivery.event.get(name).is_some()).collect()
}

pub fn rows() -> Vec<Row> {
    vec![
        row(
            "event.format",
            json!({"event": {"format": "triggermesh"}}),
            Env("BRIDGE_FORMAT", "triggermesh"),
            wire!(stage => {
                let delivery = delivered(stage, "hello", json!({"format": "triggermesh"})).await;
                assert_eq!(delivery.event.kind(), "com.amazon.sqs.message");
            }),
        ),
        row(
            "event.contentMode",
            json!({"event": {"contentMode": "structured"}}),
            Env("BRIDGE_CONTENT_MODE", "structured"),
            wire!(stage => {
                let delivery = delivered(stage, "hello", json!({"contentMode": "structured"})).await;
                assert!(delivery.event.structured && delivery.event.text() == "hello", "{delivery:?}");
            }),
        ),
        row(
            "event.data",
            json!({"event": {"data": "detail"}}),
            Env("BRIDGE_DATA", "detail"),
            wire!(stage => {
                assert_eq!(delivered(stage, EVENT, json!({"data": "detail"})).await.event.text(), r#"{"state":"terminated"}"#);
            }),
        ),
        row(
            "event.typeFormat",
            json!({"event": {"typeFormat": "detail-type"}}),
            Env("BRIDGE_TYPE_FORMAT", "detail-type"),
            wire!(stage => {
                let delivery = delivered(stage, EVENT, json!({"typeFormat": "detail-type"})).await;
                assert_eq!(delivery.event.kind(), "EC2 Instance State-change Notification");
            }),
        ),
        row(
            "event.messageAttributes",
            json!({"event": {"messageAttributes": ["a", "b.*"]}}),
            Env("BRIDGE_MESSAGE_ATTRIBUTES", "a,b.*"),
            wire!(stage => {
                let delivery = delivered(stage, "hello", json!({"messageAttributes": ["tenant", "trace.*"]})).await;
                assert_eq!(extensions(&delivery), ["sqsattrtenant", "sqsattrtraceid"]);
            }),
        ),
        row(
            "event.messageAttributes",
            json!({"event": {"messageAttributes": []}}),
            Env("BRIDGE_MESSAGE_ATTRIBUTES", "none"),
            wire!(stage => {
                let delivery = delivered(stage, "hello", json!({"messageAttributes": []})).await;
                assert_eq!(extensions(&delivery), Vec::<&str>::new());
            }),
        ),
        row(
            "event.snsUnwrap",
            json!({"event": {"snsUnwrap": "never"}}),
            Env("BRIDGE_SNS_UNWRAP", "never"),
            wire!(stage => {
                let envelope = json!({
                    "Type": "Notification", "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
                    "TopicArn": "arn:aws:sns:us-west-2:123456789012:t", "Message": EVENT, "Timestamp": "2012-05-02T00:54:06.655Z",
                    "SignatureVersion": "1", "Signature": "x", "SigningCertURL": "https://sns.us-west-2.amazonaws.com/x.pem",
                    "UnsubscribeURL": "https://sns.us-west-2.amazonaws.com/?x",
                });
                let delivery = delivered(stage, &envelope.to_string(), json!({"snsUnwrap": "never"})).await;
                assert_eq!(delivery.event.source(), "arn:aws:sns:us-west-2:123456789012:t", "the topic's, not EC2's");
            }),
        ),
    ]
}
