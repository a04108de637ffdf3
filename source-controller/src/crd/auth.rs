//! `spec.auth` and `spec.awsCredsSecret`: where AWS credentials come from. Pure.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A key of a Secret that holds a shared-credentials file.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CredentialsFile {
    /// The Secret's name.
    #[schemars(length(max = 253))]
    pub name: String,
    /// The key in the Secret whose value is the file.
    #[schemars(length(max = 253))]
    pub key: String,
    /// Use the AWS default chain when the Secret or the key does not exist. Defaults to false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub optional: Option<bool>,
}

/// How the adapter gets AWS credentials.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Auth {
    /// Static keys in a Secret. They are read again when the Secret changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<KeySecret>,
    /// A role assumed with a token of the adapter's ServiceAccount; it works on any cluster whose issuer AWS IAM trusts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub web_identity: Option<WebIdentity>,
    /// A role assumed on top of whatever credentials the adapter has, such as one in the queue's account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assume_role: Option<AssumeRole>,
}

/// Static keys in a Secret.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeySecret {
    /// The Secret's name.
    #[schemars(length(max = 253))]
    pub name: String,
    /// The key in the Secret that holds the access key id. Defaults to AWS_ACCESS_KEY_ID.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub access_key_id_key: Option<String>,
    /// The key in the Secret that holds the secret access key. Defaults to AWS_SECRET_ACCESS_KEY.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub secret_access_key_key: Option<String>,
    /// The key in the Secret that holds the session token of temporary credentials. Absent: the keys have no session token.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub session_token_key: Option<String>,
}

/// A role assumed with a token of the adapter's ServiceAccount.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WebIdentity {
    /// The ARN of the role, such as arn:aws:iam::123456789012:role/orders.
    #[schemars(length(max = 2048))]
    #[schemars(regex(pattern = r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/\S+$"))]
    pub role_arn: String,
    /// The audience of the token. Defaults to sts.amazonaws.com.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub audience: Option<String>,
    /// How long a token is valid, 600 to 86400 seconds. Defaults to 3600.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 600, max = 86400))]
    pub expiration_seconds: Option<i32>,
}

/// A role assumed on top of whatever credentials the adapter has.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AssumeRole {
    /// The ARN of the role, such as arn:aws:iam::210987654321:role/reader.
    #[schemars(length(max = 2048))]
    #[schemars(regex(pattern = r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/\S+$"))]
    pub role_arn: String,
    /// The external id that the role's trust policy asks for. Absent: none is sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 2, max = 1224))]
    #[schemars(regex(pattern = r"^[A-Za-z0-9_+=,.@:/-]+$"))]
    pub external_id: Option<String>,
    /// The name of the session in CloudTrail. Defaults to the source's namespace and name, joined by a dot and cut to 64 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[A-Za-z0-9_+=,.@-]{2,64}$"))]
    pub session_name: Option<String>,
}
