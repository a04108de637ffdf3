//! Pods and what they answered -> the conditions QueueReachable and DeliveryHealthy. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;

use crate::crd::conditions::{DELIVERY_HEALTHY, Finding, QUEUE_REACHABLE};
use crate::watched::{ContainerStatus, Stopped, WatchedPod};

/// What a pod answered last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Its readiness page.
    Page(Page),
    /// Nothing that could be read: a clause that says what happened, with the address.
    Silent(String),
}

/// The adapter's readiness page.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default)]
pub struct Page {
    /// It has received from the queue, and nothing fatal holds.
    pub ready: bool,
    /// Why the queue cannot be read.
    pub queue: Option<Problem>,
    /// What people should know about deliveries.
    pub warnings: Vec<Problem>,
}

/// A word and a sentence.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Problem {
    /// One word in CamelCase.
    pub reason: String,
    /// One sentence.
    pub message: String,
}

/// A pod of the current template and what it answered last, if it was asked.
#[derive(Clone, Debug)]
pub struct Known {
    /// The pod.
    pub pod: Arc<WatchedPod>,
    /// Its answer.
    pub answer: Option<Answer>,
}

/// True while pods have an address and none has been asked yet, as after a start of the controller: what was told before
/// holds until one is.
pub fn nobody_asked(known: &[Known]) -> bool {
    known.iter().any(|known| known.pod.address.is_some()) && known.iter().all(|known| known.answer.is_none())
}

/// The answer that a body stands for.
pub fn read(url: &str, body: &[u8]) -> Answer {
    match serde_json::from_slice(body) {
        Ok(page) => Answer::Page(page),
        Err(_) => Answer::Silent(format!("{url} answered something that is not a readiness page")),
    }
}

/// Whether a pod of the current template has reached the queue. `known` begins with the newest pod.
pub fn queue_reachable(known: &[Known], replicas: Option<i32>) -> Finding {
    if replicas == Some(0) {
        let told = "the source is scaled to zero, so nothing asks the queue";
        return Finding::unknown(QUEUE_REACHABLE, "ScaledToZero", told).informing();
    }
    if pages(known).any(|page| page.ready) {
        return Finding::holds(QUEUE_REACHABLE);
    }
    if let Some(problem) = pages(known).find_map(|page| page.queue.as_ref()) {
        return Finding::fails(QUEUE_REACHABLE, &problem.reason, &problem.message);
    }
    if let Some((reason, message)) = known.iter().find_map(|known| obstacle(&known.pod)) {
        return Finding::fails(QUEUE_REACHABLE, &reason, &message);
    }
    match known.iter().find_map(silence) {
        Some((why, true)) => {
            let told = format!("{why}, but the kubelet, which asks the same page, finds the pod ready");
            Finding::holds_because(QUEUE_REACHABLE, "NotObserved", &told)
        }
        Some((why, false)) => Finding::unknown(QUEUE_REACHABLE, "NotObserved", &not_observed(&why)),
        None => Finding::unknown(QUEUE_REACHABLE, "Checking", "the adapter has not received from the queue yet"),
    }
}

/// Whether no pod of the current template warns.
pub fn delivery_healthy(known: &[Known], replicas: Option<i32>) -> Finding {
    let warnings: BTreeMap<&str, &str> = pages(known)
        .flat_map(|page| &page.warnings)
        .map(|warning| (warning.reason.as_str(), warning.message.as_str()))
        .collect();
    // A cause comes before its effect, and the sink's own state before what is only worth knowing.
    let first = ["SinkTokenNotSent", "SinkUnavailable", "SinkRefuses", "SinkHangs"]
        .iter()
        .find_map(|reason| warnings.get_key_value(reason));
    let Some((reason, _)) = first.or_else(|| warnings.iter().next()) else {
        return no_warning(known, replicas);
    };
    let told: Vec<&str> = warnings
        .get(reason)
        .into_iter()
        .chain(warnings.iter().filter(|(other, _)| *other != reason).map(|(_, m)| m))
        .copied()
        .collect();
    Finding::fails(DELIVERY_HEALTHY, reason, &told.join("; "))
}

fn no_warning(known: &[Known], replicas: Option<i32>) -> Finding {
    if pages(known).next().is_some() {
        return Finding::holds(DELIVERY_HEALTHY);
    }
    let told = match (replicas, known.iter().find_map(silence)) {
        (Some(0), _) => "the source is scaled to zero, so nothing is delivered".to_owned(),
        (_, Some((why, _))) => not_observed(&why),
        (_, None) => "no adapter has answered yet".to_owned(),
    };
    Finding::unknown(DELIVERY_HEALTHY, "NotObserved", &told)
}

fn pages(known: &[Known]) -> impl Iterator<Item = &Page> {
    known.iter().filter_map(|known| match &known.answer {
        Some(Answer::Page(page)) => Some(page),
        Some(Answer::Silent(_)) | None => None,
    })
}

/// Why a pod that was asked said nothing, and whether the kubelet finds it ready.
fn silence(known: &Known) -> Option<(String, bool)> {
    match &known.answer {
        Some(Answer::Silent(why)) => Some((why.clone(), known.pod.ready)),
        Some(Answer::Page(_)) | None => None,
    }
}

fn not_observed(why: &str) -> String {
    format!("{why}: let the controller reach port 8080 of the adapter's pods, for example in their NetworkPolicy")
}

/// Why a pod cannot start.
fn obstacle(pod: &WatchedPod) -> Option<(String, String)> {
    let unschedulable = || {
        let condition = pod.unscheduled.as_deref()?;
        let reason = condition.reason.clone().unwrap_or_else(|| "Unschedulable".to_owned());
        let told = format!(
            "pod {} waits for a node: {}: make room, or change the placement or resources in spec.template",
            pod.name,
            condition.message.as_deref().unwrap_or_default().trim_end_matches('.')
        );
        Some((reason, told))
    };
    pod.stopped.iter().find_map(|container| stuck(pod, container)).or_else(unschedulable)
}

fn stuck(pod: &WatchedPod, container: &ContainerStatus) -> Option<(String, String)> {
    if let Some(waiting) = &container.state.waiting {
        let reason = waiting
            .reason
            .clone()
            .filter(|reason| !["ContainerCreating", "PodInitializing"].contains(&reason.as_str()))?;
        let said = match &container.last_state.terminated {
            Some(ended) if reason == "CrashLoopBackOff" => last_words(ended),
            Some(_) | None => waiting.message.clone().unwrap_or_default(),
        };
        let told = format!("pod {} cannot start: {}{}", pod.name, one_line(&said, &reason), what_to_do(&reason));
        return Some((reason, told));
    }
    let ended = container.state.terminated.as_ref()?;
    let reason = ended.reason.clone().unwrap_or_else(|| "Error".to_owned());
    Some((reason.clone(), format!("pod {} ended: {}", pod.name, one_line(&last_words(ended), &reason))))
}

/// What Kubernetes' own words leave out; the adapter's last words say it themselves.
fn what_to_do(reason: &str) -> &'static str {
    match reason {
        "ErrImagePull" | "ImagePullBackOff" | "InvalidImageName" | "ErrImageNeverPull" | "ImageInspectError" => {
            ": correct the adapter's image or its registry, or give spec.template.imagePullSecrets"
        }
        "CreateContainerConfigError" => ": correct spec.template.env, or create what it names",
        _ => "",
    }
}

/// The last line that a container logged, or its exit code.
fn last_words(ended: &Stopped) -> String {
    let last = ended.message.as_deref().unwrap_or_default().lines().map(str::trim).rfind(|line| !line.is_empty());
    match (last, ended.exit_code) {
        (Some(line), _) => line.to_owned(),
        (None, Some(code)) => format!("exit code {code}"),
        (None, None) => String::new(),
    }
}

fn one_line(text: &str, otherwise: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.is_empty() { otherwise.to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::crd::conditions::Truth;

    fn pod(status: Value) -> Arc<WatchedPod> {
        Arc::new(serde_json::from_value(json!({"metadata": {"name": "p"}, "status": status})).unwrap())
    }

    fn answered(page: Value) -> Known {
        Known { pod: pod(json!({})), answer: Some(Answer::Page(serde_json::from_value(page).unwrap())) }
    }

    fn silent(status: Value) -> Known {
        Known {
            pod: pod(status),
            answer: Some(Answer::Silent("http://10.0.0.1:8080/readiness did not answer: refused".to_owned())),
        }
    }

    fn denied() -> Known {
        answered(json!({"ready": false, "queue": {"reason": "AccessDenied", "message": "denied"}, "warnings": []}))
    }

    fn queue(known: &[Known]) -> (Truth, String, String) {
        let finding = queue_reachable(known, Some(1));
        (finding.truth, finding.reason, finding.message)
    }

    fn told(truth: Truth, reason: &str, message: &str) -> (Truth, String, String) {
        (truth, reason.to_owned(), message.to_owned())
    }

    #[test]
    fn one_pod_that_reaches_the_queue_is_enough() {
        let ready = answered(json!({"ready": true, "warnings": []}));
        assert_eq!(queue(&[denied(), ready]), told(Truth::True, "", ""));
    }

    #[test]
    fn the_newest_reason_is_told() {
        let missing = answered(json!({"ready": false, "queue": {"reason": "NonExistentQueue", "message": "gone"}}));
        assert_eq!(queue(&[denied(), missing]), told(Truth::False, "AccessDenied", "denied"));
        assert_eq!(
            queue(&[answered(json!({"ready": false}))]),
            told(Truth::Unknown, "Checking", "the adapter has not received from the queue yet")
        );
        assert_eq!(queue(&[]).1, "Checking");
    }

    #[test]
    fn a_pod_that_cannot_start_tells_why_with_its_last_words() {
        let pulling = json!({"containerStatuses": [{"state": {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling\nimage"}}}]});
        let crashing = json!({"containerStatuses": [{
            "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s restarting"}},
            "lastState": {"terminated": {"exitCode": 2, "message": "starting\nspec.queueUrl: is not a URL\n"}},
        }]});
        let ended = json!({"containerStatuses": [{"state": {"terminated": {"reason": "Error", "exitCode": 137}}}]});
        let creating = json!({"containerStatuses": [{"state": {"waiting": {"reason": "ContainerCreating"}}}]});
        let homeless = json!({"conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes"}]});
        let asked = |status: Value| queue(&[Known { pod: pod(status), answer: None }]);
        assert_eq!(
            asked(pulling),
            told(
                Truth::False,
                "ImagePullBackOff",
                "pod p cannot start: Back-off pulling image: correct the adapter's image or its registry, or give spec.template.imagePullSecrets"
            )
        );
        assert_eq!(
            asked(crashing),
            told(Truth::False, "CrashLoopBackOff", "pod p cannot start: spec.queueUrl: is not a URL")
        );
        assert_eq!(asked(ended), told(Truth::False, "Error", "pod p ended: exit code 137"));
        assert_eq!(asked(creating).1, "Checking");
        assert_eq!(
            asked(homeless),
            told(
                Truth::False,
                "Unschedulable",
                "pod p waits for a node: 0/1 nodes: make room, or change the placement or resources in spec.template"
            )
        );
    }

    #[test]
    fn a_pod_that_we_cannot_reach_is_believed_through_the_kubelet() {
        let ready = json!({"conditions": [{"type": "Ready", "status": "True"}]});
        let (truth, reason, message) = queue(&[silent(ready)]);
        assert_eq!((truth, reason.as_str()), (Truth::True, "NotObserved"));
        assert!(message.contains("http://10.0.0.1:8080/readiness") && message.contains("kubelet"), "{message}");
        let (truth, reason, message) = queue(&[silent(json!({}))]);
        assert_eq!((truth, reason.as_str()), (Truth::Unknown, "NotObserved"));
        assert!(message.contains("NetworkPolicy"), "{message}");
    }

    #[test]
    fn scaled_to_zero_does_not_decide_about_ready() {
        let finding = queue_reachable(&[], Some(0));
        assert_eq!((finding.truth, finding.reason.as_str(), finding.info), (Truth::Unknown, "ScaledToZero", true));
    }

    #[test]
    fn warnings_of_all_pods_are_told_the_sinks_first() {
        let one = answered(json!({"ready": true, "warnings": [{"reason": "HeartbeatDenied", "message": "h"}]}));
        let other = answered(json!({"ready": true, "warnings": [{"reason": "SinkUnavailable", "message": "s"}]}));
        let finding = delivery_healthy(&[one, other], Some(1));
        assert_eq!(
            (finding.truth, finding.reason.as_str(), finding.message.as_str()),
            (Truth::False, "SinkUnavailable", "s; h")
        );
        assert!(finding.info);
        let withheld = answered(json!({"ready": true, "warnings": [
            {"reason": "SinkTokenNotSent", "message": "t"}, {"reason": "SinkRefuses", "message": "s"},
        ]}));
        assert_eq!(delivery_healthy(&[withheld], Some(1)).message, "t; s");
        assert_eq!(delivery_healthy(&[answered(json!({"ready": true}))], Some(1)).truth, Truth::True);
        assert_eq!(delivery_healthy(&[], Some(1)).reason, "NotObserved");
    }

    #[test]
    fn what_is_not_a_page_is_silence() {
        assert!(matches!(read("http://x", b"<html>"), Answer::Silent(_)));
        assert!(matches!(read("http://x", br#"{"ready":true,"warnings":[]}"#), Answer::Page(Page { ready: true, .. })));
    }
}
