//! Reconciles `AwsSqsSource` objects into adapters: Deployments of `sqs-bridge`.
//!
//! The modules stand in the order data flows; one pass over one source is [`reconcile`].

pub mod args;
pub mod child_name;
pub mod crd;
pub mod operator;
pub mod quantity;

pub mod run;

pub mod admin;
pub mod cluster_domain;
pub mod controller;
pub mod leader;
pub mod manifests;
pub mod telemetry;

pub mod cache;
pub mod context;
pub mod follow;
pub mod kept;
pub mod metrics;
pub mod observe;
pub mod reconcile;
pub mod sinks;
pub mod watched;
