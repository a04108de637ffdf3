//! What stands in a receive, and which queue it goes to.

use super::*;
use tests::bridge::ACCESS_KEY;

/// Nothing is left to the queue's own settings, and nothing that is unset becomes a zero.
#[test]
fn fail_37_a_receive_asks_explicitly_for_everything_it_needs() {
    timelapse(async {
        let scene = Scene::with_queue("q", &[("VisibilityTimeout", "0")]).await;
        let bridge = scene.start().await;
        bridge.ready().await;
        pass(seconds(30)).await;
        let call = scene.sqs.calls_of(Action::ReceiveMessage).pop().expect("a long poll");
        let ask = call.receive().expect("a receive");
        assert_eq!(ask.wait_time_seconds, Some(20));
        assert_eq!(ask.visibility_timeout, Some(30));
        assert_eq!(ask.max_number_of_messages, Some(10));
        assert_eq!(ask.message_attribute_names, ["All"]);
        assert_eq!(ask.attribute_names, Vec::<String>::new());
        let mut system = ask.message_system_attribute_names.clone();
        system.sort();
        assert_eq!(system, ["AWSTraceHeader", "ApproximateReceiveCount", "MessageGroupId", "SentTimestamp"]);
        assert_eq!(ask.receive_request_attempt_id, None);
        assert_eq!((call.caller.access_key.as_str(), call.caller.region.as_str()), (ACCESS_KEY, "us-east-1"));
        bridge.stop().await;
    });
}

/// An ARN alone names queue and account; the URL is asked for, and a queue of the same name elsewhere is left alone.
#[test]
fn fail_36_an_arn_alone_finds_the_queue_of_its_account() {
    timelapse(async {
        let scene = Scene::new().await;
        let other = scene.sqs.queue_of("999999999999", "q", &[]);
        let setup = scene.setup().unset("AWS_SQS_URL").set("AWS_SQS_ARN", &other.arn());
        let bridge = setup.set("AWS_ENDPOINT_URL_SQS", &scene.sqs.url()).start().await;
        let here = scene.queue.send("of this account");
        other.send("of the other account");
        eventually(LONG, async || if other.is_empty() { Ok(()) } else { Err(other.counts()) }).await;
        assert_eq!(scene.sink.accepted()[0].event.source(), other.arn());
        assert_eq!((scene.sqs.count(Action::GetQueueUrl), scene.queue.receives(&here)), (1, 0));
        bridge.stop().await;
    });
}

/// Messages, bytes, POSTs, connections and calls to SQS, while the sink hangs and while it works.
#[test]
fn what_is_under_way_is_bounded_and_shown_in_metrics() {
    timelapse(async {
        let scene = Scene::new().await;
        scene.sink.always(Reply::hang());
        scene.sqs.inject(on(Action::DeleteMessageBatch), Fault::Delay(Latency::exactly(millis(100))));
        scene.queue.send_all((0..300).map(|number| format!("{number:01000}")));
        let setup = scene.setup().set("BRIDGE_MAX_IN_FLIGHT", "60").set("BRIDGE_MAX_POLLERS", "3");
        let bridge = setup.set("BRIDGE_MAX_CONCURRENCY", "4").set("K_SINK_TIMEOUT", "60").start().await;
        pass(seconds(30)).await;
        let (_, page) = bridge.page("/metrics").await;
        let shown = |name: &str| {
            let samples = page.lines().filter_map(|line| line.strip_prefix(name)?.starts_with('{').then_some(line));
            samples.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum::<f64>()
        };
        let names = ["in_flight_messages", "concurrency_limit", "concurrency_active", "sink_connections_opened_total"];
        assert_eq!(names.map(|name| shown(&format!("sqs_bridge_{name}"))), [60.0, 4.0, 4.0, 4.0]);
        let limit = shown("sqs_bridge_in_flight_limit");
        assert!((1.0..=60.0).contains(&limit), "{limit} messages may be in flight");
        let bytes = shown("sqs_bridge_in_flight_bytes");
        assert!((60_000.0..70_000.0).contains(&bytes), "{bytes} bytes for 60 messages of 1,000");
        assert!(shown("messaging_client_operation_duration_seconds_count") >= 6.0, "calls to SQS are counted");
        assert_eq!((scene.queue.counts().in_flight, scene.sink.connections()), (60, 4));

        scene.sink.accept_everything();
        scene.drained().await;
        assert!(most_at_once(&scene, Action::ReceiveMessage) <= 3);
        assert!(most_at_once(&scene, Action::DeleteMessageBatch) <= 16);
        bridge.stop().await;
    });
}

/// The most calls of one action that were under way at one time.
fn most_at_once(scene: &Scene, action: Action) -> usize {
    let calls = scene.sqs.calls_of(action);
    let under_way =
        |at| calls.iter().filter(|it| it.came <= at && it.answered.is_none_or(|answered| answered > at)).count();
    calls.iter().map(|call| under_way(call.came)).max().unwrap_or_default()
}
