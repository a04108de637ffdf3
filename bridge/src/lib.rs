//! Drains an Amazon SQS queue into CloudEvents 1.0 at an HTTP sink.
//!
//! The modules stand in the order data flows; the life of one message is [`handle`].

pub mod admin;
pub mod admit;
pub mod args;
pub mod aws;
pub mod backoff;
pub mod breaker;
pub mod check;
pub mod config;
pub mod convert;
pub mod decode;
pub mod deliver;
pub mod dry_run;
pub mod event;
pub mod explain;
pub mod fault;
pub mod handle;
pub mod health;
pub mod lane;
pub mod lease;
pub mod message;
pub mod metrics;
pub mod normalize;
pub mod outcome;
pub mod policy;
pub mod pollers;
pub mod print;
pub mod profile;
pub mod receive;
pub mod run;
pub mod settle;
pub mod sink;
pub mod telemetry;
