//! Send, receive, delete. I/O: the server asked.

use super::Endpoint;

/// The plain life of a message.
pub async fn a_sent_message_is_received_and_deleted_once(server: &Endpoint) {
    let queue = server.queue("basics", &[]).await;
    let id = queue.send("hello").await;

    let message = queue.receive_one().await;
    assert_eq!(message.message_id(), Some(id.as_str()));
    assert_eq!(message.body(), Some("hello"));
    queue.delete(&[message]).await;
    assert_eq!(queue.drain().await, Vec::<String>::new());
}
