//! Deletes that are starved, refused, late or made with a handle that is too old.

use std::sync::Arc;

use super::*;
use tests::bridge::RunningBridge;

const RTT: Latency = Latency { typical: millis(25), tail: -1.0 };

/// The longest time from the sink's answer to the answer of the delete, over all messages that were accepted since.
fn longest_delete(scene: &Scene) -> Duration {
    let calls = scene.sqs.calls_of(Action::DeleteMessageBatch);
    let answered = |id: &str| {
        let call = calls.iter().find(|call| call.messages.iter().any(|deleted| &**deleted == id));
        call.and_then(|call| call.answered).expect("every message was deleted, and the bridge was told")
    };
    let accepted = scene.sink.accepted();
    let waits = accepted.iter().map(|it| answered(it.event.id()) - it.answered.expect("it was accepted"));
    waits.max().expect("something was accepted")
}

fn polls_out(scene: &Scene) -> usize {
    scene.sqs.calls_of(Action::ReceiveMessage).iter().filter(|call| call.answered.is_none()).count()
}

/// Receives that are always full, so that one poller after the other is added until 64 wait.
async fn with_64_pollers(scene: &Scene) -> RunningBridge {
    let slow = [(Action::ReceiveMessage, 300), (Action::DeleteMessageBatch, 250)];
    let slow = slow.map(|(action, takes)| scene.sqs.inject(on(action), Fault::Delay(Latency::exactly(millis(takes)))));
    scene.queue.send_all(numbered(1_600));
    let setup = scene.setup().set("BRIDGE_MAX_POLLERS", "64").set("BRIDGE_MAX_IN_FLIGHT", "2000");
    let bridge = setup.start().await;
    scene.drained().await;
    slow.iter().for_each(tests::sqs::Switch::off);
    let out = polls_out(scene);
    assert_eq!(out, 64, "long polls that wait");
    bridge
}

/// Deletes have connections and retries of their own.
#[test]
fn fail_03_deletes_are_as_quick_while_64_long_polls_wait_as_while_one_does() {
    timelapse(async {
        let mut longest = Vec::new();
        for crowded in [false, true] {
            let scene = Scene::new().await;
            let bridge = if crowded { with_64_pollers(&scene).await } else { scene.start().await };
            bridge.ready().await;
            scene.sqs.inject(on(Action::DeleteMessageBatch), Fault::Delay(RTT));
            scene.sink.forget();
            scene.queue.send("alone");
            scene.drained().await;
            pass(seconds(1)).await;
            longest.push(longest_delete(&scene));
            bridge.kill();
        }
        let [alone, crowded] = longest[..] else { panic!("two runs") };
        assert!(crowded <= alone + millis(5), "{alone:?} beside one long poll, {crowded:?} beside 64");
        assert!(alone <= millis(240), "a fifth of a second of linger and a round trip of 25 ms took {alone:?}");
    });
}

/// Sixteen batches of ten in each 25 ms are 6,400 messages a second.
#[test]
fn fail_04_deletes_in_parallel_carry_6000_messages_a_second_at_25_milliseconds() {
    timelapse(async {
        let mut rates = Vec::new();
        for messages in [10, 80, 1_280] {
            let scene = Scene::new().await;
            scene.sqs.inject(on(Action::DeleteMessageBatch), Fault::Delay(RTT));
            scene.queue.send_all(numbered(messages));
            let bridge = scene.start().await;
            scene.drained().await;
            pass(seconds(1)).await;
            let calls = scene.sqs.calls_of(Action::DeleteMessageBatch);
            let first = calls.iter().map(|call| call.came).min().expect("there were deletes");
            let last = calls.iter().filter_map(|call| call.answered).max().expect("they were answered");
            #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
            rates.push(messages as f64 / (last - first).as_secs_f64());
            bridge.stop().await;
        }
        assert!(rates[0] * 4.0 < rates[1] && rates[1] * 1.5 < rates[2], "the rate rises with parallelism: {rates:?}");
        assert!(rates[2] >= 6_000.0, "{rates:?} messages a second");
    });
}

/// Entries that fail on the server's side are deleted later, without another POST.
#[test]
fn fail_05_entries_of_a_batch_that_fail_are_deleted_later() {
    timelapse(async {
        for code in [Code::INTERNAL_ERROR, Code::REQUEST_THROTTLED] {
            let scene = Scene::new().await;
            let sender_fault = code == Code::REQUEST_THROTTLED;
            let fail = FailEntries { which: Which::First(3), code, sender_fault };
            let fault = scene.sqs.inject(on(Action::DeleteMessageBatch).times(2), Fault::FailEntries(fail));
            scene.queue.send_all(numbered(10));
            let bridge = scene.start().await;
            scene.drained().await;
            assert_eq!((fault.fired(), scene.sink.count()), (2, 10));
            scene.assert_nothing_lost();
            bridge.stop().await;
        }
    });
}

/// A standard queue may hand over one message under two handles at once.
#[test]
fn fail_06_a_message_under_two_handles_is_one_event_and_one_entry_of_a_batch() {
    timelapse(async {
        let scene = Scene::new().await;
        let fault = scene.sqs.inject(on(Action::ReceiveMessage).once(), Fault::HandOverTwice);
        scene.queue.send_all(["a", "b", "c"]);
        let bridge = scene.start().await;
        scene.drained().await;
        assert_eq!(fault.fired(), 1);
        assert_eq!((scene.sink.acceptances().len(), scene.sink.count()), (3, 3));
        let refused: Vec<_> = scene.sqs.calls().into_iter().filter_map(|call| call.error).collect();
        assert_eq!(refused, Vec::<&str>::new(), "no batch has two entries of one id");
        let deleted: usize = scene.sqs.calls_of(Action::DeleteMessageBatch).iter().map(|it| it.messages.len()).sum();
        assert_eq!(deleted, 3);
        bridge.stop().await;
    });
}

/// A thousand leases of FIFO groups fall due at once, extensions take a fifth of a second, and just then the first
/// event of each group is accepted.
#[test]
fn fail_09_a_thousand_leases_due_at_once_delay_no_delete() {
    timelapse(async {
        let scene = Scene::fifo().await;
        scene.sink.decide(|delivery| {
            let text = delivery.event.text();
            let takes = match text.split_once(' ') {
                Some(("first", number)) => seconds(13) + millis(40 * number.parse().unwrap_or(0)),
                Some(_) => seconds(60),
                None => millis(10),
            };
            Some(Reply::accept().after(takes))
        });
        let setup = scene.setup().set("BRIDGE_MAX_CONCURRENCY", "128").set("BRIDGE_MAX_IN_FLIGHT", "2000");
        let bridge = setup.start().await;
        bridge.ready().await;
        // Enough quick ones for the bridge to allow so many POSTs at once and so much in flight.
        for number in 0..600 {
            scene.queue.send_to_group(&format!("warm-{number}"), "warm");
        }
        scene.drained().await;
        for number in 600..1_200 {
            scene.queue.send_to_group(&format!("warm-{number}"), "warm");
            pass(millis(4)).await;
        }
        let mut first = Vec::new();
        for number in 0..100 {
            first.push(scene.queue.send_to_group(&format!("slow-{number}"), format!("first {number}")));
            for _ in 1..10 {
                scene.queue.send_to_group(&format!("slow-{number}"), "later one");
            }
        }
        pass(seconds(5)).await;
        assert_eq!(scene.queue.counts().in_flight, 1_000);
        let rtt = Latency::exactly(millis(200));
        scene.sqs.inject(on(Action::ChangeMessageVisibilityBatch), Fault::Delay(rtt));
        scene.sqs.inject(on(Action::DeleteMessageBatch), Fault::Delay(RTT));
        pass(seconds(15)).await;
        let calls = scene.sqs.calls_of(Action::ChangeMessageVisibilityBatch);
        let extended: usize = calls.iter().map(|call| call.messages.len()).sum();
        assert!(extended >= 900, "{extended} leases were extended");
        assert!(first.iter().all(|id| scene.queue.was_deleted(id)));
        assert!(longest_delete(&scene) <= millis(300), "a delete came {:?} after its answer", longest_delete(&scene));
        bridge.kill();
    });
}

/// The message comes again while the request that deletes it is out, so that its handle is too old when it arrives:
/// SQS answers with success and deletes nothing. The newest handle deletes it, and there is one event.
#[test]
fn fail_28_a_message_redelivered_while_its_delete_is_pending_is_deleted_by_its_newest_handle() {
    timelapse(async {
        let scene = Scene::new().await;
        scene.sqs.inject(on(Action::ReceiveMessage), Fault::Delay(Latency::exactly(seconds(2))));
        scene.sqs.inject(on(Action::DeleteMessageBatch), Fault::Delay(Latency::exactly(millis(2_800))));
        scene.sqs.inject(on(Action::ReceiveMessage).once(), Fault::LeaveVisible);
        let bridge = scene.start().await;
        let id = scene.queue.send("twice");
        scene.drained_within(seconds(20)).await;
        let deeds: Vec<Deed> = scene.queue.history(&id).into_iter().map(|entry| entry.deed).collect();
        assert_eq!(scene.queue.receives(&id), 2, "{deeds:?}");
        assert_eq!(deeds[deeds.len() - 2..], [Deed::DeletedInVain, Deed::Deleted], "{deeds:?}");
        assert_eq!(scene.sink.count(), 1);
        bridge.stop().await;
    });
}

/// Every receive fails, one after the other; a delete that fails is repeated all the same.
#[test]
fn fail_31_failing_receives_leave_deletes_their_retries() {
    timelapse(async {
        let scene = Scene::new().await;
        scene.sink.always(Reply::accept().after(seconds(1_800)));
        let bridge = scene.setup().set("K_SINK_TIMEOUT", "3600").start().await;
        bridge.ready().await;
        let ids: Vec<Arc<str>> = scene.queue.send_all(numbered(5));
        eventually(LONG, async || if scene.sink.count() == 5 { Ok(()) } else { Err(scene.sink.count()) }).await;
        let receives = scene.sqs.inject(on(Action::ReceiveMessage), Fault::Refuse(Code::INTERNAL_ERROR));
        let deletes = scene.sqs.inject(on(Action::DeleteMessageBatch).times(2), Fault::Refuse(Code::INTERNAL_ERROR));
        eventually(LONG, async || if scene.sink.accepted_count() == 5 { Ok(()) } else { Err(()) }).await;
        let accepted = Instant::now();
        eventually(LONG, async || if scene.queue.is_empty() { Ok(()) } else { Err(()) }).await;
        assert!(accepted.elapsed() <= seconds(5), "deleted {:?} after they were accepted", accepted.elapsed());
        assert!(receives.fired() >= 50, "{} receives failed", receives.fired());
        assert_eq!(deletes.fired(), 2);
        assert!(ids.iter().all(|id| scene.queue.receives(id) == 1));
        bridge.kill();
    });
}
