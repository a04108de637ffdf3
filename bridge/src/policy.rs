//! ARNs of queue, key and producer -> the IAM policies that the bridge and its producer need, as JSON. Pure.
//!
//! Batch calls are authorised by the actions of single messages.

use serde_json::{Value, json};

/// The ARNs that are filled in; what is missing becomes a name in angle brackets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arns {
    /// The queue.
    pub queue: Option<String>,
    /// The customer key of the queue.
    pub key: Option<String>,
    /// The EventBridge rule, SNS topic or S3 bucket that sends to the queue.
    pub producer: Option<String>,
}

/// What the bridge's identity must be allowed on the queue. GetQueueAttributes only serves `check`, a metric and the
/// choice of what to do with refused messages; the bridge runs without it.
pub const QUEUE_ACTIONS: [&str; 5] = [
    "sqs:ReceiveMessage",
    "sqs:DeleteMessage",
    "sqs:ChangeMessageVisibility",
    "sqs:GetQueueAttributes",
    "sqs:GetQueueUrl",
];

/// Both policies: `identityPolicy` for the bridge's role, `queuePolicy` for the queue.
pub fn policies(arns: &Arns) -> Value {
    json!({ "identityPolicy": identity_policy(arns), "queuePolicy": queue_policy(arns) })
}

/// What the bridge's role needs; decryption only for a queue with a customer key.
pub fn identity_policy(arns: &Arns) -> Value {
    let mut statements = vec![json!({
        "Sid": "DrainQueue",
        "Effect": "Allow",
        "Action": QUEUE_ACTIONS,
        "Resource": queue(arns),
    })];
    if let Some(key) = &arns.key {
        statements.push(json!({ "Sid": "Decrypt", "Effect": "Allow", "Action": "kms:Decrypt", "Resource": key }));
    }
    json!({ "Version": "2012-10-17", "Statement": statements })
}

/// What the queue needs so that its producer may send, and nobody without TLS.
///
/// EventBridge drops what a missing permission refuses; it does not try again.
pub fn queue_policy(arns: &Arns) -> Value {
    let producer = arns.producer.as_deref().unwrap_or("<rule-arn>");
    let service = service_of(producer);
    let mut condition = json!({ "ArnEquals": { "aws:SourceArn": producer } });
    if service == "s3" {
        let account = queue(arns).split(':').nth(4).filter(|account| !account.is_empty()).unwrap_or("<account>");
        condition = json!({
            "ArnEquals": { "aws:SourceArn": producer },
            "StringEquals": { "aws:SourceAccount": account },
        });
    }
    json!({
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "AllowProducer",
                "Effect": "Allow",
                "Principal": { "Service": format!("{service}.amazonaws.com") },
                "Action": "sqs:SendMessage",
                "Resource": queue(arns),
                "Condition": condition,
            },
            {
                "Sid": "DenyWithoutTls",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "sqs:*",
                "Resource": queue(arns),
                "Condition": { "Bool": { "aws:SecureTransport": "false" } },
            },
        ],
    })
}

fn queue(arns: &Arns) -> &str {
    arns.queue.as_deref().unwrap_or("<queue-arn>")
}

fn service_of(producer: &str) -> &'static str {
    match producer.split(':').nth(2) {
        Some("sns") => "sns",
        Some("s3") => "s3",
        _ => "events",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUEUE: &str = "arn:aws:sqs:eu-north-1:123456789012:orders";
    const RULE: &str = "arn:aws:events:eu-north-1:123456789012:rule/orders";

    fn arns(key: Option<&str>, producer: Option<&str>) -> Arns {
        Arns { queue: Some(QUEUE.to_owned()), key: key.map(str::to_owned), producer: producer.map(str::to_owned) }
    }

    #[test]
    fn the_role_may_do_what_the_bridge_does_and_nothing_else() {
        let expected = json!({
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Sid": "DrainQueue",
                    "Effect": "Allow",
                    "Action": [
                        "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility",
                        "sqs:GetQueueAttributes", "sqs:GetQueueUrl",
                    ],
                    "Resource": QUEUE,
                },
                { "Sid": "Decrypt", "Effect": "Allow", "Action": "kms:Decrypt", "Resource": "arn:aws:kms:k" },
            ],
        });
        assert_eq!(identity_policy(&arns(Some("arn:aws:kms:k"), None)), expected);
        assert_eq!(identity_policy(&arns(None, None))["Statement"].as_array().map(Vec::len), Some(1));
    }

    #[test]
    fn the_queue_lets_its_producer_send_and_nobody_without_tls() {
        let expected = json!({
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Sid": "AllowProducer",
                    "Effect": "Allow",
                    "Principal": { "Service": "events.amazonaws.com" },
                    "Action": "sqs:SendMessage",
                    "Resource": QUEUE,
                    "Condition": { "ArnEquals": { "aws:SourceArn": RULE } },
                },
                {
                    "Sid": "DenyWithoutTls",
                    "Effect": "Deny",
                    "Principal": "*",
                    "Action": "sqs:*",
                    "Resource": QUEUE,
                    "Condition": { "Bool": { "aws:SecureTransport": "false" } },
                },
            ],
        });
        assert_eq!(queue_policy(&arns(None, Some(RULE))), expected);
    }

    #[test]
    fn topics_and_buckets_are_told_by_their_arn() {
        let of = |producer| queue_policy(&arns(None, Some(producer)))["Statement"][0].clone();
        assert_eq!(of("arn:aws:sns:eu-north-1:123456789012:t")["Principal"]["Service"], "sns.amazonaws.com");
        let bucket = of("arn:aws:s3:::uploads");
        assert_eq!(bucket["Principal"]["Service"], "s3.amazonaws.com");
        assert_eq!(bucket["Condition"]["StringEquals"]["aws:SourceAccount"], "123456789012");
    }

    #[test]
    fn what_is_missing_is_named() {
        let policies = policies(&Arns::default());
        assert_eq!(policies["identityPolicy"]["Statement"][0]["Resource"], "<queue-arn>");
        assert_eq!(policies["queuePolicy"]["Statement"][0]["Condition"]["ArnEquals"]["aws:SourceArn"], "<rule-arn>");
    }
}
