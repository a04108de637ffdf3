//! What the tests above unit tests are made of: servers that misbehave on demand, and questions to real ones.

#[cfg(feature = "apiserver")]
pub mod apiserver;
pub mod bridge;
pub mod fake_aws;
pub mod host;
pub mod kubelet;
pub mod log_lines;
pub mod merge;
pub mod page;
mod port;
pub mod program;
pub mod sample;
pub mod scene;
pub mod schedule;
pub mod servers;
pub mod sink;
pub mod sqs;
pub mod suite;
pub mod timelapse;
pub mod wait;
pub mod wire;
