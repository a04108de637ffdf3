//! What the API server counted of the controller's writes. I/O: kubectl.

use std::collections::BTreeMap;
use std::time::Duration;

use tests::apiserver::Cluster;
use tokio::time::{Instant, sleep};

/// Kinds that the controller writes, as the API server calls them; what others write of them is little.
const WRITTEN: [&str; 7] =
    ["awssqssources", "deployments", "configmaps", "serviceaccounts", "roles", "rolebindings", "events"];

/// Writes so far, by verb, resource and subresource.
pub fn writes(cluster: &Cluster) -> BTreeMap<String, u64> {
    let page = cluster.kubectl(&["get", "--raw", "/metrics"]);
    let mut counts = BTreeMap::new();
    for line in page.lines().filter(|line| line.starts_with("apiserver_request_total{")) {
        let label = |name: &str| line.split(&format!(",{name}=\"")).nth(1).and_then(|rest| rest.split('"').next());
        let (verb, resource) = (label("verb").unwrap_or_default(), label("resource").unwrap_or_default());
        let subresource = label("subresource").unwrap_or_default();
        // The Deployment controller writes the status of Deployments.
        let is_ours = WRITTEN.contains(&resource) && !(resource == "deployments" && subresource == "status");
        if is_ours && ["APPLY", "DELETE", "PATCH", "POST", "PUT"].contains(&verb) {
            let count = line.rsplit(' ').next().and_then(|count| count.parse::<u64>().ok()).unwrap_or_default();
            *counts.entry(format!("{verb} {resource} {subresource}").trim_end().to_owned()).or_default() += count;
        }
    }
    counts
}

/// Returns when nothing has been written for so long.
pub async fn until_quiet(cluster: &Cluster, quiet: Duration) {
    let (mut last, mut since) = (writes(cluster), Instant::now());
    while since.elapsed() < quiet {
        sleep(Duration::from_secs(1)).await;
        let now = writes(cluster);
        if now != last {
            (last, since) = (now, Instant::now());
        }
    }
}

/// What was written between two counts: the sum, and what it consists of.
pub fn difference(before: &BTreeMap<String, u64>, after: &BTreeMap<String, u64>) -> String {
    let more = after.iter().map(|(what, count)| (what, count - before.get(what).unwrap_or(&0)));
    let more: Vec<(&String, u64)> = more.filter(|(_, count)| *count > 0).collect();
    let parts: Vec<String> = more.iter().map(|(what, count)| format!("{count} {what}")).collect();
    format!(
        "{}{}",
        more.iter().map(|(_, count)| count).sum::<u64>(),
        if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) }
    )
}
