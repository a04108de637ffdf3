//! A seed -> a schedule of faults of SQS, network, sink and bridge, played against the bridge, and a judgement.
//! I/O: TCP, processes, the clock.
//!
//! ```ignore
//! let plan = Plan::of(17, Queue::Fifo, &Scale::VIRTUAL);
//! timelapse(play::in_process(&plan))?; // Err names every promise that was broken
//! ```

pub mod audit;
pub mod plan;
pub mod play;
mod running;

pub use audit::Audit;
pub use plan::{Plan, Queue, Scale};
