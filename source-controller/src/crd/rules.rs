//! The CEL rules that the API server checks when a source is applied. Pure.
//!
//! CEL sees no annotations and cannot parse certificates: what is left is judged by the controller and shown in `status`.

/// One CEL rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Where it stands: fields joined by dots, `[]` for the items of a list, empty for the object itself.
    pub at: &'static str,
    /// The expression; false refuses the object.
    pub rule: String,
    /// What the user reads then: what is wrong and what to do.
    pub message: String,
}

/// All rules, in the order of the fields they stand at.
pub fn all() -> Vec<Rule> {
    let mut rules: Vec<Rule> = FIXED
        .iter()
        .map(|(at, rule, message)| Rule { at, rule: (*rule).to_owned(), message: (*message).to_owned() })
        .collect();
    for sink in ["spec.sink", "spec.delivery.deadLetterSink"] {
        rules.extend(DESTINATION.iter().map(|(rule, message)| Rule {
            at: sink,
            rule: (*rule).to_owned(),
            message: (*message).to_owned(),
        }));
    }
    rules.extend(DURATIONS.iter().map(|(at, least, most)| duration_between(at, least, most)));
    rules
}

const FIXED: &[(&str, &str, &str)] = &[
    (
        "",
        "size(self.metadata.name) <= 63",
        "metadata.name must be at most 63 characters, it becomes a label value: choose a shorter name",
    ),
    ("spec", "has(self.queueUrl) != has(self.queueArn)", "set exactly one of queueUrl and queueArn"),
    (
        "spec",
        "!has(self.queueArn) || !has(self.region) || self.queueArn.split(':')[3] == self.region",
        "region differs from the region in queueArn: remove region or correct it",
    ),
    (
        "spec",
        "[has(self.awsCredsSecret), has(self.auth) && has(self.auth.secret), has(self.auth) && has(self.auth.webIdentity)].filter(x, x).size() <= 1",
        "set at most one of awsCredsSecret, auth.secret and auth.webIdentity",
    ),
    (
        "spec",
        "!has(self.fifo) || (has(self.queueUrl) ? self.queueUrl : has(self.queueArn) ? self.queueArn : '').endsWith('.fifo')",
        "fifo needs a FIFO queue, whose name ends in .fifo: remove fifo or name such a queue",
    ),
    (
        "spec",
        "!has(self.fifo) || !has(self.fifo.onPoison) || self.fifo.onPoison != 'skip' || (has(self.delivery) && has(self.delivery.deadLetterSink))",
        "fifo.onPoison skip needs delivery.deadLetterSink: set it or choose block",
    ),
    (
        "spec",
        "!has(self.event) || (has(self.event.format) ? self.event.format == 'auto' : !(has(self.sink) && has(self.sink.kind))) || !(has(self.event.data) || has(self.event.typeFormat) || has(self.event.snsUnwrap))",
        "event.data, event.typeFormat and event.snsUnwrap have no effect unless event.format is auto: remove them or set event.format to auto",
    ),
    (
        "spec",
        "!(has(oldSelf.sink) && has(oldSelf.sink.kind)) || (has(self.sink) && has(self.sink.kind)) || (has(oldSelf.event) && has(oldSelf.event.format)) || (has(self.event) && has(self.event.format))",
        "replacing a flat sink changes the default format: set event.format to eventing-awssqs (events stay as they are) or auto",
    ),
    (
        "spec.sink",
        "(has(self.apiVersion) || has(self.kind) || has(self.name)) ? (has(self.apiVersion) && has(self.kind) && has(self.name) && !has(self.ref) && !has(self.uri)) : (has(self.ref) || has(self.uri))",
        "set ref and/or uri, or the flat apiVersion, kind and name, not both",
    ),
    ("spec.delivery.deadLetterSink", "has(self.ref) || has(self.uri)", "set ref and/or uri"),
    (
        "spec.ceOverrides.extensions",
        "self.all(k, k.matches('^[a-z0-9]{1,20}$'))",
        "extension names are 1 to 20 lower-case letters or digits",
    ),
    (
        "spec.ceOverrides.extensions",
        "self.all(k, !(k in ['id', 'source', 'specversion', 'type', 'subject', 'time', 'datacontenttype', 'dataschema', 'data']))",
        "ceOverrides must not override CloudEvents context attributes: choose another name",
    ),
    (
        "spec.receive",
        "has(self.visibilityTimeout) && !self.visibilityTimeout.matches('^PT([0-9]+([.][0-9]+)?[HMS])+$') || has(self.waitTime) && !self.waitTime.matches('^PT([0-9]+([.][0-9]+)?[HMS])+$') || duration((has(self.visibilityTimeout) ? self.visibilityTimeout : 'PT30S').substring(2).lowerAscii()) > duration((has(self.waitTime) ? self.waitTime : 'PT20S').substring(2).lowerAscii()) + duration('5s')",
        "visibilityTimeout (default PT30S) must exceed waitTime (default PT20S) by more than 5 seconds",
    ),
    (
        "spec.flow.maxInFlightBytes",
        "isQuantity(string(self)) && quantity(string(self)).compareTo(quantity('12Mi')) >= 0",
        "must be a quantity of at least 12Mi, such as 64Mi: one receive can carry more than 10 MiB",
    ),
    (
        "spec.template.labels",
        "self.all(k, !(k in ['knative-eventing-source', 'knative-eventing-source-name']) && !k.startsWith('eventing.knative.dev/'))",
        "labels that select the pods are set by the controller: choose other labels",
    ),
    (
        "spec.template.env[]",
        "!self.name.startsWith('K_') && !self.name.startsWith('BRIDGE_') && !(self.name in ['AWS_SQS_URL', 'AWS_SQS_ARN', 'AWS_REGION', 'AWS_ENDPOINT_URL_SQS', 'AWS_APPLICATION_CREDENTIALS', 'AWS_ROLE_ARN', 'AWS_WEB_IDENTITY_TOKEN_FILE', 'AWS_ROLE_SESSION_NAME', 'NAME', 'NAMESPACE', 'POD_NAME', 'SYSTEM_NAMESPACE', 'METRICS_DOMAIN'])",
        "this variable is set by the controller: use the field of spec that it stands for",
    ),
];

/// Rules of the sink and of the dead-letter sink alike.
const DESTINATION: &[(&str, &str)] = &[
    (
        "!has(self.uri) || (has(self.ref) ? !self.uri.matches('^[A-Za-z][A-Za-z0-9+.-]*:') : self.uri.matches('^https?://[^/?#]+'))",
        "uri must be relative with ref, an absolute http(s) URL without",
    ),
    (
        "!has(self.CACerts) || self.CACerts.contains('-----BEGIN CERTIFICATE-----')",
        "CACerts must be PEM certificates, each beginning with -----BEGIN CERTIFICATE-----",
    ),
];

/// Fields that are ISO 8601 durations, with the least and the most they may be, as CEL and Go write them.
const DURATIONS: &[(&str, &str, &str)] = &[
    ("spec.delivery.backoffDelay", "0s", "5m"),
    ("spec.delivery.timeout", "1s", "11h"),
    ("spec.delivery.retryAfterMax", "0s", "15m"),
    ("spec.receive.visibilityTimeout", "10s", "12h"),
    ("spec.drainTimeout", "10s", "1h"),
];

/// A CEL rule runs although the field's pattern has failed, and `duration()` throws: the guard makes one mistake one message.
fn duration_between(at: &'static str, least: &str, most: &str) -> Rule {
    let value = "duration(self.substring(2).lowerAscii())";
    Rule {
        at,
        rule: format!(
            "self != 'PT' && (!self.matches('^PT([0-9]+([.][0-9]+)?[HMS])+$') || {value} >= duration('{least}') && {value} <= duration('{most}'))"
        ),
        message: format!("must be an ISO 8601 duration between {least} and {most}, such as PT30S"),
    }
}
