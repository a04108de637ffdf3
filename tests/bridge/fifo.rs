//! Order within a message group, whatever fails.

use std::collections::BTreeMap;

use super::*;
use tests::sink::Reply;

fn send_groups(scene: &Scene, groups: usize, each: usize) -> BTreeMap<String, Vec<String>> {
    let mut sent: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for number in 0..each {
        for group in 0..groups {
            let (group, body) = (format!("group-{group}"), format!("{group}:{number:03}"));
            scene.queue.send_to_group(&group, &body);
            sent.entry(group).or_default().push(body);
        }
    }
    sent
}

/// The plain case: many groups at once, each in order.
#[test]
fn each_group_arrives_in_order() {
    timelapse(async {
        let scene = Scene::fifo().await;
        let mut random = fastrand::Rng::with_seed(3);
        scene.sink.decide(move |_| Some(Reply::accept().after(Duration::from_millis(random.u64(..80)))));
        let sent = send_groups(&scene, 7, 40);
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
        send_groups(&scene, 8, 5);
        let bridge = scene.start().await;
        let start = tokio::time::Instant::now();
        scene.drained().await;
        let took = start.elapsed();
        assert!(took < Duration::from_secs(12), "8 groups of 5 events, 1 s each, took {took:?}; one by one it is 40 s");
        bridge.stop().await;
    });
}

/// A third of the answers are refusals: the order holds all the same.
#[test]
fn order_survives_refusals() {
    timelapse(async {
        let scene = Scene::fifo().await;
        let mut random = fastrand::Rng::with_seed(11);
        scene.sink.decide(move |_| (random.u8(..3) == 0).then(|| Reply::status(503)));
        let sent = send_groups(&scene, 5, 30);
        let bridge = scene.start().await;
        scene.drained().await;
        assert_eq!(scene.sink.order_by_group(), sent);
        scene.assert_nothing_lost();
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
        let sent = send_groups(&scene, 1, 4);
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

/// A head that can never be delivered leaves for the dead-letter queue, and its group goes on in order.
#[test]
fn a_poisoned_head_leaves_and_its_group_goes_on() {
    timelapse(async {
        let (scene, grave) = Scene::with_redrive("q.fifo", 3).await;
        scene.sink.decide(|delivery| (delivery.event.text() == "0:000").then(|| Reply::status(400)));
        let sent = send_groups(&scene, 1, 4);
        let bridge = scene.start().await;
        scene.drained().await;
        assert_eq!(grave.bodies(), ["0:000"]);
        assert_eq!(scene.sink.order_by_group()["group-0"], sent["group-0"][1..]);
        bridge.stop().await;
    });
}

/// A receive whose answer is lost is repeated with its attempt id, so the messages need not wait for their timeout.
#[test]
fn a_lost_receive_is_repeated_with_its_attempt_id() {
    use tests::sqs::{Action, Fault, on};
    timelapse(async {
        let scene = Scene::fifo().await;
        let fault = scene.sqs.inject(on(Action::ReceiveMessage).once(), Fault::LoseAnswer);
        let sent = send_groups(&scene, 1, 3);
        let start = tokio::time::Instant::now();
        let bridge = scene.start().await;
        scene.drained().await;
        assert_eq!(fault.fired(), 1);
        assert_eq!(scene.sink.order_by_group(), sent);
        let took = start.elapsed();
        assert!(took < Duration::from_secs(10), "it took {took:?}: the messages were not replayed");
        bridge.stop().await;
    });
}
