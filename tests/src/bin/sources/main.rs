//! Thousands of sources on one API server and one controller: memory, the time of a full resync, writes while nothing changes.

#![expect(clippy::print_stdout, reason = "figures are what this program is for")]

mod counts;
mod control;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Parser;
use futures::stream::{self, StreamExt};
use kube::Client;
use kube::api::{Api, DynamicObject, PostParams};
use serde_json::json;
use tests::apiserver::{Cluster, apply_file, on_a_runtime, root, sources};

use control::Controller;

/// Sources of one namespace.
const PER_NAMESPACE: usize = 100;

/// Objects created at once.
const AT_ONCE: usize = 32;

/// How long nothing may be written until all is said to be done.
const QUIET: Duration = Duration::from_secs(20);

/// How long the steady state is watched.
const STEADY: Duration = Duration::from_secs(120);

/// Measures the controller with many sources.
#[derive(Debug, Parser)]
struct Args {
    /// The release binary of the controller.
    #[arg(long)]
    controller: PathBuf,
    /// How many sources there are.
    #[arg(long, default_value_t = 5_000)]
    sources: usize,
}

fn main() {
    let Args { controller, sources } = Args::parse();
    on_a_runtime(measure(controller, sources));
}

async fn measure(binary: PathBuf, count: usize) {
    let cluster = Cluster::start("bench", &[&root().join("tests/fixtures/addressable-kinds.yaml")]);
    let admin = cluster.admin().await;
    for (name, _) in source_controller::manifests::FILES {
        apply_file(&admin, &root().join("config").join(name)).await;
    }
    let config = cluster.kubeconfig_of("knative-eventing", "awssqs-source-controller", None).await;

    let began = Instant::now();
    create(&admin, count).await;
    println!("{count} sources created in {:.0} s", began.elapsed().as_secs_f64());

    let began = Instant::now();
    let first = Controller::start(&binary, &config);
    first.looked_at(count).await;
    println!(
        "first pass over all, with a Deployment each: {:.1} s, {:.1} s of CPU",
        began.elapsed().as_secs_f64(),
        first.cpu()
    );
    counts::until_quiet(&cluster, QUIET).await;
    println!("memory after the first pass: {}", first.memory());
    drop(first);

    let before = counts::writes(&cluster);
    let began = Instant::now();
    let second = Controller::start(&binary, &config);
    second.looked_at(count).await;
    println!(
        "full resync after a restart: {:.1} s, {:.1} s of CPU (target: 60 s)",
        began.elapsed().as_secs_f64(),
        second.cpu()
    );
    counts::until_quiet(&cluster, QUIET).await;
    let steady = counts::writes(&cluster);
    println!("writes during the resync: {}", counts::difference(&before, &steady));
    tokio::time::sleep(STEADY).await;
    println!(
        "writes in {} s of steady state: {} (target: 0)",
        STEADY.as_secs(),
        counts::difference(&steady, &counts::writes(&cluster))
    );
    println!("memory: {} (target: 100 MB)", second.memory());
}

/// Sources with one replica each; their pods never start, for there is no node.
async fn create(client: &Client, count: usize) {
    let namespaces = count.div_ceil(PER_NAMESPACE);
    for number in 0..namespaces {
        let namespace =
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": format!("bench-{number}")}});
        tests::apiserver::apply(client, &namespace).await;
    }
    stream::iter(0..count)
        .for_each_concurrent(AT_ONCE, |number| async move {
            let api: Api<DynamicObject> = sources(client, &format!("bench-{}", number / PER_NAMESPACE));
            let object = json!({
                "apiVersion": "sources.knative.dev/v1alpha1", "kind": "AwsSqsSource", "metadata": {"name": format!("orders-{number}")},
                "spec": {
                    "queueArn": format!("arn:aws:sqs:eu-north-1:123456789012:orders-{number}"),
                    "auth": {"secret": {"name": "aws-keys"}},
                    "sink": {"uri": "http://broker-ingress.knative-eventing.svc.cluster.local/default/default"},
                },
            });
            let object = serde_json::from_value(object).expect("an object");
            api.create(&PostParams::default(), &object).await.expect("a source is created");
        })
        .await;
}
