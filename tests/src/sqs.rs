//! An SQS of one's own, in the process of the test, that misbehaves on demand. I/O: TCP on 127.0.0.1.
//!
//! It knows nothing of the bridge and speaks AWS JSON 1.0 as the AWS SDKs do. The rules of SQS are in [`cloud`] and
//! [`queue`], which have no clock and no socket; [`server`] puts them behind a port. Where SQS's documentation leaves
//! something open, the semantic suite ([`crate::suite`]) asks other servers the same question.
//!
//! ```ignore
//! let sqs = Simulator::start().await;
//! let queue = sqs.queue("orders");
//! sqs.inject(on(Action::DeleteMessageBatch).times(2), Fault::LoseAnswer);
//! queue.send("hello");
//! // … run something against queue.url() …
//! assert_eq!(queue.counts(), Counts::default());
//! ```

pub mod attribute;
pub mod clock;
pub mod cloud;
pub mod code;
pub mod fault;
pub mod ledger;
pub mod log;
pub mod message;
pub mod queue;
pub mod request;
mod server;
mod simulated_queue;
mod simulator;
mod sts;

pub use attribute::Attribute;
pub use clock::{Clock, Time};
pub use code::Code;
pub use fault::{FailEntries, Fault, Latency, Switch, When, Which, on, on_any, on_each};
pub use ledger::{Deed, Entry};
pub use log::{Call, Caller};
pub use queue::Counts;
pub use request::{Action, Outgoing, Request};
pub use simulated_queue::SimulatedQueue;
pub use simulator::Simulator;
