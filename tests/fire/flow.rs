//! Slow events beside quick ones, and latency.

use super::*;

const EVENTS: usize = 2_000;

/// From the first event's arrival to the last answer, the slow one left aside.
fn took(scene: &Scene) -> Duration {
    let accepted = scene.sink.accepted();
    let quick = || accepted.iter().filter(|delivery| delivery.event.text() != "slow");
    let first = quick().map(|delivery| delivery.came).min().expect("events came");
    let last = quick().filter_map(|delivery| delivery.answered).max().expect("events were answered");
    last - first
}

/// The slow one takes a slot of its own, nothing more; the count is scaled down.
#[test]
fn fail_16_one_event_that_takes_a_minute_costs_the_others_no_throughput() {
    timelapse(async {
        let mut times = Vec::new();
        for slow in [false, true] {
            let scene = Scene::new().await;
            scene.sink.decide(|delivery| {
                let takes = if delivery.event.text() == "slow" { seconds(60) } else { millis(5) };
                Some(Reply::accept().after(takes))
            });
            let bodies = numbered(EVENTS).map(|body| if slow && body == "100" { "slow".to_owned() } else { body });
            scene.queue.send_all(bodies);
            let bridge = scene.start().await;
            scene.drained().await;
            assert_eq!((scene.sink.accepted_count(), scene.sink.duplicates().len()), (EVENTS, 0));
            times.push(took(&scene));
            bridge.stop().await;
        }
        assert!(times[0].as_secs_f64() >= times[1].as_secs_f64() * 0.95, "without and with a slow event: {times:?}");
    });
}

/// On a standard queue a group id is a tenant, not an order.
#[test]
fn fail_33_a_group_id_on_a_standard_queue_makes_no_order() {
    timelapse(async {
        let scene = Scene::new().await;
        scene.sink.always(Reply::accept().after(seconds(10)));
        for body in numbered(8) {
            scene.queue.send_to_group("tenant", body);
        }
        let bridge = scene.start().await;
        scene.drained().await;
        let deliveries = scene.sink.deliveries();
        let first_answer = deliveries.iter().filter_map(|delivery| delivery.answered).min().expect("an answer");
        let before = deliveries.iter().filter(|delivery| delivery.came < first_answer).count();
        assert_eq!(before, 8, "events of one group are sent side by side");
        bridge.stop().await;
    });
}
