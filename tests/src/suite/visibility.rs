//! Who holds a message, and until when. I/O: the server asked.

use std::time::Duration;

use aws_sdk_sqs::types::MessageSystemAttributeName;
use aws_sdk_sqs::types::QueueAttributeName;
use tokio::time::Instant;

use super::Endpoint;
use super::endpoint::{QueueUnderTest, code_of, handle};

/// A message is not seen twice while somebody holds it.
pub async fn a_received_message_is_invisible(server: &Endpoint) {
    let queue = server.queue("held", &[]).await;
    queue.send("held").await;
    queue.receive_one().await;
    assert_eq!(queue.receive(10, 1, 30).await, []);
}

/// After the visibility timeout it comes again, counted, under another handle.
pub async fn an_unfinished_message_comes_again_with_another_handle(server: &Endpoint) {
    let queue = server.queue("again", &[]).await;
    let id = queue.send("again").await;
    let first = queue.receive(1, 5, 1).await.remove(0);
    let second = queue.receive_one().await;
    assert_eq!(second.message_id(), Some(id.as_str()));
    assert_ne!(handle(&second), handle(&first));
    let attributes = second.attributes.expect("system attributes");
    assert_eq!(attributes[&MessageSystemAttributeName::ApproximateReceiveCount], "2");
}

/// A heartbeat keeps the message with its holder.
pub async fn a_longer_visibility_keeps_the_message_away(server: &Endpoint) {
    let queue = server.queue("longer", &[]).await;
    queue.send("longer").await;
    let message = queue.receive(1, 5, 1).await.remove(0);
    queue.change(handle(&message), 30).await.expect("the holder may ask for more time");
    assert_eq!(queue.receive(10, 3, 30).await, []);
}

/// A visibility of zero gives the message back at once.
pub async fn a_visibility_of_zero_releases_the_message(server: &Endpoint) {
    let queue = server.queue("release", &[]).await;
    queue.send("release").await;
    let message = queue.receive_one().await;
    queue.change(handle(&message), 0).await.expect("the holder may give it back");
    assert_eq!(queue.receive_one().await.body(), Some("release"));
}

/// The queue's own timeout holds where a receive names none.
pub async fn the_queues_own_visibility_holds_by_default(server: &Endpoint) {
    let queue = server.queue("default", &[(QueueAttributeName::VisibilityTimeout, "1")]).await;
    queue.send("default").await;
    let receive = queue.client.receive_message().queue_url(&queue.url).wait_time_seconds(5);
    assert_eq!(receive.send().await.expect("a receive is answered").messages().len(), 1);
    assert_eq!(queue.receive_one().await.body(), Some("default"));
}

/// Twelve hours are the limit of one timeout.
pub async fn a_visibility_of_more_than_twelve_hours_is_refused(server: &Endpoint) {
    let queue = server.queue("toolong", &[]).await;
    queue.send("toolong").await;
    let message = queue.receive_one().await;
    let code = code_of(queue.change(handle(&message), 43_201).await);
    assert_eq!(code, "InvalidParameterValue");
}

/// And of all timeouts since the receive together.
pub async fn twelve_hours_are_the_limit_since_the_receive(server: &Endpoint) {
    let queue = server.queue("sum", &[]).await;
    queue.send("sum").await;
    let message = queue.receive_one().await;
    assert_eq!(queue.receive(1, 1, 30).await, []);
    let code = code_of(queue.change(handle(&message), 43_200).await);
    assert_eq!(code, "InvalidParameterValue");
}

/// A message that nobody holds cannot be held longer.
pub async fn the_visibility_of_a_visible_message_cannot_be_changed(server: &Endpoint) {
    let queue = server.queue("visible", &[]).await;
    queue.send("visible").await;
    let message = queue.receive_one().await;
    queue.change(handle(&message), 0).await.expect("the holder may give it back");
    let code = code_of(queue.change(handle(&message), 30).await);
    assert_eq!(code, "MessageNotInflight");
}

/// The handle of an older receive deletes nothing.
pub async fn an_old_handle_does_not_delete(server: &Endpoint) {
    let queue = server.queue("old", &[]).await;
    queue.send("old").await;
    let first = queue.receive_one().await;
    queue.change(handle(&first), 0).await.expect("the holder may give it back");
    let second = queue.receive(1, 5, 30).await.remove(0);

    let delete = queue.client.delete_message().queue_url(&queue.url).receipt_handle(handle(&first));
    delete.send().await.expect("SQS answers a delete with an old handle with success");
    queue.change(handle(&second), 0).await.expect("the message is still there");
    assert_eq!(queue.receive_one().await.body(), Some("old"));
}

/// A message released in time is still deleted by the handle under which it was released.
pub async fn the_newest_handle_deletes_a_visible_message(server: &Endpoint) {
    let queue = server.queue("newest", &[]).await;
    queue.send("newest").await;
    let message = queue.receive_one().await;
    queue.change(handle(&message), 0).await.expect("the holder may give it back");
    queue.delete(&[message]).await;
    assert_eq!(queue.drain().await, Vec::<String>::new());
}

/// A delay counts from sending.
pub async fn a_delayed_message_comes_later(server: &Endpoint) {
    let queue = server.queue("delay", &[]).await;
    let started = Instant::now();
    let send = queue.client.send_message().queue_url(&queue.url).message_body("later").delay_seconds(2);
    send.send().await.expect("the message is taken");
    assert_eq!(queue.receive_one().await.body(), Some("later"));
    assert!(started.elapsed() >= Duration::from_millis(1500), "it came after {:?}", started.elapsed());
}

impl QueueUnderTest {
    async fn change(
        &self,
        handle: &str,
        seconds: i32,
    ) -> Result<
        aws_sdk_sqs::operation::change_message_visibility::ChangeMessageVisibilityOutput,
        aws_sdk_sqs::error::SdkError<aws_sdk_sqs::operation::change_message_visibility::ChangeMessageVisibilityError>,
    > {
        let change = self.client.change_message_visibility().queue_url(&self.url).receipt_handle(handle);
        change.visibility_timeout(seconds).send().await
    }
}
