//! A fault -> when and how a user is told, and when no more. I/O: the API server, a file beside the logs.

use std::fmt::Write;
use std::time::Duration;

use serde_json::Value;
use tests::wait::eventually;
use tokio::time::Instant;

use crate::scene::{Scene, condition};

/// From the fault until it is told.
const TOLD_WITHIN: Duration = Duration::from_secs(30);
/// From the repair until it is told no more.
const GONE_WITHIN: Duration = Duration::from_secs(60);

/// A source in which something has just been broken.
pub struct Watch<'a> {
    scene: &'a Scene,
    source: &'a str,
    fault: &'static str,
    since: Instant,
}

/// The same, told, and just repaired.
pub struct Told<'a> {
    watch: Watch<'a>,
    row: Row,
    repaired: Instant,
}

/// What a user saw of a fault.
pub struct Row {
    fault: &'static str,
    /// Ready, Reason and Delivering, as `kubectl get awssqssource` shows them.
    columns: [String; 3],
    /// Reason of the condition that is false, and its message.
    reason: String,
    sentence: String,
    told_after: Duration,
    gone_after: Duration,
}

impl<'a> Watch<'a> {
    /// Of a fault that was caused just now.
    pub fn start(scene: &'a Scene, source: &'a str, fault: &'static str) -> Self {
        Self { scene, source, fault, since: Instant::now() }
    }

    /// Waits until the columns say this, or one thing `or` another, with a sentence that has these parts.
    pub async fn told(self, columns: [&str; 3], parts: &[&str]) -> Told<'a> {
        self.told_within(TOLD_WITHIN, columns, parts).await
    }

    /// The same, of what only time can tell.
    pub async fn told_within(self, limit: Duration, columns: [&str; 3], parts: &[&str]) -> Told<'a> {
        let (shown, reason, sentence) = eventually(limit, || async {
            let shown = columns_of(self.scene, self.source).await;
            let (reason, sentence) = told_by(self.scene, self.source).await;
            let shows = |(shown, wanted): (&String, &str)| wanted.split(" or ").any(|wanted| shown == wanted);
            let complete = shown.iter().zip(columns).all(shows) && parts.iter().all(|part| sentence.contains(part));
            let told = (shown, reason, sentence);
            if complete { Ok(told) } else { Err((self.fault, told)) }
        })
        .await;
        let told_after = self.since.elapsed();
        let row =
            Row { fault: self.fault, columns: shown, reason, sentence, told_after, gone_after: Duration::default() };
        Told { watch: self, row, repaired: Instant::now() }
    }
}

impl Told<'_> {
    /// Waits until nothing is told any more.
    pub async fn gone(self) -> Row {
        self.gone_within(GONE_WITHIN).await
    }

    /// The same, where more than the source must change.
    pub async fn gone_within(mut self, limit: Duration) -> Row {
        eventually(limit, || async {
            let shown = columns_of(self.watch.scene, self.watch.source).await;
            if shown == ["True", "", "True"] { Ok(()) } else { Err((self.watch.fault, shown)) }
        })
        .await;
        self.row.gone_after = self.repaired.elapsed();
        self.row
    }
}

/// Writes what users saw beside the logs of the tests.
pub fn report(name: &str, rows: &[Row]) {
    let mut text = String::from("| Fault | Ready | Reason | Delivering | Sentence | Told after | Gone after |\n");
    text.push_str("|---|---|---|---|---|---|---|\n");
    for row in rows {
        let [ready, reason, delivering] = &row.columns;
        let (told, gone) = (row.told_after.as_secs_f32(), row.gone_after.as_secs_f32());
        let sentence = format!("{}: {}", row.reason, row.sentence);
        let line =
            format!("| {} | {ready} | {reason} | {delivering} | {sentence} | {told:.1} s | {gone:.1} s |", row.fault);
        writeln!(text, "{line}").expect("a String takes everything");
    }
    let Some(folder) = std::env::var_os("TESTS_LOGS") else { return };
    std::fs::write(std::path::Path::new(&folder).join(format!("cluster-{name}.md")), text)
        .expect("the report is written");
}

/// The columns Ready, Reason and Delivering, by the request that kubectl makes.
async fn columns_of(scene: &Scene, source: &str) -> [String; 3] {
    let path = format!("/apis/sources.knative.dev/v1alpha1/namespaces/{}/awssqssources/{source}", scene.namespace);
    let request = http::Request::get(path).header("accept", "application/json;as=Table;g=meta.k8s.io;v=v1");
    let answer = scene.client.request_text(request.body(Vec::new()).expect("a request")).await.expect("a table");
    let table: Value = serde_json::from_str(&answer).expect("JSON");
    let names: Vec<&Value> =
        table["columnDefinitions"].as_array().into_iter().flatten().map(|it| &it["name"]).collect();
    ["Ready", "Reason", "Delivering"].map(|name| {
        let place = names.iter().position(|known| *known == name).unwrap_or_else(|| panic!("{name} in {names:?}"));
        table["rows"][0]["cells"][place].as_str().unwrap_or_default().to_owned()
    })
}

/// Reason and message of Ready, or where that holds of DeliveryHealthy.
async fn told_by(scene: &Scene, source: &str) -> (String, String) {
    let status = scene.read("sources.knative.dev/v1alpha1", "AwsSqsSource", source).await.data["status"].clone();
    let ready = condition(&status, "Ready");
    let told = if ready["status"] == "True" { condition(&status, "DeliveryHealthy") } else { ready };
    let text = |name: &str| told[name].as_str().unwrap_or_default().to_owned();
    (text("reason"), text("message"))
}
