//! The `AwsSqsSource` object: its fields, their schema and the manifest that Kubernetes gets. Pure.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use auth::{AssumeRole, Auth, CredentialsFile, KeySecret, WebIdentity};
pub use delivery::{BackoffPolicy, Delivery};
pub use duck::{CloudEventOverrides, Destination, KReference, Sink, SinkHeadersSecret};
pub use event::{ContentMode, DataSetting, Event, Format, SnsUnwrap, TypeFormat};
pub use status::{AuthStatus, AwsSqsSourceStatus, CeAttribute, Condition};
pub use template::{EnvVar, Template};
pub use tuning::{Bytes, Fifo, Flow, OnPoison, Profile, Receive};

pub mod auth;
pub mod conditions;
pub mod delivery;
pub mod duck;
pub mod event;
pub mod manifest;
pub mod rules;
pub mod status;
pub mod template;
pub mod tuning;

/// AwsSqsSource drains one Amazon SQS queue and delivers every message as a CloudEvent to a sink.
///
/// A message is deleted from the queue only after the sink has accepted every event made from it.
#[derive(CustomResource, Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[kube(
    group = "sources.knative.dev",
    version = "v1alpha1",
    kind = "AwsSqsSource",
    plural = "awssqssources",
    singular = "awssqssource",
    namespaced,
    status = "AwsSqsSourceStatus",
    derive = "PartialEq",
    doc = "AwsSqsSource drains one Amazon SQS queue and delivers every message as a CloudEvent to a sink. A message is deleted from the queue only after the sink has accepted every event made from it."
)]
pub struct AwsSqsSourceSpec {
    /// The queue as an ARN, such as arn:aws:sqs:eu-north-1:123456789012:orders. Set exactly one of queueArn and queueUrl.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    #[schemars(regex(pattern = r"^arn:aws[a-z-]*:sqs:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,80}(\.fifo)?$"))]
    pub queue_arn: Option<String>,

    /// The queue as a URL, such as https://sqs.eu-north-1.amazonaws.com/123456789012/orders. Set exactly one of queueArn and queueUrl.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048))]
    #[schemars(regex(pattern = r"^https?://[^/?#\s]+/\S+$"))]
    pub queue_url: Option<String>,

    /// The AWS region that requests to SQS and STS are signed for. Defaults to the region in queueArn or in the host of queueUrl.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    #[schemars(regex(pattern = r"^[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}$"))]
    pub region: Option<String>,

    /// Where requests to SQS go instead of the region's public endpoint: a VPC endpoint or an emulator. STS is never redirected.
    /// Defaults to the origin of queueUrl if its host is not a public SQS name, else to the public endpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048))]
    #[schemars(regex(pattern = r"^https?://[^/?#\s]+/?$"))]
    pub endpoint_url: Option<String>,

    /// The ServiceAccount that the adapter's pods run as; it carries the AWS identity with IRSA and EKS Pod Identity. Defaults to default.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub service_account_name: Option<String>,

    /// A Secret with a shared-credentials file, of which the profile default is used. At most one of awsCredsSecret, auth.secret and auth.webIdentity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aws_creds_secret: Option<CredentialsFile>,

    /// How the adapter gets AWS credentials. Defaults to the AWS default chain: IRSA, EKS Pod Identity, environment, instance profile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth: Option<Auth>,

    /// Where events go: a Destination (ref, uri, CACerts, audience) or the flat form apiVersion, kind, name of eventing-awssqs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sink: Option<Sink>,

    /// A Secret whose keys become headers of every request to the sink, such as Authorization. It is read again when it changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sink_headers_secret: Option<SinkHeadersSecret>,

    /// Attributes that are added to every event or that replace its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ce_overrides: Option<CloudEventOverrides>,

    /// How often and how long delivery of one event is tried, and where it goes when that fails.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivery: Option<Delivery>,

    /// How messages become events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<Event>,

    /// What the adapter optimises for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<Profile>,

    /// How messages are received.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receive: Option<Receive>,

    /// How much may be under way at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flow: Option<Flow>,

    /// What happens on a FIFO queue only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fifo: Option<Fifo>,

    /// How long a stopping adapter may work on what it holds, as an ISO 8601 duration from 10 seconds to 1 hour.
    /// The pod's grace period is 15 seconds longer. Defaults to PT45S.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 24))]
    #[schemars(regex(pattern = r"^PT([0-9]+H)?([0-9]+M)?([0-9]+(\.[0-9]{1,3})?S)?$"))]
    pub drain_timeout: Option<String>,

    /// How many adapter pods run, 0 to 1000. Not used while KEDA scales the adapter. Defaults to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1000), extend("default" = 1))]
    pub replicas: Option<i32>,

    /// Annotations of the adapter's pods, as in eventing-awssqs; template.annotations win over them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotations: Option<std::collections::BTreeMap<String, String>>,

    /// What else the adapter's pods get.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<Template>,
}
