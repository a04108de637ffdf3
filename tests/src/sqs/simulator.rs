//! The simulator as tests hold it: queues, faults, network, call log. I/O: TCP on 127.0.0.1.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::task::JoinHandle;

use super::clock::Clock;
use super::cloud::{ACCOUNT, Name};
use super::code::Code;
use super::fault::{Fault, Switch, When};
use super::ledger::{Deed, Entry};
use super::log::Call;
use super::request::Action;
use super::server::{Network, Shared, listen, watch_deadlines};
use super::simulated_queue::SimulatedQueue;
use crate::port::Port;

/// A running simulator; stops when dropped.
#[derive(Debug)]
pub struct Simulator {
    shared: Arc<Shared>,
    tasks: Vec<JoinHandle<()>>,
}

impl Simulator {
    /// Starts one that keeps the runtime's time.
    pub async fn start() -> Self {
        Self::with(1, 0).await
    }

    /// Starts one that lives `speed` seconds in one, and draws what is left to chance from `seed`.
    ///
    /// # Panics
    ///
    /// When no port can be had.
    #[expect(clippy::unused_async, reason = "it needs a runtime, and callers should see that")]
    pub async fn with(speed: u32, seed: u64) -> Self {
        let port = Port::reserve().expect("a port of 127.0.0.1 is free");
        let listener = port.listen().expect("the reserved port can be listened on");
        let shared = Arc::new(Shared::new(port, Clock::new(speed), seed));
        let tasks = vec![tokio::spawn(listen(shared.clone(), listener)), tokio::spawn(watch_deadlines(shared.clone()))];
        Self { shared, tasks }
    }

    /// `http://127.0.0.1:<port>`.
    pub fn url(&self) -> String {
        format!("http://{}", self.shared.port.address())
    }

    /// The time that queues live in.
    pub fn clock(&self) -> &Clock {
        &self.shared.clock
    }

    /// A queue with default settings, made if it does not exist; FIFO if the name ends in `.fifo`.
    pub fn queue(&self, name: &str) -> SimulatedQueue {
        self.queue_with(name, &[])
    }

    /// A queue with these attributes, made if it does not exist.
    ///
    /// # Panics
    ///
    /// When SQS would refuse them.
    pub fn queue_with(&self, name: &str, attributes: &[(&str, &str)]) -> SimulatedQueue {
        self.queue_of(ACCOUNT, name, attributes)
    }

    /// A queue of another account.
    ///
    /// # Panics
    ///
    /// When SQS would refuse the attributes.
    pub fn queue_of(&self, account: &str, name: &str, attributes: &[(&str, &str)]) -> SimulatedQueue {
        let mut all: BTreeMap<String, String> =
            attributes.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        if name.ends_with(".fifo") {
            all.insert("FifoQueue".to_owned(), "true".to_owned());
        }
        let name = Name { account: account.into(), queue: name.into() };
        self.shared.change(|_, state| state.cloud.create_queue(&name, &all)).expect("SQS would make this queue");
        SimulatedQueue::new(self.shared.clone(), name)
    }

    /// Sets a fault: [`When`] says which requests it befalls, the [`Switch`] counts them and ends it.
    pub fn inject(&self, when: When, fault: Fault) -> Switch {
        self.shared.change(|_, state| state.faults.add(when, fault))
    }

    /// Ends all faults, accepts all access keys and mends the network.
    pub fn recover(&self) {
        self.shared.change(|_, state| {
            state.faults.clear();
            state.rejected_keys.clear();
            state.foreign_regions.clear();
        });
        self.heal();
    }

    /// Refuses all requests signed with this access key, as after a rotation.
    pub fn reject_access_key(&self, key: &str, code: Code) {
        self.shared.change(|_, state| state.rejected_keys.insert(key.to_owned(), code));
    }

    /// Refuses all requests signed for this region, as the endpoint of another one does.
    pub fn reject_region(&self, region: &str) {
        self.shared.change(|_, state| state.foreign_regions.push(region.to_owned()));
    }

    /// Resets all connections and refuses new ones.
    pub fn partition(&self) {
        self.shared.network.send_replace(Network::Down);
    }

    /// From now on nothing comes back on any connection, old or new, and nothing is carried out.
    pub fn go_silent(&self) {
        self.shared.network.send_replace(Network::Silent);
    }

    /// Ends a partition or a silence; connections made before stay dead.
    pub fn heal(&self) {
        self.shared.network.send_replace(Network::Up);
    }

    /// Every call so far, in the order in which they came.
    pub fn calls(&self) -> Vec<Call> {
        self.shared.state().log.clone()
    }

    /// Every call of one action so far.
    pub fn calls_of(&self, action: Action) -> Vec<Call> {
        self.shared.state().log.iter().filter(|call| call.action() == action).cloned().collect()
    }

    /// How many calls of one action there were.
    pub fn count(&self, action: Action) -> usize {
        self.shared.state().log.iter().filter(|call| call.action() == action).count()
    }

    /// Forgets the calls so far.
    pub fn forget_calls(&self) {
        self.shared.state().forget_calls();
    }

    /// How many connections were opened so far.
    pub fn connections(&self) -> u64 {
        self.shared.state().connections
    }

    /// Requests that consumers made per 1,000 messages deleted: sends do not count. `None` if none was deleted.
    pub fn requests_per_thousand(&self) -> Option<f64> {
        let state = self.shared.state();
        let is_send = |call: &&Call| matches!(call.action(), Action::SendMessage | Action::SendMessageBatch);
        let requests = state.log.iter().filter(|call| !is_send(call)).count();
        let deleted = state.cloud.ledger.entries().iter().filter(|entry| entry.deed == Deed::Deleted).count();
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        (deleted > 0).then(|| requests as f64 * 1000.0 / deleted as f64)
    }

    /// What became of all messages, in order.
    pub fn ledger(&self) -> Vec<Entry> {
        self.shared.state().cloud.ledger.entries().to_vec()
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}
