//! The CloudEvent value and its HTTP encodings. Pure.

use bytes::Bytes;
use http::HeaderMap;

/// One event as it goes over the wire: the `ce-*` and `Content-Type` headers (or structured content) and the body.
#[derive(Clone, Debug)]
pub struct Encoded {
    /// `ce-*` and `content-type`; nothing about authorization, tracing or the connection.
    pub headers: HeaderMap,
    /// The HTTP body.
    pub body: Bytes,
}
