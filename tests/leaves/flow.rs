//! How messages are received and how much is under way at once.

use std::time::Duration;

use serde_json::{Value, json};
use tests::sink::{Delivery, Reply};
use tests::sqs::Action;
use tests::timelapse::pass;

use crate::row::{Becomes, Becomes::Env, Row, at, row, wire};
use crate::stage::Stage;

const FIFO: &str = "arn:aws:sqs:eu-north-1:123456789012:orders.fifo";

/// Long polls under way at once while the queue is empty.
async fn pollers(stage: &Stage, set: Value) -> usize {
    let _pod = stage.start(&set).await;
    pass(Duration::from_secs(120)).await;
    stage.sqs.calls_of(Action::ReceiveMessage).iter().filter(|call| call.answered.is_none()).count()
}

/// Messages in flight after two minutes of a sink that never answers.
async fn held(stage: &Stage, bodies: impl IntoIterator<Item = String>, set: Value) -> usize {
    stage.sink.always(Reply::hang());
    stage.queue.send_all(bodies);
    let pod = stage.start(&set).await;
    pass(Duration::from_secs(120)).await;
    let held = stage.queue.counts().in_flight;
    pod.bridge.kill();
    held
}

/// The most POSTs that were under way at one time.
fn most_at_once(deliveries: &[Delivery]) -> usize {
    let under_way = |at| {
        let running = |it: &&Delivery| it.came <= at && it.answered.is_none_or(|answered| answered > at);
        deliveries.iter().filter(running).count()
    };
    deliveries.iter().map(|delivery| under_way(delivery.came)).max().unwrap_or_default()
}

/// Long polls that carried messages at the same time, at most.
fn most_receives_at_once(stage: &Stage) -> usize {
    let calls = stage.sqs.calls_of(Action::ReceiveMessage);
    let under_way =
        |at| calls.iter().filter(|it| it.came <= at && it.answered.is_none_or(|answered| answered > at)).count();
    calls.iter().map(|call| under_way(call.came)).max().unwrap_or_default()
}

pub fn rows() -> Vec<Row> {
    let mut rows = receiving();
    rows.extend(bounds());
    rows.extend(endings());
    rows
}

fn receiving() -> Vec<Row> {
    vec![
        row(
            "profile",
            json!({"profile": "cost"}),
            Env("BRIDGE_PROFILE", "cost"),
            wire!(stage => {
                let balanced = pollers(&stage, json!({"profile": "balanced"})).await;
            stage.sqs.forget_calls();
            assert_eq!((balanced, pollers(&stage, json!({"profile": "latency"})).await), (1, 2));
            }),
        ),
        row(
            "receive.waitTime",
            json!({"receive": {"waitTime": "PT5S"}}),
            Env("BRIDGE_WAIT_TIME", "5s"),
            wire!(stage => {
                let _pod = stage.start(&json!({"receive": {"waitTime": "PT5S"}})).await;
                assert_eq!(stage.long_poll().await.receive().unwrap().wait_time_seconds, Some(5));
            }),
        ),
        row(
            "receive.maxMessages",
            json!({"receive": {"maxMessages": 3}}),
            Env("BRIDGE_MAX_MESSAGES", "3"),
            wire!(stage => {
                let _pod = stage.start(&json!({"receive": {"maxMessages": 3}})).await;
                assert_eq!(stage.long_poll().await.receive().unwrap().max_number_of_messages, Some(3));
            }),
        ),
        row(
            "receive.maxPollers",
            json!({"receive": {"maxPollers": 2}}),
            Env("BRIDGE_MAX_POLLERS", "2"),
            wire!(stage => {
                use tests::sqs::{Fault, Latency, on};
                stage.sqs.inject(on(Action::ReceiveMessage), Fault::Delay(Latency::exactly(Duration::from_millis(200))));
                let at_once = async |most: u32| {
                    stage.sqs.forget_calls();
                    stage.queue.send_all((0..400).map(|number| number.to_string()));
                    let _pod = stage.start(&json!({"receive": {"maxPollers": most}})).await;
                    stage.drained().await;
                    most_receives_at_once(&stage)
                };
                assert_eq!((at_once(16).await > 2, at_once(2).await), (true, 2));
            }),
        ),
        row(
            "receive.visibilityTimeout",
            json!({"receive": {"visibilityTimeout": "PT2M"}}),
            Env("BRIDGE_VISIBILITY_TIMEOUT", "120s"),
            wire!(stage => {
                let _pod = stage.start(&json!({"receive": {"visibilityTimeout": "PT2M"}})).await;
                assert_eq!(stage.long_poll().await.receive().unwrap().visibility_timeout, Some(120));
            }),
        ),
    ]
}

fn bounds() -> Vec<Row> {
    let bytes = || json!({"flow": {"maxInFlightBytes": "32Mi"}});
    let bytes_are_bounded: fn(Stage) -> futures::future::LocalBoxFuture<'static, ()> = wire!(stage => {
        let body = "x".repeat(512 * 1024);
        let held = held(&stage, vec![body; 60], json!({"flow": {"maxInFlightBytes": "12Mi"}})).await;
        assert!((1..=24).contains(&held), "12 MiB hold 24 messages of half a MiB, not {held}");
    });
    vec![
        row(
            "flow.maxInFlight",
            json!({"flow": {"maxInFlight": 9}}),
            Env("BRIDGE_MAX_IN_FLIGHT", "9"),
            wire!(stage => {
                let bodies = (0..50).map(|number| number.to_string());
                assert_eq!(held(&stage, bodies, json!({"flow": {"maxInFlight": 12}})).await, 12);
            }),
        ),
        row("flow.maxInFlightBytes", bytes(), Env("BRIDGE_MAX_IN_FLIGHT_BYTES", "33554432"), bytes_are_bounded),
        row(
            "flow.maxInFlightBytes",
            bytes(),
            at("/containers/0/resources/limits/memory", json!("192Mi")),
            bytes_are_bounded,
        ),
        row(
            "flow.maxConcurrency",
            json!({"flow": {"maxConcurrency": 4}}),
            Env("BRIDGE_MAX_CONCURRENCY", "4"),
            wire!(stage => {
                stage.sink.always(Reply::accept().after(Duration::from_secs(1)));
                stage.queue.send_all((0..30).map(|number| number.to_string()));
                let _pod = stage.start(&json!({"flow": {"maxConcurrency": 3}})).await;
                stage.drained().await;
                assert_eq!(most_at_once(&stage.sink.deliveries()), 3);
            }),
        ),
        row(
            "flow.maxRate",
            json!({"flow": {"maxRate": 500}}),
            Env("BRIDGE_MAX_RATE", "500"),
            wire!(stage => {
                stage.queue.send_all((0..50).map(|number| number.to_string()));
                let start = tokio::time::Instant::now();
                let _pod = stage.start(&json!({"flow": {"maxRate": 5}})).await;
                stage.drained().await;
                let took = start.elapsed().as_secs_f64();
                assert!((8.5..13.0).contains(&took), "50 events at 5 per second, the first 5 at once, took {took} s");
            }),
        ),
    ]
}

fn endings() -> Vec<Row> {
    let drain = || json!({"drainTimeout": "PT1M"});
    let drains: fn(Stage) -> futures::future::LocalBoxFuture<'static, ()> = wire!(stage => {
        stage.sink.always(Reply::hang());
        stage.queue.send("never answered");
        let pod = stage.start(&json!({"drainTimeout": "PT15S"})).await;
        tests::wait::until(Duration::from_secs(60), "a POST", || stage.sink.count() == 1).await;
        let asked = tokio::time::Instant::now();
        pod.bridge.stop().await;
        let took = asked.elapsed();
        assert!((Duration::from_secs(10)..=Duration::from_secs(16)).contains(&took), "the drain took {took:?}");
        assert_eq!(stage.queue.counts().visible, 1, "it is given back");
    });
    let poison: Becomes = Env("BRIDGE_FIFO_ON_POISON", "skip");
    let skip =
        json!({"queueArn": FIFO, "fifo": {"onPoison": "skip"}, "delivery": {"deadLetterSink": {"uri": "http://dls"}}});
    vec![
        row(
            "fifo.onPoison",
            skip,
            poison,
            wire!(stage => {
                let queue = stage.sqs.queue("q.fifo");
                stage.sink.decide(|delivery| (delivery.event.text() == "poison").then(|| Reply::status(422)));
                for body in ["poison", "next"] {
                    queue.send_to_group("g", body);
                }
                let dead_letters = json!({"deadLetterSink": {"uri": stage.other.url()}});
                let set = json!({"queueUrl": queue.url(), "fifo": {"onPoison": "skip"}, "delivery": dead_letters});
                let _pod = stage.start(&set).await;
                tests::wait::until(Duration::from_secs(3600), "an empty queue", || queue.is_empty()).await;
                let texts = |sink: &tests::sink::Sink| sink.accepted().iter().map(|it| it.event.text()).collect::<Vec<_>>();
                assert_eq!((texts(&stage.other), texts(&stage.sink)), (vec!["poison".to_owned()], vec!["next".to_owned()]));
            }),
        ),
        row("drainTimeout", drain(), Env("BRIDGE_DRAIN_TIMEOUT", "60s"), drains),
        row("drainTimeout", drain(), at("/terminationGracePeriodSeconds", json!(75)), drains),
    ]
}
