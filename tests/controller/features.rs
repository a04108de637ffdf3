//! What the system namespace decides for all sources: OIDC, trust bundles, logging, observability.
//!
//! These tests change settings of the whole cluster, so they have one of their own and run one after the other.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use k8s_openapi::api::core::v1::{ConfigMap, ServiceAccount};
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use kube::api::Api;
use serde_json::{Value, json};
use tests::apiserver::controller::Running;
use tests::apiserver::{Cluster, apply, on_a_runtime};
use tests::wait::eventually;

use crate::scene::{QUEUE, SOON, Scene, env_of, names, well};
use crate::shared::{ACCOUNT, install, kinds};

const CERTIFICATE: &str = include_str!("../../source-controller/fixtures/ca.pem");

/// One test at a time on the cluster of this file.
fn cluster() -> (&'static Cluster, MutexGuard<'static, ()>) {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    static TURN: Mutex<()> = Mutex::new(());
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let cluster = CLUSTER.get_or_init(|| {
        let cluster = Cluster::start("features", &[&kinds()]);
        on_a_runtime(install(&cluster));
        cluster
    });
    (cluster, turn)
}

async fn controller(cluster: &Cluster) -> Running {
    Running::start(cluster.client_of(ACCOUNT.0, ACCOUNT.1).await, &["--no-leader-election"])
}

async fn set(scene: &Scene, map: &str, data: Value) {
    let map = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": map, "namespace": "knative-eventing"}, "data": data,
    });
    apply(&scene.client, &map).await;
}

/// With the feature on, a source has an identity that only its own adapter can use; with the feature off it has none.
#[test]
fn oidc_gives_each_source_an_identity_and_takes_it_back() {
    let (cluster, _turn) = cluster();
    on_a_runtime(async {
        let _controller = controller(cluster).await;
        let scene = Scene::new(cluster, "oidc").await;
        let sink = json!({"uri": "https://display", "audience": "me"});
        scene.source("orders", json!({"queueArn": QUEUE, "sink": sink, "serviceAccountName": "reader"})).await;
        let off =
            scene.condition("orders", "OIDCIdentityCreated", "True", "authentication-oidc feature disabled").await;
        assert_eq!(off.0["auth"], Value::Null);

        set(&scene, "config-features", json!({"authentication-oidc": "enabled"})).await;
        let account = "orders-oidc-sources.knative.dev-awssqssource";
        let on = scene.condition("orders", "OIDCIdentityCreated", "True", "").await;
        assert_eq!(on.0["auth"]["serviceAccountName"], account);
        let accounts: Api<ServiceAccount> = Api::namespaced(scene.client.clone(), &scene.namespace);
        let made = accounts.get(account).await.unwrap();
        assert_eq!(made.metadata.labels.unwrap()["eventing.knative.dev/oidc"], "enabled");
        let described = "Service Account for OIDC Authentication for AwsSqsSource \"orders\"";
        assert_eq!(made.metadata.annotations.unwrap()["description"], described);
        let roles: Api<Role> = Api::namespaced(scene.client.clone(), &scene.namespace);
        let role = serde_json::to_value(roles.get("orders-create-oidc-token").await.unwrap()).unwrap();
        let rule = json!([{"apiGroups": [""], "resources": ["serviceaccounts/token"], "resourceNames": [account], "verbs": ["create"]}]);
        assert_eq!(role["rules"], rule);
        let bindings: Api<RoleBinding> = Api::namespaced(scene.client.clone(), &scene.namespace);
        let binding = serde_json::to_value(bindings.get("orders-create-oidc-token").await.unwrap()).unwrap();
        assert_eq!(binding["subjects"][0]["name"], "reader");
        let deployment = scene.deployment_when("orders", |now| env_of(now, "K_OIDC_SERVICE_ACCOUNT").is_some()).await;
        assert_eq!(env_of(&deployment, "K_OIDC_SERVICE_ACCOUNT").as_deref(), Some(account));
        assert_eq!(deployment["spec"]["template"]["spec"]["automountServiceAccountToken"], true);

        // Drift of the identity is repaired too.
        scene.delete("v1", "ServiceAccount", account).await;
        scene.delete("rbac.authorization.k8s.io/v1", "Role", "orders-create-oidc-token").await;
        eventually(SOON, || async { accounts.get(account).await.map(|_| ()) }).await;
        eventually(SOON, || async { roles.get("orders-create-oidc-token").await.map(|_| ()) }).await;

        set(&scene, "config-features", json!({"authentication-oidc": "disabled"})).await;
        let off =
            scene.condition("orders", "OIDCIdentityCreated", "True", "authentication-oidc feature disabled").await;
        assert_eq!(off.0["auth"], Value::Null);
        eventually(SOON, || async {
            let left = (
                accounts.get_opt(account).await.unwrap().is_some(),
                roles.list(&Default::default()).await.unwrap().items.len(),
                bindings.list(&Default::default()).await.unwrap().items.len(),
            );
            if left == (false, 0, 0) { Ok(()) } else { Err(left) }
        })
        .await;
        let deployment = scene.deployment_when("orders", |now| env_of(now, "K_OIDC_SERVICE_ACCOUNT").is_none()).await;
        assert_eq!(deployment["spec"]["template"]["spec"]["automountServiceAccountToken"], false);
    });
}

/// Trust bundles follow sources into their namespaces, are shared with others, and leave users' own alone.
#[test]
fn trust_bundles_are_copied_shared_and_removed() {
    let (cluster, _turn) = cluster();
    on_a_runtime(async {
        let _controller = controller(cluster).await;
        let scene = Scene::new(cluster, "trust").await;
        let label = json!({"networking.knative.dev/trust-bundle": "true"});
        let own = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "own", "labels": label}, "data": {"own.pem": "mine"}});
        scene.apply(own.clone()).await;
        let origin = |data: &str| {
            json!({
                "apiVersion": "v1", "kind": "ConfigMap",
                "metadata": {"name": "corp", "namespace": "knative-eventing", "labels": label},
                "data": {"ca.pem": data},
            })
        };
        apply(&scene.client, &origin(CERTIFICATE)).await;
        scene.source("orders", json!({"queueArn": QUEUE, "sink": {"uri": "http://display"}})).await;
        scene.source("returns", json!({"queueArn": QUEUE, "sink": {"uri": "http://display"}})).await;
        let maps: Api<ConfigMap> = Api::namespaced(scene.client.clone(), &scene.namespace);
        let bundle = async |name: &str| serde_json::to_value(maps.get(name).await.unwrap()).unwrap();
        let owners = |map: &Value| -> Vec<String> {
            let owners = map["metadata"]["ownerReferences"].as_array().cloned().unwrap_or_default();
            owners.iter().map(|owner| owner["name"].as_str().unwrap().to_owned()).collect()
        };
        let mounted = |now: &Value| -> Vec<String> {
            let volumes = now["spec"]["template"]["spec"]["volumes"].as_array().cloned().unwrap_or_default();
            let sources = volumes
                .iter()
                .flat_map(|volume| volume["projected"]["sources"].as_array().cloned().unwrap_or_default());
            sources.map(|source| source["configMap"]["name"].as_str().unwrap_or_default().to_owned()).collect()
        };
        let expected = ["corpkne-bundle", "kn-combined-kne-bundlekne-bundle", "own"];
        for source in ["orders", "returns"] {
            let deployment = scene.deployment_when(source, |now| mounted(now).len() == 3).await;
            assert_eq!(mounted(&deployment), expected);
            let mount = &deployment["spec"]["template"]["spec"]["containers"][0]["volumeMounts"][0];
            assert_eq!(
                mount,
                &json!({"name": "kne-bundle-volume", "mountPath": "/knative-custom-certs", "readOnly": true})
            );
        }
        eventually(SOON, || async {
            let owners = owners(&bundle("corpkne-bundle").await);
            if owners == ["orders", "returns"] { Ok(()) } else { Err(owners) }
        })
        .await;
        assert_eq!(bundle("corpkne-bundle").await["data"]["ca.pem"], CERTIFICATE);
        let combined = bundle("kn-combined-kne-bundlekne-bundle").await;
        let combined: k8s_openapi::ByteString =
            serde_json::from_value(combined["binaryData"]["kn-combined-kne-bundle.pem"].clone()).unwrap();
        assert_eq!(String::from_utf8(combined.0).unwrap(), CERTIFICATE);

        apply(&scene.client, &origin(&format!("{CERTIFICATE}{CERTIFICATE}"))).await;
        eventually(SOON, || async {
            let data = bundle("corpkne-bundle").await["data"]["ca.pem"].clone();
            if data == CERTIFICATE.repeat(2) { Ok(()) } else { Err(data) }
        })
        .await;
        let system = Scene { client: scene.client.clone(), namespace: "knative-eventing".to_owned() };
        system.delete("v1", "ConfigMap", "corp").await;
        scene.deployment_when("orders", |now| mounted(now) == ["own"]).await;
        assert_eq!(bundle("own").await["data"], json!({"own.pem": "mine"}));
        let left = names(&maps.list(&Default::default()).await.unwrap().items);
        assert!(!left.iter().any(|name| name.ends_with("kne-bundle")), "{left:?}");
    });
}

/// Settings for logs, metrics and traces reach every adapter that runs already.
#[test]
fn logging_and_observability_reach_running_adapters() {
    let (cluster, _turn) = cluster();
    on_a_runtime(async {
        let _controller = controller(cluster).await;
        let scene = Scene::new(cluster, "telemetry").await;
        scene.source("orders", json!({"queueArn": QUEUE, "sink": {"uri": "http://display"}})).await;
        let before = scene.deployment_when("orders", |_| true).await;
        assert_eq!((env_of(&before, "K_LOGGING_CONFIG"), env_of(&before, "K_OBSERVABILITY_CONFIG")), (None, None));
        set(
            &scene,
            "config-logging",
            json!({"zap-logger-config": "{\"level\":\"info\"}", "loglevel.awssqssource": "debug"}),
        )
        .await;
        let logging = r#"{"zap-logger-config":"{\"level\":\"debug\"}"}"#;
        scene.deployment_when("orders", |now| env_of(now, "K_LOGGING_CONFIG").as_deref() == Some(logging)).await;
        let reporting = json!({"metrics-protocol": "prometheus", "sink-event-error-reporting.enable": "true"});
        set(&scene, "config-observability", reporting).await;
        let after = scene.deployment_when("orders", |now| env_of(now, "K_OBSERVABILITY_CONFIG").is_some()).await;
        let config: Value = serde_json::from_str(&env_of(&after, "K_OBSERVABILITY_CONFIG").unwrap()).unwrap();
        assert_eq!(
            (&config["metrics"]["protocol"], &config["enableSinkEventErrorReporting"]),
            (&json!("prometheus"), &json!(true))
        );
        assert_eq!(after["spec"]["template"]["spec"]["automountServiceAccountToken"], true);
        let roles: Api<Role> = Api::namespaced(scene.client.clone(), &scene.namespace);
        assert_eq!(names(&roles.list(&Default::default()).await.unwrap().items), ["orders-create-events"]);
        set(&scene, "config-observability", json!({})).await;
        eventually(SOON, || async {
            let left = names(&roles.list(&Default::default()).await.unwrap().items);
            if left.is_empty() { Ok(()) } else { Err(left) }
        })
        .await;
    });
}

/// Nothing is written while nothing changes, however often the source is looked at.
#[test]
fn a_further_pass_writes_nothing_but_what_changed() {
    let (cluster, _turn) = cluster();
    on_a_runtime(async {
        let _controller = controller(cluster).await;
        let scene = Scene::new(cluster, "quiet").await;
        // Amounts in other spellings than the API server's.
        let resources = json!({"requests": {"cpu": 0.5, "memory": "65536Ki"}, "limits": {"memory": "1.5Gi"}});
        let template = json!({"resources": resources, "env": [{"name": "EMPTY", "value": ""}]});
        scene
            .source("orders", json!({"queueArn": QUEUE, "sink": {"uri": "http://display"}, "template": template}))
            .await;
        let adapter = scene.run_pod("orders", well()).await;
        scene.condition("orders", "Ready", "True", "").await;
        let before = writes(cluster);
        let warning = json!({"reason": "SinkUnavailable", "message": "refused"});
        for _ in 0..2 {
            adapter.answer(json!({"ready": true, "warnings": [warning]}));
            scene.condition("orders", "DeliveryHealthy", "False", "SinkUnavailable").await;
            adapter.answer(well());
            scene.condition("orders", "DeliveryHealthy", "True", "").await;
        }
        assert_eq!(writes(cluster), before, "four passes that changed the status alone");
    });
}

/// Requests of anybody that write what the controller owns, by the API server's own count.
fn writes(cluster: &Cluster) -> Vec<String> {
    let owned = ["deployments", "configmaps", "serviceaccounts", "roles", "rolebindings"];
    let is_write = |line: &&str| {
        let has = |label: &str, value: &str| line.contains(&format!("{label}=\"{value}\""));
        line.starts_with("apiserver_request_total{")
            && owned.iter().any(|resource| has("resource", resource))
            && ["APPLY", "DELETE", "PATCH", "POST", "PUT"].iter().any(|verb| has("verb", verb))
            && has("subresource", "")
    };
    cluster.kubectl(&["get", "--raw", "/metrics"]).lines().filter(is_write).map(str::to_owned).collect()
}
