//! Large messages into a slow sink. The real program.

use super::*;
use tests::wait::until;

const BUDGET: u64 = 64 * 1024 * 1024;

/// What is held is bounded by bytes, not by count: the default of 1,024 messages would be 1 GiB.
#[tokio::test]
async fn fail_24_messages_of_a_mebibyte_take_twice_the_byte_budget_at_most() {
    let scene = Scene::new().await;
    let bridge = scene.setup().set("BRIDGE_MAX_IN_FLIGHT_BYTES", "64Mi").spawn();
    bridge.ready().await;
    scene.queue.send("warm");
    scene.drained_within(SOON).await;
    let idle = bridge.resident_bytes().expect("the program runs");
    scene.sink.always(Reply::accept().after(millis(100)));
    let large = "x".repeat(1024 * 1024);
    scene.queue.send_all((0..240).map(|_| large.clone()));
    let mut most = idle;
    until(LONG, "everything is delivered", || {
        most = most.max(bridge.resident_bytes().unwrap_or(0));
        scene.queue.is_empty()
    })
    .await;
    assert_eq!(scene.sink.accepted_count(), 241);
    let above = most - idle;
    assert!(above <= 2 * BUDGET, "{} MiB above idle for a budget of 64 MiB", above >> 20);
}
