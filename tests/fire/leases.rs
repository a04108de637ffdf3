//! Messages that stay longer than their visibility timeout.

use std::collections::BTreeMap;

use super::*;
use tests::schedule::Audit;

/// Ten times as much comes as the sink takes: what waits is bounded, so that it neither expires nor keeps the bridge
/// busy with extensions alone.
#[test]
fn fail_07_a_queue_of_which_the_sink_takes_a_tenth_drains_without_a_duplicate() {
    timelapse(async {
        let scene = Scene::new().await;
        scene.sink.always(Reply::accept().after(seconds(4)));
        let setup = scene.setup().set("BRIDGE_MAX_CONCURRENCY", "4").set("BRIDGE_VISIBILITY_TIMEOUT", "10s");
        let bridge = setup.set("BRIDGE_WAIT_TIME", "1s").start().await;
        // One event a second is taken; ten a second come.
        for body in numbered(300) {
            scene.queue.send(body);
            pass(millis(100)).await;
        }
        scene.drained().await;
        assert_eq!((scene.sink.count(), scene.sink.accepted_count()), (300, 300));
        let received = scene.sqs.ledger().into_iter().filter(|it| matches!(it.deed, Deed::Received { .. })).count();
        assert_eq!(received, 300, "no message came twice");
        bridge.stop().await;
    });
}

/// After the delete, or the loss of the lease, nobody touches the message's visibility.
#[test]
fn fail_08_no_heartbeat_follows_a_delete_or_a_loss() {
    timelapse(async {
        let scene = Scene::new().await;
        let mut random = fastrand::Rng::with_seed(1);
        scene.sink.decide(move |_| Some(Reply::accept().after(millis(random.u64(..40_000)))));
        let bridge = scene.start().await;
        scene.queue.send_all(numbered(200));
        scene.drained().await;
        pass(seconds(60)).await;

        let ledger = scene.sqs.ledger().into_iter();
        let deleted: BTreeMap<_, _> =
            ledger.filter(|entry| entry.deed == Deed::Deleted).map(|entry| (entry.id, entry.at)).collect();
        for call in scene.sqs.calls_of(Action::ChangeMessageVisibilityBatch) {
            assert_eq!(call.failed, Vec::<&str>::new(), "a heartbeat failed");
            for id in &call.messages {
                assert!(deleted.get(id).is_none_or(|at| *at >= call.at), "a heartbeat for {id} after its delete");
            }
        }
        assert_eq!(scene.sink.duplicates().len(), 0);

        let refuse = FailEntries { which: Which::All, code: Code::MESSAGE_NOT_IN_FLIGHT, sender_fault: true };
        scene.sqs.inject(on(Action::ChangeMessageVisibilityBatch), Fault::FailEntries(refuse));
        scene.sqs.forget_calls();
        scene.sink.always(Reply::accept().after(seconds(100)));
        scene.sink.decide(|_| None);
        scene.queue.send("lost");
        scene.drained().await;
        pass(seconds(60)).await;
        let heartbeats = scene.sqs.count(Action::ChangeMessageVisibilityBatch);
        let received = scene.sqs.calls_of(Action::ReceiveMessage).iter().filter(|it| !it.messages.is_empty()).count();
        assert!(heartbeats <= received, "{heartbeats} heartbeats, each refused, for {received} deliveries");
        bridge.stop().await;
    });
}

/// What waits in line while heartbeats fail is not sent once its time is over.
#[test]
fn fail_10_no_post_starts_on_an_expired_lease() {
    timelapse(async {
        let scene = Scene::new().await;
        // The next in line waits for longer than its visibility timeout.
        scene.sink.always(Reply::accept().after(seconds(12)));
        let setup = scene.setup().set("BRIDGE_MAX_CONCURRENCY", "1").set("BRIDGE_VISIBILITY_TIMEOUT", "10s");
        // So few that no receive brings those again that wait here.
        let bridge = setup.set("BRIDGE_WAIT_TIME", "1s").set("BRIDGE_MAX_IN_FLIGHT", "20").start().await;
        let refuse = Fault::Refuse(Code::INTERNAL_ERROR);
        let heartbeats = scene.sqs.inject(on(Action::ChangeMessageVisibilityBatch), refuse);
        scene.queue.send_all(numbered(20));
        pass(seconds(60)).await;
        heartbeats.off();
        scene.drained().await;
        let expired = scene.sqs.ledger().into_iter().filter(|entry| entry.deed == Deed::Expired).count();
        assert!(expired >= 15, "{expired} leases expired while messages waited");
        assert_eq!(scene.sink.acceptances().len(), 20);
        assert_eq!(Audit::of(&scene).posts_without_a_lease(), Vec::<String>::new());
        bridge.stop().await;
    });
}

/// However long the sink takes, it gets each event once.
#[test]
fn fail_11_a_sink_that_takes_seconds_or_minutes_gets_each_event_once() {
    timelapse(async {
        for takes in [12, 29, 31, 100, 300] {
            let scene = Scene::new().await;
            scene.sink.always(Reply::accept().after(seconds(takes)));
            let bridge = scene.start().await;
            let id = scene.queue.send("slow");
            scene.drained().await;
            assert_eq!((scene.sink.count(), scene.queue.receives(&id)), (1, 1), "a sink that takes {takes} s");
            bridge.stop().await;
        }
    });
}
