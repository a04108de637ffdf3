//! What EventBridge, SNS, S3 and CloudWatch put into a queue, as ministack does it, and the events that the bridge
//! makes of it.

use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::{Value, json};
use tests::servers::{Watched, calls::Aws, ministack};
use tests::sink::{Event, Sink};
use tests::suite::QueueUnderTest;

use crate::bridge::{accepted, emptied, start};

#[tokio::test]
async fn an_event_of_a_rule() {
    let scene = Scene::new().await;
    scene.aws().rule(&scene.queue.name, &json!({"source": [scene.queue.name]}), &scene.arn);
    let resource = "arn:aws:example:us-east-1:000000000000:order/1";
    let id = scene.aws().put_event(&scene.queue.name, "Order Placed", &[resource], &json!({"total": 1}));

    let event = scene.only_event().await;
    let name = scene.queue.name.as_str();
    assert_eq!(attributes(&event), [&id, name, "OrderPlaced", resource].map(str::to_owned));
    let body: Value = serde_json::from_slice(&event.data).expect("JSON");
    assert_eq!([&body["detail-type"], &body["detail"]], [&json!("Order Placed"), &json!({"total": 1})]);
}

#[tokio::test]
async fn a_notification_of_a_topic() {
    let scene = Scene::new().await;
    let topic = scene.topic(false);
    let id = scene.aws().publish(&topic, "5 € off", "hello & <you>");

    let event = scene.only_event().await;
    // ministack's envelope names the same subscription for all: what tells topics apart is the extension.
    assert_eq!([event.id(), event.kind()], [&id, "com.amazonaws.sns.Notification"]);
    assert_eq!([event.subject(), event.get("awstopicarn")], [Some("5 € off"), Some(topic.as_str())]);
    let body: Value = serde_json::from_slice(&event.data).expect("JSON");
    assert_eq!(body["Message"], "hello & <you>");
}

#[tokio::test]
async fn a_message_of_a_topic_with_raw_delivery() {
    let scene = Scene::new().await;
    let topic = scene.topic(true);
    scene.aws().publish(&topic, "5 € off", "hello & <you>");

    let event = scene.only_event().await;
    assert_eq!([event.source(), event.kind()], [scene.arn.as_str(), "com.amazonaws.sqs.message"]);
    assert_eq!(event.text(), "hello & <you>");
}

#[tokio::test]
async fn a_bucket_that_announces_itself_and_then_each_object() {
    let scene = Scene::new().await;
    let bucket = scene.queue.name.as_str();
    scene.aws().bucket(bucket, &scene.arn);
    scene.aws().put_object(bucket, "in%20box/%E2%82%AC+1.txt", b"hello");

    let mut told: Vec<_> = scene.events(2).await.iter().map(attributes).map(|[_, rest @ ..]| rest).collect();
    told.sort();
    let source = format!("aws:s3.us-east-1.{bucket}");
    let created = [source.as_str(), "com.amazonaws.s3.ObjectCreated:Put", "in+box/%E2%82%AC%2B1.txt"];
    let announced = [source.as_str(), "com.amazonaws.s3.TestEvent", ""];
    assert_eq!(told, [created, announced].map(|told| told.map(str::to_owned)));
}

#[tokio::test]
async fn an_alarm_through_its_topic() {
    let scene = Scene::new().await;
    let topic = scene.topic(false);
    let alarm = scene.queue.name.as_str();
    scene.aws().alarm(alarm, &topic);
    scene.aws().set_off(alarm, "1 datapoint was over 100");

    let event = scene.only_event().await;
    assert_eq!(
        [event.kind(), event.subject().unwrap_or_default()],
        ["com.amazonaws.cloudwatch.AlarmNotification", alarm]
    );
    let body: Value = serde_json::from_slice(&event.data).expect("JSON");
    assert_eq!([&body["NewStateValue"], &body["NewStateReason"]], ["ALARM", "1 datapoint was over 100"]);
}

/// A queue, and in the end a bridge that drains it.
struct Scene {
    server: Watched,
    queue: QueueUnderTest,
    arn: String,
}

impl Scene {
    async fn new() -> Self {
        let server = ministack();
        let queue = server.endpoint().queue("feed", &[]).await;
        let arn = queue.attribute(QueueAttributeName::QueueArn).await.expect("a queue has an ARN");
        Self { server, queue, arn }
    }

    fn aws(&self) -> Aws {
        self.server.aws()
    }

    fn topic(&self, raw: bool) -> String {
        let topic = self.aws().topic(&self.queue.name);
        self.aws().subscribe(&topic, &self.arn, raw);
        topic
    }

    async fn only_event(&self) -> Event {
        let [event] = self.events(1).await.try_into().expect("one event");
        event
    }

    /// What the bridge makes of the messages in the queue, which it empties.
    async fn events(&self, count: usize) -> Vec<Event> {
        let sink = Sink::start().await;
        let bridge = start(&self.server, &self.queue, &sink);
        accepted(&sink, count).await;
        emptied(&self.queue).await;
        bridge.stop().await;
        sink.accepted().into_iter().map(|delivery| delivery.event).collect()
    }
}

/// Id, source, type and subject.
fn attributes(event: &Event) -> [String; 4] {
    [event.id(), event.source(), event.kind(), event.subject().unwrap_or_default()].map(str::to_owned)
}
