//! Several real bridges on one queue, of which one is killed in the middle.

use super::*;
use tests::bridge::BridgeProcess;
use tests::schedule::Audit;
use tests::schedule::audit::Past;
use tests::wait::until;

const EACH: usize = 10;
const GROUPS: usize = 40;

#[tokio::test]
async fn three_bridges_on_a_standard_queue_lose_nothing_when_one_is_killed() {
    killed_in_the_middle(Scene::new().await).await;
}

#[tokio::test]
async fn three_bridges_on_a_fifo_queue_keep_order_when_one_is_killed() {
    killed_in_the_middle(Scene::fifo().await).await;
}

async fn killed_in_the_middle(scene: Scene) {
    scene.sink.always(Reply::accept().after(millis(40)));
    scene.send_groups(GROUPS, EACH);
    let setup = scene.setup().set("BRIDGE_VISIBILITY_TIMEOUT", "10s").set("BRIDGE_WAIT_TIME", "1s");
    // Few at once, so that all three take part.
    let setup = setup.set("BRIDGE_MAX_CONCURRENCY", "4").set("BRIDGE_MAX_IN_FLIGHT", "20");
    let mut bridges: Vec<BridgeProcess> = (0..3).map(|_| setup.spawn()).collect();
    for bridge in &bridges {
        bridge.ready().await;
    }
    until(SOON, "a quarter is accepted", || scene.sink.accepted_count() >= GROUPS * EACH / 4).await;
    let connections: std::collections::BTreeSet<u64> = scene
        .sqs
        .calls_of(Action::ReceiveMessage)
        .iter()
        .filter(|it| !it.messages.is_empty())
        .map(|it| it.connection)
        .collect();
    assert!(connections.len() >= 3, "all three receive: {connections:?}");
    bridges[1].kill();
    let killed = Instant::now();
    assert_eq!(bridges[1].ended(SOON).await, None);
    scene.drained_within(SOON).await;
    let past = Past { stops: vec![killed], sink_timeout: seconds(310), ..Past::default() };
    Audit::of(&scene).judge(&past).unwrap_or_else(|broken| panic!("{broken}"));
    assert_eq!(scene.sink.acceptances().len(), GROUPS * EACH);
    for bridge in [0, 2] {
        bridges[bridge].terminate();
        assert_eq!(bridges[bridge].ended(SOON).await, Some(0), "{:#?}", bridges[bridge].output());
    }
}
