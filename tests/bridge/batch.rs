//! Deletes in batches, some of which fail.

use super::*;
use tests::sqs::{Action, Code, FailEntries, Fault, Request, Which, on};

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

/// Entries that fail on the server's side are deleted later, without another POST.
#[test]
fn entries_that_fail_are_deleted_later() {
    timelapse(async {
        for code in [Code::INTERNAL_ERROR, Code::REQUEST_THROTTLED] {
            let scene = Scene::new().await;
            let sender_fault = code == Code::REQUEST_THROTTLED;
            let fail = FailEntries { which: Which::First(3), code, sender_fault };
            let fault = scene.sqs.inject(on(Action::DeleteMessageBatch).times(2), Fault::FailEntries(fail));
            scene.queue.send_all((0..10).map(|number| number.to_string()));
            let bridge = scene.start().await;
            scene.drained().await;
            assert_eq!((fault.fired(), scene.sink.count()), (2, 10));
            scene.assert_nothing_lost();
            bridge.stop().await;
        }
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

/// A standard queue may hand over one message under two handles at once.
#[test]
fn a_message_under_two_handles_is_one_event() {
    timelapse(async {
        let scene = Scene::new().await;
        let fault = scene.sqs.inject(on(Action::ReceiveMessage).once(), Fault::HandOverTwice);
        scene.queue.send_all(["a", "b", "c"]);
        let bridge = scene.start().await;
        scene.drained().await;
        assert_eq!(fault.fired(), 1);
        assert_eq!(scene.sink.acceptances().len(), 3);
        assert_eq!(scene.sink.duplicates().len(), 0);
        let refused: Vec<_> = scene.sqs.calls().into_iter().filter_map(|call| call.error).collect();
        assert_eq!(refused, Vec::<&str>::new(), "no batch has two entries of one id");
        bridge.stop().await;
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
