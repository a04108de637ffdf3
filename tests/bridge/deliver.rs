//! The main road: what comes in goes out and is deleted.

use std::collections::BTreeSet;

use super::*;
use tests::sqs::Action;

/// The plain life of a message.
#[test]
fn a_message_becomes_one_event_and_is_deleted() {
    timelapse(async {
        let scene = Scene::new().await;
        let bridge = scene.start().await;
        let id = scene.queue.send("hello");
        scene.drained().await;

        let accepted = scene.sink.accepted();
        assert_eq!(accepted.len(), 1);
        let event = &accepted[0].event;
        assert_eq!((event.id(), event.source()), (&*id, scene.queue.arn().as_str()));
        assert_eq!((event.kind(), event.text()), ("com.amazonaws.sqs.message", "hello".to_owned()));
        let deeds: Vec<_> = scene.queue.history(&id).into_iter().map(|entry| entry.deed).collect();
        assert!(matches!(deeds[..], [Deed::Sent, Deed::Received { .. }, Deed::Deleted]), "{deeds:?}");
        bridge.stop().await;
    });
}

/// The order of guarantee: first the sink's answer, then the delete.
#[test]
fn a_message_is_deleted_only_after_the_sink_has_answered() {
    timelapse(async {
        let scene = Scene::new().await;
        scene.sink.always(tests::sink::Reply::accept().after(Duration::from_secs(7)));
        let bridge = scene.start().await;
        scene.queue.send("slow");
        scene.drained().await;

        let answered = scene.sink.accepted()[0].answered.expect("it was answered");
        let delete = &scene.sqs.calls_of(Action::DeleteMessageBatch)[0];
        assert!(delete.came >= answered, "the delete came before the answer");
        bridge.stop().await;
    });
}

/// More than one receive, one poller and one sink connection can hold.
#[test]
fn a_thousand_messages_arrive_once_each() {
    timelapse(async {
        let scene = Scene::new().await;
        let bodies: BTreeSet<String> = (0..1000).map(|number| format!("message {number}")).collect();
        scene.queue.send_all(bodies.clone());
        let bridge = scene.start().await;
        scene.drained().await;

        let arrived: Vec<String> = scene.sink.accepted().iter().map(|delivery| delivery.event.text()).collect();
        assert_eq!(arrived.len(), 1000);
        assert_eq!(arrived.into_iter().collect::<BTreeSet<_>>(), bodies);
        scene.assert_nothing_lost();
        bridge.stop().await;
    });
}

/// Whatever stands in a body is delivered as what it is, or as text; nothing is dropped and nothing crashes.
#[test]
fn bad_bodies_are_delivered_too() {
    timelapse(async {
        let scene = Scene::new().await;
        let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
        let large = "x".repeat(1_048_576);
        let bodies = [
            "",
            " ",
            "\0",
            "a\0b\u{1}\u{7f}",
            "{",
            "{\"a\":1,\"a\":2}",
            "\"\\ud800\"",
            "nul",
            "\u{feff}{}",
            "1e999",
            &deep,
            &large,
        ];
        scene.queue.send_all(bodies);
        let bridge = scene.start().await;
        scene.drained().await;

        let accepted = scene.sink.accepted();
        assert_eq!(accepted.len(), bodies.len());
        let arrived: BTreeSet<Vec<u8>> = accepted.iter().map(|delivery| delivery.body.to_vec()).collect();
        let lost: Vec<_> = bodies.iter().filter(|body| !arrived.contains(body.as_bytes())).collect();
        assert_eq!(lost, Vec::<&&str>::new(), "bodies that did not arrive byte for byte");
        scene.assert_nothing_lost();
        bridge.stop().await;
    });
}

/// Ten attributes of all types, one of them binary.
#[test]
fn message_attributes_become_extensions() {
    use tests::sqs::Attribute;
    timelapse(async {
        let scene = Scene::new().await;
        let names: Vec<String> = (0..8).map(|number| format!("name{number}")).collect();
        let mut attributes: Vec<(&str, Attribute)> =
            names.iter().map(|name| (name.as_str(), Attribute::string(format!("value of {name}")))).collect();
        attributes.push(("count", Attribute::number(42)));
        attributes.push(("bytes", Attribute::binary(&[0, 159, 255])));
        scene.queue.send_with("body", &attributes);
        let bridge = scene.start().await;
        scene.drained().await;

        let event = scene.sink.accepted().remove(0).event;
        assert_eq!(event.get("sqsattrname7"), Some("value of name7"));
        assert_eq!((event.get("sqsattrcount"), event.get("sqsattrbytes")), (Some("42"), Some("AJ//")));
        bridge.stop().await;
    });
}

/// Two bridges on one queue share the work, and nothing arrives twice.
#[test]
fn two_bridges_share_a_queue() {
    timelapse(async {
        let scene = Scene::new().await;
        scene.queue.send_all((0..200).map(|number| number.to_string()));
        let bridges = [scene.start().await, scene.start().await];
        scene.drained().await;
        assert_eq!(scene.sink.accepted_count(), 200);
        assert_eq!(scene.sink.duplicates().len(), 0);
        for bridge in bridges {
            bridge.stop().await;
        }
    });
}

/// What an idle bridge costs: one long poll after the other, and nothing else.
#[test]
fn an_idle_bridge_makes_one_request_in_twenty_seconds() {
    timelapse(async {
        let scene = Scene::new().await;
        let bridge = scene.start().await;
        bridge.ready().await;
        scene.sqs.forget_calls();
        pass(Duration::from_secs(3600)).await;
        let calls = scene.sqs.calls().len();
        assert!(
            (170..=190).contains(&calls),
            "{calls} requests in an idle hour; one poll of 20 s after the other is 180"
        );
        bridge.stop().await;
    });
}
