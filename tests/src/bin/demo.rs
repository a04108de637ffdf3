//! A simulated queue, the bridge and a printing sink in one process: what the product does, in a quarter of a minute.
//!
//! `cargo run --bin demo` ends by itself; with `--keep` it goes on and says how to send messages of your own.
//! I/O: TCP on this machine, standard output.

#[path = "demo/keys.rs"]
mod keys;
#[path = "demo/messages.rs"]
mod messages;
#[path = "demo/show.rs"]
mod show;

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqs_bridge::config::Config;
use sqs_bridge::run::{RunError, Stopper, run, shutdown};
use tests::sink::{Delivery, Reply, Sink};
use tests::sqs::{SimulatedQueue, Simulator};
use tests::wait::until;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use keys::Keys;

/// How long the sink is out of order.
const OUTAGE: Duration = Duration::from_secs(3);
/// Far longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::main]
async fn main() -> io::Result<ExitCode> {
    let keep = match std::env::args().skip(1).collect::<Vec<_>>().as_slice() {
        [] => false,
        [flag] if flag == "--keep" => true,
        _ => {
            writeln!(io::stderr(), "usage: demo [--keep]")?;
            return Ok(ExitCode::from(2));
        }
    };
    let mut out = io::stdout();
    let keys = Keys::write()?;
    let stage = Stage::build(&keys).await;
    show::opening(&mut out, &stage.sqs.url(), &stage.sink.url())?;

    show::chapter(&mut out, "What AWS and programs put into the queue arrives as CloudEvents")?;
    let mut sent: Vec<Arc<str>> = messages::mix().into_iter().map(|body| stage.queue.send(body)).collect();
    stage.settled().await;

    show::chapter(
        &mut out,
        "The sink is out of order for three seconds: the event is kept, tried again, and keeps its id",
    )?;
    stage.break_sink(OUTAGE);
    sent.extend(messages::during_the_outage().into_iter().map(|body| stage.queue.send(body)));
    stage.settled().await;

    if keep {
        show::invitation(&mut out, &stage.sqs.url(), &stage.queue.url())?;
        tokio::signal::ctrl_c().await?;
    }
    stage.end(&mut out, &sent).await
}

/// Everything that plays in the demo.
struct Stage {
    sqs: Simulator,
    queue: SimulatedQueue,
    sink: Sink,
    stopper: Stopper,
    bridge: JoinHandle<Result<(), RunError>>,
    broken_until: Arc<Mutex<Option<Instant>>>,
}

impl Stage {
    async fn build(keys: &Keys) -> Self {
        let sqs = Simulator::start().await;
        let queue = sqs.queue("demo");
        let sink = Sink::start().await;
        let broken_until = Arc::new(Mutex::new(None));
        print_and_answer(&sink, Arc::clone(&broken_until));
        let (stopper, wish) = shutdown();
        let bridge = tokio::spawn(run(settings(&queue, &sink, keys), wish));
        Self { sqs, queue, sink, stopper, bridge, broken_until }
    }

    fn break_sink(&self, outage: Duration) {
        *self.broken_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + outage);
    }

    async fn settled(&self) {
        until(PATIENCE, "the queue is empty", || self.queue.is_empty()).await;
    }

    /// Stops the bridge and judges: nothing that was sent may be missing at the sink.
    async fn end(self, out: &mut impl Write, sent: &[Arc<str>]) -> io::Result<ExitCode> {
        self.stopper.stop();
        self.bridge.await?.map_err(io::Error::other)?;
        let accepted = self.sink.accepted();
        let delivered: BTreeSet<(String, String)> = accepted.iter().map(|delivery| delivery.event.key()).collect();
        let told: BTreeSet<&str> = accepted.iter().filter_map(show::message_id).collect();
        let deleted = sent.iter().filter(|id| self.queue.was_deleted(id)).count();
        // A forwarded CloudEvent keeps its own attributes and does not tell its message.
        let forwarded = accepted.iter().filter(|delivery| show::message_id(delivery).is_none()).count();
        let lost = sent.len().saturating_sub(told.len() + forwarded);
        show::summary(out, sent.len(), delivered.len(), deleted, lost)?;
        Ok(if lost == 0 && deleted >= sent.len() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// The bridge's settings, as its environment would have them.
fn settings(queue: &SimulatedQueue, sink: &Sink, keys: &Keys) -> Config {
    let (queue, sink) = (queue.url(), sink.url());
    let settings = [
        ("AWS_SQS_URL", queue.as_str()),
        ("AWS_REGION", "us-east-1"),
        ("BRIDGE_KEYS_DIR", keys.path()),
        ("K_SINK", sink.as_str()),
        ("BRIDGE_HEALTH_ADDR", "127.0.0.1:0"),
        // Short polls, so that the end does not wait for a long one.
        ("BRIDGE_WAIT_TIME", "1s"),
    ];
    Config::from_env_pairs(settings).expect("the settings of the demo are valid")
}

/// The sink prints what comes, and answers 503 while it is out of order.
fn print_and_answer(sink: &Sink, broken_until: Arc<Mutex<Option<Instant>>>) {
    sink.decide(move |delivery: &Delivery| {
        let broken =
            broken_until.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|until| Instant::now() < until);
        let mut out = io::stdout();
        let shown = if broken { show::refusal(&mut out, delivery) } else { show::event(&mut out, delivery) };
        // Nobody reads any more: the demo goes on to its verdict.
        drop(shown);
        broken.then(|| Reply::status(503))
    });
}
