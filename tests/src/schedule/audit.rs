//! What queue, sink and wire recorded -> every promise that was broken. I/O: memory.
//!
//! It expects bodies that become one event each, with the message's id.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::scene::Scene;
use crate::sink::Delivery;
use crate::sqs::{Action, Call, Deed, Entry};

/// How often a message may be given back by the bridge itself in a schedule: each time it waits twice as long.
const MOST_RETURNS: usize = 9;
/// How long a request or an answer may be under way between its two ends.
const IN_TRANSIT: Duration = Duration::from_secs(1);
/// A lease that ends with fewer seconds than any visibility timeout was a wait before another try.
const SHORTEST_LEASE: Duration = Duration::from_secs(10);

/// More broken promises say nothing more.
const MOST_SHOWN: usize = 5;

/// What was done to the bridge, which may explain what it did.
#[derive(Clone, Debug, Default)]
pub struct Past {
    /// When a bridge was killed or asked to end.
    pub stops: Vec<Instant>,
    /// When the sink began to reset connections.
    pub sink_downs: Vec<Instant>,
    /// After so long the bridge does not wait for an answer any more.
    pub sink_timeout: Duration,
}

/// What was recorded.
#[derive(Debug)]
pub struct Audit<'a> {
    scene: &'a Scene,
    histories: BTreeMap<Arc<str>, Vec<Entry>>,
    deliveries: BTreeMap<String, Vec<Delivery>>,
    calls: Vec<Call>,
}

impl<'a> Audit<'a> {
    /// Everything so far.
    pub fn of(scene: &'a Scene) -> Self {
        let mut histories: BTreeMap<Arc<str>, Vec<Entry>> = BTreeMap::new();
        for entry in scene.sqs.ledger() {
            histories.entry(Arc::clone(&entry.id)).or_default().push(entry);
        }
        let mut deliveries: BTreeMap<String, Vec<Delivery>> = BTreeMap::new();
        for delivery in scene.sink.deliveries() {
            deliveries.entry(delivery.event.id().to_owned()).or_default().push(delivery);
        }
        Self { scene, histories, deliveries, calls: scene.sqs.calls() }
    }

    /// All promises at once.
    ///
    /// # Errors
    ///
    /// Every one that was broken, one a line.
    pub fn judge(&self, past: &Past) -> Result<(), String> {
        let broken = [
            self.lost(),
            self.deleted_before_acceptance(),
            self.posts_without_a_lease(),
            self.out_of_order(),
            self.unexplained_duplicates(past),
            self.received_too_often(past),
        ];
        let broken: Vec<String> = broken.into_iter().flatten().collect();
        let shown = broken.iter().take(MOST_SHOWN).cloned().collect::<Vec<_>>().join("\n");
        if broken.is_empty() { Ok(()) } else { Err(format!("{} broken promises, such as\n{shown}", broken.len())) }
    }

    /// Messages that the sink never accepted, or that are still in the queue.
    pub fn lost(&self) -> Vec<String> {
        let never = self.histories.keys().filter(|id| self.acceptances(id).is_empty());
        let never = never.map(|id| format!("{id} was never accepted"));
        never.chain(self.scene.queue.left().iter().map(|id| format!("{id} is still in the queue"))).collect()
    }

    /// Messages whose delete reached SQS before the sink had answered with 2xx.
    pub fn deleted_before_acceptance(&self) -> Vec<String> {
        let deletes = self.calls.iter().filter(|call| call.action() == Action::DeleteMessageBatch);
        let early = deletes.flat_map(|call| {
            let before = |id: &&Arc<str>| {
                let accepted = self.acceptances(id).into_iter().filter_map(|delivery| delivery.answered);
                accepted.min().is_none_or(|answered| answered > call.came)
            };
            call.messages.iter().filter(before)
        });
        early.map(|id| format!("{id} was deleted before it was accepted")).collect()
    }

    /// POSTs that began while the message was not invisible to others.
    pub fn posts_without_a_lease(&self) -> Vec<String> {
        let mut found = Vec::new();
        for (id, history) in &self.histories {
            for delivery in self.deliveries.get(&**id).into_iter().flatten() {
                if !self.is_held(history, delivery.came) {
                    found.push(format!("{id} was sent without a lease: {history:?}"));
                }
            }
        }
        found
    }

    /// Groups of a FIFO queue whose events were first accepted in another order than they were sent in.
    pub fn out_of_order(&self) -> Vec<String> {
        if !self.scene.queue.arn().ends_with(".fifo") {
            return Vec::new();
        }
        let groups = self.scene.sink.order_by_group().into_iter();
        let wrong = groups.filter(|(_, bodies)| !bodies.is_sorted());
        wrong.map(|(group, bodies)| format!("{group} was accepted in the order {bodies:?}")).collect()
    }

    /// Second acceptances that none of the allowed causes explains: the end of a bridge, an answer that was lost,
    /// a redelivery by SQS itself, a lease that was lost while the event was sent.
    pub fn unexplained_duplicates(&self, past: &Past) -> Vec<String> {
        let redelivered = self.redelivered_by_sqs();
        let mut found = Vec::new();
        for (id, history) in &self.histories {
            let acceptances = self.acceptances(id);
            for pair in acceptances.windows(2) {
                let [first, second] = pair else { continue };
                let answered = first.answered.unwrap_or(first.came);
                let sent = first.came - IN_TRANSIT;
                let stopped = past.stops.iter().any(|at| (sent..=second.came).contains(at));
                let late = [first, second].iter().any(|post| {
                    post.answered.is_some_and(|answered| answered - post.came + IN_TRANSIT >= past.sink_timeout)
                });
                let reset = past.sink_downs.iter().any(|at| (answered..=answered + IN_TRANSIT).contains(at));
                let expired = |entry: &Entry| {
                    let at = self.scene.sqs.clock().instant_at(entry.at);
                    entry.deed == Deed::Expired && (first.came..=answered).contains(&at)
                };
                if !(stopped || late || reset || redelivered.contains(id) || history.iter().any(expired)) {
                    let posts = self.posts(id);
                    found.push(format!("{id} was accepted twice for no allowed reason: {history:?}, sent {posts:?}"));
                }
            }
        }
        found
    }

    /// Messages that came more often than lost answers, ended bridges, lost leases, SQS and growing waits explain.
    pub fn received_too_often(&self, past: &Past) -> Vec<String> {
        let mut found = Vec::new();
        for (id, history) in &self.histories {
            let receives = history.iter().filter(|entry| matches!(entry.deed, Deed::Received { .. })).count();
            let strange = self.calls.iter().filter(|call| {
                call.action() == Action::ReceiveMessage && call.fault.is_some() && call.messages.contains(id)
            });
            let in_vain = history.iter().filter(|entry| entry.deed == Deed::DeletedInVain).count();
            let causes = 2 * strange.count() + in_vain + past.stops.len() + leases_lost(history);
            let allowed = 1 + MOST_RETURNS + causes;
            if receives > allowed {
                found.push(format!("{id} was received {receives} times, {allowed} are explained: {history:?}"));
            }
        }
        found
    }

    /// When each POST came, when it was answered, and with what, in the time of the ledger.
    fn posts(&self, id: &str) -> Vec<(Duration, Option<Duration>, Option<u16>)> {
        let clock = self.scene.sqs.clock();
        let at = |instant: Instant| instant.saturating_duration_since(clock.instant_at(Duration::ZERO));
        let posts = self.deliveries.get(id).into_iter().flatten();
        posts.map(|post| (at(post.came), post.answered.map(at), post.status)).collect()
    }

    fn acceptances(&self, id: &str) -> Vec<&Delivery> {
        let mut accepted: Vec<_> =
            self.deliveries.get(id).into_iter().flatten().filter(|delivery| delivery.is_accepted()).collect();
        accepted.sort_by_key(|delivery| delivery.answered);
        accepted
    }

    /// True if the message was invisible to others; what happened in the same instant may have happened before.
    fn is_held(&self, history: &[Entry], at: Instant) -> bool {
        let clock = self.scene.sqs.clock();
        let hides = |entry: &Entry| match entry.deed {
            Deed::Received { until, .. } | Deed::VisibilityChanged { until } => clock.instant_at(until) > at,
            Deed::Sent | Deed::Expired | Deed::Deleted | Deed::DeletedInVain | Deed::DeadLettered | Deed::Purged => {
                false
            }
        };
        let before = history.iter().rev().find(|entry| clock.instant_at(entry.at) < at);
        let mut now = history.iter().filter(|entry| clock.instant_at(entry.at) == at);
        before.is_some_and(hides) || now.any(hides)
    }

    /// Messages that SQS itself handed out once more than it should.
    fn redelivered_by_sqs(&self) -> BTreeSet<Arc<str>> {
        let twisted = self.calls.iter().filter(|call| call.fault == Some("twisted"));
        twisted.flat_map(|call| call.messages.iter().cloned()).collect()
    }
}

/// How often a whole visibility timeout passed before the message came again.
fn leases_lost(history: &[Entry]) -> usize {
    let mut lost = 0;
    let mut lasts = Duration::ZERO;
    for entry in history {
        match entry.deed {
            Deed::Received { until, .. } | Deed::VisibilityChanged { until } => lasts = until - entry.at,
            Deed::Expired if lasts >= SHORTEST_LEASE => lost += 1,
            Deed::Sent | Deed::Expired | Deed::Deleted | Deed::DeletedInVain | Deed::DeadLettered | Deed::Purged => {}
        }
    }
    lost
}
