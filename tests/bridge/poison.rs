//! Events that the sink refuses for good.

use super::*;
use tests::sink::Reply;

fn refuse_poison(scene: &Scene, status: u16) {
    scene.sink.decide(move |delivery| (delivery.event.text() == "poison").then(|| Reply::status(status)));
}

/// A refused event is never deleted: the queue's own redrive policy takes its message out of the way.
#[test]
fn a_refused_message_moves_to_the_dead_letter_queue() {
    timelapse(async {
        for status in [400, 403, 405, 413, 422, 301, 302] {
            let (scene, grave) = Scene::with_redrive("q", 3).await;
            refuse_poison(&scene, status);
            let bridge = scene.start().await;
            let good = scene.queue.send("good");
            let poison = scene.queue.send("poison");
            scene.drained().await;

            assert_eq!(grave.left(), std::slice::from_ref(&poison), "{status}");
            assert_eq!((scene.queue.was_deleted(&good), scene.queue.was_deleted(&poison)), (true, false));
            let posts = scene.sink.deliveries().iter().filter(|it| it.event.text() == "poison").count();
            assert_eq!(posts, 3, "{status}: one attempt for each receive");
            bridge.stop().await;
        }
    });
}

/// Without a redrive policy it stays, and is not hammered.
#[test]
fn a_refused_message_without_a_dead_letter_queue_stays_and_comes_rarely() {
    timelapse(async {
        let scene = Scene::new().await;
        refuse_poison(&scene, 422);
        let bridge = scene.start().await;
        let poison = scene.queue.send("poison");
        for number in 0..60 {
            scene.queue.send(number.to_string());
            pass(Duration::from_secs(60)).await;
        }
        assert_eq!(scene.sink.accepted_count(), 60);
        let receives = scene.queue.receives(&poison);
        assert!((2..=6).contains(&receives), "received {receives} times in an hour");
        assert!(!scene.queue.was_deleted(&poison));
        bridge.stop().await;
    });
}

/// The dead-letter sink takes what the sink refuses, says why, and only then the message goes.
#[test]
fn the_dead_letter_sink_gets_the_event_and_the_reason() {
    timelapse(async {
        let scene = Scene::new().await;
        let dead_letters = Sink::start().await;
        scene.sink.decide(|_| Some(Reply::status(422).body("no such tenant")));
        let bridge = scene.setup().set("BRIDGE_DEAD_LETTER_SINK", &dead_letters.url()).start().await;
        let id = scene.queue.send("poison");
        scene.drained().await;

        assert!(scene.queue.was_deleted(&id));
        let event = dead_letters.accepted().remove(0).event;
        assert_eq!((event.id(), event.text()), (&*id, "poison".to_owned()));
        assert_eq!(event.get("knativeerrorcode"), Some("422"));
        assert_eq!(event.get("knativeerrordest"), Some(scene.sink.url().as_str()));
        assert_eq!(event.get("knativeerrordata"), Some("bm8gc3VjaCB0ZW5hbnQ="));
        bridge.stop().await;
    });
}
