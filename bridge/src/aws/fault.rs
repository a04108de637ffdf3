//! A failed call of the AWS SDK -> `Fault`: class, code and sentence, whatever form the failure has. I/O: none, it names the SDK's errors.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_sdk_sts::operation::assume_role_with_web_identity::AssumeRoleWithWebIdentityError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::{ConnectorError, SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::identity::IdentityError;
use crate::fault::{Fault, FaultClass, classify};

/// Code of "no provider has credentials".
pub const CREDENTIALS_NOT_FOUND: &str = "CredentialsNotFound";
/// Code of "STS refused to give credentials for the role".
pub const ASSUME_ROLE_DENIED: &str = "AssumeRoleDenied";

/// Longest sentence of AWS that is kept.
const MOST: usize = 600;

/// Reduces any failed SDK call to the class, code and sentence that decisions and people need.
///
/// SQS names an error in the body, or in the header `x-amzn-query-error`, or (a proxy, some emulators) as XML.
pub fn fault<E>(error: &SdkError<E, HttpResponse>) -> Fault
where
    E: ProvideErrorMetadata + Error + 'static,
{
    if let Some(identity) = find::<IdentityError>(error) {
        return identity.fault.clone();
    }
    if let Some(credentials) = find::<CredentialsError>(error) {
        return credentials_fault(credentials);
    }
    match error {
        SdkError::TimeoutError(_) => transport("no answer within the time limit".to_owned()),
        SdkError::DispatchFailure(failure) => {
            transport(failure.as_connector_error().map_or_else(|| root(error), connector))
        }
        SdkError::ServiceError(_) | SdkError::ResponseError(_) => answered(error),
        SdkError::ConstructionFailure(_) | _ => {
            Fault { class: FaultClass::Bug, code: "RequestNotBuilt".to_owned(), message: root(error), status: None }
        }
    }
}

/// An answer that lacks what it must hold.
pub fn malformed(message: &str) -> Fault {
    Fault {
        class: FaultClass::Transient,
        code: "MalformedAnswer".to_owned(),
        message: message.to_owned(),
        status: None,
    }
}

/// What a provider of credentials came to: nothing found, or what STS said.
pub(super) fn credentials_fault(error: &CredentialsError) -> Fault {
    if let Some(refused) = find::<SdkError<AssumeRoleError, HttpResponse>>(error) {
        return sts_fault(refused);
    }
    if let Some(refused) = find::<SdkError<AssumeRoleWithWebIdentityError, HttpResponse>>(error) {
        return sts_fault(refused);
    }
    let message = if matches!(error, CredentialsError::CredentialsNotLoaded(_)) {
        "tried the environment, profile files, web identity, container credentials and instance metadata".to_owned()
    } else {
        causes(error)
    };
    not_found(message)
}

/// What a call of STS for credentials came to. A refusal has its own code, so that it is told from a refusal of SQS.
pub(super) fn sts_fault<E>(error: &SdkError<E, HttpResponse>) -> Fault
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let fault = fault(error);
    let refused = matches!(fault.class, FaultClass::FatalConfig | FaultClass::Unknown | FaultClass::Entry);
    match fault.status {
        Some(status) if refused && (400..500).contains(&status) => Fault {
            class: FaultClass::Credentials,
            message: format!("STS answered {}: {}", fault.code, fault.message),
            code: ASSUME_ROLE_DENIED.to_owned(),
            status: fault.status,
        },
        Some(_) => fault,
        None if fault.code.is_empty() => Fault { message: format!("STS: {}", fault.message), ..fault },
        None => fault,
    }
}

/// There are no credentials; `message` says where they were looked for.
pub(super) fn not_found(message: String) -> Fault {
    Fault { class: FaultClass::Credentials, code: CREDENTIALS_NOT_FOUND.to_owned(), message, status: None }
}

fn answered<E>(error: &SdkError<E, HttpResponse>) -> Fault
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let response = error.raw_response();
    let status = response.map(|response| response.status().as_u16());
    let body = response.and_then(|response| response.body().bytes()).map(String::from_utf8_lossy).unwrap_or_default();
    let header = response.and_then(|response| response.headers().get("x-amzn-query-error"));
    let code = error
        .code()
        .filter(|code| !code.is_empty())
        .or_else(|| header.and_then(|value| value.split(';').next()))
        .or_else(|| element(&body, "Code"))
        .unwrap_or("UnknownError")
        .to_owned();
    let message = error.message().or_else(|| element(&body, "Message")).unwrap_or_default();
    let class = classify(&code, status);
    Fault { class, message: readable(message), code, status }
}

/// One line, cut, and without the receipt handle that SQS repeats when it refuses one.
fn readable(message: &str) -> String {
    if message.to_ascii_lowercase().contains("receipt") {
        return "the receipt handle is not valid or has expired".to_owned();
    }
    let line: String = message.chars().map(|character| if character.is_control() { ' ' } else { character }).collect();
    line.trim().chars().take(MOST).collect()
}

fn transport(message: String) -> Fault {
    Fault { class: FaultClass::Transient, code: String::new(), message: readable(&message), status: None }
}

fn connector(error: &ConnectorError) -> String {
    if error.is_timeout() { "no connection within the time limit".to_owned() } else { root(error) }
}

/// The innermost cause: `Connection refused`, not the layers around it.
fn root(error: &(dyn Error + 'static)) -> String {
    chain(error).last().map(ToString::to_string).unwrap_or_default()
}

/// Every cause that adds something, outermost first.
fn causes(error: &(dyn Error + 'static)) -> String {
    let mut parts: Vec<String> = Vec::new();
    for cause in chain(error) {
        let text = cause.to_string();
        if !parts.iter().any(|part| part.contains(&text)) {
            parts.push(text);
        }
    }
    readable(&parts.join(": "))
}

fn find<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    chain(error).find_map(|cause| cause.downcast_ref::<T>())
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let current = next?;
        next = current.source();
        Some(current)
    })
}

/// The text of the first XML element of this name.
fn element<'a>(body: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = body.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(text, _)| text)
}

#[cfg(test)]
mod tests;
