//! The program as a developer starts it: against a kubeconfig, with no ServiceAccount and out of reach of pods.

use serde_json::json;
use tests::apiserver::process::ControllerProcess;
use tests::apiserver::{Cluster, on_a_runtime, pods};

use crate::scene::{QUEUE, SOON, Scene};
use crate::shared::{install, kinds};

#[test]
fn the_program_works_against_a_kubeconfig() {
    on_a_runtime(async {
        let cluster = Cluster::start("laptop", &[&kinds()]);
        install(&cluster).await;
        let scene = Scene::new(&cluster, "laptop").await;
        let mut controller = ControllerProcess::start(&cluster.kubeconfig(), &["--no-leader-election"]);
        scene.source("orders", json!({"queueArn": QUEUE, "sink": {"uri": "http://display"}})).await;
        let pod = scene.new_pod("orders").await;
        // Nobody answers there, as between a laptop and the network of a cluster.
        pods::run(&scene.client, &pod, std::net::Ipv4Addr::new(127, 1, fastrand::u8(..), fastrand::u8(1..255)), true)
            .await;
        let status = scene.condition("orders", "Ready", "True", "").await;
        assert_eq!(status.condition("QueueReachable")["reason"], "NotObserved");
        controller.terminate();
        assert_eq!(controller.ended(SOON).await, Some(0), "{:#?}", controller.output());
    });
}

/// Without a cluster it says what to do, and is not silent.
#[test]
fn without_a_cluster_it_says_what_to_do() {
    on_a_runtime(async {
        let mut controller = ControllerProcess::start("/nowhere/kubeconfig".as_ref(), &[]);
        assert_eq!(controller.ended(SOON).await, Some(1));
        let output = controller.output().join("\n");
        assert!(output.contains("finding a cluster failed: set KUBECONFIG or run in a pod"), "{output}");
    });
}
