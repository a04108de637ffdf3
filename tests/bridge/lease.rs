//! Messages that take longer than their visibility timeout.

use super::*;
use tests::sink::Reply;
use tests::sqs::{Action, Fault, on};

/// A message done before half its time costs no heartbeat.
#[test]
fn a_quick_message_costs_no_heartbeat() {
    timelapse(async {
        let scene = Scene::new().await;
        scene.sink.always(Reply::accept().after(Duration::from_secs(10)));
        let bridge = scene.start().await;
        scene.queue.send("quick");
        scene.drained().await;
        assert_eq!(scene.sqs.count(Action::ChangeMessageVisibilityBatch), 0);
        bridge.stop().await;
    });
}

/// Heartbeats share requests.
#[test]
fn heartbeats_go_in_batches() {
    timelapse(async {
        let scene = Scene::new().await;
        scene.sink.always(Reply::accept().after(Duration::from_secs(25)));
        let bridge = scene.setup().set("BRIDGE_MAX_CONCURRENCY", "100").start().await;
        scene.queue.send_all((0..8).map(|number| number.to_string()));
        scene.drained().await;
        let calls = scene.sqs.calls_of(Action::ChangeMessageVisibilityBatch);
        let entries = calls.iter().map(|call| call.messages.len());
        let (calls, entries) = (calls.len(), entries.sum::<usize>());
        assert!(calls <= 2 && entries == 8, "{calls} calls extended {entries} messages");
        bridge.stop().await;
    });
}

/// A heartbeat that fails once is tried again while the message is still held.
#[test]
fn a_failed_heartbeat_is_repeated() {
    timelapse(async {
        let scene = Scene::new().await;
        let fault = scene.sqs.inject(on(Action::ChangeMessageVisibilityBatch).times(2), Fault::LoseAnswer);
        scene.sink.always(Reply::accept().after(Duration::from_secs(50)));
        let bridge = scene.start().await;
        let id = scene.queue.send("slow");
        scene.drained().await;
        assert_eq!((fault.fired(), scene.sink.count(), scene.queue.receives(&id)), (2, 1, 1));
        bridge.stop().await;
    });
}
