//! What stands beside the body: message attributes, system attributes, sizes. I/O: the server asked.

use std::collections::HashMap;

use aws_sdk_sqs::primitives::Blob;
use aws_sdk_sqs::types::{
    MessageAttributeValue, MessageSystemAttributeName, MessageSystemAttributeNameForSends, MessageSystemAttributeValue,
};

use super::Endpoint;
use super::endpoint::{QueueUnderTest, code_of};

/// As much as a message may hold, and the server's own limit.
const LARGEST: usize = 1_048_576;

fn attribute(data_type: &str, text: &str) -> MessageAttributeValue {
    MessageAttributeValue::builder().data_type(data_type).string_value(text).build().expect("the type is set")
}

fn three_attributes() -> HashMap<String, MessageAttributeValue> {
    let binary = MessageAttributeValue::builder().data_type("Binary").binary_value(Blob::new([0u8, 159, 255]));
    HashMap::from([
        ("text".to_owned(), attribute("String", "hällo")),
        ("number".to_owned(), attribute("Number.int", "42")),
        ("bytes".to_owned(), binary.build().expect("the type is set")),
    ])
}

async fn send_with_attributes(queue: &QueueUnderTest) {
    let send = queue.client.send_message().queue_url(&queue.url).message_body("body");
    send.set_message_attributes(Some(three_attributes())).send().await.expect("the message is taken");
}

/// Text, number with its own type, and bytes.
pub async fn message_attributes_come_back_as_sent(server: &Endpoint) {
    let queue = server.queue("attributes", &[]).await;
    send_with_attributes(&queue).await;
    assert_eq!(queue.receive_one().await.message_attributes, Some(three_attributes()));
}

/// The hash over attributes by which other SDKs notice a broken message; the value follows from the AWS guide.
pub async fn message_attributes_are_hashed(server: &Endpoint) {
    let queue = server.queue("hashed", &[]).await;
    send_with_attributes(&queue).await;
    let message = queue.receive_one().await;
    assert_eq!(message.md5_of_message_attributes(), Some("33298af3cc05668b627890a28881b13b"));
}

/// A receiver that names one gets one.
pub async fn only_the_message_attributes_asked_for_come(server: &Endpoint) {
    let queue = server.queue("asked", &[]).await;
    send_with_attributes(&queue).await;
    let receive = queue.client.receive_message().queue_url(&queue.url).wait_time_seconds(5);
    let answer = receive.message_attribute_names("text").send().await.expect("a receive is answered");
    let attributes = answer.messages()[0].message_attributes.clone().expect("the one asked for");
    assert_eq!(attributes, HashMap::from([("text".to_owned(), attribute("String", "hällo"))]));
}

/// A prefix with `.*` asks for all attributes that begin with it.
pub async fn a_prefix_asks_for_all_attributes_below_it(server: &Endpoint) {
    let queue = server.queue("prefix", &[]).await;
    let send = queue.client.send_message().queue_url(&queue.url).message_body("body");
    let send = send.message_attributes("foo.a", attribute("String", "1"));
    send.message_attributes("bar.b", attribute("String", "2")).send().await.expect("the message is taken");
    let receive = queue.client.receive_message().queue_url(&queue.url).wait_time_seconds(5);
    let answer = receive.message_attribute_names("foo.*").send().await.expect("a receive is answered");
    let attributes = answer.messages()[0].message_attributes.clone().expect("those below the prefix");
    assert_eq!(attributes, HashMap::from([("foo.a".to_owned(), attribute("String", "1"))]));
}

/// What the bridge reads of the system attributes.
pub async fn system_attributes_come_when_asked_for(server: &Endpoint) {
    let queue = server.queue("system", &[]).await;
    queue.send("body").await;
    let message = queue.receive_one().await;
    let attributes = message.attributes.expect("system attributes");
    assert_eq!(attributes[&MessageSystemAttributeName::ApproximateReceiveCount], "1");
    let sent: u64 = attributes[&MessageSystemAttributeName::SentTimestamp].parse().expect("milliseconds");
    let received = &attributes[&MessageSystemAttributeName::ApproximateFirstReceiveTimestamp];
    assert!(sent <= received.parse().expect("milliseconds"), "sent at {sent}, first received at {received}");
}

/// A receiver that asks for none gets none.
pub async fn no_system_attribute_comes_unasked(server: &Endpoint) {
    let queue = server.queue("unasked", &[]).await;
    queue.send("body").await;
    let receive = queue.client.receive_message().queue_url(&queue.url).wait_time_seconds(5);
    let answer = receive.send().await.expect("a receive is answered");
    assert_eq!(answer.messages()[0].attributes, None);
}

/// The trace of X-Ray travels beside the attributes.
pub async fn the_trace_header_comes_back(server: &Endpoint) {
    const TRACE: &str = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
    let queue = server.queue("trace", &[]).await;
    let header = MessageSystemAttributeValue::builder().data_type("String").string_value(TRACE);
    let send = queue.client.send_message().queue_url(&queue.url).message_body("body").message_system_attributes(
        MessageSystemAttributeNameForSends::AwsTraceHeader,
        header.build().expect("the type is set"),
    );
    send.send().await.expect("the message is taken");
    let attributes = queue.receive_one().await.attributes.expect("system attributes");
    let trace = attributes.get(&MessageSystemAttributeName::AwsTraceHeader).map(String::as_str);
    assert_eq!(trace, Some(TRACE));
}

/// On a standard queue a group is only a name: the tenant of a fair queue.
pub async fn a_standard_queue_keeps_the_group_id(server: &Endpoint) {
    let queue = server.queue("tenant", &[]).await;
    let send = queue.client.send_message().queue_url(&queue.url).message_body("body").message_group_id("tenant-1");
    send.send().await.expect("a standard queue takes a group id");
    let attributes = queue.receive_one().await.attributes.expect("system attributes");
    let group = attributes.get(&MessageSystemAttributeName::MessageGroupId).map(String::as_str);
    assert_eq!(group, Some("tenant-1"));
}

/// A body as large as can be arrives whole.
pub async fn a_body_of_one_mebibyte_arrives_whole(server: &Endpoint) {
    let queue = server.queue("large", &[]).await;
    let body: String = ('a'..='z').cycle().take(LARGEST).collect();
    queue.send(&body).await;
    assert!(queue.receive_one().await.body() == Some(body.as_str()), "the body is as sent");
}

/// One byte more is refused.
pub async fn a_larger_body_is_refused(server: &Endpoint) {
    let queue = server.queue("larger", &[]).await;
    let send = queue.client.send_message().queue_url(&queue.url).message_body("x".repeat(LARGEST + 1));
    assert_eq!(code_of(send.send().await), "InvalidParameterValue");
}

/// Text outside ASCII and in need of escapes.
pub async fn any_text_that_xml_allows_arrives_as_sent(server: &Endpoint) {
    let queue = server.queue("text", &[]).await;
    let body = "tab\t quote\" back\\slash <&> ünïcödé 漢字 🚀 \u{fffd}\nend";
    queue.send(body).await;
    assert_eq!(queue.receive_one().await.body(), Some(body));
}

/// Characters that XML forbids are refused, so they reach the bridge only from broken senders.
pub async fn a_nul_in_a_body_is_refused(server: &Endpoint) {
    let queue = server.queue("nul", &[]).await;
    let send = queue.client.send_message().queue_url(&queue.url).message_body("a\0b");
    assert_eq!(code_of(send.send().await), "InvalidMessageContents");
}
