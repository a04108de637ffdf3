//! Credential settings -> where AWS credentials come from. Pure.

use std::path::PathBuf;

use url::Url;

use super::parse;
use super::process::Identity;
use super::read::Reader;
use super::settings;
use super::{Strings, integration_source};

/// Where AWS credentials come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The base identity.
    pub base: BaseCredentials,
    /// A role to assume on top of it.
    pub assume_role: Option<AssumeRole>,
    /// STS endpoint, if not AWS's own of the region.
    pub sts_endpoint: Option<Url>,
}

/// The identity that is used, or that assumes a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BaseCredentials {
    /// What is left of the SDK's own chain: profile files, container credentials, instance metadata.
    DefaultChain,
    /// Profile `default` of this shared-credentials file only, re-read when it changes.
    SharedFile {
        /// `AWS_APPLICATION_CREDENTIALS`.
        path: PathBuf,
        /// Fall back to the default chain if the file is missing.
        optional: bool,
    },
    /// Files `accessKeyId`, `secretAccessKey`, `sessionToken` (optional) in this folder, re-read when they change.
    KeyFiles {
        /// `BRIDGE_KEYS_DIR`.
        dir: PathBuf,
    },
    /// Keys given in the environment.
    Static {
        /// `AWS_ACCESS_KEY_ID`, or IntegrationSource's `CAMEL_KAMELET_AWS_SQS_SOURCE_ACCESSKEY`.
        access_key_id: String,
        /// `AWS_SECRET_ACCESS_KEY`, or IntegrationSource's `…_SECRETKEY`.
        secret_access_key: Secret,
        /// `AWS_SESSION_TOKEN`.
        session_token: Option<Secret>,
    },
    /// STS AssumeRoleWithWebIdentity with a token that is re-read for each call.
    WebIdentity {
        /// `AWS_WEB_IDENTITY_TOKEN_FILE`.
        token_file: PathBuf,
        /// `AWS_ROLE_ARN`.
        role_arn: String,
        /// `AWS_ROLE_SESSION_NAME`; default as for [`AssumeRole::session_name`].
        session_name: String,
    },
}

/// A string that is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// STS AssumeRole on top of the base identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssumeRole {
    /// The role's ARN.
    pub role_arn: String,
    /// The external id that the role's trust policy asks for.
    pub external_id: Option<String>,
    /// Shown in CloudTrail; default `<namespace>.<name>` cut to 64 characters.
    pub session_name: String,
}

/// Reads the credential settings.
pub(super) fn read<E: Strings>(
    reader: &mut Reader<E>,
    identity: &Identity,
    compatibility: Option<&integration_source::Wishes>,
) -> Option<Credentials> {
    let base = base(reader, identity, compatibility);
    let assume_role = assume_role(reader, identity);
    let sts_endpoint = reader.optional(&settings::STS_ENDPOINT_URL, parse::origin_url);
    Some(Credentials { base: base?, assume_role: assume_role?, sts_endpoint })
}

/// Explicit files first, then keys, then web identity, then what the SDK finds.
fn base<E: Strings>(
    reader: &mut Reader<E>,
    identity: &Identity,
    compatibility: Option<&integration_source::Wishes>,
) -> Option<BaseCredentials> {
    let file = reader.optional(&settings::CREDENTIALS_FILE, parse::path);
    let optional = reader.value(&settings::CREDENTIALS_OPTIONAL, parse::boolean)?;
    let dir = reader.optional(&settings::KEYS_DIR, parse::path);
    match (file, dir) {
        (Some(_), Some(_)) => {
            reader.reject(
                &settings::KEYS_DIR,
                "credentials are also given by AWS_APPLICATION_CREDENTIALS: leave out one of the two",
            );
            None
        }
        (Some(path), None) => Some(BaseCredentials::SharedFile { path, optional }),
        (None, Some(dir)) => Some(BaseCredentials::KeyFiles { dir }),
        (None, None) => match compatibility.and_then(|wishes| wishes.keys.clone()) {
            Some((access_key_id, secret_access_key)) => {
                Some(BaseCredentials::Static { access_key_id, secret_access_key, session_token: None })
            }
            None => ambient(reader, identity),
        },
    }
}

fn ambient<E: Strings>(reader: &mut Reader<E>, identity: &Identity) -> Option<BaseCredentials> {
    let mut secret = |setting| reader.optional(setting, parse::text).map(Secret);
    let secret_access_key = secret(&settings::SECRET_ACCESS_KEY);
    let session_token = secret(&settings::SESSION_TOKEN);
    match (reader.optional(&settings::ACCESS_KEY_ID, parse::text), secret_access_key) {
        (Some(access_key_id), Some(secret_access_key)) => {
            Some(BaseCredentials::Static { access_key_id, secret_access_key, session_token })
        }
        (Some(_), None) => {
            reader.missing(&settings::SECRET_ACCESS_KEY, "set it beside AWS_ACCESS_KEY_ID, or neither");
            None
        }
        (None, Some(_)) => {
            reader.missing(&settings::ACCESS_KEY_ID, "set it beside AWS_SECRET_ACCESS_KEY, or neither");
            None
        }
        (None, None) => web_identity(reader, identity),
    }
}

/// A named profile comes before web identity, as in the SDK's chain.
fn web_identity<E: Strings>(reader: &mut Reader<E>, identity: &Identity) -> Option<BaseCredentials> {
    let token_file = reader.optional(&settings::WEB_IDENTITY_TOKEN_FILE, parse::path);
    let given_role = reader.given(&settings::WEB_IDENTITY_ROLE_ARN).is_some();
    let Some(token_file) = token_file.filter(|_| !reader.has_variable("AWS_PROFILE")) else {
        return Some(BaseCredentials::DefaultChain);
    };
    if !given_role {
        reader.missing(&settings::WEB_IDENTITY_ROLE_ARN, "set the role that AWS_WEB_IDENTITY_TOKEN_FILE is for");
    }
    let role_arn = reader.optional(&settings::WEB_IDENTITY_ROLE_ARN, parse::role_arn);
    let session_name = session_name(reader, &settings::WEB_IDENTITY_SESSION_NAME, identity);
    Some(BaseCredentials::WebIdentity { token_file, role_arn: role_arn?, session_name: session_name? })
}

/// `None` after an error, `Some(None)` if no role was asked for.
fn assume_role<E: Strings>(reader: &mut Reader<E>, identity: &Identity) -> Option<Option<AssumeRole>> {
    let wanted = reader.given(&settings::ASSUME_ROLE_ARN).is_some();
    let role_arn = reader.optional(&settings::ASSUME_ROLE_ARN, parse::role_arn);
    let wants_id = reader.given(&settings::ASSUME_ROLE_EXTERNAL_ID).is_some();
    let external_id = reader.optional(&settings::ASSUME_ROLE_EXTERNAL_ID, parse::external_id);
    let session_name = session_name(reader, &settings::ASSUME_ROLE_SESSION_NAME, identity);
    if !wanted {
        for setting in [&settings::ASSUME_ROLE_EXTERNAL_ID, &settings::ASSUME_ROLE_SESSION_NAME] {
            if reader.given(setting).is_some() {
                reader.reject(
                    setting,
                    "has no effect without a role: set BRIDGE_ASSUME_ROLE_ROLE_ARN (flag --assume-role-role-arn) too",
                );
            }
        }
        return Some(None);
    }
    if wants_id && external_id.is_none() {
        return None;
    }
    Some(Some(AssumeRole { role_arn: role_arn?, external_id, session_name: session_name? }))
}

fn session_name<E: Strings>(
    reader: &mut Reader<E>,
    setting: &'static settings::Setting,
    identity: &Identity,
) -> Option<String> {
    if reader.given(setting).is_some() {
        return reader.optional(setting, parse::session_name);
    }
    Some(default_session_name(identity.namespace.as_deref(), &identity.name))
}

/// `<namespace>.<name>` in the characters that STS allows, cut to 64.
pub fn default_session_name(namespace: Option<&str>, name: &str) -> String {
    let full = namespace.map_or_else(|| name.to_owned(), |namespace| format!("{namespace}.{name}"));
    let allowed = full.chars().map(|character| if parse::is_session_character(character) { character } else { '-' });
    let cut: String = allowed.take(64).collect();
    if cut.len() < 2 { "sqs-bridge".to_owned() } else { cut }
}
