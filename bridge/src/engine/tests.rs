//! Whole lives in virtual time: the engine against a model of SQS and of a sink. Pure.

mod fifo;
mod outage;
mod schedules;
mod standard;
mod world;
