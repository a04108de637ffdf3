//! Order within a message group, whatever fails.

use super::*;
use crate::schedules::{assert_seeds_hold, in_virtual_time};
use tests::schedule::Queue;

/// Sink, network, SQS and the bridge itself fail at random: the order of first acceptance is the order of sending.
#[test]
fn fail_20_a_group_keeps_its_order_under_any_schedule_of_faults() {
    let fifo = |seed| in_virtual_time(seed, Queue::Fifo);
    assert_seeds_hold("fail_20", 2_000..2_008, &fifo);
    timelapse(async {
        let scene = Scene::fifo().await;
        let mut random = fastrand::Rng::with_seed(11);
        scene.sink.decide(move |_| (random.u8(..3) == 0).then(|| Reply::status(503)));
        let sent = scene.send_groups(5, 30);
        let bridge = scene.start().await;
        scene.drained().await;
        assert_eq!(scene.sink.order_by_group(), sent);
        scene.assert_nothing_lost();
        bridge.stop().await;
    });
}

/// A head that can never be delivered leaves for the dead-letter queue, and its group goes on in order.
#[test]
fn fail_21_the_tail_of_a_poisoned_head_reaches_the_sink() {
    timelapse(async {
        let (scene, grave) = Scene::with_redrive("q.fifo", 3).await;
        scene.sink.decide(|delivery| (delivery.event.text() == "0:000").then(|| Reply::status(400)));
        let sent = scene.send_groups(1, 4);
        let bridge = scene.start().await;
        scene.drained().await;
        assert_eq!(grave.bodies(), ["0:000"]);
        assert_eq!(scene.sink.order_by_group()["group-0"], sent["group-0"][1..]);
        bridge.stop().await;
    });
}

/// A receive whose answer is lost is repeated with its attempt id, so the messages need not wait for their timeout.
#[test]
fn fail_29_a_lost_receive_is_repeated_with_its_attempt_id_and_brings_the_same_messages() {
    timelapse(async {
        let scene = Scene::fifo().await;
        let fault = scene.sqs.inject(on(Action::ReceiveMessage).once(), Fault::LoseAnswer);
        let sent = scene.send_groups(1, 3);
        let start = Instant::now();
        let bridge = scene.start().await;
        scene.drained().await;
        assert_eq!(fault.fired(), 1);
        assert_eq!(scene.sink.order_by_group(), sent);
        let took = start.elapsed();
        assert!(took < seconds(10), "it took {took:?}: the messages were not replayed");
        let calls = scene.sqs.calls_of(Action::ReceiveMessage);
        let id = |place: usize| calls[place].receive().and_then(|ask| ask.receive_request_attempt_id.clone());
        assert_eq!((id(0), &calls[0].messages), (id(1), &calls[1].messages));
        assert_ne!(id(1), id(2), "the next receive is another one");
        bridge.stop().await;
    });
}
