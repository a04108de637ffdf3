//! `spec.queueUrl`, `.queueArn`, `.region`, `.endpointUrl` -> the queue and how to reach it, by the adapter's own rules. Pure.

use sqs_bridge::config::queue::{Arn, QueueSettings, locate as located};
use sqs_bridge::config::settings;

use crate::crd::AwsSqsSourceSpec;

/// The queue and how to reach it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// The URL, if the source names it so.
    pub url: Option<String>,
    /// The ARN, if the source names it so.
    pub arn: Option<String>,
    /// The region that requests are signed for.
    pub region: String,
    /// `spec.endpointUrl`.
    pub endpoint_url: Option<String>,
    /// Where requests go, if not to the region's public endpoint.
    pub endpoint: Option<String>,
    /// The queue's name.
    pub name: String,
    /// The queue's ARN, if its account is known.
    pub known_arn: Option<String>,
    /// The ARN that events name as their source; its account is empty if it is not known.
    pub event_arn: String,
    /// The URL that events of eventing-awssqs name as their source, and that KEDA asks.
    pub event_url: String,
}

/// Why the queue cannot be located.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unlocated {
    /// No region is given and none can be derived.
    Region(String),
    /// A field is wrong: its path and the problem.
    Queue(String, String),
}

/// Works out region and endpoint as the adapter will.
///
/// # Errors
/// The first field that is wrong.
pub fn locate(spec: &AwsSqsSourceSpec) -> Result<Queue, Unlocated> {
    let given = QueueSettings {
        url: spec.queue_url.as_deref(),
        arn: spec.queue_arn.as_deref(),
        region: spec.region.as_deref(),
        region_is_ambient: false,
        endpoint: spec.endpoint_url.as_deref(),
    };
    let queue = located(&given).map_err(|problems| unlocated(spec, problems))?;
    Ok(Queue {
        event_arn: queue.arn.to_string(),
        event_url: spec.queue_url.clone().unwrap_or_else(|| public_url(&queue.arn)),
        url: spec.queue_url.clone(),
        arn: spec.queue_arn.clone(),
        endpoint_url: spec.endpoint_url.clone(),
        endpoint: queue.endpoint.as_ref().map(|endpoint| endpoint.as_str().trim_end_matches('/').to_owned()),
        name: queue.arn.name.clone(),
        known_arn: queue.account_known.then(|| queue.arn.to_string()),
        region: queue.region,
    })
}

/// The URL that AWS gives a queue of this ARN.
/// DNS suffixes: <https://github.com/aws/aws-sdk-go-v2/blob/main/internal/endpoints/awsrulesfn/partitions.json>.
fn public_url(arn: &Arn) -> String {
    let Arn { partition, region, account, name } = arn;
    let suffix = match partition.as_str() {
        "aws-cn" => "amazonaws.com.cn",
        "aws-iso" => "c2s.ic.gov",
        "aws-iso-b" => "sc2s.sgov.gov",
        "aws-iso-e" => "cloud.adc-e.uk",
        "aws-iso-f" => "csp.hci.ic.gov",
        "aws-eusc" => "amazonaws.eu",
        _ => "amazonaws.com",
    };
    format!("https://sqs.{region}.{suffix}/{account}/{name}")
}

fn unlocated(spec: &AwsSqsSourceSpec, problems: Vec<(&'static settings::Setting, String)>) -> Unlocated {
    let Some((setting, problem)) = problems.into_iter().next() else {
        return Unlocated::Queue("spec".to_owned(), "the queue cannot be located".to_owned());
    };
    if *setting == settings::REGION && spec.region.is_none() {
        return Unlocated::Region(format!("spec.region: {problem}"));
    }
    Unlocated::Queue(format!("spec.{}", setting.field), problem)
}
