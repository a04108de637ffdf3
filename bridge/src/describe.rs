//! GetQueueAttributes -> what the engine and `check` want to know of the queue. I/O: SQS.

use std::collections::HashMap;

use aws_sdk_sqs::types::QueueAttributeName;
use serde::Deserialize;

use crate::aws;
use crate::fault::Fault;

/// What the queue says of itself; every part may be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueueFacts {
    /// `maxReceiveCount` of the redrive policy; `None`: the queue has no dead-letter queue.
    pub max_receive_count: Option<u32>,
    /// `ApproximateNumberOfMessages`.
    pub visible: u64,
    /// `ApproximateNumberOfMessagesNotVisible`.
    pub in_flight: u64,
}

/// Reads the attributes that the engine uses.
pub async fn describe(client: &aws_sdk_sqs::Client, queue_url: &str) -> Result<QueueFacts, Fault> {
    let reply = client
        .get_queue_attributes()
        .queue_url(queue_url)
        .attribute_names(QueueAttributeName::RedrivePolicy)
        .attribute_names(QueueAttributeName::ApproximateNumberOfMessages)
        .attribute_names(QueueAttributeName::ApproximateNumberOfMessagesNotVisible)
        .send()
        .await
        .map_err(|error| aws::fault(&error))?;
    Ok(facts(&reply.attributes.unwrap_or_default()))
}

fn facts(attributes: &HashMap<QueueAttributeName, String>) -> QueueFacts {
    let number = |name| attributes.get(&name).and_then(|value| value.parse().ok()).unwrap_or_default();
    QueueFacts {
        max_receive_count: attributes
            .get(&QueueAttributeName::RedrivePolicy)
            .and_then(|policy| max_receive_count(policy)),
        visible: number(QueueAttributeName::ApproximateNumberOfMessages),
        in_flight: number(QueueAttributeName::ApproximateNumberOfMessagesNotVisible),
    }
}

/// SQS writes the count as a number or as a string, as it was set.
fn max_receive_count(policy: &str) -> Option<u32> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Count {
        Number(u32),
        Text(String),
    }
    #[derive(Deserialize)]
    struct Policy {
        #[serde(rename = "maxReceiveCount")]
        max_receive_count: Count,
    }
    match serde_json::from_str::<Policy>(policy).ok()?.max_receive_count {
        Count::Number(count) => Some(count),
        Count::Text(count) => count.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_redrive_policy_is_read_in_both_spellings() {
        for policy in [
            r#"{"deadLetterTargetArn":"arn:aws:sqs:eu-north-1:123456789012:dead","maxReceiveCount":5}"#,
            r#"{"deadLetterTargetArn":"arn:aws:sqs:eu-north-1:123456789012:dead","maxReceiveCount":"5"}"#,
        ] {
            let attributes = HashMap::from([
                (QueueAttributeName::RedrivePolicy, policy.to_owned()),
                (QueueAttributeName::ApproximateNumberOfMessages, "7".to_owned()),
            ]);
            assert_eq!(facts(&attributes), QueueFacts { max_receive_count: Some(5), visible: 7, in_flight: 0 });
        }
        assert_eq!(facts(&HashMap::new()), QueueFacts::default());
    }
}
