//! What must not change however often a message comes, and what may be missing.

use std::collections::BTreeSet;

use super::*;

/// A server that sends no attribute at all is no reason to drop a message.
#[test]
fn fail_35_a_message_without_any_attribute_is_delivered() {
    timelapse(async {
        let scene = Scene::new().await;
        scene.sqs.inject(on(Action::ReceiveMessage), Fault::OmitAttributes);
        let bridge = scene.start().await;
        let id = scene.queue.send("bare");
        scene.drained().await;
        assert_eq!(scene.sink.accepted()[0].event.id(), &*id);
        bridge.stop().await;
    });
}

/// A message that was given back and received again is the same event to the sink.
#[test]
fn fail_27_a_redelivered_message_keeps_id_and_source() {
    timelapse(async {
        let scene = Scene::new().await;
        let mut refusals = 4;
        // Only "again" fails, so that the sink as a whole is not taken for down.
        scene.sink.decide(move |delivery| {
            let refuse = delivery.event.text() == "again" && refusals > 0;
            refusals -= u32::from(refuse);
            refuse.then(|| Reply::status(500))
        });
        let bridge = scene.start().await;
        let id = scene.queue.send("again");
        scene.drained().await;

        assert_eq!(scene.queue.receives(&id), 2);
        let keys: BTreeSet<_> = scene.sink.deliveries().iter().map(|it| it.event.key()).collect();
        assert_eq!(keys, [(scene.queue.arn(), id.to_string())].into());
        bridge.stop().await;
    });
}

/// Of three records one is refused until the message comes again: then only that one is sent, under its old id.
#[test]
fn fail_38_only_the_records_that_were_not_accepted_are_sent_again_with_their_ids() {
    timelapse(async {
        let scene = Scene::new().await;
        let mut refusals = 4;
        scene.sink.decide(move |delivery| {
            let refuse = delivery.event.subject() == Some("two") && refusals > 0;
            refusals -= u32::from(refuse);
            refuse.then(|| Reply::status(503))
        });
        let bridge = scene.start().await;
        let id = scene.queue.send(three_records());
        scene.drained().await;

        assert_eq!(scene.queue.receives(&id), 2);
        let sent = |subject| {
            let deliveries = scene.sink.deliveries();
            let ids: Vec<_> = deliveries.iter().filter(|delivery| delivery.event.subject() == Some(subject)).collect();
            (ids.len(), ids.into_iter().map(|delivery| delivery.event.id().to_owned()).collect::<BTreeSet<_>>())
        };
        let expected = |count, id: &str| (count, BTreeSet::from([id.to_owned()]));
        assert_eq!(sent("one"), expected(1, "REQ-one.HOST"));
        assert_eq!(sent("two"), expected(5, "REQ-two.HOST"));
        assert_eq!(sent("three"), expected(1, "REQ-three.HOST"));
        assert_eq!(scene.sqs.count(Action::DeleteMessageBatch), 1);
        bridge.stop().await;
    });
}

fn three_records() -> String {
    let record = |key: &str| {
        serde_json::json!({
            "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "us-east-1",
            "eventTime": "2026-11-24T10:00:00.000Z", "eventName": "ObjectCreated:Put",
            "responseElements": {"x-amz-request-id": format!("REQ-{key}"), "x-amz-id-2": "HOST"},
            "s3": {"bucket": {"name": "photos"}, "object": {"key": key, "sequencer": "01"}}
        })
    };
    serde_json::json!({ "Records": [record("one"), record("two"), record("three")] }).to_string()
}
