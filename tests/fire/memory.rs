//! Large messages into a slow sink. The real program.

use super::*;
use tests::wait::until;

const BUDGET: u64 = 64 * 1024 * 1024;
/// Enough time for whatever the budget does not hold back to arrive, told by the sink's clock.
const ACCEPTED: usize = 25;

/// What is held is bounded by bytes, not by count: the default of 1,024 messages would be 1 GiB.
#[tokio::test]
async fn fail_24_messages_of_a_mebibyte_take_twice_the_byte_budget_at_most() {
    let scene = Scene::new().await;
    let setup = scene.setup().set("BRIDGE_MAX_IN_FLIGHT_BYTES", "64Mi").set("BRIDGE_MAX_CONCURRENCY", "1");
    // The count that may wait grows with the visibility timeout, so that bytes alone are the bound.
    let bridge = setup.set("BRIDGE_VISIBILITY_TIMEOUT", "1h").spawn();
    bridge.ready().await;
    scene.queue.send("warm");
    scene.drained_within(SOON).await;
    let idle = bridge.resident_bytes().expect("the program runs");
    scene.sink.always(Reply::accept().after(seconds(1)));
    let large = "x".repeat(1024 * 1024);
    scene.queue.send_all((0..200).map(|_| large.clone()));
    let (mut most, mut held) = (idle, 0);
    until(LONG, "the bridge has had the time to take everything", || {
        most = most.max(bridge.resident_bytes().unwrap_or(0));
        let counts = scene.queue.counts();
        held = held.max(counts.in_flight);
        counts.visible == 0 || scene.sink.accepted_count() >= ACCEPTED
    })
    .await;
    let above = most - idle;
    assert!((30..=80).contains(&held), "{held} messages of a mebibyte were held at once");
    assert!(above <= 2 * BUDGET, "{} MiB above idle for a budget of 64 MiB", above >> 20);
}
