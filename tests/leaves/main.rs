//! Every leaf of the schema of AwsSqsSource, from the object to the pod and from the pod to what others see of it.
//!
//! One table: a row sets one leaf to a value that is not its default, says what of the Deployment it becomes, and
//! carries the code that runs the bridge with exactly the environment of that Deployment and finds the effect on the
//! wire. A test walks the generated definition and fails on a leaf without a row.

#![expect(clippy::unwrap_used, reason = "in a test the panic names the line")]

mod credentials;
mod delivery;
mod event;
mod fields;
mod flow;
mod pod;
mod queue;
mod row;
mod sink;
mod stage;
mod walk;

#[path = "../sink/certificates.rs"]
mod certificates;
#[expect(dead_code, reason = "the tests of the sink use more of it")]
#[path = "../sink/server.rs"]
mod server;

use row::Row;

/// Every row, in the order of the schema.
fn rows() -> Vec<Row> {
    [queue::rows(), credentials::rows(), sink::rows(), delivery::rows(), event::rows(), flow::rows(), pod::rows()]
        .concat()
}
