//! How far a pass over a source came: one value per step, reached or that step's error, so that a status can always be told. Pure.

use super::apply::{ApplyError, Change};
use super::resolve::{Addressable, Unresolved};
use super::validate::{Adapter, Invalid};
use crate::crd::conditions::Finding;
use crate::watched::WatchedDeployment;

/// How far a pass came.
#[derive(Debug)]
pub struct Progress {
    /// Where events go.
    pub sink: Result<Addressable, Unresolved>,
    /// Where refused events go, if anywhere.
    pub dead_letter_sink: Result<Option<Addressable>, Unresolved>,
    /// The validated source; nothing while a sink is not resolved.
    pub adapter: Option<Result<Adapter, Invalid>>,
    /// What was applied; nothing while the source is not valid.
    pub applied: Option<Applied>,
}

/// What was applied, in this order; a step after a failed one is `None`.
#[derive(Debug)]
pub struct Applied {
    /// Copies of trust bundles.
    pub bundles: Result<(), ApplyError>,
    /// The OIDC ServiceAccount, while the feature is on.
    pub identity: Option<Result<Option<String>, ApplyError>>,
    /// The Deployment.
    pub deployment: Option<Result<Deployed, ApplyError>>,
    /// What KEDA does, while it is asked for.
    pub scaling: Option<Finding>,
}

/// The Deployment after it was applied.
#[derive(Debug)]
pub struct Deployed {
    /// What became of it.
    pub change: Change,
    /// The hash of the template that it has now.
    pub hash: String,
    /// The Deployment as the API server answered, if it was asked.
    pub now: Option<WatchedDeployment>,
}
