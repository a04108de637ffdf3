//! Whole lives in virtual time: the engine against a model of SQS and of a sink. Pure.

#![expect(clippy::wildcard_enum_match_arm, reason = "a test names the one command that it disturbs")]

mod fifo;
mod outage;
mod schedules;
mod standard;
mod world;
