//! A failed AWS call or a sink's answer -> what happened, why, and what to do next, in a sentence or two. Pure.
//!
//! The engine says these words at start and in its readiness page, the controller copies them into a condition,
//! and `check` prints them.

use url::Url;

use crate::config::Queue;
use crate::fault::{Fault, FaultClass, is_missing_queue};
use crate::outcome::{Answer, TransportClass};

/// Why the queue or the sink does not work, for conditions, readiness, logs and `check`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// A stable token, such as `AccessDenied`; the table in the README lists them all.
    pub reason: &'static str,
    /// What happened, why, and what to do next; no secret.
    pub message: String,
    /// The end of `message`: what to do next.
    pub fix: String,
}

impl Explanation {
    fn new(reason: &'static str, cause: &str, fix: impl Into<String>) -> Self {
        let fix = fix.into();
        Self { reason, message: format!("{cause}: {fix}"), fix }
    }
}

/// Explains a fault of the call `action` (such as `sqs:ReceiveMessage`), made as `caller` (an ARN, if known), on `queue`.
pub fn explain(action: &str, fault: &Fault, queue: &Queue, caller: Option<&str>) -> Explanation {
    let caller = caller.or_else(|| caller_in(&fault.message)).unwrap_or("the caller");
    let code = short(&fault.code);
    match fault.class {
        FaultClass::FatalConfig if is_missing_queue(&fault.code) || code == "InvalidAddress" => missing_queue(queue),
        FaultClass::FatalConfig if code.starts_with("KMS.") || code.starts_with("Kms") => {
            kms(action, code, queue, caller)
        }
        FaultClass::FatalConfig if code.starts_with("AccessDenied") => access_denied(action, fault, queue, caller),
        FaultClass::Credentials => credentials(code, fault),
        FaultClass::Transient if fault.code.is_empty() => unreachable(fault, queue),
        FaultClass::Throttle
        | FaultClass::Transient
        | FaultClass::FatalConfig
        | FaultClass::Entry
        | FaultClass::Bug
        | FaultClass::Unknown => other(action, code, fault, queue),
    }
}

/// Explains an answer of the sink at `url`; `None` if the sink accepted.
pub fn explain_answer(answer: &Answer, url: &Url) -> Option<Explanation> {
    let url = without_user_info(url);
    match answer {
        Answer::Status { code: 200..=299, .. } => None,
        Answer::Status { code, .. } => Some(status(*code, &url)),
        Answer::Failed(failure) => {
            let (what, next) = transport(failure.class);
            Some(Explanation::new("SinkUnavailable", &format!("the sink {url} {what} ({})", failure.message), next))
        }
    }
}

/// What to do next about an answer of a sink, in a few words; empty if the sink accepted.
pub fn fix(answer: &Answer) -> &'static str {
    match answer {
        Answer::Status { code: 200..=299, .. } => "",
        Answer::Status { code, .. } => of_status(*code).1,
        Answer::Failed(failure) => transport(failure.class).1,
    }
}

/// The URL as people may see it.
pub fn without_user_info(url: &Url) -> String {
    crate::config::read::scrub(url.as_str())
}

fn missing_queue(queue: &Queue) -> Explanation {
    let arn = &queue.arn;
    let account = if queue.account_known { arn.account.as_str() } else { "of the credentials" };
    let given = queue.url.as_ref().map_or_else(|| format!("ARN {arn}"), |url| format!("URL {url}"));
    let cause = format!("queue {} does not exist in region {} and account {account} ({given})", arn.name, queue.region);
    Explanation::new(
        "NonExistentQueue",
        &cause,
        "check the name, and whether region and account are those of the queue",
    )
}

fn access_denied(action: &str, fault: &Fault, queue: &Queue, caller: &str) -> Explanation {
    let arn = &queue.arn;
    let refusal = format!("{action} denied to {caller} on {arn}");
    let statement = format!(r#"{{"Effect":"Allow","Action":"{action}","Resource":"{arn}"}}"#);
    if fault.message.contains("explicit deny") {
        let fix = "remove it from the policies of the role, the queue or the organization";
        return Explanation::new("AccessDenied", &format!("{refusal} by an explicit deny"), fix);
    }
    let fix =
        format!("add {statement} to the caller's policy, and for a queue of another account to the queue's policy too");
    Explanation::new("AccessDenied", &refusal, fix)
}

fn kms(action: &str, code: &str, queue: &Queue, caller: &str) -> Explanation {
    let next = match code.trim_start_matches("KMS.").trim_start_matches("Kms").trim_end_matches("Exception") {
        "AccessDenied" => format!("allow {caller} kms:Decrypt on the key, in its policy and in the key's"),
        "Disabled" => "enable the key".to_owned(),
        "NotFound" => "the key is gone, give the queue another one".to_owned(),
        "InvalidState" => "the key is being deleted or imported, restore it or give the queue another one".to_owned(),
        "InvalidKeyUsage" => "the key is not one for encryption, give the queue another one".to_owned(),
        _ => "see the key in the KMS console".to_owned(),
    };
    let cause = format!("{action} on {} failed with {code}, the queue uses a customer key", queue.arn);
    Explanation::new("KmsAccessDenied", &cause, next)
}

fn credentials(code: &str, fault: &Fault) -> Explanation {
    match code {
        "CredentialsNotFound" if is_about_a_file(&fault.message) => Explanation::new(
            "CredentialsNotFound",
            &format!("no AWS credentials were found ({})", fault.message),
            "correct that file, in a cluster by creating the Secret of awsCredsSecret or auth.secret or correcting its key; no restart is needed",
        ),
        "CredentialsNotFound" => Explanation::new(
            "CredentialsNotFound",
            &format!("no AWS credentials were found ({})", fault.message),
            "set serviceAccountName (EKS Pod Identity, IRSA), auth.webIdentity or auth.secret, or outside a cluster AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        ),
        "AssumeRoleDenied" => Explanation::new(
            "AssumeRoleDenied",
            &format!("the role could not be assumed ({})", fault.message),
            "check its ARN, that its trust policy names the caller, and the external id",
        ),
        _ => Explanation::new(
            "CredentialsRejected",
            &format!("AWS rejects the credentials with {code}, {}", rejection(code)),
            rejection_fix(code),
        ),
    }
}

/// The settings name a file, and it is not there or is not what it should be.
fn is_about_a_file(message: &str) -> bool {
    message.starts_with("cannot read ") || message.ends_with("has no usable keys")
}

fn rejection(code: &str) -> &'static str {
    match code {
        "ExpiredToken" | "ExpiredTokenException" => "they have expired",
        "RequestExpired" | "InvalidSignatureException" | "SignatureDoesNotMatch" => {
            "the secret key does not belong to the access key, the region is not the endpoint's, or the clock is wrong"
        }
        _ => "the access key does not exist, is inactive or belongs to another partition",
    }
}

fn rejection_fix(code: &str) -> &'static str {
    match code {
        "InvalidSignatureException" | "SignatureDoesNotMatch" => {
            "give keys that are valid, set the region to the queue's, or set the clock"
        }
        _ => "give keys that are valid, or restart the pod so that it gets new ones",
    }
}

fn unreachable(fault: &Fault, queue: &Queue) -> Explanation {
    let endpoint = queue.endpoint.as_ref().map_or_else(
        || format!("of SQS in {}", queue.region),
        |endpoint| endpoint.as_str().trim_end_matches('/').to_owned(),
    );
    let next = match &queue.endpoint {
        Some(_) => "check the endpoint URL, DNS, and that egress to it is allowed",
        None => {
            "check the region, DNS, and that egress to AWS on port 443 is allowed (HTTPS_PROXY, NetworkPolicy, VPC endpoint)"
        }
    };
    let cause = format!("the endpoint {endpoint} cannot be reached ({})", fault.message);
    Explanation::new("EndpointUnreachable", &cause, next)
}

fn other(action: &str, code: &str, fault: &Fault, queue: &Queue) -> Explanation {
    let next = match fault.class {
        FaultClass::Throttle => "AWS asks for fewer calls, they are slowed down",
        FaultClass::Transient => "AWS has a problem, the call is repeated",
        FaultClass::FatalConfig
        | FaultClass::Credentials
        | FaultClass::Entry
        | FaultClass::Bug
        | FaultClass::Unknown => "look the code up in the API reference of SQS",
    };
    let detail = if fault.message.is_empty() { String::new() } else { format!(" ({})", fault.message) };
    Explanation::new("QueueError", &format!("{action} on {} failed with {code}{detail}", queue.arn), next)
}

fn status(code: u16, url: &str) -> Explanation {
    let (reason, next) = of_status(code);
    Explanation::new(reason, &format!("the sink {url} answers {code}"), next)
}

fn of_status(code: u16) -> (&'static str, &'static str) {
    match code {
        300..=399 => ("SinkRefuses", "redirects are not followed, set the sink to the final URL"),
        400 => (
            "SinkRefuses",
            "it does not take the event as it is, check that it expects CloudEvents over HTTP, or try another content mode",
        ),
        401 => (
            "SinkRefuses",
            "it wants a token, set the sink's audience or give an Authorization header (sinkHeadersSecret)",
        ),
        403 => ("SinkRefuses", "the token or header it got does not allow this, check its policy"),
        404 => ("SinkUnavailable", "nothing is at that path, check the URL's path and that the service is deployed"),
        405 => ("SinkRefuses", "it takes no POST at that path, check the URL's path"),
        413 => ("SinkRefuses", "the event is too large for it, raise its limit or send less (event.data)"),
        415 => ("SinkRefuses", "it does not know the content type, try another content mode"),
        408 | 409 | 429 => ("SinkUnavailable", "it asks to slow down, lower maxConcurrency or maxRate"),
        500..=599 => ("SinkUnavailable", "it has a problem of its own, see its logs; the event is repeated"),
        _ => ("SinkRefuses", "it refuses the event for good, see its logs"),
    }
}

fn transport(class: TransportClass) -> (&'static str, &'static str) {
    match class {
        TransportClass::Dns => {
            ("has a host name without address", "check the name, and its namespace if it is a Service")
        }
        TransportClass::Refused => ("refuses connections", "check host and port, and that it is running"),
        TransportClass::Connect => ("cannot be connected to", "check host and port, and that egress to it is allowed"),
        TransportClass::Tls => (
            "is not trusted",
            "give its CA in K_CA_CERTS (sink.CACerts), and use a host name that is in its certificate",
        ),
        TransportClass::Timeout => ("does not answer in time", "see its logs, or raise the limit (delivery.timeout)"),
        TransportClass::Reset => ("breaks the connection", "see its logs, and those of a proxy in between"),
        TransportClass::Request => ("cannot be asked", "check the audience, the ServiceAccount and the header files"),
    }
}

/// The code without its name space.
fn short(code: &str) -> &str {
    let code = code.rsplit('#').next().unwrap_or(code);
    code.strip_prefix("AWS.SimpleQueueService.").unwrap_or(code)
}

/// IAM names the caller: `User: arn:aws:sts::… is not authorized to perform: …`.
fn caller_in(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once("User: ")?;
    rest.split_whitespace().next().filter(|caller| caller.starts_with("arn:"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;

    use super::*;
    use crate::config::Arn;
    use crate::fault::classify;
    use crate::outcome::TransportFailure;

    const URL: &str = "https://sqs.eu-north-1.amazonaws.com/123456789012/orders";

    fn queue() -> Queue {
        Queue {
            url: Url::parse(URL).ok(),
            arn: Arn {
                partition: "aws".to_owned(),
                region: "eu-north-1".to_owned(),
                account: "123456789012".to_owned(),
                name: "orders".to_owned(),
            },
            account_known: true,
            region: "eu-north-1".to_owned(),
            endpoint: None,
            create_missing: false,
            delete_accepted: true,
        }
    }

    fn explained(code: &str, message: &str) -> (&'static str, String) {
        let status = (!code.is_empty()).then_some(403);
        let fault = Fault { class: classify(code, status), code: code.to_owned(), message: message.to_owned(), status };
        let Explanation { reason, message, fix } = explain("sqs:ReceiveMessage", &fault, &queue(), None);
        assert!(message.ends_with(&format!(": {fix}")), "{message}");
        (reason, message)
    }

    #[test]
    #[rustfmt::skip]
    fn every_fault_of_aws_says_what_why_and_what_next() {
        let cases = [
            ("QueueDoesNotExist", "", "NonExistentQueue", "queue orders does not exist in region eu-north-1 and account 123456789012 (URL https://sqs.eu-north-1.amazonaws.com/123456789012/orders): check the name, and whether region and account are those of the queue"),
            ("AWS.SimpleQueueService.NonExistentQueue", "", "NonExistentQueue", "queue orders does not exist in region eu-north-1 and account 123456789012 (URL https://sqs.eu-north-1.amazonaws.com/123456789012/orders): check the name, and whether region and account are those of the queue"),
            ("AccessDenied", "User: arn:aws:sts::1:assumed-role/x/y is not authorized to perform: sqs:receivemessage", "AccessDenied", r#"sqs:ReceiveMessage denied to arn:aws:sts::1:assumed-role/x/y on arn:aws:sqs:eu-north-1:123456789012:orders: add {"Effect":"Allow","Action":"sqs:ReceiveMessage","Resource":"arn:aws:sqs:eu-north-1:123456789012:orders"} to the caller's policy, and for a queue of another account to the queue's policy too"#),
            ("AccessDeniedException", "with an explicit deny in an identity-based policy", "AccessDenied", "sqs:ReceiveMessage denied to the caller on arn:aws:sqs:eu-north-1:123456789012:orders by an explicit deny: remove it from the policies of the role, the queue or the organization"),
            ("KMS.AccessDeniedException", "", "KmsAccessDenied", "sqs:ReceiveMessage on arn:aws:sqs:eu-north-1:123456789012:orders failed with KMS.AccessDeniedException, the queue uses a customer key: allow the caller kms:Decrypt on the key, in its policy and in the key's"),
            ("KmsDisabled", "", "KmsAccessDenied", "sqs:ReceiveMessage on arn:aws:sqs:eu-north-1:123456789012:orders failed with KmsDisabled, the queue uses a customer key: enable the key"),
            ("CredentialsNotFound", "tried everything", "CredentialsNotFound", "no AWS credentials were found (tried everything): set serviceAccountName (EKS Pod Identity, IRSA), auth.webIdentity or auth.secret, or outside a cluster AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
            ("CredentialsNotFound", "cannot read /keys/accessKeyId: no such file", "CredentialsNotFound", "no AWS credentials were found (cannot read /keys/accessKeyId: no such file): correct that file, in a cluster by creating the Secret of awsCredsSecret or auth.secret or correcting its key; no restart is needed"),
            ("AssumeRoleDenied", "STS answered AccessDenied: no", "AssumeRoleDenied", "the role could not be assumed (STS answered AccessDenied: no): check its ARN, that its trust policy names the caller, and the external id"),
            ("InvalidClientTokenId", "", "CredentialsRejected", "AWS rejects the credentials with InvalidClientTokenId, the access key does not exist, is inactive or belongs to another partition: give keys that are valid, or restart the pod so that it gets new ones"),
            ("ExpiredToken", "", "CredentialsRejected", "AWS rejects the credentials with ExpiredToken, they have expired: give keys that are valid, or restart the pod so that it gets new ones"),
            ("SignatureDoesNotMatch", "", "CredentialsRejected", "AWS rejects the credentials with SignatureDoesNotMatch, the secret key does not belong to the access key, the region is not the endpoint's, or the clock is wrong: give keys that are valid, set the region to the queue's, or set the clock"),
            ("", "Connection refused", "EndpointUnreachable", "the endpoint of SQS in eu-north-1 cannot be reached (Connection refused): check the region, DNS, and that egress to AWS on port 443 is allowed (HTTPS_PROXY, NetworkPolicy, VPC endpoint)"),
            ("UnsupportedOperation", "no", "QueueError", "sqs:ReceiveMessage on arn:aws:sqs:eu-north-1:123456789012:orders failed with UnsupportedOperation (no): look the code up in the API reference of SQS"),
            ("ThrottlingException", "", "QueueError", "sqs:ReceiveMessage on arn:aws:sqs:eu-north-1:123456789012:orders failed with ThrottlingException: AWS asks for fewer calls, they are slowed down"),
        ];
        for (code, message, reason, expected) in cases {
            assert_eq!(explained(code, message), (reason, expected.to_owned()), "{code}");
        }
    }

    fn answered(code: u16) -> Option<&'static str> {
        let answer = Answer::Status { code, retry_after: Some(Duration::ZERO), body: Bytes::new() };
        explain_answer(&answer, &Url::parse("http://user:hush@sink/").expect("a URL")).map(|explained| {
            assert!(explained.message.starts_with(&format!("the sink http://***@sink/ answers {code}: ")));
            explained.reason
        })
    }

    #[test]
    fn a_sinks_status_is_a_refusal_or_an_outage() {
        for accepted in [200, 202, 204, 299] {
            assert_eq!(answered(accepted), None);
        }
        for refusal in [302, 400, 401, 403, 405, 413, 415, 422] {
            assert_eq!(answered(refusal), Some("SinkRefuses"), "{refusal}");
        }
        for outage in [404, 408, 409, 429, 500, 503] {
            assert_eq!(answered(outage), Some("SinkUnavailable"), "{outage}");
        }
    }

    #[test]
    fn a_sink_that_is_not_trusted_needs_its_ca() {
        let failure = TransportFailure { class: TransportClass::Tls, message: "unknown issuer".to_owned() };
        let explained = explain_answer(&Answer::Failed(failure), &Url::parse("https://sink/").expect("a URL"));
        let expected = Explanation {
            reason: "SinkUnavailable",
            fix: "give its CA in K_CA_CERTS (sink.CACerts), and use a host name that is in its certificate".to_owned(),
            message: "the sink https://sink/ is not trusted (unknown issuer): give its CA in K_CA_CERTS (sink.CACerts), and use a host name that is in its certificate".to_owned(),
        };
        assert_eq!(explained, Some(expected));
    }
}
