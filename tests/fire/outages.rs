//! A sink that is down, and a message that the sink cannot take.

use super::*;

const MESSAGES: usize = 200;

/// How a sink is down.
#[derive(Clone, Copy, Debug)]
enum Down {
    Refusing,
    Answering(u16),
}

/// An outage of thirty visibility timeouts burns no receives, and half a minute after its end everything is delivered.
#[test]
fn fail_12_an_outage_of_thirty_visibility_timeouts_fills_no_dead_letter_queue() {
    for down in [Down::Refusing, Down::Answering(503), Down::Answering(401)] {
        for name in ["q", "q.fifo"] {
            timelapse(outage(down, name));
        }
    }
}

async fn outage(down: Down, name: &str) {
    let (scene, grave) = Scene::with_redrive(name, 3).await;
    let bridge = scene.start().await;
    bridge.ready().await;
    match down {
        Down::Refusing => scene.sink.down(),
        Down::Answering(status) => scene.sink.always(Reply::status(status)),
    }
    let ids: Vec<_> = (0..MESSAGES)
        .map(|number| scene.queue.send_to_group(&format!("g{}", number % 40), number.to_string()))
        .collect();
    pass(seconds(30 * 30)).await;
    assert_eq!(scene.sink.accepted_count(), 0);
    scene.sink.up();
    scene.sink.accept_everything();
    let recovered = Instant::now();
    scene.drained().await;
    let took = recovered.elapsed();
    let most = ids.iter().map(|id| scene.queue.receives(id)).max().expect("messages were sent");
    assert_eq!(grave.left(), Vec::<std::sync::Arc<str>>::new(), "{down:?} {name}");
    assert!(most <= 3, "{down:?} {name}: a message was received {most} times");
    assert!(took <= seconds(35), "{down:?} {name}: everything was delivered {took:?} after the recovery");
    scene.assert_nothing_lost();
    bridge.stop().await;
}

/// An event that fails again and again is given back for longer and longer.
#[test]
fn fail_13_a_message_that_always_fails_amid_good_traffic_is_received_ten_times_in_ten_minutes_at_most() {
    timelapse(async {
        let scene = Scene::new().await;
        scene.sink.decide(|delivery| (delivery.event.text() == "poison").then(|| Reply::status(500)));
        let bridge = scene.start().await;
        let poison = scene.queue.send("poison");
        // Good traffic shows that the sink is up.
        for body in numbered(600) {
            scene.queue.send(body);
            pass(seconds(1)).await;
        }
        let receives = scene.queue.receives(&poison);
        assert!((4..=10).contains(&receives), "received {receives} times in ten minutes");
        let pauses = pauses(&scene, &poison);
        assert!(pauses.last() > pauses.first(), "the pauses grow: {pauses:?}");
        assert!(pauses[0] <= seconds(2), "the first pause is at most 2 s: {pauses:?}");
        assert_eq!(scene.sink.accepted_count(), 600);
        bridge.stop().await;
    });
}

/// For how long the message was hidden each time it was given back.
fn pauses(scene: &Scene, id: &str) -> Vec<Duration> {
    let history = scene.queue.history(id).into_iter();
    history
        .filter_map(
            |entry| if let Deed::VisibilityChanged { until } = entry.deed { Some(until - entry.at) } else { None },
        )
        .collect()
}
