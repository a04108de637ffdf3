//! What the tests above unit tests are made of: servers that misbehave on demand, and questions to real ones.

pub mod servers;
pub mod suite;
pub mod wait;
