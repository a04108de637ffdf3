//! Drains an Amazon SQS queue into CloudEvents 1.0 at an HTTP sink.
//!
//! The modules stand in the order data flows; the life of one message is [`engine`].

pub mod args;
pub mod config;
pub mod aws;
pub mod run;
pub mod engine;
pub mod message;
pub mod fault;
pub mod describe;
pub mod receive;
pub mod admit;
pub mod pollers;
pub mod lane;
pub mod lease;
pub mod decode;
pub mod normalize;
pub mod profile;
pub mod event;
pub mod deliver;
pub mod sink;
pub mod outcome;
pub mod report;
mod api_server;
pub mod concurrency;
pub mod rate;
pub mod breaker;
pub mod settle;
pub mod backoff;
pub mod explain;
pub mod check;
pub mod convert;
pub mod dry_run;
pub mod policy;
pub mod print;
pub mod health;
pub mod metrics;
pub mod admin;
pub mod telemetry;
