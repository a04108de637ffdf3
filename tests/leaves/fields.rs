//! Fields of the spec that only Kubernetes acts on.

use serde_json::{Value, json};

/// Fields that only Kubernetes acts on: path, how it is set, where it is in a Deployment, and what is there.
pub fn fields() -> Vec<(&'static str, Value, &'static str, Value)> {
    let spread = json!([{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}]);
    vec![
        ("replicas", json!({"replicas": 3}), "/spec/replicas", json!(3)),
        (
            "annotations",
            json!({"annotations": {"iam.amazonaws.com/role": "r"}}),
            "/spec/template/metadata/annotations/iam.amazonaws.com~1role",
            json!("r"),
        ),
        (
            "template.labels",
            json!({"template": {"labels": {"team": "a"}}}),
            "/spec/template/metadata/labels/team",
            json!("a"),
        ),
        (
            "template.annotations",
            json!({"annotations": {"a": "1"}, "template": {"annotations": {"a": "2"}}}),
            "/spec/template/metadata/annotations/a",
            json!("2"),
        ),
        (
            "template.resources",
            json!({"template": {"resources": {"limits": {"cpu": 2}}}}),
            "/spec/template/spec/containers/0/resources/limits",
            json!({"cpu": "2"}),
        ),
        (
            "template.nodeSelector",
            json!({"template": {"nodeSelector": {"disk": "ssd"}}}),
            "/spec/template/spec/nodeSelector",
            json!({"disk": "ssd"}),
        ),
        (
            "template.affinity",
            json!({"template": {"affinity": {"podAntiAffinity": {}}}}),
            "/spec/template/spec/affinity",
            json!({"podAntiAffinity": {}}),
        ),
        (
            "template.tolerations",
            json!({"template": {"tolerations": [{"operator": "Exists"}]}}),
            "/spec/template/spec/tolerations/0",
            json!({"operator": "Exists"}),
        ),
        (
            "template.topologySpreadConstraints",
            json!({"template": {"topologySpreadConstraints": spread}}),
            "/spec/template/spec/topologySpreadConstraints",
            spread.clone(),
        ),
        (
            "template.imagePullSecrets",
            json!({"template": {"imagePullSecrets": [{"name": "r"}]}}),
            "/spec/template/spec/imagePullSecrets",
            json!([{"name": "r"}]),
        ),
        (
            "template.priorityClassName",
            json!({"template": {"priorityClassName": "system-cluster-critical"}}),
            "/spec/template/spec/priorityClassName",
            json!("system-cluster-critical"),
        ),
    ]
}
