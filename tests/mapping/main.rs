//! The event mapping against inputs that nobody wrote for it: published events, the output of
//! other bridges, and whatever proptest makes up. Always on, no server.

#![expect(clippy::unwrap_used, reason = "what is missing in a test is a failure")]

mod eventing_awssqs;
mod fixture;
mod properties;
mod published;
mod reader;
mod triggermesh;
