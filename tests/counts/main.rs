//! What a message costs, in counts that no clock changes: allocations, requests to AWS, wake-ups.

#![expect(clippy::unwrap_used, reason = "what is missing in a test is a failure")]

use std::time::Duration;

use allocation_counter::{AllocationInfo, measure};
use sqs_bridge::config::{Config, ContentMode};
use sqs_bridge::normalize;
use tests::bridge::Setup;
use tests::sample::{EVENTBRIDGE, message};
use tests::sink::Sink;
use tests::sqs::{Action, SimulatedQueue, Simulator};
use tests::timelapse::{pass, timelapse};
use tests::wait::eventually;

const LONG: Duration = Duration::from_secs(600);

/// From the message to the headers and body of its POST.
fn mapping(body: &'static str) -> AllocationInfo {
    let arn = "arn:aws:sqs:us-east-1:123456789012:orders";
    let config = Config::from_env_pairs([("AWS_SQS_ARN", arn), ("K_SINK", "http://display")]).unwrap();
    let message = message(body);
    let mut sent = 0;
    let counted = measure(|| {
        let events = normalize::events(&message, &config.queue, &config.event, 0);
        sent = events.iter().map(|event| event.encode(ContentMode::Auto).body.len()).sum();
    });
    assert_eq!(sent, body.len(), "the body is what was received");
    counted
}

#[test]
fn an_event_of_eventbridge_is_mapped_with_few_allocations_and_no_copy_of_its_body() {
    let counted = mapping(EVENTBRIDGE);
    assert!(counted.count_total <= 40, "{} allocations", counted.count_total);
    assert!(counted.bytes_total <= 4 * 1024, "{} bytes for a body of {}", counted.bytes_total, EVENTBRIDGE.len());
    assert_eq!(counted.count_current, 0, "nothing is kept");
}

#[test]
fn text_is_mapped_with_few_allocations() {
    let counted = mapping("order 17 was paid");
    assert!(counted.count_total <= 30, "{} allocations", counted.count_total);
}

struct Scene {
    sqs: Simulator,
    queue: SimulatedQueue,
    sink: Sink,
}

impl Scene {
    async fn new() -> Self {
        let sqs = Simulator::start().await;
        let queue = sqs.queue("q");
        Self { sqs, queue, sink: Sink::start().await }
    }

    fn setup(&self) -> Setup {
        Setup::between(&self.queue, &self.sink)
    }

    async fn drained(&self) {
        eventually(LONG, async || if self.queue.is_empty() { Ok(()) } else { Err(self.queue.counts()) }).await;
    }

    fn requests(&self) -> f64 {
        self.sqs.requests_per_thousand().expect("messages were deleted")
    }
}

/// Ten messages for one receive and one delete: 200 is the least that SQS allows.
#[test]
fn a_full_queue_costs_205_requests_for_a_thousand_messages() {
    timelapse(async {
        let scene = Scene::new().await;
        scene.queue.send_all((0..5_000).map(|number| number.to_string()));
        let bridge = scene.setup().start().await;
        scene.drained().await;
        assert!(scene.requests() <= 205.0, "{} requests for 1,000 messages", scene.requests());
        bridge.stop().await;
    });
}

#[test]
fn fifty_messages_a_second_cost_1100_requests_for_a_thousand_and_300_with_profile_cost() {
    timelapse(async {
        for (profile, most) in [("balanced", 1_100.0), ("cost", 300.0)] {
            let scene = Scene::new().await;
            let bridge = scene.setup().set("BRIDGE_PROFILE", profile).start().await;
            bridge.ready().await;
            steady(&scene, 200).await;
            scene.sqs.forget_calls();
            steady(&scene, 1_000).await;
            scene.drained().await;
            assert!(scene.requests() <= most, "{profile}: {} requests for 1,000 messages", scene.requests());
            bridge.stop().await;
        }
    });
}

async fn steady(scene: &Scene, messages: u32) {
    for number in 0..messages {
        scene.queue.send(number.to_string());
        pass(Duration::from_millis(20)).await;
    }
}

/// No timer ticks and nothing polls: of an idle bridge only its long polls wake up, each with a few steps.
#[tokio::test]
async fn an_idle_bridge_wakes_up_for_its_receives_only() {
    let scene = Scene::new().await;
    let bridge = scene.setup().set("BRIDGE_WAIT_TIME", "1s").set("BRIDGE_WORKER_THREADS", "1").spawn();
    bridge.ready().await;
    let receives = || scene.sqs.calls_of(Action::ReceiveMessage).len();
    let after = async |count: usize| {
        eventually(LONG, async || if receives() >= count { Ok(()) } else { Err(receives()) }).await;
        (receives(), bridge.wake_ups().expect("Linux tells how often a process has slept"))
    };
    let (first, before) = after(3).await;
    let (last, since) = after(first + 6).await;
    let (receives, wake_ups) = (last - first, since - before);
    assert!(wake_ups <= 12 * receives as u64, "{wake_ups} wake-ups for {receives} receives");
}
