//! Each setting, from its variable to the request that it changes.

use super::*;
use tests::sink::Reply;
use tests::sqs::request::ReceiveMessage;
use tests::sqs::{Action, Call};

/// The first receive that waits, of a bridge with these variables.
async fn first_long_poll(settings: &[(&str, &str)]) -> (ReceiveMessage, Call) {
    let scene = Scene::new().await;
    let setup = settings.iter().fold(scene.setup(), |setup, (name, value)| setup.set(name, value));
    let bridge = setup.start().await;
    let call = eventually(LONG, async || {
        let calls = scene.sqs.calls_of(Action::ReceiveMessage);
        let waits = |call: &Call| call.receive().is_some_and(|ask| ask.wait_time_seconds != Some(0));
        calls.into_iter().find(waits).ok_or("no long poll yet")
    })
    .await;
    bridge.stop().await;
    (call.receive().expect("a receive").clone(), call)
}

#[test]
fn bridge_wait_time_is_the_wait_of_a_receive() {
    timelapse(async { assert_eq!(first_long_poll(&[("BRIDGE_WAIT_TIME", "7s")]).await.0.wait_time_seconds, Some(7)) });
}

#[test]
fn bridge_max_messages_is_the_size_of_a_receive() {
    timelapse(async {
        assert_eq!(first_long_poll(&[("BRIDGE_MAX_MESSAGES", "3")]).await.0.max_number_of_messages, Some(3));
    });
}

#[test]
fn bridge_visibility_timeout_is_that_of_a_receive() {
    timelapse(async {
        let (ask, _) = first_long_poll(&[("BRIDGE_VISIBILITY_TIMEOUT", "2m")]).await;
        assert_eq!(ask.visibility_timeout, Some(120));
    });
}

#[test]
fn aws_region_signs_the_request() {
    timelapse(async {
        let (_, call) = first_long_poll(&[("AWS_REGION", "eu-north-1")]).await;
        assert_eq!(call.caller.region, "eu-north-1");
    });
}

/// A FIFO receive needs more attributes and an attempt id.
#[test]
fn a_fifo_receive_asks_for_order() {
    timelapse(async {
        let scene = Scene::fifo().await;
        let bridge = scene.start().await;
        bridge.ready().await;
        let call = scene.sqs.calls_of(Action::ReceiveMessage).remove(0);
        let ask = call.receive().expect("a receive");
        for name in ["MessageGroupId", "SequenceNumber", "MessageDeduplicationId"] {
            assert!(ask.message_system_attribute_names.iter().any(|asked| asked == name), "{name} is asked for");
        }
        assert!(ask.receive_request_attempt_id.as_ref().is_some_and(|id| id.len() >= 32), "an attempt id is sent");
        bridge.stop().await;
    });
}

/// No more POSTs at once than allowed, and no more messages held.
#[test]
fn bridge_max_concurrency_bounds_posts() {
    timelapse(async {
        let scene = Scene::new().await;
        scene.sink.always(Reply::accept().after(Duration::from_secs(1)));
        scene.queue.send_all((0..30).map(|number| number.to_string()));
        let bridge = scene.setup().set("BRIDGE_MAX_CONCURRENCY", "3").start().await;
        scene.drained().await;
        assert!(most_at_once(&scene) <= 3, "{} POSTs at once", most_at_once(&scene));
        bridge.stop().await;
    });
}

/// The most POSTs that were under way at one time.
fn most_at_once(scene: &Scene) -> usize {
    let deliveries = scene.sink.deliveries();
    let under_way = |at| {
        let running = |it: &&tests::sink::Delivery| it.came <= at && it.answered.is_none_or(|answered| answered > at);
        deliveries.iter().filter(running).count()
    };
    deliveries.iter().map(|delivery| under_way(delivery.came)).max().unwrap_or_default()
}

#[test]
fn bridge_max_in_flight_bounds_what_is_held() {
    timelapse(async {
        let scene = Scene::new().await;
        scene.sink.always(Reply::hang());
        scene.queue.send_all((0..50).map(|number| number.to_string()));
        let bridge = scene.setup().set("BRIDGE_MAX_IN_FLIGHT", "12").start().await;
        pass(Duration::from_secs(120)).await;
        assert_eq!(scene.queue.counts().in_flight, 12);
        bridge.kill();
    });
}

#[test]
fn bridge_max_rate_bounds_events_per_second() {
    timelapse(async {
        let scene = Scene::new().await;
        scene.queue.send_all((0..50).map(|number| number.to_string()));
        let start = tokio::time::Instant::now();
        let bridge = scene.setup().set("BRIDGE_MAX_RATE", "5").start().await;
        scene.drained().await;
        let took = start.elapsed().as_secs_f64();
        assert!((8.5..13.0).contains(&took), "50 events at 5 per second, the first 5 at once, took {took} s");
        bridge.stop().await;
    });
}

#[test]
fn k_sink_timeout_ends_a_post() {
    timelapse(async {
        let scene = Scene::new().await;
        scene.sink.script([Reply::hang()]);
        let bridge = scene.setup().set("K_SINK_TIMEOUT", "5").start().await;
        scene.queue.send("hangs once");
        scene.drained().await;
        let deliveries = scene.sink.deliveries();
        let pause = deliveries[1].came - deliveries[0].came;
        assert!((Duration::from_secs(5)..Duration::from_secs(6)).contains(&pause), "it was repeated after {pause:?}");
        bridge.stop().await;
    });
}

#[test]
fn bridge_delivery_retry_and_backoff_shape_the_attempts() {
    timelapse(async {
        let scene = Scene::new().await;
        let dead_letters = Sink::start().await;
        scene.sink.always(Reply::status(503));
        let setup = scene.setup().set("BRIDGE_DELIVERY_RETRY", "2").set("BRIDGE_DELIVERY_BACKOFF_DELAY", "10s");
        let setup = setup.set("BRIDGE_DELIVERY_BACKOFF_POLICY", "exponential");
        let bridge = setup.set("BRIDGE_DEAD_LETTER_SINK", &dead_letters.url()).start().await;
        scene.queue.send("refused");
        scene.drained().await;
        let came: Vec<_> = scene.sink.deliveries().iter().map(|delivery| delivery.came).collect();
        assert_eq!((came.len(), dead_letters.accepted_count()), (3, 1));
        let pauses = [(came[1] - came[0]).as_secs_f64(), (came[2] - came[1]).as_secs_f64()];
        assert!((10.0..15.1).contains(&pauses[0]) && (20.0..30.1).contains(&pauses[1]), "10 s and 20 s: {pauses:?}");
        bridge.stop().await;
    });
}

#[test]
fn bridge_delivery_retry_after_max_caps_the_sinks_wish() {
    timelapse(async {
        let scene = Scene::new().await;
        scene.sink.script([Reply::status(429).retry_after("3600")]);
        let bridge = scene.setup().set("BRIDGE_DELIVERY_RETRY_AFTER_MAX", "5s").start().await;
        scene.queue.send("wait");
        scene.drained().await;
        let deliveries = scene.sink.deliveries();
        let pause = deliveries[1].came - deliveries[0].came;
        assert!((Duration::from_secs(5)..Duration::from_secs(7)).contains(&pause), "the pause was {pause:?}");
        bridge.stop().await;
    });
}

#[test]
fn bridge_content_mode_structured_makes_one_json_body() {
    timelapse(async {
        let scene = Scene::new().await;
        let bridge = scene.setup().set("BRIDGE_CONTENT_MODE", "structured").start().await;
        scene.queue.send("hello");
        scene.drained().await;
        let delivery = scene.sink.accepted().remove(0);
        assert!(delivery.event.structured);
        assert_eq!(delivery.event.text(), "hello");
        bridge.stop().await;
    });
}

#[test]
fn k_ce_overrides_are_on_every_event() {
    timelapse(async {
        let scene = Scene::new().await;
        let bridge = scene.setup().set("K_CE_OVERRIDES", r#"{"extensions":{"team":"blue"}}"#).start().await;
        scene.queue.send("hello");
        scene.drained().await;
        assert_eq!(scene.sink.accepted()[0].event.get("team"), Some("blue"));
        bridge.stop().await;
    });
}

/// Binary headers go out as Go senders write them.
#[test]
fn header_names_are_in_title_case() {
    timelapse(async {
        let scene = Scene::new().await;
        let bridge = scene.start().await;
        scene.queue.send("hello");
        scene.drained().await;
        let delivery = scene.sink.accepted().remove(0);
        let names: Vec<&str> = delivery.head.headers.iter().map(|(name, _)| name.as_str()).collect();
        for name in ["Ce-Id", "Ce-Source", "Ce-Type", "Ce-Specversion", "Ce-Time", "Content-Type"] {
            assert!(names.contains(&name), "{name} among {names:?}");
        }
        bridge.stop().await;
    });
}

/// The batch window of the profile `cost`: fewer requests at a low rate.
#[test]
fn bridge_profile_cost_saves_requests() {
    timelapse(async {
        let mut per_thousand = Vec::new();
        for profile in ["balanced", "cost"] {
            let scene = Scene::new().await;
            let bridge = scene.setup().set("BRIDGE_PROFILE", profile).start().await;
            bridge.ready().await;
            scene.sqs.forget_calls();
            for number in 0..500 {
                scene.queue.send(number.to_string());
                pass(Duration::from_millis(20)).await;
            }
            scene.drained().await;
            per_thousand.push(scene.sqs.requests_per_thousand().expect("messages were deleted"));
            bridge.stop().await;
        }
        assert!(per_thousand[0] <= 1150.0, "balanced: {} requests per 1,000", per_thousand[0]);
        assert!(per_thousand[1] <= 310.0, "cost: {} requests per 1,000", per_thousand[1]);
    });
}

/// The scripted sink stands in for the proxy, which is asked for the sink by its whole URL.
#[tokio::test]
async fn http_proxy_carries_events_to_a_sink_that_no_proxy_does_not_name() {
    let scene = Scene::new().await;
    let setup = scene.setup().set("K_SINK", "http://display.example/orders").set("NO_PROXY", "127.0.0.1");
    let mut bridge = setup.set("HTTP_PROXY", &scene.sink.url()).spawn();
    scene.queue.send("hello");
    scene.drained().await;
    bridge.terminate();
    assert_eq!(bridge.ended(LONG).await, Some(0));
    let deliveries = scene.sink.deliveries();
    let targets: Vec<_> = deliveries.iter().map(|delivery| delivery.head.target.as_str()).collect();
    assert_eq!(targets, ["http://display.example/orders"]);
}

/// Probes come by IPv4 or IPv6, as the cluster has it.
#[tokio::test]
async fn without_a_host_bridge_health_addr_is_every_address() {
    let scene = Scene::new().await;
    let bridge = scene.setup().set("BRIDGE_HEALTH_ADDR", ":0").start().await;
    // Asked for over IPv4: on a machine with IPv6 the one socket takes both.
    bridge.ready().await;
    bridge.stop().await;
}
