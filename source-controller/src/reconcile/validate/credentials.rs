//! `spec.awsCredsSecret`, `spec.auth` -> who the adapter is for AWS, with nothing left to default. Pure.

use super::Owner;
use crate::crd::{AwsSqsSourceSpec, CredentialsFile};

/// Who the adapter is for AWS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The identity that is used, or that assumes a role.
    pub base: Base,
    /// A role assumed on top.
    pub assume_role: Option<AssumeRole>,
}

/// The identity that is used, or that assumes a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Base {
    /// Whatever the pod finds: IRSA, EKS Pod Identity, environment, instance profile.
    Ambient,
    /// A shared-credentials file in a Secret.
    File {
        /// The Secret.
        secret: String,
        /// The key whose value is the file.
        key: String,
        /// Go on without it if it is missing.
        optional: bool,
    },
    /// Static keys in a Secret.
    Keys {
        /// The Secret.
        secret: String,
        /// The key that holds the access key id.
        access_key_id: String,
        /// The key that holds the secret access key.
        secret_access_key: String,
        /// The key that holds the session token.
        session_token: Option<String>,
    },
    /// A role assumed with a token of the pod's ServiceAccount.
    WebIdentity {
        /// The role's ARN.
        role_arn: String,
        /// The token's audience.
        audience: String,
        /// The token's life in seconds.
        expiration_seconds: i32,
        /// The session's name in CloudTrail.
        session_name: String,
    },
}

/// A role assumed on top.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssumeRole {
    /// The role's ARN.
    pub role_arn: String,
    /// The external id that the role's trust policy asks for.
    pub external_id: Option<String>,
    /// The session's name in CloudTrail.
    pub session_name: String,
}

/// What the fields of `spec` stand for.
pub fn credentials(spec: &AwsSqsSourceSpec, owner: &Owner) -> Credentials {
    let auth = spec.auth.clone().unwrap_or_default();
    let session_name = session_name(owner);
    let base = if let Some(CredentialsFile { name, key, optional }) = spec.aws_creds_secret.clone() {
        Base::File { secret: name, key, optional: optional.unwrap_or(false) }
    } else if let Some(keys) = auth.secret {
        Base::Keys {
            secret: keys.name,
            access_key_id: keys.access_key_id_key.unwrap_or_else(|| "AWS_ACCESS_KEY_ID".to_owned()),
            secret_access_key: keys.secret_access_key_key.unwrap_or_else(|| "AWS_SECRET_ACCESS_KEY".to_owned()),
            session_token: keys.session_token_key,
        }
    } else if let Some(identity) = auth.web_identity {
        Base::WebIdentity {
            role_arn: identity.role_arn,
            audience: identity.audience.unwrap_or_else(|| "sts.amazonaws.com".to_owned()),
            expiration_seconds: identity.expiration_seconds.unwrap_or(3600),
            session_name: session_name.clone(),
        }
    } else {
        Base::Ambient
    };
    let assume_role = auth.assume_role.map(|role| AssumeRole {
        role_arn: role.role_arn,
        external_id: role.external_id,
        session_name: role.session_name.unwrap_or(session_name),
    });
    Credentials { base, assume_role }
}

/// Namespace and name, cut to the 64 characters that STS takes.
/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>
fn session_name(owner: &Owner) -> String {
    format!("{}.{}", owner.namespace, owner.name).chars().take(64).collect()
}
