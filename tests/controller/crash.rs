//! The controller as a program that dies at any point: the next one finishes what it began, and nothing is there twice.

use k8s_openapi::api::core::v1::{ConfigMap, ServiceAccount};
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use kube::api::Api;
use serde_json::{Value, json};
use tests::apiserver::cut::Cut;
use tests::apiserver::process::ControllerProcess;
use tests::apiserver::{Cluster, apply, on_a_runtime};
use tests::wait::eventually;

use crate::scene::{QUEUE, SOON, Scene, env_of, names, well};
use crate::shared::{ACCOUNT, install, kinds};

const CERTIFICATE: &str = include_str!("../../source-controller/fixtures/ca.pem");

/// Each time the connection goes dead after another number of bytes, and the program is killed there.
const KILLS: usize = 24;

/// A whole start with three sources sends about so many bytes.
const WHOLE: i64 = 60_000;

#[test]
fn a_controller_that_is_killed_anywhere_leaves_nothing_undone_and_nothing_twice() {
    on_a_runtime(async {
        let cluster = Cluster::start("crash", &[&kinds()]);
        install(&cluster).await;
        let scene = Scene::new(&cluster, "crash").await;
        settings(&scene).await;
        let seed = fastrand::u64(..);
        println!("seed {seed}");
        let mut random = fastrand::Rng::with_seed(seed);
        for round in 0..KILLS {
            for name in ["a", "b", "c"] {
                scene.source(name, spec(round)).await;
            }
            // Early points are the more likely ones, for there most is still to be done.
            let bytes = 2_000 + random.i64(0..WHOLE).min(random.i64(0..WHOLE));
            let cut = Cut::after(bytes, cluster.address()).await;
            let config = cluster.kubeconfig_of(ACCOUNT.0, ACCOUNT.1, Some(cut.address())).await;
            let controller = ControllerProcess::start(&config, &["--no-leader-election"]);
            tokio::select! {
                () = cut.dead() => {}
                // It may need fewer bytes than it was given: then it is killed when all is done.
                () = all_done(&scene, round) => {}
            }
            controller.kill();
        }
        let config = cluster.kubeconfig_of(ACCOUNT.0, ACCOUNT.1, None).await;
        let controller = ControllerProcess::start(&config, &["--no-leader-election"]);
        all_done(&scene, KILLS - 1).await;
        let adapters =
            [scene.run_pod("a", well()).await, scene.run_pod("b", well()).await, scene.run_pod("c", well()).await];
        for name in ["a", "b", "c"] {
            scene.condition(name, "Ready", "True", "").await;
        }
        let objects = objects(&scene).await;
        assert_eq!(objects, expected(&scene).await);

        // One that finds everything done tells nothing else of it than the one before.
        let ready = scene.condition("a", "Ready", "True", "").await.condition("Ready");
        controller.kill();
        let _next = ControllerProcess::start(&config, &["--no-leader-election"]);
        let warning = json!({"reason": "SinkUnavailable", "message": "connection refused"});
        adapters[0].answer(json!({"ready": true, "warnings": [warning]}));
        let status = scene.condition("a", "DeliveryHealthy", "False", "SinkUnavailable").await;
        assert_eq!(status.condition("Ready"), ready);
    });
}

/// OIDC and a trust bundle, so that a pass writes one of everything.
async fn settings(scene: &Scene) {
    let bundle = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "data": {"ca.pem": CERTIFICATE},
        "metadata": {"name": "corp", "namespace": "knative-eventing", "labels": {"networking.knative.dev/trust-bundle": "true"}},
    });
    let features = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "config-features", "namespace": "knative-eventing"},
        "data": {"authentication-oidc": "enabled"},
    });
    for object in [bundle, features] {
        apply(&scene.client, &object).await;
    }
}

fn spec(round: usize) -> Value {
    json!({"queueArn": QUEUE, "sink": {"uri": format!("http://display/{round}")}})
}

/// Every source has one Deployment, for the spec of this round.
async fn all_done(scene: &Scene, round: usize) {
    for name in ["a", "b", "c"] {
        let sink = format!("http://display/{round}");
        scene.deployment_when(name, |now| env_of(now, "K_SINK").as_deref() == Some(sink.as_str())).await;
    }
}

/// Everything that a controller makes in the namespace, by kind and name.
async fn objects(scene: &Scene) -> Vec<(&'static str, Vec<String>)> {
    let all = Default::default();
    let (client, namespace) = (&scene.client, scene.namespace.as_str());
    let accounts: Api<ServiceAccount> = Api::namespaced(client.clone(), namespace);
    let roles: Api<Role> = Api::namespaced(client.clone(), namespace);
    let bindings: Api<RoleBinding> = Api::namespaced(client.clone(), namespace);
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), namespace);
    let mut deployments = Vec::new();
    for name in ["a", "b", "c"] {
        deployments.extend(names(&scene.deployments(name).await));
    }
    vec![
        ("Deployment", deployments),
        ("ServiceAccount", names(&accounts.list(&all).await.expect("a list").items)),
        ("Role", names(&roles.list(&all).await.expect("a list").items)),
        ("RoleBinding", names(&bindings.list(&all).await.expect("a list").items)),
        ("ConfigMap", names(&maps.list(&all).await.expect("a list").items)),
    ]
}

async fn expected(scene: &Scene) -> Vec<(&'static str, Vec<String>)> {
    let mut deployments = Vec::new();
    for name in ["a", "b", "c"] {
        let uid = scene.read(name).await.metadata.uid.expect("a UID");
        deployments.push(source_controller::child_name::deployment(name, &uid));
    }
    let each = |suffix: &str| ["a", "b", "c"].map(|name| format!("{name}{suffix}")).to_vec();
    let mut accounts = each("-oidc-sources.knative.dev-awssqssource");
    accounts.push("default".to_owned());
    let maps = ["corpkne-bundle", "kn-combined-kne-bundlekne-bundle", "kube-root-ca.crt"].map(str::to_owned).to_vec();
    vec![
        ("Deployment", deployments),
        ("ServiceAccount", accounts),
        ("Role", each("-create-oidc-token")),
        ("RoleBinding", each("-create-oidc-token")),
        ("ConfigMap", maps),
    ]
}

/// Of two programs one works; when it dies, hangs or is stopped the other goes on, and one that comes back late gives up.
#[test]
fn one_replica_leads_and_another_takes_over() {
    on_a_runtime(async {
        let cluster = Cluster::start("replicas", &[&kinds()]);
        install(&cluster).await;
        let scene = Scene::new(&cluster, "replicas").await;
        let config = cluster.kubeconfig_of(ACCOUNT.0, ACCOUNT.1, None).await;
        let replica = |name: &str| {
            let controller = ControllerProcess::start(&config, &["--identity", name]);
            (name.to_owned(), controller)
        };
        let holder = async || {
            let leases: Api<k8s_openapi::api::coordination::v1::Lease> =
                Api::namespaced(scene.client.clone(), ACCOUNT.0);
            let lease = leases.get_opt("awssqs-source-controller").await.expect("an answer");
            lease.and_then(|lease| lease.spec?.holder_identity).unwrap_or_default()
        };
        let leads = async |name: &str| {
            eventually(SOON + SOON, async || {
                let holder = holder().await;
                if holder == name { Ok(()) } else { Err(holder) }
            })
            .await;
        };
        let (first_name, first) = replica("first");
        leads(&first_name).await;
        let (second_name, second) = replica("second");
        second.line_with("waiting for the lease").await;
        scene.source("one", spec(1)).await;
        scene.deployment_when("one", |_| true).await;
        assert!(!second.output().iter().any(|line| line.contains("reconciling")), "{:#?}", second.output());

        first.kill();
        leads(&second_name).await;
        scene.source("two", spec(2)).await;
        scene.deployment_when("two", |_| true).await;

        let (third_name, mut third) = replica("third");
        third.line_with("waiting for the lease").await;
        second.freeze();
        leads(&third_name).await;
        scene.source("three", spec(3)).await;
        scene.deployment_when("three", |_| true).await;
        let mut second = second;
        second.thaw();
        assert_eq!(second.ended(SOON).await, Some(1));
        second.line_with("the lease was lost: another replica leads").await;

        let (fourth_name, fourth) = replica("fourth");
        fourth.line_with("waiting for the lease").await;
        third.terminate();
        assert_eq!(third.ended(SOON).await, Some(0));
        leads(&fourth_name).await;
        for (name, round) in [("one", 1), ("two", 2), ("three", 3)] {
            let sink = format!("http://display/{round}");
            scene.deployment_when(name, |now| env_of(now, "K_SINK").as_deref() == Some(sink.as_str())).await;
        }
    });
}
