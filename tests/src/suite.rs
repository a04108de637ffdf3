//! Questions that every SQS server must answer as AWS documents -> a panic where one does not. I/O: the server asked.
//!
//! The same cases run against the simulator, ministack and ElasticMQ, so that the simulator cannot drift from the
//! servers that others wrote. Where a server is known to differ, [`differences`] says so and why; a difference that
//! has gone fails the case as well, so the table stays true.
//!
//! To run them, a test binary writes what becomes of one case and hands it to [`for_each_semantic_case!`]:
//!
//! ```ignore
//! macro_rules! on_ministack {
//!     ($($module:ident::$case:ident,)*) => {$(
//!         #[tokio::test]
//!         async fn $case() {
//!             let server = ministack().await; // suite::Endpoint
//!             tests::suite::judge(stringify!($case), &server, tests::suite::$module::$case(&server)).await;
//!         }
//!     )*};
//! }
//! tests::for_each_semantic_case!(on_ministack);
//! ```

use std::future::Future;
use std::panic::{AssertUnwindSafe, resume_unwind};

use futures::FutureExt;

pub mod basics;
pub mod differences;
mod endpoint;

pub use endpoint::{Endpoint, QueueUnderTest, Server};

/// Calls the macro `$each` once with every case of the suite, written `module::case,`.
#[macro_export]
macro_rules! for_each_semantic_case {
    ($each:ident) => {
        $each! {
            basics::a_sent_message_is_received_and_deleted_once,
        }
    };
}

/// Runs one case and compares what comes of it with what is known about this server.
///
/// # Panics
///
/// When the case fails and the server is not known to differ, or passes although it is.
pub async fn judge(case: &str, server: &Endpoint, run: impl Future<Output = ()>) {
    let result = AssertUnwindSafe(run).catch_unwind().await;
    match (result, differences::known(server.server, case)) {
        (Ok(()), None) | (Err(_), Some(_)) => {}
        (Err(panic), None) => resume_unwind(panic),
        (Ok(()), Some(reason)) => {
            panic!("{case}: {:?} no longer differs ({reason}): take it out of the table", server.server)
        }
    }
}
