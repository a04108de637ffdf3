//! A bridge that is asked to end at a bad moment.

use super::*;
use tests::sqs::Entry;

/// A long poll is never cancelled, as it may carry a message already; what it brings is given back at once.
#[test]
fn fail_14_a_message_that_arrives_during_the_last_poll_is_visible_again_within_a_second() {
    timelapse(async {
        let scene = Scene::new().await;
        let bridge = scene.start().await;
        bridge.ready().await;
        pass(seconds(30)).await;
        bridge.ask_to_stop();
        pass(seconds(1)).await;
        let id = scene.queue.send("late");
        eventually(LONG, async || if bridge.has_ended() { Ok(()) } else { Err(()) }).await;
        let history = scene.queue.history(&id);
        let [_, received, given_back] = &history[..] else { panic!("{history:?}") };
        assert!(matches!(received.deed, Deed::Received { .. }), "{history:?}");
        assert_eq!(given_back.deed, Deed::VisibilityChanged { until: given_back.at }, "{history:?}");
        assert!(given_back.at - received.at <= seconds(1), "{history:?}");
        let counts = scene.queue.counts();
        assert_eq!((counts.visible, scene.sink.count()), (1, 0));
    });
}

/// What was accepted is deleted before the end, without waiting for a full batch.
#[test]
fn fail_15_deletes_that_linger_at_shutdown_are_made_before_the_end() {
    timelapse(async {
        let scene = Scene::new().await;
        scene.sink.always(Reply::accept().after(seconds(1)));
        scene.queue.send_all(numbered(5));
        let bridge = scene.start().await;
        let accepted = async || if scene.sink.accepted_count() == 5 { Ok(()) } else { Err(scene.sink.count()) };
        eventually(LONG, accepted).await;
        assert_eq!(scene.sqs.count(Action::DeleteMessageBatch), 0, "the deletes linger");
        bridge.stop().await;
        assert!(scene.queue.is_empty(), "{:?}", scene.queue.counts());

        let second = scene.start().await;
        pass(seconds(120)).await;
        assert_eq!((scene.sink.count(), scene.sink.duplicates().len()), (5, 0));
        second.stop().await;
    });
}

/// Everything that can be full is: the window, the POSTs, the line before them. The sink never answers.
#[test]
fn fail_34_a_bridge_full_of_messages_ends_within_its_drain_timeout() {
    timelapse(async {
        for timeout in [10, 45] {
            let scene = Scene::new().await;
            scene.sink.always(Reply::hang());
            scene.queue.send_all(numbered(500));
            let bridge = scene.setup().set("BRIDGE_DRAIN_TIMEOUT", &format!("{timeout}s")).start().await;
            let is_full = async || if scene.queue.counts().in_flight >= 320 { Ok(()) } else { Err(()) };
            eventually(LONG, is_full).await;
            let asked = Instant::now();
            bridge.stop().await;
            assert!(asked.elapsed() <= seconds(timeout), "{timeout} s: it took {:?}", asked.elapsed());
            let counts = scene.queue.counts();
            assert_eq!((counts.visible, counts.in_flight), (500, 0), "everything was given back");
            let released = |entry: &&Entry| entry.deed == Deed::VisibilityChanged { until: entry.at };
            assert!(scene.sqs.ledger().iter().filter(released).count() >= 320);
        }
    });
}
