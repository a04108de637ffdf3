//! Knative's autoscaling annotations -> what KEDA is asked for. Pure.

use std::collections::BTreeMap;

use super::credentials::{Base, Credentials};

/// The class that hands the adapter's replicas to KEDA.
pub const KEDA_CLASS: &str = "keda.autoscaling.knative.dev";

/// What KEDA is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Autoscaling {
    /// Fewest pods.
    pub least: u32,
    /// Most pods.
    pub most: u32,
    /// Seconds between two looks at the queue.
    pub polling_interval: u32,
    /// Seconds without messages until the last pod goes.
    pub cooldown_period: u32,
    /// Messages per pod that KEDA aims at.
    pub queue_length: u32,
    /// More messages than this wake the adapter up.
    pub activation_queue_length: u32,
    /// Whether messages in flight count.
    pub scale_on_in_flight: bool,
    /// Whether delayed messages count.
    pub scale_on_delayed: bool,
    /// Authentication of the user's own: kind and name.
    pub authentication: Option<(String, String)>,
}

/// Why KEDA cannot be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// An annotation is wrong.
    Annotation(String),
    /// KEDA cannot use the source's credentials.
    Authentication,
}

/// Reads the annotations; nothing if they do not ask for KEDA.
pub fn requested(
    annotations: &BTreeMap<String, String>,
    credentials: &Credentials,
) -> Option<Result<Autoscaling, Problem>> {
    if annotations.get("autoscaling.knative.dev/class").map(String::as_str) != Some(KEDA_CLASS) {
        return None;
    }
    Some(read(annotations).map_err(Problem::Annotation).and_then(|asked| authenticated(asked, credentials)))
}

fn authenticated(asked: Autoscaling, credentials: &Credentials) -> Result<Autoscaling, Problem> {
    let file = matches!(credentials.base, Base::File { .. });
    if file && asked.authentication.is_none() { Err(Problem::Authentication) } else { Ok(asked) }
}

fn read(annotations: &BTreeMap<String, String>) -> Result<Autoscaling, String> {
    let asked = Autoscaling {
        least: number(annotations, "autoscaling.knative.dev/minScale", 0)?,
        most: number(annotations, "autoscaling.knative.dev/maxScale", 50)?,
        polling_interval: number(annotations, &keda("pollingInterval"), 30)?,
        cooldown_period: number(annotations, &keda("cooldownPeriod"), 300)?,
        queue_length: number(annotations, &keda("awsSqsQueueLength"), 5)?,
        activation_queue_length: number(annotations, &keda("awsSqsActivationQueueLength"), 0)?,
        scale_on_in_flight: truth(annotations, &keda("awsSqsScaleOnInFlight"), true)?,
        scale_on_delayed: truth(annotations, &keda("awsSqsScaleOnDelayed"), false)?,
        authentication: annotations.get(&keda("triggerAuthentication")).map(|named| authentication(named)),
    };
    if asked.least > asked.most {
        return Err(format!(
            "metadata.annotations: autoscaling.knative.dev/minScale ({}) must not exceed autoscaling.knative.dev/maxScale ({})",
            asked.least, asked.most
        ));
    }
    Ok(asked)
}

fn keda(name: &str) -> String {
    format!("{KEDA_CLASS}/{name}")
}

/// `<name>` or `ClusterTriggerAuthentication/<name>`.
fn authentication(named: &str) -> (String, String) {
    match named.split_once('/') {
        Some((kind, name)) => (kind.to_owned(), name.to_owned()),
        None => ("TriggerAuthentication".to_owned(), named.to_owned()),
    }
}

fn number(annotations: &BTreeMap<String, String>, name: &str, default: u32) -> Result<u32, String> {
    let Some(text) = annotations.get(name) else { return Ok(default) };
    text.trim()
        .parse()
        .map_err(|_| format!("metadata.annotations: {name} must be a whole number of at least 0, not {text:?}"))
}

fn truth(annotations: &BTreeMap<String, String>, name: &str, default: bool) -> Result<bool, String> {
    let Some(text) = annotations.get(name) else { return Ok(default) };
    text.trim().parse().map_err(|_| format!("metadata.annotations: {name} must be true or false, not {text:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(pairs: &[(&str, &str)], base: Base) -> Option<Result<Autoscaling, Problem>> {
        let annotations = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        requested(&annotations, &Credentials { base, assume_role: None })
    }

    const ON: (&str, &str) = ("autoscaling.knative.dev/class", KEDA_CLASS);

    #[test]
    fn only_kedas_class_asks_and_its_defaults_are_kafka_sources() {
        assert_eq!(asked(&[("autoscaling.knative.dev/class", "hpa")], Base::Ambient), None);
        let expected = Autoscaling {
            least: 0,
            most: 50,
            polling_interval: 30,
            cooldown_period: 300,
            queue_length: 5,
            activation_queue_length: 0,
            scale_on_in_flight: true,
            scale_on_delayed: false,
            authentication: None,
        };
        assert_eq!(asked(&[ON], Base::Ambient), Some(Ok(expected)));
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        let crossed = [ON, ("autoscaling.knative.dev/minScale", "3"), ("autoscaling.knative.dev/maxScale", "2")];
        assert!(
            matches!(asked(&crossed, Base::Ambient), Some(Err(Problem::Annotation(told))) if told.contains("minScale (3)"))
        );
        let word = [ON, ("keda.autoscaling.knative.dev/pollingInterval", "often")];
        assert!(
            matches!(asked(&word, Base::Ambient), Some(Err(Problem::Annotation(told))) if told.contains("\"often\""))
        );
    }

    #[test]
    fn a_credentials_file_needs_an_authentication_of_the_users_own() {
        let file = Base::File { secret: "s".to_owned(), key: "k".to_owned(), optional: false };
        assert_eq!(asked(&[ON], file.clone()), Some(Err(Problem::Authentication)));
        let own = [ON, ("keda.autoscaling.knative.dev/triggerAuthentication", "ClusterTriggerAuthentication/aws")];
        let asked = asked(&own, file).unwrap().unwrap();
        assert_eq!(asked.authentication, Some(("ClusterTriggerAuthentication".to_owned(), "aws".to_owned())));
    }
}
