//! A sink that does not take an event at once.

use super::*;
use tests::sink::Reply;
use tests::sink::reply::Ending;

const RETRIED: [u16; 8] = [404, 408, 409, 429, 500, 502, 503, 599];

/// Each of these answers is followed by another attempt with the same id, and the delete comes after the last.
#[test]
fn an_event_is_sent_again_until_the_sink_accepts_it() {
    timelapse(async {
        for status in RETRIED {
            let scene = Scene::new().await;
            scene.sink.script([Reply::status(status), Reply::status(status)]);
            let bridge = scene.start().await;
            let id = scene.queue.send("again");
            scene.drained().await;

            let statuses: Vec<_> = scene.sink.deliveries().iter().map(|delivery| delivery.status).collect();
            assert_eq!(statuses, [Some(status), Some(status), Some(202)]);
            let ids: Vec<_> = scene.sink.deliveries().iter().map(|it| it.event.id().to_owned()).collect();
            assert_eq!(ids, vec![id.to_string(); 3]);
            assert_eq!(scene.queue.receives(&id), 1, "{status}: the message was held, not received again");
            bridge.stop().await;
        }
    });
}

/// Whatever happens to the connection is no answer.
#[test]
fn a_broken_connection_is_followed_by_another_attempt() {
    timelapse(async {
        for broken in [
            Reply::reset(),
            Reply::accept().ending(Ending::ResetBeforeReading),
            Reply::status(503).body("cut").ending(Ending::CutShort),
        ] {
            let scene = Scene::new().await;
            scene.sink.script([broken]);
            let bridge = scene.start().await;
            scene.queue.send("again");
            scene.drained().await;
            assert_eq!(scene.sink.accepted_count(), 1);
            scene.assert_nothing_lost();
            bridge.stop().await;
        }
    });
}

/// The status line decides: a body that breaks off does not make an accepted event unaccepted.
#[test]
fn an_answer_counts_from_its_status_line_on() {
    timelapse(async {
        let scene = Scene::new().await;
        scene.sink.script([Reply::accept().body("cut").ending(Ending::CutShort)]);
        let bridge = scene.start().await;
        scene.queue.send("once");
        scene.drained().await;
        assert_eq!(scene.sink.count(), 1);
        bridge.stop().await;
    });
}

/// `Retry-After` makes the pause longer, in seconds or as a date.
#[test]
fn retry_after_is_obeyed() {
    timelapse(async {
        let scene = Scene::new().await;
        scene.sink.script([Reply::status(503).retry_after("12")]);
        let bridge = scene.start().await;
        scene.queue.send("wait");
        scene.drained().await;
        let deliveries = scene.sink.deliveries();
        let pause = deliveries[1].came - deliveries[0].came;
        assert!((Duration::from_secs(12)..Duration::from_secs(14)).contains(&pause), "the pause was {pause:?}");
        bridge.stop().await;
    });
}

/// A sink that is down for a while costs time and nothing else.
#[test]
fn nothing_is_lost_while_the_sink_is_down() {
    timelapse(async {
        let scene = Scene::new().await;
        let bridge = scene.start().await;
        scene.queue.send("before");
        scene.drained().await;
        scene.sink.down();
        scene.queue.send_all((0..50).map(|number| number.to_string()));
        pass(Duration::from_secs(600)).await;
        assert_eq!(scene.sink.accepted_count(), 1);
        scene.sink.up();
        scene.drained().await;
        assert_eq!(scene.sink.acceptances().len(), 51);
        assert_eq!(scene.sink.duplicates().len(), 0);
        scene.assert_nothing_lost();
        bridge.stop().await;
    });
}

/// A third of the answers are refusals: everything arrives all the same, under its own id, at least once.
#[test]
fn everything_arrives_at_a_sink_that_often_refuses() {
    timelapse(async {
        let scene = Scene::new().await;
        let mut random = fastrand::Rng::with_seed(7);
        scene.sink.decide(move |_| (random.u8(..3) == 0).then(|| Reply::status(503)));
        let ids = scene.queue.send_all((0..300).map(|number| number.to_string()));
        let bridge = scene.start().await;
        scene.drained().await;

        let acceptances = scene.sink.acceptances();
        assert_eq!(acceptances.len(), ids.len());
        assert!(ids.iter().all(|id| acceptances.contains_key(&(scene.queue.arn(), id.to_string()))));
        assert_eq!(scene.sink.duplicates().len(), 0);
        scene.assert_nothing_lost();
        bridge.stop().await;
    });
}
