//! The controller on a real API server, under the ServiceAccount of `config/`.

mod crash;
mod crd;
mod faults;
mod features;
mod injected;
mod keda;
mod laptop;
mod legacy;
mod pod_fields;
mod rights;
mod rollout;
mod samples;
mod scene;
mod shared;
mod sink;
mod status;

#[expect(clippy::unwrap_used, reason = "in a test the panic names the line")]
#[path = "../sink/certificates.rs"]
mod certificates;
#[expect(clippy::unwrap_used, dead_code, reason = "in a test the panic names the line; the tests of the sink use more")]
#[path = "../sink/server.rs"]
mod server;
#[path = "../leaves/fields.rs"]
mod fields;
