//! Deliveries that fail -> Kubernetes Events about the source, where `config-observability` asks for them.

use k8s_openapi::api::core::v1::Event;
use kube::api::{Api, ListParams};
use serde_json::json;
use tests::apiserver::on_a_runtime;
use tests::sink::{Reply, Sink};
use tests::wait::eventually;

use crate::installation::{SYSTEM, alone, kubectl, restore};
use crate::scene::{PATIENCE, Scene};

/// The Pod writes them, with the rights of the ServiceAccount that the controller gives it.
#[test]
fn a_failed_delivery_is_an_event_of_the_source() {
    let _alone = alone();
    on_a_runtime(async {
        let scene = Scene::new("reports").await;
        let (queue, sink) = (scene.queue("orders").await, Sink::start().await);
        sink.always(Reply::status(503));
        let _reports = Reports::on();
        scene.source("orders", scene.spec(&queue, &json!({"uri": sink.url()}))).await;
        queue.inner.send("nobody takes it").await;

        let events: Api<Event> = Api::namespaced(scene.client.clone(), &scene.namespace);
        let failed = ListParams::default().fields("reason=SinkSendFailed");
        let event = eventually(PATIENCE, || async {
            events.list(&failed).await.expect("Events are listed").items.into_iter().next().ok_or("there is none")
        })
        .await;
        let about = event.involved_object;
        let told = [about.kind, about.name, event.type_, event.message].map(Option::unwrap_or_default);
        assert_eq!(told, ["AwsSqsSource", "orders", "Warning", "503 Error sending cloud event to sink."]);
        let described = kubectl(&["-n", &scene.namespace, "describe", "awssqssource", "orders"]);
        assert!(described.contains("SinkSendFailed"), "{described}");
        sink.accept_everything();
        queue.emptied().await;
    });
}

/// Events that are asked for until this is dropped.
struct Reports;

impl Reports {
    fn on() -> Self {
        set("true");
        Self
    }
}

impl Drop for Reports {
    fn drop(&mut self) {
        restore(|| set("false"));
    }
}

fn set(enabled: &str) {
    let patch = json!({"data": {"sink-event-error-reporting.enable": enabled}}).to_string();
    kubectl(&["-n", SYSTEM, "patch", "configmap", "config-observability", "--type=merge", "-p", &patch]);
}
