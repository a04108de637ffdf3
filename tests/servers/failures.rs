//! Known failures of consumers of SQS that a real server can show too: the short form of tests in `tests/fire`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_sqs::types::QueueAttributeName;
use tests::servers::{Watched, elasticmq, ministack};
use tests::sink::{Reply, Sink};

use crate::bridge::{accepted, emptied, start, start_with};

on_both! {
    an_event_that_takes_longer_than_its_visibility_timeout_is_sent_once,
    what_arrives_while_a_bridge_stops_is_not_lost,
    what_a_stopping_bridge_has_delivered_is_deleted,
    a_group_id_on_a_standard_queue_makes_no_order,
    an_arn_alone_finds_the_queue,
    only_the_records_that_were_refused_are_sent_again,
}

/// FAIL-11: heartbeats keep the message.
async fn an_event_that_takes_longer_than_its_visibility_timeout_is_sent_once(server: Watched) {
    let queue = server.endpoint().queue("slow", &[]).await;
    queue.send("slow").await;
    let sink = Sink::start().await;
    sink.always(Reply::accept().after(Duration::from_secs(13)));
    let settings = [("AWS_SQS_URL", queue.url.as_str()), ("BRIDGE_VISIBILITY_TIMEOUT", "10s")];
    let bridge = start_with(&server, &queue, &sink, &settings);

    accepted(&sink, 1).await;
    emptied(&queue).await;
    bridge.stop().await;
    assert_eq!(sink.count(), 1);
}

/// FAIL-14: the last poll is waited for, and what it brings is given back at once.
async fn what_arrives_while_a_bridge_stops_is_not_lost(server: Watched) {
    let queue = server.endpoint().queue("late", &[]).await;
    let sink = Sink::start().await;
    let bridge = start(&server, &queue, &sink);
    queue.send("first").await;
    accepted(&sink, 1).await;
    let (_, late) = tokio::join!(bridge.stop(), queue.send("late"));

    // Visible now, unless the bridge was quick enough to deliver it before it stopped.
    let bodies: Vec<String> = queue.receive(10, 0, 30).await.into_iter().filter_map(|message| message.body).collect();
    let delivered = sink.accepted().iter().any(|delivery| delivery.event.id() == late);
    assert_eq!(bodies.len() + usize::from(delivered), 1, "{bodies:?}, delivered: {delivered}");
}

/// FAIL-15: deletes do not linger beyond the end.
async fn what_a_stopping_bridge_has_delivered_is_deleted(server: Watched) {
    let queue = server.endpoint().queue("linger", &[]).await;
    for number in 0..5 {
        queue.send(&number.to_string()).await;
    }
    let sink = Sink::start().await;
    let bridge = start(&server, &queue, &sink);
    accepted(&sink, 5).await;
    bridge.stop().await;
    emptied(&queue).await;
    assert_eq!(sink.count(), 5);
}

/// FAIL-33: on a standard queue a group is only a name; nothing waits for the one before it.
async fn a_group_id_on_a_standard_queue_makes_no_order(server: Watched) {
    let queue = server.endpoint().queue("tenant", &[]).await;
    for number in 0..8 {
        let send = queue.client.send_message().queue_url(&queue.url).message_body(number.to_string());
        send.message_group_id("tenant").send().await.expect("a standard queue takes a group id");
    }
    let sink = Sink::start().await;
    sink.always(Reply::accept().after(Duration::from_secs(5)));
    let bridge = start(&server, &queue, &sink);
    accepted(&sink, 8).await;
    emptied(&queue).await;
    bridge.stop().await;
    let deliveries = sink.deliveries();
    let first_answer = deliveries.iter().filter_map(|delivery| delivery.answered).min().expect("an answer");
    let before = deliveries.iter().filter(|delivery| delivery.came < first_answer).count();
    assert_eq!(before, 8, "events of one group are sent side by side");
}

/// FAIL-36: the URL is asked for, in the account of the ARN.
async fn an_arn_alone_finds_the_queue(server: Watched) {
    let queue = server.endpoint().queue("arn", &[]).await;
    let arn = queue.attribute(QueueAttributeName::QueueArn).await.expect("a queue has an ARN");
    let id = queue.send("hello").await;
    let sink = Sink::start().await;
    let bridge = start_with(&server, &queue, &sink, &[("AWS_SQS_ARN", arn.as_str())]);
    let events = accepted(&sink, 1).await;
    emptied(&queue).await;
    bridge.stop().await;
    assert_eq!([events[0].id(), events[0].source()], [id.as_str(), arn.as_str()]);
}

/// FAIL-38: a message of three records of which the second is refused until the message comes again.
async fn only_the_records_that_were_refused_are_sent_again(server: Watched) {
    let queue = server.endpoint().queue("records", &[]).await;
    queue.send(&records(&["one", "two", "three"])).await;
    let sink = Sink::start().await;
    let mut refusals = 4;
    sink.decide(move |delivery| {
        let refuse = delivery.event.subject() == Some("two") && refusals > 0;
        refusals -= u32::from(refuse);
        refuse.then(|| Reply::status(503))
    });
    let bridge = start(&server, &queue, &sink);
    accepted(&sink, 3).await;
    emptied(&queue).await;
    bridge.stop().await;
    let mut sent: BTreeMap<String, (usize, BTreeSet<String>)> = BTreeMap::new();
    for delivery in sink.deliveries() {
        let (count, ids) = sent.entry(delivery.event.subject().unwrap_or_default().to_owned()).or_default();
        *count += 1;
        ids.insert(delivery.event.id().to_owned());
    }
    let expected = [("one", 1), ("three", 1), ("two", 5)];
    let expected = expected.map(|(key, count)| (key.to_owned(), (count, BTreeSet::from([format!("REQ-{key}.HOST")]))));
    assert_eq!(sent, expected.into());
}

fn records(keys: &[&str]) -> String {
    let record = |key: &&str| {
        serde_json::json!({
            "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "us-east-1",
            "eventTime": "2026-11-24T10:00:00.000Z", "eventName": "ObjectCreated:Put",
            "responseElements": {"x-amz-request-id": format!("REQ-{key}"), "x-amz-id-2": "HOST"},
            "s3": {"bucket": {"name": "photos"}, "object": {"key": key, "sequencer": "01"}}
        })
    };
    serde_json::json!({ "Records": keys.iter().map(record).collect::<Vec<_>>() }).to_string()
}
