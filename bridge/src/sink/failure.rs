//! An error of the HTTP client -> its class and one clause for people. I/O: none.

use std::error::Error;
use std::io;
use std::time::Duration;

use crate::outcome::{TransportClass, TransportFailure};

/// The time limit of opening a connection; a live receiver in the same cluster answers in milliseconds.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// What `error` means; `authority` is the destination's host and port, `timeout` the limit of one POST.
pub(super) fn explain(error: &reqwest::Error, authority: &str, timeout: Duration) -> TransportFailure {
    let class = classify(error);
    let cause = root(error);
    let message = match class {
        TransportClass::Dns => format!("the host of {authority} has no address: {cause}"),
        TransportClass::Refused => format!("nobody listens at {authority}: {cause}"),
        TransportClass::Connect if error.is_timeout() => {
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

fn classify(error: &reqwest::Error) -> TransportClass {
    if error.is_builder() {
        TransportClass::Request
    } else if error.is_dns() {
        TransportClass::Dns
    } else if causes(error).any(|cause| cause.is::<rustls::Error>()) {
        TransportClass::Tls
    } else if error.is_connect() {
        let refused = causes(error).filter_map(|cause| cause.downcast_ref::<io::Error>());
        let refused = refused.map(io::Error::kind).any(|kind| kind == io::ErrorKind::ConnectionRefused);
        if refused { TransportClass::Refused } else { TransportClass::Connect }
    } else if error.is_timeout() {
        TransportClass::Timeout
    } else {
        TransportClass::Reset
    }
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
fn root(error: &reqwest::Error) -> String {
    causes(error).last().map(ToString::to_string).unwrap_or_default()
}
