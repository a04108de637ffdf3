//! An event sink of one's own, in the process of the test, that answers as it is told and records everything.
//! I/O: TCP.
//!
//! ```ignore
//! let sink = Sink::start().await;                          // accepts everything with 202
//! sink.script([Reply::status(503).retry_after("1"), Reply::hang()]); // the next two requests
//! sink.decide(|delivery| (delivery.event.subject() == Some("poison")).then(|| Reply::status(400)));
//! sink.down(); // connection refused, and under the same address again: sink.up()
//! assert_eq!(sink.accepted().len(), 1);
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;

pub mod delivery;
pub mod event;
pub mod reply;
mod server;

pub use delivery::Delivery;
pub use event::Event;
pub use reply::Reply;

use crate::port::Port;
use server::{Shared, listen};

/// A running sink; stops when dropped.
#[derive(Debug)]
pub struct Sink {
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl Sink {
    /// Starts one that accepts everything at once with 202.
    ///
    /// # Panics
    ///
    /// When no port can be had.
    #[expect(clippy::unused_async, reason = "it needs a runtime, and callers should see that")]
    pub async fn start() -> Self {
        let port = Port::reserve().expect("a free port");
        let listener = port.listen().expect("the reserved port can be listened on");
        let shared = Arc::new(Shared::new(port));
        let task = tokio::spawn(listen(shared.clone(), listener));
        Self { shared, task }
    }

    /// Such as `http://127.0.0.1:4242/`.
    pub fn url(&self) -> String {
        format!("http://{}/", self.shared.port.address())
    }

    /// The answers to the next requests, in the order in which the requests come; the others are answered as before.
    pub fn script(&self, replies: impl IntoIterator<Item = Reply>) {
        self.shared.state().script.extend(replies);
    }

    /// The answer to all requests for which nothing else is said.
    pub fn always(&self, reply: Reply) {
        self.shared.state().usual = reply;
    }

    /// Lets `rule` answer what the script does not; where it says `None`, the usual answer is given.
    pub fn decide(&self, rule: impl FnMut(&Delivery) -> Option<Reply> + Send + 'static) {
        self.shared.state().rule = Some(Box::new(rule));
    }

    /// Forgets script, rule and usual answer: everything is accepted again.
    pub fn accept_everything(&self) {
        let mut state = self.shared.state();
        state.script.clear();
        state.rule = None;
        state.usual = Reply::accept();
    }

    /// Refuses connections and resets those that are open.
    pub fn down(&self) {
        self.shared.up.send_replace(false);
    }

    /// Listens again, under the same address.
    pub fn up(&self) {
        self.shared.up.send_replace(true);
    }

    /// Closes connections on which nothing comes for so long, as Knative's receivers do after 10 s.
    pub fn close_idle_after(&self, idle: Duration) {
        self.shared.state().idle = Some(idle);
    }

    /// Resets the next connections as soon as they are made.
    pub fn reset_connections(&self, count: usize) {
        self.shared.state().resets = count;
    }

    /// How many connections were opened so far.
    pub fn connections(&self) -> u64 {
        self.shared.state().connections
    }

    /// Every request so far whose head was read, in the order in which they came.
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.shared.state().deliveries.clone()
    }

    /// How many requests there were so far.
    pub fn count(&self) -> usize {
        self.shared.state().deliveries.len()
    }

    /// The requests that were answered with 2xx, in the order in which they came.
    pub fn accepted(&self) -> Vec<Delivery> {
        self.shared.state().deliveries.iter().filter(|delivery| delivery.is_accepted()).cloned().collect()
    }

    /// How many requests were answered with 2xx.
    pub fn accepted_count(&self) -> usize {
        self.shared.state().deliveries.iter().filter(|delivery| delivery.is_accepted()).count()
    }

    /// How often each event, told by source and id, was accepted.
    pub fn acceptances(&self) -> BTreeMap<(String, String), usize> {
        let mut counts = BTreeMap::new();
        for delivery in self.accepted() {
            *counts.entry(delivery.event.key()).or_default() += 1;
        }
        counts
    }

    /// Events that were accepted more than once.
    pub fn duplicates(&self) -> BTreeMap<(String, String), usize> {
        self.acceptances().into_iter().filter(|(_, count)| *count > 1).collect()
    }

    /// Data of the accepted events of each group (`partitionkey`), in the order of their first acceptance.
    pub fn order_by_group(&self) -> BTreeMap<String, Vec<String>> {
        let mut seen = std::collections::BTreeSet::new();
        let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut accepted = self.accepted();
        accepted.sort_by_key(|delivery| delivery.answered);
        for delivery in accepted {
            if let Some(group) = delivery.event.get("partitionkey").filter(|_| seen.insert(delivery.event.key())) {
                groups.entry(group.to_owned()).or_default().push(delivery.event.text());
            }
        }
        groups
    }

    /// Forgets the requests so far.
    pub fn forget(&self) {
        self.shared.state().forget();
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.task.abort();
    }
}
