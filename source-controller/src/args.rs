//! What the user typed -> what to do. Pure.

use clap::{Parser, Subcommand};

/// Reconciles AwsSqsSource objects into sqs-bridge adapters.
#[derive(Debug, Parser)]
#[command(name = "source-controller", version, about)]
pub struct Args {
    /// What to do; without a command the controller runs.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print the CustomResourceDefinition of AwsSqsSource as YAML.
    Crd,
}
