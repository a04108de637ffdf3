//! Send, receive, delete, and the queue's own name. I/O: the server asked.

use aws_sdk_sqs::types::QueueAttributeName;

use super::Endpoint;
use super::endpoint::{code_of, handle};

/// The plain life of a message.
pub async fn a_sent_message_is_received_and_deleted_once(server: &Endpoint) {
    let queue = server.queue("basics", &[]).await;
    let id = queue.send("hello").await;

    let message = queue.receive_one().await;
    assert_eq!(message.message_id(), Some(id.as_str()));
    assert_eq!(message.body(), Some("hello"));
    assert_eq!(message.md5_of_body(), Some("5d41402abc4b2a76b9719d911017c592"));
    queue.delete(&[message]).await;
    assert_eq!(queue.drain().await, Vec::<String>::new());
}

/// The bridge learns the URL from name and account.
pub async fn the_url_of_a_queue_is_told_with_and_without_its_account(server: &Endpoint) {
    let queue = server.queue("url", &[]).await;
    let arn = queue.attribute(QueueAttributeName::QueueArn).await.expect("a queue has an ARN");
    let account = arn.split(':').nth(4).expect("an ARN names an account").to_owned();

    let asked = queue.client.get_queue_url().queue_name(&queue.name);
    let plain = asked.clone().send().await.expect("the URL is told");
    let with_owner = asked.queue_owner_aws_account_id(account).send().await.expect("the URL is told to the owner");
    assert_eq!(plain.queue_url(), Some(queue.url.as_str()));
    assert_eq!(with_owner.queue_url(), Some(queue.url.as_str()));
}

/// The bridge tells a missing queue by these codes.
pub async fn a_missing_queue_is_called_so(server: &Endpoint) {
    let queue = server.queue("missing", &[]).await;
    let gone = format!("{}-gone", queue.url);
    let missing = ["NonExistentQueue", "QueueDoesNotExist"];

    let receive = code_of(queue.client.receive_message().queue_url(&gone).send().await);
    let url = code_of(queue.client.get_queue_url().queue_name(format!("{}-gone", queue.name)).send().await);
    assert!(missing.contains(&receive.as_str()), "ReceiveMessage answers {receive}");
    assert!(missing.contains(&url.as_str()), "GetQueueUrl answers {url}");
}

/// An answer lost and repeated must not look like a failure.
pub async fn a_repeated_delete_succeeds(server: &Endpoint) {
    let queue = server.queue("again", &[]).await;
    queue.send("once").await;
    let message = queue.receive_one().await;
    for _ in 0..2 {
        let delete = queue.client.delete_message().queue_url(&queue.url).receipt_handle(handle(&message));
        delete.send().await.expect("a delete succeeds, also of a message that is gone");
    }
}

/// What is no handle at all is told apart from an old one.
pub async fn what_is_no_receipt_handle_is_refused(server: &Endpoint) {
    let queue = server.queue("nohandle", &[]).await;
    let delete = queue.client.delete_message().queue_url(&queue.url).receipt_handle("not a handle");
    assert_eq!(code_of(delete.send().await), "ReceiptHandleIsInvalid");
}

/// A purge leaves nothing.
pub async fn a_purged_queue_is_empty(server: &Endpoint) {
    let queue = server.queue("purge", &[]).await;
    queue.send("one").await;
    queue.send("two").await;
    queue.client.purge_queue().queue_url(&queue.url).send().await.expect("a queue can be purged");
    assert_eq!(queue.drain().await, Vec::<String>::new());
}

/// The counts by which the bridge reports the state of a queue.
pub async fn counts_tell_visible_and_held_messages(server: &Endpoint) {
    let queue = server.queue("counts", &[]).await;
    for body in ["a", "b", "c"] {
        queue.send(body).await;
    }
    assert_eq!(queue.receive(1, 5, 30).await.len(), 1);
    let visible = queue.attribute(QueueAttributeName::ApproximateNumberOfMessages).await;
    let held = queue.attribute(QueueAttributeName::ApproximateNumberOfMessagesNotVisible).await;
    assert_eq!((visible.as_deref(), held.as_deref()), (Some("2"), Some("1")));
}
