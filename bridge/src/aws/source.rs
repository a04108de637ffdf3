//! Credential settings -> credentials, asked for anew each time. I/O: files, STS, container and instance metadata.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};

use super::fault::{credentials_fault, malformed, not_found, sts_fault};
use super::identity::IdentityError;
use crate::config;
use crate::fault::Fault;

/// Where credentials come from.
#[derive(Debug)]
pub(super) enum Source {
    /// What is left of the SDK's chain: profile files, container credentials, instance metadata.
    Chain(Box<DefaultCredentialsChain>),
    /// Profile `default` of one file, perhaps with the chain while it is missing.
    SharedFile { path: PathBuf, region: Box<ProviderConfig>, fallback: Option<Box<DefaultCredentialsChain>> },
    /// One file for each part of a key.
    KeyFiles { dir: PathBuf },
    /// Keys of the environment.
    Static(Credentials),
    /// A token file and the role it is for.
    WebIdentity { sts: aws_sdk_sts::Client, token_file: PathBuf, role_arn: String, session_name: String },
    /// A role on top of another source, which signs the calls of `sts`.
    AssumeRole { sts: aws_sdk_sts::Client, base: Arc<Source>, role: config::AssumeRole },
}

/// Files are read again this often: kubelet swaps a Secret's files without a sign.
const REREAD_FILES: Duration = Duration::from_secs(2);
/// Credentials of the chain that name no end are asked for again after this time, the default of the SDK.
const REREAD_CHAIN: Duration = Duration::from_secs(15 * 60);

impl Source {
    /// The source that the settings name; `sts` is the STS of the region, without credentials yet.
    pub async fn new(settings: &config::Credentials, sdk: &SdkConfig, sts: aws_sdk_sts::config::Builder) -> Self {
        let base = Self::base(&settings.base, sdk, &sts).await;
        let Some(role) = settings.assume_role.clone() else { return base };
        let base = Arc::new(base);
        let sts = sts.credentials_provider(Base(Arc::clone(&base)));
        Self::AssumeRole { sts: aws_sdk_sts::Client::from_conf(sts.build()), base, role }
    }

    async fn base(settings: &config::BaseCredentials, sdk: &SdkConfig, sts: &aws_sdk_sts::config::Builder) -> Self {
        match settings {
            config::BaseCredentials::DefaultChain => Self::Chain(Box::new(chain(sdk).await)),
            config::BaseCredentials::SharedFile { path, optional } => Self::SharedFile {
                path: path.clone(),
                region: Box::new(provider_config(sdk)),
                fallback: if *optional { Some(Box::new(chain(sdk).await)) } else { None },
            },
            config::BaseCredentials::KeyFiles { dir } => Self::KeyFiles { dir: dir.clone() },
            config::BaseCredentials::Static { access_key_id, secret_access_key, session_token } => {
                let token = session_token.as_ref().map(|token| token.0.clone());
                Self::Static(Credentials::new(access_key_id, &secret_access_key.0, token, None, "static keys"))
            }
            config::BaseCredentials::WebIdentity { token_file, role_arn, session_name } => Self::WebIdentity {
                sts: aws_sdk_sts::Client::from_conf(sts.clone().build()),
                token_file: token_file.clone(),
                role_arn: role_arn.clone(),
                session_name: session_name.clone(),
            },
        }
    }

    /// Asks for credentials now.
    pub async fn load(&self) -> Result<Credentials, Fault> {
        match self {
            Self::Chain(chain) => chain.provide_credentials().await.map_err(|error| credentials_fault(&error)),
            Self::SharedFile { path, region, fallback } => shared_file(path, region, fallback.as_deref()).await,
            Self::KeyFiles { dir } => key_files(dir),
            Self::Static(credentials) => Ok(credentials.clone()),
            Self::WebIdentity { sts, token_file, role_arn, session_name } => {
                web_identity(sts, token_file, role_arn, session_name).await
            }
            Self::AssumeRole { sts, role, .. } => assume_role(sts, role).await,
        }
    }

    /// How often the source is read again although its credentials still hold.
    pub fn reread(&self) -> Option<Duration> {
        match self {
            Self::SharedFile { .. } | Self::KeyFiles { .. } => Some(REREAD_FILES),
            Self::Chain(_) => Some(REREAD_CHAIN),
            Self::Static(_) | Self::WebIdentity { .. } | Self::AssumeRole { .. } => None,
        }
    }

    /// The source in a few words, for `check`.
    pub fn describe(&self) -> String {
        match self {
            Self::Chain(_) => "the default chain (profile files, container credentials, instance metadata)".to_owned(),
            Self::SharedFile { path, .. } => format!("profile default of {}", path.display()),
            Self::KeyFiles { dir } => format!("the key files in {}", dir.display()),
            Self::Static(_) => "the keys of the environment".to_owned(),
            Self::WebIdentity { token_file, role_arn, .. } => {
                format!("web identity {} for {role_arn}", token_file.display())
            }
            Self::AssumeRole { base, role, .. } => format!("role {} assumed with {}", role.role_arn, base.describe()),
        }
    }
}

/// The base of an assumed role, asked each time its STS client signs a call.
#[derive(Debug)]
struct Base(Arc<Source>);

impl ProvideCredentials for Base {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let load =
            async { self.0.load().await.map_err(|fault| CredentialsError::provider_error(IdentityError { fault })) };
        future::ProvideCredentials::new(load)
    }
}

async fn chain(sdk: &SdkConfig) -> DefaultCredentialsChain {
    let mut builder = DefaultCredentialsChain::builder().configure(provider_config(sdk));
    builder.set_region(sdk.region().cloned());
    builder.build().await
}

fn provider_config(sdk: &SdkConfig) -> ProviderConfig {
    ProviderConfig::without_region()
        .with_region(sdk.region().cloned())
        .with_use_fips(sdk.use_fips())
        .with_use_dual_stack(sdk.use_dual_stack())
}

/// The SDK keeps what a provider read of its file, hence a provider for each reading.
async fn shared_file(
    path: &Path,
    region: &ProviderConfig,
    fallback: Option<&DefaultCredentialsChain>,
) -> Result<Credentials, Fault> {
    if let Err(error) = fs::metadata(path) {
        return match fallback {
            Some(chain) => chain.provide_credentials().await.map_err(|error| credentials_fault(&error)),
            None => Err(unreadable(path, &error)),
        };
    }
    let files = EnvConfigFiles::builder().with_file(EnvConfigFileKind::Credentials, path).build();
    let provider =
        ProfileFileCredentialsProvider::builder().configure(region).profile_files(files).profile_name("default");
    provider.build().provide_credentials().await.map_err(|error| {
        let fault = credentials_fault(&error);
        if fault.status.is_some() {
            return fault;
        }
        not_found(format!("profile default of {} has no usable keys", path.display()))
    })
}

/// Small files of a Secret, which kubelet keeps in memory: reading them does not block for long.
fn key_files(dir: &Path) -> Result<Credentials, Fault> {
    // All files of one version: kubelet swaps `..data` when the Secret changes.
    let dir = fs::canonicalize(dir.join("..data")).unwrap_or_else(|_| dir.to_owned());
    let read = |name: &str| {
        let path = dir.join(name);
        fs::read_to_string(&path).map_err(|error| (error.kind(), unreadable(&path, &error)))
    };
    let token = match read("sessionToken") {
        Ok(token) => Some(token.trim().to_owned()).filter(|token| !token.is_empty()),
        Err((io::ErrorKind::NotFound, _)) => None,
        Err((_, fault)) => return Err(fault),
    };
    let access_key_id = read("accessKeyId").map_err(|(_, fault)| fault)?;
    let secret_access_key = read("secretAccessKey").map_err(|(_, fault)| fault)?;
    Ok(Credentials::new(access_key_id.trim(), secret_access_key.trim(), token, None, "key files"))
}

async fn web_identity(
    sts: &aws_sdk_sts::Client,
    token_file: &Path,
    role_arn: &str,
    session_name: &str,
) -> Result<Credentials, Fault> {
    let token = fs::read_to_string(token_file).map_err(|error| unreadable(token_file, &error))?;
    let request = sts.assume_role_with_web_identity().role_arn(role_arn).role_session_name(session_name);
    let answer = request.web_identity_token(token.trim()).send().await.map_err(|error| sts_fault(&error))?;
    session(answer.credentials, "web identity")
}

async fn assume_role(sts: &aws_sdk_sts::Client, role: &config::AssumeRole) -> Result<Credentials, Fault> {
    let request = sts.assume_role().role_arn(&role.role_arn).role_session_name(&role.session_name);
    let request = request.set_external_id(role.external_id.clone());
    let answer = request.send().await.map_err(|error| sts_fault(&error))?;
    session(answer.credentials, "assumed role")
}

fn session(answer: Option<aws_sdk_sts::types::Credentials>, name: &'static str) -> Result<Credentials, Fault> {
    let keys = answer.ok_or_else(|| malformed("STS answered without credentials"))?;
    let expiry =
        SystemTime::try_from(keys.expiration).map_err(|_| malformed("STS answered with an impossible date"))?;
    Ok(Credentials::new(keys.access_key_id, keys.secret_access_key, Some(keys.session_token), Some(expiry), name))
}

fn unreadable(path: &Path, error: &io::Error) -> Fault {
    not_found(format!("cannot read {}: {error}", path.display()))
}

#[cfg(test)]
mod tests;
