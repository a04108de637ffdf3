//! Up to ten at once, some of which may fail. I/O: the server asked.

use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry, SendMessageBatchRequestEntry,
};

use super::Endpoint;
use super::endpoint::{code_of, handle};

fn delete_entry(id: &str, handle: &str) -> DeleteMessageBatchRequestEntry {
    let entry = DeleteMessageBatchRequestEntry::builder().id(id).receipt_handle(handle);
    entry.build().expect("id and handle are set")
}

/// Each entry is told of by its own id.
pub async fn a_batch_of_sends_is_taken_entry_by_entry(server: &Endpoint) {
    let queue = server.queue("sends", &[]).await;
    let entry = |id: &str| SendMessageBatchRequestEntry::builder().id(id).message_body(format!("body {id}"));
    let send = queue.client.send_message_batch().queue_url(&queue.url);
    let send = send.entries(entry("x").build().expect("all is set")).entries(entry("y").build().expect("all is set"));
    let answer = send.send().await.expect("the batch is answered");
    let mut taken: Vec<_> = answer.successful().iter().map(|entry| entry.id().to_owned()).collect();
    taken.sort();
    assert_eq!((taken, answer.failed()), (vec!["x".to_owned(), "y".to_owned()], &[][..]));
    let mut bodies = queue.drain().await;
    bodies.sort();
    assert_eq!(bodies, ["body x", "body y"]);
}

/// What fails does not take the others with it.
pub async fn one_wrong_handle_does_not_spoil_a_batch_of_deletes(server: &Endpoint) {
    let queue = server.queue("deletes", &[]).await;
    queue.send("good").await;
    let message = queue.receive_one().await;
    let delete = queue.client.delete_message_batch().queue_url(&queue.url);
    let delete = delete.entries(delete_entry("good", handle(&message))).entries(delete_entry("bad", "not a handle"));
    let answer = delete.send().await.expect("the batch is answered");
    let done: Vec<_> = answer.successful().iter().map(|entry| entry.id()).collect();
    let failed: Vec<_> = answer.failed().iter().map(|entry| (entry.id(), entry.sender_fault())).collect();
    assert_eq!((done, failed), (vec!["good"], vec![("bad", true)]));
}

/// The same for changes of visibility.
pub async fn one_wrong_handle_does_not_spoil_a_batch_of_changes(server: &Endpoint) {
    let queue = server.queue("changes", &[]).await;
    queue.send("good").await;
    let message = queue.receive_one().await;
    let entry = |id: &str, handle: &str| {
        let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(id).receipt_handle(handle);
        entry.visibility_timeout(0).build().expect("id and handle are set")
    };
    let change = queue.client.change_message_visibility_batch().queue_url(&queue.url);
    let change = change.entries(entry("good", handle(&message))).entries(entry("bad", "not a handle"));
    let answer = change.send().await.expect("the batch is answered");
    let done: Vec<_> = answer.successful().iter().map(|entry| entry.id()).collect();
    let failed: Vec<_> = answer.failed().iter().map(|entry| (entry.id(), entry.sender_fault())).collect();
    assert_eq!((done, failed), (vec!["good"], vec![("bad", true)]));
    assert_eq!(queue.receive_one().await.body(), Some("good"));
}

/// Two entries with one id cannot be told apart in the answer.
pub async fn entry_ids_must_differ(server: &Endpoint) {
    let queue = server.queue("ids", &[]).await;
    queue.send("body").await;
    let message = queue.receive_one().await;
    let delete = queue.client.delete_message_batch().queue_url(&queue.url);
    let delete = delete.entries(delete_entry("0", handle(&message))).entries(delete_entry("0", handle(&message)));
    assert_eq!(code_of(delete.send().await), "BatchEntryIdsNotDistinct");
}

/// Nothing to do is a mistake.
pub async fn an_empty_batch_is_refused(server: &Endpoint) {
    let queue = server.queue("nobatch", &[]).await;
    let delete = queue.client.delete_message_batch().queue_url(&queue.url).set_entries(Some(Vec::new()));
    assert_eq!(code_of(delete.send().await), "EmptyBatchRequest");
}

/// Ten at most.
pub async fn a_batch_of_eleven_is_refused(server: &Endpoint) {
    let queue = server.queue("toomany", &[]).await;
    let entries = (0..11).map(|id| delete_entry(&id.to_string(), "any")).collect();
    let delete = queue.client.delete_message_batch().queue_url(&queue.url).set_entries(Some(entries));
    assert_eq!(code_of(delete.send().await), "TooManyEntriesInBatchRequest");
}
