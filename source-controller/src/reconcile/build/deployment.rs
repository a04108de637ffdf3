//! An `Adapter` -> its Deployment. Pure.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{
    CONTROLLER, OWNED_LABEL, SCALED_BY, SELECTED, SELECTED_LABEL, SOURCE_LABEL, Surroundings, TEMPLATE_HASH, env,
    owned_by,
};
use crate::child_name;
use crate::operator::Operator;
use crate::reconcile::validate::{Adapter, Base, Owner};

/// The name of the container, as eventing-awssqs and Knative's own sources have it.
pub const CONTAINER: &str = "receive-adapter";

/// Seconds that the kubelet waits longer than the adapter drains.
const GRACE: u64 = 15;

/// The adapter's own default of `drainTimeout`, in seconds.
const DRAIN: u64 = 45;

/// The Deployment that runs the adapter; `replicas` is left out while KEDA decides.
pub fn deployment(adapter: &Adapter, operator: &Operator, surroundings: &Surroundings) -> Value {
    let owner = &adapter.owner;
    let mut template = template(adapter, operator, surroundings);
    let hash = hash(&template);
    template["metadata"]["annotations"][TEMPLATE_HASH] = json!(hash);
    let mut spec = json!({
        "selector": {"matchLabels": selector(owner)},
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
        "template": template,
    });
    if !surroundings.scaled {
        spec["replicas"] = json!(adapter.replicas);
    }
    let name = surroundings.deployment.clone().unwrap_or_else(|| child_name::deployment(&owner.name, &owner.uid));
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": name,
            "namespace": owner.namespace,
            "labels": labels(owner),
            "annotations": {TEMPLATE_HASH: hash, SCALED_BY: if surroundings.scaled { "keda" } else { "spec" }},
            "ownerReferences": owned_by(owner, true),
        },
        "spec": spec,
    })
}

/// The labels that select a source's pods; Deployments never change theirs, so neither can we.
pub fn selector(owner: &Owner) -> Value {
    json!({SELECTED_LABEL: SELECTED, SOURCE_LABEL: owner.name})
}

fn labels(owner: &Owner) -> Value {
    json!({
        SELECTED_LABEL: SELECTED,
        SOURCE_LABEL: owner.name,
        OWNED_LABEL: CONTROLLER,
        "eventing.knative.dev/sourceName": owner.name,
    })
}

/// The first 16 hexadecimal digits of a digest of the template.
fn hash(template: &Value) -> String {
    Sha256::digest(template.to_string().as_bytes()).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn template(adapter: &Adapter, operator: &Operator, surroundings: &Surroundings) -> Value {
    let mut labels = Map::new();
    labels.extend(adapter.pod.labels.iter().map(|(name, value)| (name.clone(), json!(value))));
    labels.insert("sidecar.istio.io/inject".to_owned(), json!("true"));
    if let Value::Object(ours) = self::labels(&adapter.owner) {
        labels.extend(ours);
    }
    json!({
        "metadata": {"labels": labels, "annotations": adapter.pod.annotations},
        "spec": pod(adapter, operator, surroundings),
    })
}

fn pod(adapter: &Adapter, operator: &Operator, surroundings: &Surroundings) -> Value {
    let drain =
        adapter.tuning.drain_timeout.map_or(DRAIN, |drain| drain.as_secs() + u64::from(drain.subsec_nanos() > 0));
    let mounts = mounts(adapter, surroundings);
    let mut pod = json!({
        "serviceAccountName": adapter.pod.service_account,
        "automountServiceAccountToken": needs_token(operator),
        "enableServiceLinks": false,
        "terminationGracePeriodSeconds": drain + GRACE,
        "containers": [container(adapter, operator, &mounts)],
    });
    if !mounts.is_empty() {
        pod["volumes"] = mounts.iter().map(|mount| mount.volume.clone()).collect();
    }
    for (name, value) in &adapter.pod.scheduling {
        pod[*name] = value.clone();
    }
    pod
}

/// The adapter asks the API server for tokens and reports Events; else it has no business there.
fn needs_token(operator: &Operator) -> bool {
    operator.features.oidc || operator.wants_reports()
}

fn container(adapter: &Adapter, operator: &Operator, mounts: &[Mount]) -> Value {
    let mut container = json!({
        "name": CONTAINER,
        "image": operator.adapter_image,
        "env": env::env(adapter, operator),
        "ports": [{"name": "metrics", "containerPort": 9092}, {"name": "probes", "containerPort": 8080}],
        "readinessProbe": {"httpGet": {"path": "/readiness", "port": "probes"}, "periodSeconds": 5},
        // The page asks the engine and waits up to 10 seconds for its answer.
        "livenessProbe": {"httpGet": {"path": "/health", "port": "probes"}, "periodSeconds": 15, "timeoutSeconds": 12},
        "resources": adapter.pod.resources,
        "securityContext": {
            "allowPrivilegeEscalation": false,
            "readOnlyRootFilesystem": true,
            "runAsNonRoot": true,
            "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "terminationMessagePolicy": "FallbackToLogsOnError",
    });
    if !mounts.is_empty() {
        container["volumeMounts"] = mounts.iter().map(Mount::in_container).collect();
    }
    container
}

/// A volume and where the container sees it.
struct Mount {
    volume: Value,
    path: &'static str,
}

impl Mount {
    fn in_container(&self) -> Value {
        json!({"name": self.volume["name"], "mountPath": self.path, "readOnly": true})
    }
}

/// Secrets may be missing: the adapter says so in a sentence, where a pod that cannot start would say nothing.
fn mounts(adapter: &Adapter, surroundings: &Surroundings) -> Vec<Mount> {
    let mut mounts = Vec::new();
    mounts.extend(credentials(&adapter.credentials.base));
    if let Some(secret) = &adapter.sink_headers_secret {
        let sources = json!([{"secret": {"name": secret, "optional": true}}]);
        mounts.push(projected("sink-headers", &sources, env::HEADERS_DIR));
    }
    if !surroundings.trust_bundles.is_empty() {
        let sources = surroundings.trust_bundles.iter().map(|name| json!({"configMap": {"name": name}})).collect();
        mounts.push(projected("kne-bundle-volume", &sources, "/knative-custom-certs"));
    }
    mounts
}

fn credentials(base: &Base) -> Option<Mount> {
    match base {
        Base::Ambient => None,
        Base::File { secret, .. } => Some(Mount {
            volume: json!({"name": "aws-credentials", "secret": {"secretName": secret, "optional": true}}),
            path: env::CREDENTIALS_DIR,
        }),
        Base::Keys { secret, access_key_id, secret_access_key, session_token } => {
            let mut items = vec![
                json!({"key": access_key_id, "path": "accessKeyId"}),
                json!({"key": secret_access_key, "path": "secretAccessKey"}),
            ];
            items.extend(session_token.as_ref().map(|key| json!({"key": key, "path": "sessionToken"})));
            let sources = json!([{"secret": {"name": secret, "items": items, "optional": true}}]);
            Some(projected("aws-keys", &sources, env::KEYS_DIR))
        }
        Base::WebIdentity { audience, expiration_seconds, .. } => {
            let token = json!({"audience": audience, "expirationSeconds": expiration_seconds, "path": "token"});
            Some(projected("aws-web-identity", &json!([{"serviceAccountToken": token}]), env::TOKEN_DIR))
        }
    }
}

fn projected(name: &str, sources: &Value, path: &'static str) -> Mount {
    Mount { volume: json!({"name": name, "projected": {"sources": sources}}), path }
}
