//! Reconciles `AwsSqsSource` objects into adapters: Deployments of `sqs-bridge`.

pub mod args;
pub mod crd;
