//! The bridge end to end on both servers: what is in the queue reaches the sink, and nothing leaves the queue before.

use std::collections::BTreeSet;

use aws_sdk_sqs::types::{
    MessageAttributeValue, MessageSystemAttributeNameForSends, MessageSystemAttributeValue, QueueAttributeName,
};
use tests::servers::{Watched, elasticmq, ministack};
use tests::sink::{Reply, Sink};
use tests::wait::eventually;

use crate::bridge::{PATIENCE, accepted, emptied, start};

on_both! {
    every_message_is_delivered_once_and_deleted,
    attributes_of_a_message_become_extensions,
    an_event_keeps_its_id_until_the_sink_takes_it,
    a_refused_message_ends_in_the_dead_letter_queue,
    a_group_keeps_its_order_past_a_failing_head,
    a_stopped_bridge_leaves_what_it_did_not_deliver,
}

async fn every_message_is_delivered_once_and_deleted(server: Watched) {
    let queue = server.endpoint().queue("deliver", &[]).await;
    let mut sent = BTreeSet::new();
    for index in 0..50 {
        sent.insert(queue.send(&format!("message {index}")).await);
    }
    let sink = Sink::start().await;
    let bridge = start(&server, &queue, &sink);

    let events = accepted(&sink, sent.len()).await;
    emptied(&queue).await;
    bridge.stop().await;
    let ids: BTreeSet<String> = events.iter().map(|event| event.id().to_owned()).collect();
    assert_eq!(ids, sent);
    assert_eq!(sink.accepted_count(), sent.len());
    assert_eq!(sink.duplicates(), [].into());
}

async fn attributes_of_a_message_become_extensions(server: Watched) {
    let queue = server.endpoint().queue("attributes", &[]).await;
    let tenant = MessageAttributeValue::builder().data_type("String").string_value("Zoë & \"Co\"").build();
    let tenant = tenant.expect("the data type is set");
    let trace = "Root=1-67891233-abcdef012345678912345678;Parent=463ac35c9f6413ad;Sampled=1";
    let trace = MessageSystemAttributeValue::builder().data_type("String").string_value(trace).build();
    let trace = trace.expect("the data type is set");
    let request = queue.client.send_message().queue_url(&queue.url).message_body("{}");
    let request = request.message_attributes("tenant", tenant);
    let request = request.message_system_attributes(MessageSystemAttributeNameForSends::AwsTraceHeader, trace);
    request.send().await.expect("the server takes the message");
    let sink = Sink::start().await;
    let bridge = start(&server, &queue, &sink);

    let events = accepted(&sink, 1).await;
    emptied(&queue).await;
    bridge.stop().await;
    let told = ["sqsattrtenant", "traceparent", "datacontenttype"].map(|name| events[0].get(name));
    let traceparent = "00-67891233abcdef012345678912345678-463ac35c9f6413ad-01";
    assert_eq!(told, [Some("Zoë & \"Co\""), Some(traceparent), Some("application/json")]);
}

async fn an_event_keeps_its_id_until_the_sink_takes_it(server: Watched) {
    let queue = server.endpoint().queue("retry", &[]).await;
    let id = queue.send("hello").await;
    let sink = Sink::start().await;
    sink.script([Reply::status(503), Reply::reset(), Reply::status(500), Reply::status(429), Reply::status(503)]);
    let bridge = start(&server, &queue, &sink);

    accepted(&sink, 1).await;
    emptied(&queue).await;
    bridge.stop().await;
    let deliveries = sink.deliveries();
    let ids: BTreeSet<&str> = deliveries.iter().map(|delivery| delivery.event.id()).collect();
    assert_eq!(ids, [id.as_str()].into());
    assert_eq!(deliveries.len(), 6);
}

async fn a_refused_message_ends_in_the_dead_letter_queue(server: Watched) {
    let dead = server.endpoint().queue("dead", &[]).await;
    let dead_arn = dead.attribute(QueueAttributeName::QueueArn).await.expect("a queue has an ARN");
    let redrive = format!(r#"{{"deadLetterTargetArn":"{dead_arn}","maxReceiveCount":2}}"#);
    let queue = server.endpoint().queue("poison", &[(QueueAttributeName::RedrivePolicy, &redrive)]).await;
    queue.send("poison").await;
    let good = queue.send("good").await;
    let sink = Sink::start().await;
    sink.decide(|delivery| (delivery.event.text() == "poison").then(|| Reply::status(400)));
    let bridge = start(&server, &queue, &sink);

    let events = accepted(&sink, 1).await;
    emptied(&queue).await;
    bridge.stop().await;
    assert_eq!(events.iter().map(|event| event.id()).collect::<Vec<_>>(), [good.as_str()]);
    // For a server the move from one queue to the other may be two steps.
    let moved = eventually(PATIENCE, || async {
        let moved = dead.drain().await;
        if moved.is_empty() { Err("the dead-letter queue is empty") } else { Ok(moved) }
    });
    assert_eq!(moved.await, ["poison"]);
}

async fn a_group_keeps_its_order_past_a_failing_head(server: Watched) {
    let queue = server.endpoint().queue("fifo", &[(QueueAttributeName::FifoQueue, "true")]).await;
    for index in 0..5 {
        for group in ["a", "b"] {
            queue.send_to_group(group, &format!("{group}{index}")).await;
        }
    }
    let sink = Sink::start().await;
    let mut refusals = 6;
    sink.decide(move |delivery| {
        let fails = delivery.event.text() == "a1" && refusals > 0;
        refusals -= u32::from(fails);
        fails.then(|| Reply::status(503))
    });
    let bridge = start(&server, &queue, &sink);

    let events = accepted(&sink, 10).await;
    emptied(&queue).await;
    bridge.stop().await;
    for group in ["a", "b"] {
        let texts: Vec<String> =
            events.iter().map(|event| event.text()).filter(|text| text.starts_with(group)).collect();
        let sent: Vec<String> = (0..5).map(|index| format!("{group}{index}")).collect();
        assert_eq!(texts, sent);
    }
}

async fn a_stopped_bridge_leaves_what_it_did_not_deliver(server: Watched) {
    let queue = server.endpoint().queue("shutdown", &[]).await;
    let mut sent = BTreeSet::new();
    for index in 0..20 {
        sent.insert(queue.send(&format!("message {index}")).await);
    }
    let broken = Sink::start().await;
    broken.always(Reply::status(503));
    let bridge = start(&server, &queue, &broken);
    tests::wait::until(PATIENCE, "the sink was asked", || broken.count() > 0).await;
    bridge.stop().await;
    assert_eq!(broken.accepted_count(), 0);

    let sink = Sink::start().await;
    let bridge = start(&server, &queue, &sink);
    let events = accepted(&sink, sent.len()).await;
    emptied(&queue).await;
    bridge.stop().await;
    assert_eq!(events.iter().map(|event| event.id().to_owned()).collect::<BTreeSet<_>>(), sent);
}
