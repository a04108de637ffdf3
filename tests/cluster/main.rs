//! Both images on a real node with real Knative Eventing, installed as a user does it.

#[expect(clippy::unwrap_used, dead_code, reason = "as where it comes from, of which one server is needed here")]
#[path = "../sink/certificates.rs"]
mod certificates;
mod faults;
mod flow;
mod hosts;
mod installation;
mod registry;
mod reports;
mod rollout;
mod scene;
mod security;
mod tls_sink;
mod told;
mod traffic;
