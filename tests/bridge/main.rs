//! The bridge end to end: a simulated queue, real HTTP on both sides, a scripted sink.
//!
//! Where time matters a test runs under [`tests::timelapse`], so that an outage of half an hour passes in a second and
//! nothing depends on the speed of the machine. Tests of signals and exit codes run the real program.

mod batch;
mod deliver;
mod faults;
mod fifo;
mod lease;
mod mapped;
mod poison;
mod retry;
mod settings;
mod shutdown;

use std::time::Duration;

use tests::scene::{LONG, SOON, Scene};
use tests::sink::Sink;
use tests::sqs::Deed;
use tests::timelapse::{pass, timelapse};
use tests::wait::eventually;
