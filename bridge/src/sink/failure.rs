//! An error of the HTTP client -> its class and one clause for people. I/O: none.

use std::error::Error;
use std::io;
use std::time::Duration;

use url::Url;

use super::authority;
use super::connections::{SendError, Unresolved};
use crate::outcome::{TransportClass, TransportFailure};

/// The time limit of opening a connection; a live receiver in the same cluster answers in milliseconds.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// What `error` means; `timeout` the limit of one request.
pub(super) fn explain(error: &SendError, destination: &Url, timeout: Duration) -> TransportFailure {
    let class = match error {
        SendError::Timeout => TransportClass::Timeout,
        SendError::ConnectTimeout => TransportClass::Connect,
        SendError::Connect(_) if causes(error).any(|cause| cause.is::<Unresolved>()) => TransportClass::Dns,
        SendError::Connect(_) | SendError::Broken(_) if is_tls(error) => TransportClass::Tls,
        SendError::Connect(_) => class_of_connect(error),
        SendError::Broken(_) => TransportClass::Reset,
    };
    describe(class, error, matches!(error, SendError::ConnectTimeout), destination, timeout)
}

/// The same for a client that goes through a proxy, or to the API server.
pub(crate) fn explain_reqwest(error: &reqwest::Error, destination: &Url, timeout: Duration) -> TransportFailure {
    let class = if error.is_builder() {
        TransportClass::Request
    } else if error.is_dns() {
        TransportClass::Dns
    } else if is_tls(error) {
        TransportClass::Tls
    } else if error.is_connect() {
        class_of_connect(error)
    } else if error.is_timeout() {
        TransportClass::Timeout
    } else {
        TransportClass::Reset
    };
    describe(class, error, error.is_timeout(), destination, timeout)
}

fn describe(
    class: TransportClass,
    error: &(dyn Error + 'static),
    late: bool,
    destination: &Url,
    timeout: Duration,
) -> TransportFailure {
    let authority = authority(destination);
    let cause = root(error);
    let message = match class {
        TransportClass::Dns => format!("the host of {authority} has no address: {cause}"),
        TransportClass::Refused => format!("nobody listens at {authority}: {cause}"),
        TransportClass::Connect if late => {
            format!("no connection to {authority} within {} s", CONNECT_TIMEOUT.as_secs())
        }
        TransportClass::Connect => format!("no connection to {authority}: {cause}"),
        TransportClass::Tls => format!("TLS with {authority} failed: {cause}"),
        TransportClass::Timeout => format!("no answer from {authority} within {} s", timeout.as_secs_f64()),
        TransportClass::Reset => format!("the connection to {authority} broke: {cause}"),
        TransportClass::Request => format!("the request to {authority} cannot be made: {cause}"),
    };
    TransportFailure { class, message }
}

fn class_of_connect(error: &(dyn Error + 'static)) -> TransportClass {
    let mut kinds = causes(error).filter_map(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind);
    if kinds.any(|kind| kind == io::ErrorKind::ConnectionRefused) {
        TransportClass::Refused
    } else {
        TransportClass::Connect
    }
}

fn is_tls(error: &(dyn Error + 'static)) -> bool {
    causes(error).any(|cause| cause.is::<rustls::Error>())
}

/// The error and everything behind it; an I/O error hides its cause from `source`, so it is looked into.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| {
        let error: &'a (dyn Error + 'static) = *error;
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        inner.map(|inner| inner as &(dyn Error + 'static)).or_else(|| error.source())
    })
}

/// The innermost cause, which never holds the URL.
fn root(error: &(dyn Error + 'static)) -> String {
    causes(error).last().map(ToString::to_string).unwrap_or_default()
}
