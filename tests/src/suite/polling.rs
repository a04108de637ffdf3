//! Long polls and the limits of a receive. I/O: the server asked.

use std::time::Duration;

use aws_sdk_sqs::types::{MessageSystemAttributeName, QueueAttributeName};
use tokio::time::{Instant, timeout};

use super::Endpoint;
use super::endpoint::code_of;

/// A poll that waits is answered as soon as a message comes, not at its end.
pub async fn a_long_poll_wakes_when_a_message_comes(server: &Endpoint) {
    let queue = server.queue("wake", &[]).await;
    let (waiter, sender) = (queue.clone(), queue.clone());
    let poll = tokio::spawn(async move { waiter.receive(10, 20, 30).await });
    // The poll must be under way: until the first one has come back empty, nothing is sent.
    assert_eq!(sender.receive(1, 1, 30).await, []);
    sender.send("wake up").await;
    let messages = timeout(Duration::from_secs(10), poll).await.expect("long before the 20 s are over");
    assert_eq!(messages.expect("the poll does not panic")[0].body(), Some("wake up"));
}

/// A poll on an empty queue ends after its wait, with nothing.
pub async fn an_empty_poll_waits_and_brings_nothing(server: &Endpoint) {
    let queue = server.queue("empty", &[]).await;
    let started = Instant::now();
    let receive = queue.client.receive_message().queue_url(&queue.url).wait_time_seconds(2);
    let answer = receive.message_system_attribute_names(MessageSystemAttributeName::All).send().await;
    assert_eq!(answer.expect("an empty receive is no error").messages(), []);
    assert!(started.elapsed() >= Duration::from_millis(1500), "it came back after {:?}", started.elapsed());
}

/// The queue's own wait holds where a receive names none.
pub async fn the_queues_own_wait_holds_by_default(server: &Endpoint) {
    let queue = server.queue("ownwait", &[(QueueAttributeName::ReceiveMessageWaitTimeSeconds, "2")]).await;
    let started = Instant::now();
    let answer = queue.client.receive_message().queue_url(&queue.url).send().await;
    assert_eq!(answer.expect("an empty receive is no error").messages(), []);
    assert!(started.elapsed() >= Duration::from_millis(1500), "it came back after {:?}", started.elapsed());
}

/// A wait of zero, given, goes before the queue's own.
pub async fn a_wait_of_zero_goes_before_the_queues_own(server: &Endpoint) {
    let queue = server.queue("zero", &[(QueueAttributeName::ReceiveMessageWaitTimeSeconds, "20")]).await;
    let receive = timeout(Duration::from_secs(10), queue.receive(1, 0, 30)).await;
    assert_eq!(receive.expect("a short poll does not wait"), []);
}

/// Ten at most.
pub async fn a_receive_brings_ten_messages_at_most(server: &Endpoint) {
    let queue = server.queue("ten", &[]).await;
    for number in 0..12 {
        queue.send(&number.to_string()).await;
    }
    assert_eq!(queue.receive(10, 5, 30).await.len(), 10);
}

/// More cannot be asked for.
pub async fn a_receive_of_eleven_is_refused(server: &Endpoint) {
    let queue = server.queue("eleven", &[]).await;
    let receive = queue.client.receive_message().queue_url(&queue.url).max_number_of_messages(11);
    assert_eq!(code_of(receive.send().await), "InvalidParameterValue");
}

/// Twenty seconds are the longest wait.
pub async fn a_wait_of_twenty_one_seconds_is_refused(server: &Endpoint) {
    let queue = server.queue("longwait", &[]).await;
    let receive = queue.client.receive_message().queue_url(&queue.url).wait_time_seconds(21);
    assert_eq!(code_of(receive.send().await), "InvalidParameterValue");
}
