//! How often and how long a POST is tried.

use std::time::Duration;

use serde_json::{Value, json};
use tests::sink::Reply;

use crate::row::{Becomes::Env, Row, row, wire};
use crate::stage::Stage;

/// When each POST of one message came that is always answered so, from the first until its message was dead-lettered.
async fn attempts(stage: &Stage, reply: Reply, delivery: Value) -> Vec<f64> {
    stage.sink.always(reply);
    stage.queue.send("refused");
    let mut set = json!({"delivery": {"deadLetterSink": {"uri": stage.other.url()}, "retry": 2}});
    tests::merge::merge(&mut set["delivery"], &delivery);
    let _pod = stage.start(&set).await;
    stage.drained().await;
    let deliveries = stage.sink.deliveries();
    deliveries.iter().map(|delivery| (delivery.came - deliveries[0].came).as_secs_f64()).collect()
}

/// How long the sink waited for a second POST after this answer to the first.
async fn pause(stage: &Stage, first: Reply, set: Value) -> Duration {
    stage.sink.script([first]);
    stage.queue.send("again");
    let _pod = stage.start(&set).await;
    stage.drained().await;
    let deliveries = stage.sink.deliveries();
    deliveries[1].came - deliveries[0].came
}

pub fn rows() -> Vec<Row> {
    vec![
        row(
            "delivery.retry",
            json!({"delivery": {"retry": 7}}),
            Env("BRIDGE_DELIVERY_RETRY", "7"),
            wire!(stage => assert_eq!(attempts(&stage, Reply::status(503), json!({"retry": 5})).await.len(), 6)),
        ),
        row(
            "delivery.backoffPolicy",
            json!({"delivery": {"backoffPolicy": "linear"}}),
            Env("BRIDGE_DELIVERY_BACKOFF_POLICY", "linear"),
            wire!(stage => {
                let linear = json!({"backoffPolicy": "linear", "backoffDelay": "PT10S"});
                let came = attempts(&stage, Reply::status(503), linear).await;
                assert!(came[1] < 1.0 && (10.0..15.1).contains(&(came[2] - came[1])), "0 s, then 10 s: {came:?}");
            }),
        ),
        row(
            "delivery.backoffDelay",
            json!({"delivery": {"backoffDelay": "PT1.5S"}}),
            Env("BRIDGE_DELIVERY_BACKOFF_DELAY", "1500ms"),
            wire!(stage => {
                let came = attempts(&stage, Reply::status(503), json!({"backoffDelay": "PT10S"})).await;
                let waits = [came[1], came[2] - came[1]];
                assert!((10.0..15.1).contains(&waits[0]) && (20.0..30.1).contains(&waits[1]), "10 s, 20 s: {waits:?}");
            }),
        ),
        row(
            "delivery.timeout",
            json!({"delivery": {"timeout": "PT1M0.2S"}}),
            Env("K_SINK_TIMEOUT", "61"),
            wire!(stage => {
                let waited = pause(&stage, Reply::hang(), json!({"delivery": {"timeout": "PT5S"}})).await;
                assert!((Duration::from_secs(5)..Duration::from_secs(6)).contains(&waited), "{waited:?}");
            }),
        ),
        row(
            "delivery.retryAfterMax",
            json!({"delivery": {"retryAfterMax": "PT1M"}}),
            Env("BRIDGE_DELIVERY_RETRY_AFTER_MAX", "60s"),
            wire!(stage => {
                let busy = Reply::status(429).retry_after("3600");
                let waited = pause(&stage, busy, json!({"delivery": {"retryAfterMax": "PT5S"}})).await;
                assert!((Duration::from_secs(5)..Duration::from_secs(7)).contains(&waited), "{waited:?}");
            }),
        ),
    ]
}
