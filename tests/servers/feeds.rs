//! What EventBridge, SNS, S3 and CloudWatch put into a queue, as ministack does it.

use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::{Value, json};
use tests::servers::{Watched, ministack};
use tests::suite::QueueUnderTest;

#[tokio::test]
async fn a_rule_of_eventbridge_puts_the_event_into_the_queue() {
    let server = ministack();
    let (queue, arn) = queue_with_arn(&server).await;
    server.aws().rule(&queue.name, &json!({"source": [queue.name]}), &arn);
    let id = server.aws().put_event(&queue.name, "Order Placed", &["arn:aws:example:::order/1"], &json!({"total": 1}));

    let body = json_body(&queue).await;
    let told = ["id", "source", "detail-type", "resources", "detail"].map(|name| &body[name]);
    let sent = [json!(id), json!(queue.name), json!("Order Placed"), json!(["arn:aws:example:::order/1"])];
    assert_eq!(told, [&sent[0], &sent[1], &sent[2], &sent[3], &json!({"total": 1})]);
}

#[tokio::test]
async fn a_topic_puts_its_envelope_into_the_queue() {
    let server = ministack();
    let (queue, arn) = queue_with_arn(&server).await;
    let topic = server.aws().topic(&queue.name);
    server.aws().subscribe(&topic, &arn, false);
    let id = server.aws().publish(&topic, "5 € off", "hello & <you>");

    let body = json_body(&queue).await;
    let told = ["Type", "MessageId", "TopicArn", "Subject", "Message"].map(|name| body[name].as_str());
    assert_eq!(told, ["Notification", &id, &topic, "5 € off", "hello & <you>"].map(Some));
}

#[tokio::test]
async fn a_topic_with_raw_delivery_puts_the_bare_message_into_the_queue() {
    let server = ministack();
    let (queue, arn) = queue_with_arn(&server).await;
    let topic = server.aws().topic(&queue.name);
    server.aws().subscribe(&topic, &arn, true);
    server.aws().publish(&topic, "5 € off", "hello & <you>");

    assert_eq!(queue.receive_one().await.body(), Some("hello & <you>"));
}

#[tokio::test]
async fn a_bucket_announces_itself_and_then_each_object() {
    let server = ministack();
    let (queue, arn) = queue_with_arn(&server).await;
    server.aws().bucket(&queue.name, &arn);
    let body = json_body(&queue).await;
    assert_eq!([&body["Event"], &body["Bucket"]], [&json!("s3:TestEvent"), &json!(queue.name)]);
    queue.drain().await;

    server.aws().put_object(&queue.name, "in%20box/%E2%82%AC+1.txt", b"hello");
    let record = &json_body(&queue).await["Records"][0];
    assert_eq!(record["eventName"], "ObjectCreated:Put");
    assert_eq!(record["s3"]["bucket"]["name"], json!(queue.name));
    assert_eq!(record["s3"]["object"]["key"], "in+box/%E2%82%AC%2B1.txt");
}

#[tokio::test]
async fn an_alarm_reaches_the_queue_through_its_topic() {
    let server = ministack();
    let (queue, arn) = queue_with_arn(&server).await;
    let topic = server.aws().topic(&queue.name);
    server.aws().subscribe(&topic, &arn, false);
    server.aws().alarm(&queue.name, &topic);
    server.aws().set_off(&queue.name, "1 datapoint was over 100");

    let message = json_body(&queue).await["Message"].as_str().map(str::to_owned).expect("the envelope has a message");
    let alarm: Value = serde_json::from_str(&message).expect("the alarm is JSON");
    let told = ["AlarmName", "NewStateValue", "NewStateReason"].map(|name| alarm[name].as_str());
    assert_eq!(told, [&queue.name, "ALARM", "1 datapoint was over 100"].map(Some));
}

async fn queue_with_arn(server: &Watched) -> (QueueUnderTest, String) {
    let queue = server.endpoint().queue("feed", &[]).await;
    let arn = queue.attribute(QueueAttributeName::QueueArn).await.expect("a queue has an ARN");
    (queue, arn)
}

async fn json_body(queue: &QueueUnderTest) -> Value {
    serde_json::from_str(queue.receive_one().await.body().expect("a body")).expect("the body is JSON")
}
