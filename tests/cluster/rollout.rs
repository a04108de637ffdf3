//! Pods that come and go while messages flow: nothing is lost.

use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use kube::api::{Api, DeleteParams};
use serde_json::json;
use tests::apiserver::{on_a_runtime, root, sources};
use tests::wait::eventually;

use crate::installation::{SYSTEM, alone, bridge_image, kubectl, restore, rolled_out, steady};
use crate::scene::{PATIENCE, Scene};
use crate::traffic::Traffic;

const PODS: &str = "knative-eventing-source-name=orders";

/// A changed spec rolls the Pod, a Pod is killed, the source is deleted and made again.
#[test]
fn nothing_is_lost_by_an_update_a_kill_and_a_deletion() {
    let _steady = steady();
    on_a_runtime(async {
        let scene = Scene::new("rolling").await;
        let queue = scene.queue("orders").await;
        let traffic = Traffic::start(&queue).await;
        let mut spec = scene.spec(&queue, &traffic.sink());
        scene.source("orders", spec.clone()).await;
        traffic.goes_on().await;

        spec["profile"] = json!("latency");
        scene.source("orders", spec.clone()).await;
        traffic.goes_on().await;

        let pods: Api<Pod> = Api::namespaced(scene.client.clone(), &scene.namespace);
        let pod = scene.pods(PODS).await.into_iter().find(|pod| pod.metadata.deletion_timestamp.is_none());
        let at_once = DeleteParams::default().grace_period(0);
        pods.delete(&pod.expect("a Pod").name_any(), &at_once).await.expect("the Pod is killed");
        traffic.goes_on().await;

        sources(&scene.client, &scene.namespace).delete("orders", &DeleteParams::default()).await.expect("deleted");
        eventually(PATIENCE, || async {
            let left: Vec<String> = scene.pods(PODS).await.iter().map(ResourceExt::name_any).collect();
            if left.is_empty() { Ok(()) } else { Err(left) }
        })
        .await;
        scene.source("orders", spec).await;
        traffic.goes_on().await;
        traffic.all_arrived(&queue).await;
    });
}

/// A new version of both programs rolls out.
#[test]
fn nothing_is_lost_by_an_upgrade() {
    let _alone = alone();
    on_a_runtime(async {
        let scene = Scene::new("upgrade").await;
        let queue = scene.queue("orders").await;
        let traffic = Traffic::start(&queue).await;
        scene.source("orders", scene.spec(&queue, &traffic.sink())).await;
        traffic.goes_on().await;

        let _release = Release::of("next", "next");
        runs(&scene, "next").await;
        scene.ready("sources.knative.dev/v1alpha1", "AwsSqsSource", "orders").await;
        traffic.goes_on().await;
        traffic.all_arrived(&queue).await;
    });
}

/// Waits until all Pods of the source run the image of this tag.
async fn runs(scene: &Scene, tag: &str) {
    let wanted = tagged(&bridge_image(), tag);
    eventually(PATIENCE, || async {
        let pods = scene.pods(PODS).await;
        let images: Vec<_> =
            pods.iter().map(|pod| pod.spec.as_ref().and_then(|spec| spec.containers[0].image.as_deref())).collect();
        if images == [Some(wanted.as_str())] { Ok(()) } else { Err(format!("{images:?}")) }
    })
    .await;
}

fn tagged(image: &str, tag: &str) -> String {
    let (name, _) = image.rsplit_once(':').expect("a tag");
    format!("{name}:{tag}")
}

/// Another release than that of `config/`, which is installed again when this is dropped.
pub struct Release;

impl Release {
    /// Gives the controller, and through it the adapters, images of other tags.
    pub fn of(controller: &str, adapter: &str) -> Self {
        let release = Self;
        let bridge = bridge_image();
        let image = tagged(&bridge.replace("/sqs-bridge:", "/source-controller:"), controller);
        let env = [json!({"name": "AWSSQS_RA_IMAGE", "value": tagged(&bridge, adapter)})];
        let containers = json!([{"name": "controller", "image": image, "env": env}]);
        let patch = json!({"spec": {"template": {"spec": {"containers": containers}}}}).to_string();
        kubectl(&["-n", SYSTEM, "patch", "deployment", "awssqs-source-controller", "-p", &patch]);
        rolled_out("awssqs-source-controller");
        release
    }
}

impl Drop for Release {
    fn drop(&mut self) {
        restore(|| {
            kubectl(&["apply", "-f", root().join("config").to_str().expect("text")]);
            rolled_out("awssqs-source-controller");
        });
    }
}
