//! Each right that `config/` gives the controller, taken away alone: what then fails is said, with the right's name.
//!
//! A right whose absence nobody notices is one too many, and fails this test too.

mod needs;

use std::path::Path;
use std::time::Duration;

use k8s_openapi::api::authorization::v1::SubjectAccessReview;
use kube::Client;
use kube::api::{Api, PostParams};
use serde_json::{Value, json};
use tests::apiserver::process::ControllerProcess;
use tests::apiserver::{Cluster, apply, documents, on_a_runtime, root};
use tests::wait::eventually;

use crate::keda::keda;
use crate::scene::{SOON, Scene};
use crate::shared::{ACCOUNT, install, kinds};

/// Longer than anything that the controller does again by itself, and shorter than what needs the right waits.
const LONG: Duration = Duration::from_secs(25);

/// One verb on one resource, and where it is given.
#[derive(Clone, Debug)]
pub struct Right {
    /// The role, as in its manifest.
    role: Value,
    /// API group.
    pub group: String,
    /// Resource, perhaps with a subresource.
    pub resource: String,
    /// Verb.
    pub verb: String,
}

#[test]
fn each_right_is_missed_by_name_when_it_is_taken_away() {
    on_a_runtime(async {
        let manifests = keda();
        let manifests: Vec<&Path> = manifests.iter().map(std::path::PathBuf::as_path).collect();
        let kinds = kinds();
        let cluster = Cluster::start("rights", &[&[kinds.as_path()], &manifests[..]].concat());
        install(&cluster).await;
        let rights = rights();
        assert!(rights.len() > 50, "only {} rights are in config/", rights.len());
        let mut superfluous = Vec::new();
        for right in rights {
            let client = cluster.admin().await;
            apply(&client, &without(&right)).await;
            until_allowed(&client, &right, false).await;
            if let Err(last_words) = is_missed(&cluster, &right).await {
                superfluous.push(format!("{} {} in {:?}: {last_words}", right.verb, right.resource, right.group));
            }
            apply(&client, &right.role).await;
            until_allowed(&client, &right, true).await;
        }
        assert!(superfluous.is_empty(), "nobody misses these rights: {superfluous:#?}");
    });
}

/// Runs the controller without the right, and what needs it, until somebody says its name.
async fn is_missed(cluster: &Cluster, right: &Right) -> Result<(), String> {
    let scene = Scene::new(cluster, "right").await;
    let config = cluster.kubeconfig_of(ACCOUNT.0, ACCOUNT.1, None).await;
    needs::nothing(&scene).await;
    // The lease is only asked for where it is what is taken away: an old holder would have to expire each time.
    let arguments: &[&str] = if right.resource == "leases" { &[] } else { &["--no-leader-election"] };
    let controller = ControllerProcess::start(&config, arguments);
    let words = said_of(right);
    let heard = async {
        eventually(LONG + LONG, async || {
            let mut said = controller.output();
            said.extend(scene.said("orders").await);
            if said.iter().any(|line| line.contains(&words)) { Ok(()) } else { Err(()) }
        })
        .await;
    };
    let outcome = async {
        tokio::select! {
            () = heard => Ok(()),
            () = needs::needing(&scene, right) => Err("all was done without it"),
        }
    };
    let outcome =
        tokio::time::timeout(LONG, outcome).await.unwrap_or(Err("something is not done, and nobody says why"));
    outcome.map_err(|error| {
        format!("{error}; its last lines: {:#?}", controller.output().iter().rev().take(5).collect::<Vec<_>>())
    })
}

/// What the API server says when the right is missing.
fn said_of(right: &Right) -> String {
    match (right.group.as_str(), right.resource.as_str()) {
        (_, "awssqssources/finalizers") => "cannot set blockOwnerDeletion".to_owned(),
        // Rights that are only passed on to adapters.
        ("", "serviceaccounts/token" | "events") => {
            "attempting to grant RBAC permissions not currently held".to_owned()
        }
        // The controller's own words, for this is a right that operators give.
        ("", "services") if right.verb == "get" => "is forbidden: give a ClusterRole with the label".to_owned(),
        (_, resource) => format!("cannot {} resource \"{resource}\"", right.verb),
    }
}

/// Every right in the roles that are bound to the controller, verb by verb.
fn rights() -> Vec<Right> {
    let mut rights = Vec::new();
    for file in ["201-clusterrole.yaml", "210-addressable-resolver.yaml"] {
        let text = std::fs::read_to_string(root().join("config").join(file)).expect("a manifest");
        for role in documents::<Value>(&text) {
            for rule in role["rules"].as_array().into_iter().flatten() {
                for (group, resource, verb) in each(rule) {
                    rights.push(Right { role: role.clone(), group, resource, verb });
                }
            }
        }
    }
    rights
}

fn each(rule: &Value) -> Vec<(String, String, String)> {
    let texts = |field: &str| -> Vec<String> {
        let texts = rule[field].as_array().into_iter().flatten();
        texts.filter_map(|text| text.as_str().map(str::to_owned)).collect()
    };
    let mut all = Vec::new();
    for group in texts("apiGroups") {
        for resource in texts("resources") {
            all.extend(texts("verbs").into_iter().map(|verb| (group.clone(), resource.clone(), verb)));
        }
    }
    all
}

/// The role without the right.
fn without(right: &Right) -> Value {
    let mut role = right.role.clone();
    let rules = right.role["rules"].as_array().into_iter().flatten().flat_map(each);
    let left =
        rules.filter(|(group, resource, verb)| (group, resource, verb) != (&right.group, &right.resource, &right.verb));
    role["rules"] = left
        .map(|(group, resource, verb)| json!({"apiGroups": [group], "resources": [resource], "verbs": [verb]}))
        .collect();
    role
}

/// Roles are known to the authorizer a moment later, aggregated ones two moments.
async fn until_allowed(client: &Client, right: &Right, allowed: bool) {
    let (resource, subresource) = right.resource.split_once('/').unwrap_or((&right.resource, ""));
    let namespace = if right.role["kind"] == "Role" { ACCOUNT.0 } else { "" };
    let review: SubjectAccessReview = serde_json::from_value(json!({"spec": {
        "user": format!("system:serviceaccount:{}:{}", ACCOUNT.0, ACCOUNT.1),
        "groups": ["system:serviceaccounts", "system:authenticated"],
        "resourceAttributes": {
            "group": right.group, "resource": resource, "subresource": subresource, "verb": right.verb,
            "namespace": namespace,
        },
    }}))
    .expect("a review");
    let reviews: Api<SubjectAccessReview> = Api::all(client.clone());
    eventually(SOON, async || {
        let answer = reviews.create(&PostParams::default(), &review).await.expect("an answer");
        let is = answer.status.is_some_and(|status| status.allowed);
        if is == allowed { Ok(()) } else { Err(right.clone()) }
    })
    .await;
}
