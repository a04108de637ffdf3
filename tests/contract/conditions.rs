//! The controller's README names every condition, reason and metric that its code has.

use crate::source::{product, root};

/// Where conditions, their reasons and Kubernetes Events are made.
const FILES: [&str; 5] = [
    "source-controller/src/crd/conditions.rs",
    "source-controller/src/observe/judge.rs",
    "source-controller/src/reconcile/scaling.rs",
    "source-controller/src/reconcile/status.rs",
    "source-controller/src/reconcile/tell.rs",
];

/// Words of Kubernetes and KEDA that are read there, and no reason of ours; or that stand for many, as `…` does in the README.
const OTHERS: [&str; 11] = [
    "ContainerCreating",
    "ErrImageNeverPull",
    "ErrImagePull",
    "ImageInspectError",
    "InvalidImageName",
    "NotReady",
    "PodInitializing",
    "PodScheduled",
    "ReplicaFailure",
    "ScaledObject",
    "TriggerAuthentication",
];

#[test]
fn the_readme_names_every_condition_and_reason() {
    let readme = readme();
    let mut count = 0;
    for source in product().iter().filter(|source| FILES.contains(&source.path.as_str())) {
        for (number, line) in source.product_code() {
            for word in words(line).filter(|word| !OTHERS.contains(word)) {
                count += 1;
                let path = &source.path;
                assert!(
                    readme.contains(&format!("`{word}`")),
                    "{path}:{number}: source-controller/README.md lacks `{word}`"
                );
            }
        }
    }
    assert!(count > 30, "only {count} words were found");
}

#[test]
fn the_readme_names_every_metric() {
    let readme = readme();
    let sources = product();
    let metrics = sources.iter().find(|source| source.path == "source-controller/src/metrics.rs").expect("metrics.rs");
    let names: Vec<&str> = metrics.text.split('"').filter(|text| text.starts_with("source_controller_")).collect();
    assert_eq!(names.len(), 5, "{names:?}");
    for name in names {
        assert!(readme.contains(&format!("`{name}")), "source-controller/README.md lacks `{name}`");
    }
}

fn readme() -> String {
    std::fs::read_to_string(root().join("source-controller/README.md")).expect("source-controller/README.md")
}

/// String literals that are one word of at least two parts, such as `NotFound`.
fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split('"').skip(1).step_by(2).filter(|text| {
        let capitals = text.chars().filter(char::is_ascii_uppercase).count();
        capitals >= 2
            && text.starts_with(|it: char| it.is_ascii_uppercase())
            && text.chars().all(|it| it.is_ascii_alphabetic())
    })
}
