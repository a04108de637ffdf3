//! One SQS message -> its CloudEvents as another bridge makes them. Pure.
//!
//! For consumers that were written against that bridge. Where the original leaves the id to
//! chance, or the time to the moment, the profile keeps the id and time of this bridge, so that
//! a message delivered twice is still one event.

pub mod aws;
pub mod eventing_awssqs;
mod go_json;
pub mod integration_source;
pub mod triggermesh;
