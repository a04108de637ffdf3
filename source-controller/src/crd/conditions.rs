//! What was found out about a source -> its conditions, as Knative keeps them. Pure.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::status::Condition;

/// Summarises the conditions that decide.
pub const READY: &str = "Ready";
/// The sink has an address.
pub const SINK_PROVIDED: &str = "SinkProvided";
/// The dead-letter sink has an address, or there is none.
pub const DEAD_LETTER_SINK_RESOLVED: &str = "DeadLetterSinkResolved";
/// The ServiceAccount and the rights that OIDC needs exist, or OIDC is off.
pub const OIDC_IDENTITY_CREATED: &str = "OIDCIdentityCreated";
/// The cluster's trust bundles are in the source's namespace.
pub const TRUST_BUNDLE_PROPAGATED: &str = "TrustBundlePropagated";
/// A pod of the current template has received from the queue.
pub const QUEUE_REACHABLE: &str = "QueueReachable";
/// The adapter's Deployment is available.
pub const DEPLOYED: &str = "Deployed";
/// No pod warns about deliveries.
pub const DELIVERY_HEALTHY: &str = "DeliveryHealthy";
/// KEDA scales the adapter.
pub const AUTOSCALER_READY: &str = "AutoscalerReady";

/// Conditions that decide about Ready, the cause before its effects: Ready takes the first that is not True.
const DECISIVE: [&str; 6] = [
    SINK_PROVIDED,
    DEAD_LETTER_SINK_RESOLVED,
    OIDC_IDENTITY_CREATED,
    TRUST_BUNDLE_PROPAGATED,
    QUEUE_REACHABLE,
    DEPLOYED,
];

/// Whether something is so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    /// It is.
    True,
    /// It is not.
    False,
    /// It is not known yet.
    Unknown,
}

impl Truth {
    /// As a condition's status.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        }
    }
}

/// One condition without its history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The condition's name.
    pub type_: &'static str,
    /// Whether it is so.
    pub truth: Truth,
    /// One word for the cause; empty when there is nothing to say.
    pub reason: String,
    /// One sentence; empty when there is nothing to say.
    pub message: String,
    /// False: it decides about Ready.
    pub info: bool,
}

impl Finding {
    /// It is so, and there is nothing to say about it.
    pub fn holds(type_: &'static str) -> Self {
        Self::new(type_, Truth::True, "", "")
    }

    /// It is so, for a reason worth telling.
    pub fn holds_because(type_: &'static str, reason: &str, message: &str) -> Self {
        Self::new(type_, Truth::True, reason, message)
    }

    /// It is not so.
    pub fn fails(type_: &'static str, reason: &str, message: &str) -> Self {
        Self::new(type_, Truth::False, reason, message)
    }

    /// It is not known.
    pub fn unknown(type_: &'static str, reason: &str, message: &str) -> Self {
        Self::new(type_, Truth::Unknown, reason, message)
    }

    /// The same, but it does not decide about Ready.
    pub fn informing(mut self) -> Self {
        self.info = true;
        self
    }

    /// What a condition told before, in place of what was found now.
    pub fn told(self, before: &Condition) -> Self {
        let truth = match before.status.as_str() {
            "True" => Truth::True,
            "False" => Truth::False,
            _ => Truth::Unknown,
        };
        let (reason, message) = (before.reason.clone().unwrap_or_default(), before.message.clone().unwrap_or_default());
        Self { type_: self.type_, truth, reason, message, info: before.severity.is_some() }
    }

    fn new(type_: &'static str, truth: Truth, reason: &str, message: &str) -> Self {
        let info = !DECISIVE.contains(&type_);
        Self { type_, truth, reason: reason.to_owned(), message: message.to_owned(), info }
    }
}

/// The conditions to write: findings and Ready, sorted by type. A condition keeps its transition time unless something about it changed;
/// all that changed have the time `now`.
pub fn settle(previous: &[Condition], mut findings: Vec<Finding>, now: &Time) -> Vec<Condition> {
    findings.push(ready(&findings));
    findings.sort_by_key(|finding| finding.type_);
    findings.into_iter().map(|finding| condition(previous, finding, now)).collect()
}

/// Knative's aggregation, but with the cause before its effect rather than the newest first.
fn ready(findings: &[Finding]) -> Finding {
    let decisive =
        || DECISIVE.iter().filter_map(|type_| findings.iter().find(|finding| finding.type_ == *type_ && !finding.info));
    let cause = decisive()
        .find(|finding| finding.truth == Truth::False)
        .or_else(|| decisive().find(|finding| finding.truth == Truth::Unknown));
    match cause {
        Some(cause) => Finding { type_: READY, info: false, ..cause.clone() },
        None => Finding { info: false, ..Finding::holds(READY) },
    }
}

fn condition(previous: &[Condition], finding: Finding, now: &Time) -> Condition {
    let Finding { type_, truth, reason, message, info } = finding;
    let text = |text: String| Some(text).filter(|text| !text.is_empty());
    let mut condition = Condition {
        type_: type_.to_owned(),
        status: truth.as_str().to_owned(),
        severity: info.then(|| "Info".to_owned()),
        last_transition_time: None,
        reason: text(reason),
        message: text(message),
    };
    let before = previous.iter().find(|before| before.type_ == condition.type_);
    let unchanged = before.filter(|before| {
        Condition { last_transition_time: None, ..(*before).clone() } == condition
            && before.last_transition_time.is_some()
    });
    condition.last_transition_time = match unchanged {
        Some(before) => before.last_transition_time.clone(),
        None => Some(now.clone()),
    };
    condition
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Time {
        Time(k8s_openapi::jiff::Timestamp::from_second(second).unwrap())
    }

    fn all_well() -> Vec<Finding> {
        DECISIVE.iter().map(|type_| Finding::holds(type_)).collect()
    }

    fn with(findings: &[Finding]) -> Vec<Finding> {
        let mut all = all_well();
        all.retain(|known| findings.iter().all(|finding| finding.type_ != known.type_));
        all.extend_from_slice(findings);
        all
    }

    fn ready_of(findings: &[Finding]) -> (String, Option<String>) {
        let conditions = settle(&[], with(findings), &at(1));
        let ready = conditions.into_iter().find(|condition| condition.type_ == READY).unwrap();
        (ready.status, ready.reason)
    }

    #[test]
    fn ready_names_the_cause_before_its_effect() {
        let denied = Finding::fails(QUEUE_REACHABLE, "AccessDenied", "denied");
        let unavailable = Finding::fails(DEPLOYED, "MinimumReplicasUnavailable", "none");
        let checking = Finding::unknown(QUEUE_REACHABLE, "Checking", "soon");
        let warning = Finding::fails(DELIVERY_HEALTHY, "SinkUnavailable", "refused");
        assert_eq!(ready_of(&[]), ("True".to_owned(), None));
        assert_eq!(
            ready_of(&[denied.clone(), unavailable.clone()]),
            ("False".to_owned(), Some("AccessDenied".to_owned()))
        );
        assert_eq!(
            ready_of(&[checking.clone(), unavailable]),
            ("False".to_owned(), Some("MinimumReplicasUnavailable".to_owned()))
        );
        assert_eq!(ready_of(std::slice::from_ref(&checking)), ("Unknown".to_owned(), Some("Checking".to_owned())));
        assert_eq!(ready_of(&[checking.informing(), warning]), ("True".to_owned(), None));
        assert_eq!(ready_of(&[denied.informing()]), ("True".to_owned(), None));
    }

    #[test]
    fn conditions_are_sorted_and_keep_their_time_until_something_changes() {
        let first = settle(&[], with(&[Finding::unknown(QUEUE_REACHABLE, "Checking", "soon")]), &at(1));
        let types: Vec<&str> = first.iter().map(|condition| condition.type_.as_str()).collect();
        let mut sorted = types.clone();
        sorted.sort_unstable();
        assert_eq!(types, sorted);
        assert_eq!(settle(&first, with(&[Finding::unknown(QUEUE_REACHABLE, "Checking", "soon")]), &at(2)), first);
        let second = settle(&first, with(&[]), &at(3));
        let moved: Vec<&str> = second
            .iter()
            .filter(|condition| condition.last_transition_time == Some(at(3)))
            .map(|condition| condition.type_.as_str())
            .collect();
        assert_eq!(moved, [QUEUE_REACHABLE, READY]);
    }

    #[test]
    fn only_what_does_not_decide_has_a_severity() {
        let conditions = settle(&[], with(&[Finding::holds(DELIVERY_HEALTHY)]), &at(1));
        let informing: Vec<&str> = conditions
            .iter()
            .filter(|condition| condition.severity.as_deref() == Some("Info"))
            .map(|condition| condition.type_.as_str())
            .collect();
        assert_eq!(informing, [DELIVERY_HEALTHY]);
    }
}
