//! Order within a message group, whatever fails.

use std::collections::BTreeMap;

use super::*;
use tests::sink::Reply;

/// The plain case: many groups at once, each in order.
#[test]
fn each_group_arrives_in_order() {
    timelapse(async {
        let scene = Scene::fifo().await;
        let mut random = fastrand::Rng::with_seed(3);
        scene.sink.decide(move |_| Some(Reply::accept().after(Duration::from_millis(random.u64(..80)))));
        let sent = scene.send_groups(7, 40);
        let bridge = scene.start().await;
        scene.drained().await;
        assert_eq!(scene.sink.order_by_group(), sent);
        assert_eq!(scene.sink.duplicates().len(), 0);
        bridge.stop().await;
    });
}

/// Groups do not wait for each other.
#[test]
fn groups_are_delivered_side_by_side() {
    timelapse(async {
        let scene = Scene::fifo().await;
        scene.sink.always(Reply::accept().after(Duration::from_secs(1)));
        scene.send_groups(8, 5);
        let bridge = scene.start().await;
        let start = tokio::time::Instant::now();
        scene.drained().await;
        let took = start.elapsed();
        assert!(took < Duration::from_secs(12), "8 groups of 5 events, 1 s each, took {took:?}; one by one it is 40 s");
        bridge.stop().await;
    });
}

/// A head that fails holds its followers back, and other groups go on. When it has failed for a quarter of an hour, the
/// whole group is given back at once and comes again from its head.
#[test]
fn a_failing_head_holds_its_group_and_is_released_with_it() {
    timelapse(async {
        let scene = Scene::fifo().await;
        scene.sink.decide(|delivery| (delivery.event.text() == "0:000").then(|| Reply::status(500)));
        let sent = scene.send_groups(1, 4);
        let bridge = scene.start().await;
        // Other groups show that the sink is up.
        let mut others = BTreeMap::new();
        for number in 0..120 {
            let (group, body) = (format!("other-{number}"), number.to_string());
            scene.queue.send_to_group(&group, &body);
            others.insert(group, vec![body]);
            pass(Duration::from_secs(10)).await;
        }
        assert_eq!(scene.sink.order_by_group(), others);
        let heads = head_attempts(&scene);
        assert!((30..=60).contains(&heads), "the head was sent {heads} times in 20 min");
        let released = scene.sqs.ledger().into_iter().filter(|entry| entry.deed == Deed::Expired).count();
        assert_eq!(released, 4, "the whole group has come back");

        scene.sink.accept_everything();
        scene.drained().await;
        assert_eq!(scene.sink.order_by_group()["group-0"], sent["group-0"]);
        bridge.stop().await;
    });
}

fn head_attempts(scene: &Scene) -> usize {
    scene.sink.deliveries().iter().filter(|delivery| delivery.event.text() == "0:000").count()
}
