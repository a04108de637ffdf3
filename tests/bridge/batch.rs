//! Deletes in batches, some of which fail.

use super::*;
use tests::sqs::{Action, Code, Fault, Request, on};

fn batch_sizes(scene: &Scene) -> Vec<usize> {
    let calls = scene.sqs.calls_of(Action::DeleteMessageBatch);
    calls
        .iter()
        .map(|call| if let Request::DeleteMessageBatch(ask) = &call.request { ask.entries.len() } else { 0 })
        .collect()
}

/// A full queue costs two requests for ten messages.
#[test]
fn deletes_go_in_batches_of_ten() {
    timelapse(async {
        let scene = Scene::new().await;
        scene.queue.send_all((0..500).map(|number| number.to_string()));
        let bridge = scene.start().await;
        scene.drained().await;
        let sizes = batch_sizes(&scene);
        assert_eq!(sizes.iter().sum::<usize>(), 500);
        assert!(sizes.len() <= 55, "{} batches for 500 messages", sizes.len());
        let per_thousand = scene.sqs.requests_per_thousand().expect("messages were deleted");
        assert!(per_thousand <= 260.0, "{per_thousand} requests per 1,000 messages");
        bridge.stop().await;
    });
}

/// A single message does not wait for nine others.
#[test]
fn a_single_delete_waits_a_fifth_of_a_second_at_most() {
    timelapse(async {
        let scene = Scene::new().await;
        let bridge = scene.start().await;
        scene.queue.send("alone");
        scene.drained().await;
        let accepted = scene.sink.accepted()[0].answered.expect("it was answered");
        let waited = scene.sqs.calls_of(Action::DeleteMessageBatch)[0].came - accepted;
        assert!(waited <= Duration::from_millis(250), "the delete came {waited:?} after the answer");
        bridge.stop().await;
    });
}

/// Lost answers and refused calls are repeated whole; SQS deletes twice without complaint.
#[test]
fn a_delete_without_an_answer_is_repeated() {
    timelapse(async {
        let faults = [
            Fault::LoseAnswer,
            Fault::HoldAnswer,
            Fault::Reset,
            Fault::Swallow,
            Fault::Refuse(Code::INTERNAL_ERROR),
            Fault::Refuse(Code::THROTTLING),
            Fault::Nonsense { status: 502, body: "<html>Bad Gateway</html>" },
        ];
        for fault in faults {
            let scene = Scene::new().await;
            let switch = scene.sqs.inject(on(Action::DeleteMessageBatch).times(2), fault.clone());
            scene.queue.send_all((0..10).map(|number| number.to_string()));
            let bridge = scene.start().await;
            let outcome = async || (switch.fired(), scene.queue.is_empty(), scene.sink.count());
            eventually(LONG, async || match outcome().await {
                (2, true, 10) => Ok(()),
                other => Err(other),
            })
            .await;
            bridge.stop().await;
        }
    });
}

/// A message that comes again although its delete succeeded is the same event to the sink, and is deleted again.
#[test]
fn a_message_that_outlives_its_delete_keeps_its_id() {
    timelapse(async {
        let scene = Scene::new().await;
        scene.sqs.inject(on(Action::DeleteMessageBatch).once(), Fault::DeleteInVain);
        let bridge = scene.start().await;
        let id = scene.queue.send("undead");
        scene.drained().await;
        assert!(scene.queue.was_deleted(&id));
        assert!(scene.sink.count() <= 2, "{} deliveries", scene.sink.count());
        assert_eq!(scene.sink.acceptances().into_keys().collect::<Vec<_>>(), [(scene.queue.arn(), id.to_string())]);
        bridge.stop().await;
    });
}
