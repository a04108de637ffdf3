//! From the producer to the Pod that handles the event, as people use it.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;
use tests::apiserver::on_a_runtime;
use tests::sink::{Event, Reply, Sink};
use tests::wait::eventually;

use crate::installation::{kubectl, steady};
use crate::scene::{PATIENCE, Scene};

/// EventBridge rule -> queue -> AwsSqsSource -> Broker -> two Triggers with different filters -> two Pods.
#[test]
fn events_of_a_rule_reach_the_pods_of_their_triggers() {
    let _steady = steady();
    on_a_runtime(async {
        let scene = Scene::new("flow").await;
        let queue = scene.queue("orders").await;
        let broker = scene.broker().await;
        for (pod, type_) in [("placed", "OrderPlaced"), ("refused", "OrderRefused")] {
            let subscriber = scene.recorder(pod).await;
            scene.trigger(pod, json!({"type": type_}), &subscriber).await;
        }
        let status = scene.source("orders", scene.spec(&queue, &broker)).await;
        let ingress = format!("http://broker-ingress.knative-eventing.svc.cluster.local/{}/default", scene.namespace);
        assert_eq!(status["sinkUri"], ingress);

        let (aws, producer) = (scene.server.aws(), &scene.namespace);
        aws.rule(producer, &json!({"source": [producer]}), &queue.arn);
        let put = |detail_type: &str| -> BTreeSet<String> {
            (0..5).map(|total| aws.put_event(producer, detail_type, &[], &json!({"total": total}))).collect()
        };
        let (placed, refused) = (put("Order Placed"), put("Order Refused"));
        let at = async |pod| ids(&scene.events(pod, 5).await);
        assert_eq!([at("placed").await, at("refused").await], [placed, refused]);
        queue.emptied().await;
        // Whatever went the wrong way or twice would have come by now.
        assert_eq!([scene.recorded("placed").await.len(), scene.recorded("refused").await.len()], [5, 5]);

        scene.delivering("orders").await;
        let shown = kubectl(&["-n", &scene.namespace, "get", "awssqssource", "orders", "--no-headers"]);
        let columns: Vec<&str> = shown.split_whitespace().collect();
        assert_eq!(
            columns[1..5],
            [queue.inner.name.as_str(), &ingress, "True", "True"],
            "queue, sink, Ready, Delivering"
        );
    });
}

/// AwsSqsSource -> InMemoryChannel -> Subscription -> Pod.
#[test]
fn messages_reach_the_subscriber_of_a_channel() {
    let _steady = steady();
    on_a_runtime(async {
        let scene = Scene::new("channel").await;
        let queue = scene.queue("orders").await;
        let channel = scene.channel("orders", &scene.recorder("subscriber").await).await;
        scene.source("orders", scene.spec(&queue, &channel)).await;

        let id = queue.inner.send("hello").await;
        let [event] = scene.events("subscriber", 1).await.try_into().expect("one event");
        let told = [event.id(), event.source(), event.kind()];
        assert_eq!((told, event.text()), ([&id, &queue.arn, "com.amazonaws.sqs.message"], "hello".to_owned()));
        queue.emptied().await;
    });
}

/// The Broker answers only when its Triggers have been served, here after more than a minute. Meanwhile the message is held,
/// so that it is neither received nor sent again (knative/eventing#8514).
#[test]
fn a_subscriber_that_fails_for_a_minute_gets_the_event_once() {
    let _steady = steady();
    on_a_runtime(async {
        let scene = Scene::new("failing").await;
        let queue = scene.queue("orders").await;
        let broker = scene.broker().await;
        let subscriber = Sink::start().await;
        let mut first = None;
        subscriber.decide(move |delivery| {
            let fails = delivery.came - *first.get_or_insert(delivery.came) < Duration::from_secs(60);
            fails.then(|| Reply::status(503))
        });
        scene.trigger("all", json!({}), &json!({"uri": subscriber.url()})).await;
        let mut spec = scene.spec(&queue, &broker);
        spec["receive"]["visibilityTimeout"] = json!("PT10S");
        scene.source("orders", spec).await;

        let id = queue.inner.send("hello").await;
        eventually(2 * PATIENCE, async || match subscriber.accepted_count() {
            0 => Err(subscriber.count()),
            _ => Ok(()),
        })
        .await;
        queue.emptied().await;
        let tried: Vec<String> = subscriber.deliveries().iter().map(|tried| tried.event.id().to_owned()).collect();
        // A second series of tries beside the first would have more than the Broker's eleven.
        assert!(tried.iter().all(|tried| *tried == id) && tried.len() <= 11, "{tried:?}");
        assert_eq!(subscriber.accepted_count(), 1);
    });
}

/// The ids of events.
fn ids(events: &[Event]) -> BTreeSet<String> {
    events.iter().map(|event| event.id().to_owned()).collect()
}
