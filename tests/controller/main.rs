//! The controller on a real API server, under the ServiceAccount of `config/`.

mod crd;
mod features;
mod rollout;
mod scene;
mod shared;
mod sink;
mod status;
