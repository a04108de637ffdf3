//! A steady stream of messages, and proof that each one arrives.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tests::sink::Sink;
use tests::suite::QueueUnderTest;
use tests::wait::eventually;
use tokio::task::JoinHandle;

use crate::scene::{PATIENCE, Queue};

/// Messages that may be under way: as many as fit, so that a source which stops does not get thousands when it is back.
const UNDER_WAY: usize = 50;

/// A producer that sends as fast as events arrive, and the sink where they do.
pub struct Traffic {
    sink: Arc<Sink>,
    sent: Arc<Mutex<BTreeSet<String>>>,
    stopped: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl Traffic {
    /// Starts to send.
    pub async fn start(queue: &Queue) -> Self {
        let sink = Arc::new(Sink::start().await);
        let (sent, stopped) = (Arc::<Mutex<BTreeSet<String>>>::default(), Arc::new(AtomicBool::new(false)));
        let task = tokio::spawn(produce(queue.inner.clone(), sink.clone(), sent.clone(), stopped.clone()));
        Self { sink, sent, stopped, task }
    }

    /// Where events go.
    pub fn sink(&self) -> Value {
        json!({"uri": self.sink.url()})
    }

    /// Waits until so many more were accepted.
    pub async fn goes_on(&self) {
        let wanted = self.sink.accepted_count() + UNDER_WAY;
        eventually(PATIENCE, || async {
            let accepted = self.sink.accepted_count();
            if accepted >= wanted { Ok(()) } else { Err(format!("{accepted} of {wanted}")) }
        })
        .await;
    }

    /// Stops to send and waits until every message has arrived and left the queue.
    pub async fn all_arrived(self, queue: &Queue) {
        self.stopped.store(true, Ordering::SeqCst);
        self.task.await.expect("the producer ends well");
        let sent = self.sent.lock().expect("no panic holds it").clone();
        eventually(PATIENCE, || async {
            let arrived: BTreeSet<String> = self.sink.acceptances().into_keys().map(|(_, id)| id).collect();
            let lost: Vec<&String> = sent.difference(&arrived).collect();
            if lost.is_empty() { Ok(()) } else { Err(format!("{} of {} are missing", lost.len(), sent.len())) }
        })
        .await;
        queue.emptied().await;
    }
}

async fn produce(queue: QueueUnderTest, sink: Arc<Sink>, sent: Arc<Mutex<BTreeSet<String>>>, stopped: Arc<AtomicBool>) {
    let mut count = 0;
    while !stopped.load(Ordering::SeqCst) {
        eventually(PATIENCE, || async {
            let under_way = count - sink.acceptances().len();
            let room = under_way < UNDER_WAY || stopped.load(Ordering::SeqCst);
            if room { Ok(()) } else { Err(format!("{under_way} are under way")) }
        })
        .await;
        let id = queue.send(&format!("message {count}")).await;
        sent.lock().expect("no panic holds it").insert(id);
        count += 1;
    }
}
