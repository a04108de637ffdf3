//! Order, groups and deduplication of FIFO queues. I/O: the server asked.

use aws_sdk_sqs::types::{Message, MessageSystemAttributeName, QueueAttributeName};

use super::Endpoint;
use super::endpoint::{QueueUnderTest, code_of, handle};

async fn fifo(server: &Endpoint) -> QueueUnderTest {
    server.queue("fifo", &[(QueueAttributeName::FifoQueue, "true")]).await
}

fn bodies(messages: &[Message]) -> Vec<&str> {
    messages.iter().filter_map(Message::body).collect()
}

async fn release(queue: &QueueUnderTest, message: &Message) {
    let change = queue.client.change_message_visibility().queue_url(&queue.url).receipt_handle(handle(message));
    change.visibility_timeout(0).send().await.expect("the holder may give it back");
}

/// One receive brings a group's messages in sending order.
pub async fn messages_of_a_group_come_in_order(server: &Endpoint) {
    let queue = fifo(server).await;
    let sent: Vec<String> = (0..9).map(|number| number.to_string()).collect();
    for body in &sent {
        queue.send_to_group("g", body).await;
    }
    assert_eq!(queue.drain().await, sent);
}

/// While one message of a group is held, its others wait; other groups do not.
pub async fn a_held_message_locks_its_group_and_no_other(server: &Endpoint) {
    let queue = fifo(server).await;
    queue.send_to_group("a", "a1").await;
    queue.send_to_group("a", "a2").await;
    queue.send_to_group("b", "b1").await;
    let first = queue.receive(1, 5, 30).await;
    let others = queue.receive(10, 5, 30).await;
    let mut all = bodies(&first);
    all.extend(bodies(&others));
    assert_eq!(all.len(), 2, "one message of each group, but came {all:?}");
    assert!(all.contains(&"a1") && all.contains(&"b1"), "the heads of both groups, but came {all:?}");
    assert_eq!(queue.receive(10, 1, 30).await, []);
}

/// The group goes on when the held message is deleted.
pub async fn a_delete_unlocks_the_group(server: &Endpoint) {
    let queue = fifo(server).await;
    queue.send_to_group("g", "1").await;
    queue.send_to_group("g", "2").await;
    let first = queue.receive(1, 5, 30).await;
    queue.delete(&first).await;
    assert_eq!(bodies(&queue.receive(1, 5, 30).await), ["2"]);
}

/// A failed head comes again before its followers.
pub async fn a_released_head_comes_before_its_followers(server: &Endpoint) {
    let queue = fifo(server).await;
    queue.send_to_group("g", "1").await;
    queue.send_to_group("g", "2").await;
    let first = queue.receive(1, 5, 30).await.remove(0);
    release(&queue, &first).await;
    assert_eq!(queue.drain().await, ["1", "2"]);
}

/// Released from tail to head, as the bridge does, a whole group comes again in order.
pub async fn a_group_released_from_its_tail_comes_again_in_order(server: &Endpoint) {
    let queue = fifo(server).await;
    for body in ["1", "2", "3"] {
        queue.send_to_group("g", body).await;
    }
    let all = queue.receive(10, 5, 30).await;
    assert_eq!(bodies(&all), ["1", "2", "3"]);
    for message in all.iter().rev() {
        release(&queue, message).await;
    }
    assert_eq!(queue.drain().await, ["1", "2", "3"]);
}

/// A group in flight stays locked while only its head was released.
pub async fn a_released_head_waits_for_the_held_rest_of_its_group(server: &Endpoint) {
    let queue = fifo(server).await;
    queue.send_to_group("g", "1").await;
    queue.send_to_group("g", "2").await;
    let all = queue.receive(10, 5, 30).await;
    assert_eq!(bodies(&all), ["1", "2"]);
    release(&queue, &all[0]).await;
    assert_eq!(queue.receive(10, 2, 30).await, []);
}

/// Within five minutes a deduplication id stands for one message.
pub async fn a_repeated_deduplication_id_is_taken_once(server: &Endpoint) {
    let queue = fifo(server).await;
    let send = || {
        let send = queue.client.send_message().queue_url(&queue.url).message_body("once").message_group_id("g");
        send.message_deduplication_id("same").send()
    };
    let first = send().await.expect("the first is taken");
    let second = send().await.expect("the second is answered as if it were");
    assert_eq!(first.message_id(), second.message_id());
    assert_eq!(queue.drain().await, ["once"]);
}

/// Also after the first has been delivered and deleted.
pub async fn a_deduplication_id_outlives_its_message(server: &Endpoint) {
    let queue = fifo(server).await;
    for _ in 0..2 {
        let send = queue.client.send_message().queue_url(&queue.url).message_body("once").message_group_id("g");
        send.message_deduplication_id("same").send().await.expect("both are answered");
        queue.drain().await;
    }
    let visible = queue.attribute(QueueAttributeName::ApproximateNumberOfMessages).await;
    assert_eq!(visible.as_deref(), Some("0"));
}

/// With content-based deduplication the body is the id.
pub async fn equal_bodies_are_one_message_where_the_content_decides(server: &Endpoint) {
    let attributes = [(QueueAttributeName::FifoQueue, "true"), (QueueAttributeName::ContentBasedDeduplication, "true")];
    let queue = server.queue("content", &attributes).await;
    for body in ["same", "same", "other"] {
        let send = queue.client.send_message().queue_url(&queue.url).message_body(body).message_group_id("g");
        send.send().await.expect("each is answered");
    }
    assert_eq!(queue.drain().await, ["same", "other"]);
}

/// Sequence numbers ascend, and the receiver sees the sender's.
pub async fn sequence_numbers_ascend_and_are_received(server: &Endpoint) {
    let queue = fifo(server).await;
    let mut sent: Vec<u128> = Vec::new();
    for body in ["1", "2"] {
        let send = queue.client.send_message().queue_url(&queue.url).message_body(body).message_group_id("g");
        let answer = send.message_deduplication_id(body).send().await.expect("the message is taken");
        sent.push(answer.sequence_number().expect("a sequence number").parse().expect("a number"));
    }
    assert!(sent[0] < sent[1], "{sent:?} ascend");
    let received = queue.receive(10, 5, 30).await;
    let numbers: Vec<u128> = received.iter().filter_map(|message| sequence(message)?.parse().ok()).collect();
    assert_eq!(numbers, sent);
}

fn sequence(message: &Message) -> Option<&String> {
    message.attributes.as_ref()?.get(&MessageSystemAttributeName::SequenceNumber)
}

/// Group and deduplication id reach the receiver.
pub async fn group_and_deduplication_id_are_received(server: &Endpoint) {
    let queue = fifo(server).await;
    let send = queue.client.send_message().queue_url(&queue.url).message_body("x").message_group_id("group-1");
    send.message_deduplication_id("dedup-1").send().await.expect("the message is taken");
    let attributes = queue.receive_one().await.attributes.expect("system attributes");
    let of = |name| attributes.get(&name).map(String::as_str);
    assert_eq!(of(MessageSystemAttributeName::MessageGroupId), Some("group-1"));
    assert_eq!(of(MessageSystemAttributeName::MessageDeduplicationId), Some("dedup-1"));
}

/// Without a group there is no order to keep.
pub async fn a_message_without_a_group_is_refused(server: &Endpoint) {
    let queue = fifo(server).await;
    let send = queue.client.send_message().queue_url(&queue.url).message_body("x").message_deduplication_id("1");
    assert_eq!(code_of(send.send().await), "MissingParameter");
}

/// The handle of a message whose time has run out can no longer delete it.
pub async fn an_expired_handle_is_refused(server: &Endpoint) {
    let queue = fifo(server).await;
    queue.send_to_group("g", "x").await;
    let first = queue.receive(1, 5, 1).await.remove(0);
    queue.receive_one().await;
    let delete = queue.client.delete_message().queue_url(&queue.url).receipt_handle(handle(&first));
    let code = code_of(delete.send().await);
    // SQS answers the former ("The receipt handle has expired"), its API reference lists the latter.
    assert!(["InvalidParameterValue", "ReceiptHandleIsInvalid"].contains(&code.as_str()), "refused with {code}");
}

/// A receive whose answer was lost is repeated with its attempt id and brings the same messages.
pub async fn a_repeated_attempt_id_brings_the_same_messages(server: &Endpoint) {
    let [first, second] = receive_twice_with_one_attempt_id(server).await;
    assert_eq!(bodies(&first), ["1", "2"]);
    assert_eq!(bodies(&second), ["1", "2"]);
}

/// And under the same handles.
pub async fn a_repeated_attempt_id_brings_the_same_handles(server: &Endpoint) {
    let [first, second] = receive_twice_with_one_attempt_id(server).await;
    assert_eq!(second.iter().map(handle).collect::<Vec<_>>(), first.iter().map(handle).collect::<Vec<_>>());
}

async fn receive_twice_with_one_attempt_id(server: &Endpoint) -> [Vec<Message>; 2] {
    let queue = fifo(server).await;
    queue.send_to_group("g", "1").await;
    queue.send_to_group("g", "2").await;
    let receive = async || {
        let receive = queue.client.receive_message().queue_url(&queue.url).max_number_of_messages(10);
        let receive = receive.wait_time_seconds(1).visibility_timeout(30).receive_request_attempt_id("attempt-1");
        receive.send().await.expect("a receive is answered").messages.unwrap_or_default()
    };
    [receive().await, receive().await]
}
