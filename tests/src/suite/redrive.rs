//! Messages received too often leave for another queue. I/O: the server asked.

use aws_sdk_sqs::types::{MessageSystemAttributeName, QueueAttributeName};

use super::Endpoint;
use super::endpoint::QueueUnderTest;

async fn queue_with_grave(server: &Endpoint, most: u32, fifo: bool) -> (QueueUnderTest, QueueUnderTest) {
    let mut attributes = if fifo { vec![(QueueAttributeName::FifoQueue, "true")] } else { Vec::new() };
    let grave = server.queue("grave", &attributes).await;
    let arn = grave.attribute(QueueAttributeName::QueueArn).await.expect("a queue has an ARN");
    let policy = format!(r#"{{"deadLetterTargetArn":"{arn}","maxReceiveCount":"{most}"}}"#);
    attributes.push((QueueAttributeName::RedrivePolicy, &policy));
    (server.queue("source", &attributes).await, grave)
}

/// After `maxReceiveCount` receives the next one does not find it, and the dead-letter queue does.
pub async fn a_message_received_too_often_moves_to_the_dead_letter_queue(server: &Endpoint) {
    let (queue, grave) = queue_with_grave(server, 2, false).await;
    let id = queue.send("poison").await;
    for _ in 0..2 {
        assert_eq!(queue.receive(1, 5, 1).await[0].message_id(), Some(id.as_str()));
    }
    assert_eq!(queue.receive(1, 3, 1).await, []);
    let dead = grave.receive_one().await;
    assert_eq!((dead.message_id(), dead.body()), (Some(id.as_str()), Some("poison")));
}

/// The dead message names the queue it comes from.
pub async fn a_dead_message_tells_where_it_comes_from(server: &Endpoint) {
    let (queue, grave) = queue_with_grave(server, 1, false).await;
    queue.send("poison").await;
    assert_eq!(queue.receive(1, 5, 1).await.len(), 1);
    assert_eq!(queue.receive(1, 3, 1).await, []);
    let attributes = grave.receive_one().await.attributes.expect("system attributes");
    let source = attributes.get(&MessageSystemAttributeName::DeadLetterQueueSourceArn).cloned();
    assert_eq!(source, queue.attribute(QueueAttributeName::QueueArn).await);
}

/// A poisoned head of a FIFO group leaves, and its followers come.
pub async fn the_group_goes_on_when_its_head_has_left(server: &Endpoint) {
    let (queue, grave) = queue_with_grave(server, 1, true).await;
    queue.send_to_group("g", "poison").await;
    queue.send_to_group("g", "next").await;
    assert_eq!(queue.receive(1, 5, 1).await[0].body(), Some("poison"));
    assert_eq!(queue.receive_one().await.body(), Some("next"));
    assert_eq!(grave.receive_one().await.body(), Some("poison"));
}

/// The bridge reads the policy to know whether a dead-letter queue takes what it leaves.
pub async fn the_redrive_policy_is_told(server: &Endpoint) {
    let (queue, grave) = queue_with_grave(server, 5, false).await;
    let policy = queue.attribute(QueueAttributeName::RedrivePolicy).await.expect("the policy is told");
    let policy: serde_json::Value = serde_json::from_str(&policy).expect("the policy is JSON");
    let arn = grave.attribute(QueueAttributeName::QueueArn).await.expect("a queue has an ARN");
    assert_eq!(policy["deadLetterTargetArn"], serde_json::json!(arn));
    assert_eq!(policy["maxReceiveCount"].to_string().trim_matches('"'), "5");
}
