//! The end of a bridge: drained, killed, frozen. The real program.

use super::*;
use tests::sink::Reply;
use tests::sqs::Entry;

/// What is being sent is finished and deleted; the exit code is 0.
#[tokio::test]
async fn a_sigterm_lets_running_posts_finish() {
    let scene = Scene::new().await;
    scene.sink.always(Reply::accept().after(Duration::from_secs(2)));
    scene.queue.send_all(["a", "b", "c"]);
    let mut bridge = scene.setup().spawn();
    eventually(SOON, async || if scene.sink.count() == 3 { Ok(()) } else { Err(bridge.output()) }).await;
    bridge.terminate();
    assert_eq!(bridge.ended(SOON).await, Some(0), "{:#?}", bridge.output());
    assert!(scene.queue.is_empty(), "{:?}", scene.queue.counts());
    assert_eq!((scene.sink.count(), scene.sink.accepted_count()), (3, 3));
}

/// What has not been sent is given back at once: another bridge can have it.
#[tokio::test]
async fn a_sigterm_gives_back_what_was_not_sent() {
    let scene = Scene::new().await;
    scene.sink.always(Reply::hang());
    scene.queue.send_all((0..40).map(|number| number.to_string()));
    let setup = scene.setup().set("BRIDGE_MAX_CONCURRENCY", "2").set("BRIDGE_DRAIN_TIMEOUT", "10s");
    let mut bridge = setup.spawn();
    eventually(SOON, async || if scene.sink.count() >= 2 { Ok(()) } else { Err(bridge.output()) }).await;
    bridge.terminate();
    assert_eq!(bridge.ended(SOON).await, Some(0), "{:#?}", bridge.output());
    let counts = scene.queue.counts();
    assert_eq!((counts.visible, counts.in_flight), (40, 0));

    scene.sink.accept_everything();
    let second = scene.setup().spawn();
    scene.drained_within(SOON).await;
    assert_eq!(scene.sink.acceptances().len(), 40);
    drop(second);
}

/// After SIGKILL everything comes again, and nothing is missing.
#[tokio::test]
async fn a_killed_bridge_loses_nothing() {
    let scene = Scene::new().await;
    scene.sink.always(Reply::accept().after(Duration::from_millis(20)));
    let ids = scene.queue.send_all((0..300).map(|number| number.to_string()));
    let mut first = scene.setup().spawn();
    eventually(SOON, async || if scene.sink.accepted_count() >= 50 { Ok(()) } else { Err(first.output()) }).await;
    first.kill();
    assert_eq!(first.ended(SOON).await, None);
    // Whatever it held becomes visible again when its timeout has passed.
    scene.sqs.clock().skip(Duration::from_secs(31));

    let second = scene.setup().spawn();
    scene.drained_within(SOON).await;
    let acceptances = scene.sink.acceptances();
    assert!(ids.iter().all(|id| acceptances.contains_key(&(scene.queue.arn(), id.to_string()))));
    scene.assert_nothing_lost();
    drop(second);
}

/// A second signal ends it at once.
#[tokio::test]
async fn a_second_signal_does_not_wait() {
    let scene = Scene::new().await;
    scene.sink.always(Reply::hang());
    let id = scene.queue.send("stuck");
    let mut bridge = scene.setup().spawn();
    eventually(SOON, async || if scene.sink.count() == 1 { Ok(()) } else { Err(bridge.output()) }).await;
    bridge.terminate();
    bridge.line_with("drain_started").await;
    bridge.terminate();
    let started = std::time::Instant::now();
    bridge.ended(SOON).await;
    assert!(started.elapsed() < Duration::from_secs(20), "it took {:?}", started.elapsed());
    let is_release = |entry: &Entry| entry.deed == Deed::VisibilityChanged { until: entry.at };
    assert!(scene.queue.history(&id).iter().any(is_release), "it was given back: {:?}", scene.queue.history(&id));
}
