//! The product in one process: a simulated queue, the bridge, and a sink that prints what arrives.
//!
//! `cargo run --bin demo` needs no AWS, no cluster and no second program. With `--keep` it stays up afterwards and says
//! how to send messages to it.

mod show;
mod story;

use std::io::{self, IsTerminal, Write};
use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tests::bridge::{RunningBridge, Setup};
use tests::sink::{Event, Reply, Sink};
use tests::sqs::{Deed, SimulatedQueue, Simulator};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{sleep, timeout};

use show::Page;
use story::Message;

/// How long the sink refuses everything.
const OUTAGE: Duration = Duration::from_millis(2500);
/// Longer than anything of the demo takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// One attempt of the bridge to hand over an event.
struct Attempt {
    event: Event,
    accepted: bool,
}

/// Everything that runs.
struct Demo<W> {
    page: Page<W>,
    sqs: Simulator,
    queue: SimulatedQueue,
    sink: Sink,
    is_down: Arc<AtomicBool>,
    attempts: UnboundedReceiver<Attempt>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let keep = match std::env::args().skip(1).collect::<Vec<_>>().as_slice() {
        [] => false,
        [flag] if flag == "--keep" => true,
        _ => {
            return match writeln!(io::stderr(), "usage: demo [--keep]") {
                Ok(()) => ExitCode::from(2),
                Err(_) => ExitCode::FAILURE,
            };
        }
    };
    let color = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let page = Page::new(io::stdout().lock(), color);
    match Demo::start(page).await.run(keep).await {
        Ok(true) => ExitCode::SUCCESS,
        // Something was lost, or nobody reads what is printed.
        Ok(false) | Err(_) => ExitCode::FAILURE,
    }
}

impl<W: Write> Demo<W> {
    async fn start(page: Page<W>) -> Self {
        let sqs = Simulator::start().await;
        let queue = sqs.queue("demo");
        let sink = Sink::start().await;
        let is_down = Arc::new(AtomicBool::new(false));
        let (tell, attempts) = unbounded_channel();
        let down = is_down.clone();
        sink.decide(move |delivery| {
            let accepted = !down.load(Ordering::SeqCst);
            // Nobody listens any more when the demo is over.
            tell.send(Attempt { event: delivery.event.clone(), accepted }).ok();
            (!accepted).then(|| Reply::status(503))
        });
        Self { page, sqs, queue, sink, is_down, attempts }
    }

    /// True if nothing was lost.
    async fn run(mut self, keep: bool) -> io::Result<bool> {
        // A short wait only so that the end of the demo need not wait for a long poll.
        let bridge = Setup::between(&self.queue, &self.sink).set("BRIDGE_WAIT_TIME", "1s").start().await;
        self.page.title(&self.queue.url(), &self.sink.url())?;
        for message in story::MESSAGES {
            self.deliver(message).await?;
        }
        self.outage(&story::DURING_OUTAGE).await?;
        let is_complete = self.summary().await?;
        if keep {
            self.stay(bridge).await?;
        } else {
            bridge.stop().await;
        }
        Ok(is_complete)
    }

    async fn deliver(&mut self, message: &Message) -> io::Result<()> {
        self.page.sent(message.what)?;
        self.queue.send(message.body);
        self.until_accepted().await
    }

    async fn outage(&mut self, message: &Message) -> io::Result<()> {
        self.is_down.store(true, Ordering::SeqCst);
        self.page.turn(&format!("the sink answers 503 for {} s", OUTAGE.as_secs_f32()))?;
        self.page.sent(message.what)?;
        self.queue.send(message.body);
        let mut recovery = pin!(sleep(OUTAGE));
        loop {
            tokio::select! {
                Some(attempt) = self.attempts.recv() => self.page.refused(&attempt.event)?,
                () = &mut recovery => break,
            }
        }
        self.is_down.store(false, Ordering::SeqCst);
        self.page.turn("the sink is back, and SQS hands the message over again")?;
        self.until_accepted().await
    }

    /// Shows attempts until one is accepted.
    async fn until_accepted(&mut self) -> io::Result<()> {
        while let Ok(Some(attempt)) = timeout(PATIENCE, self.attempts.recv()).await {
            if attempt.accepted {
                return self.page.accepted(&attempt.event);
            }
            self.page.refused(&attempt.event)?;
        }
        self.page.turn("nothing came of it")
    }

    async fn summary(&mut self) -> io::Result<bool> {
        // The last delete waits a fifth of a second for others to go with it.
        let all_gone = async {
            while !self.queue.is_empty() {
                sleep(Duration::from_millis(10)).await;
            }
        };
        let all_gone = timeout(PATIENCE, all_gone).await.is_ok();
        let ledger = self.sqs.ledger();
        let count = |deed| ledger.iter().filter(|entry| entry.deed == deed).count();
        let (sent, deleted) = (count(Deed::Sent), count(Deed::Deleted));
        let delivered = self.sink.acceptances().len();
        let lost = sent.saturating_sub(delivered);
        self.page.summary(sent, delivered, deleted, lost)?;
        Ok(all_gone && lost == 0 && deleted == sent)
    }

    async fn stay(&mut self, bridge: RunningBridge) -> io::Result<()> {
        self.page.invitation(&self.sqs.url(), &self.queue.url())?;
        loop {
            tokio::select! {
                attempt = self.attempts.recv() => match attempt {
                    Some(attempt) if attempt.accepted => self.page.accepted(&attempt.event)?,
                    Some(attempt) => self.page.refused(&attempt.event)?,
                    None => break,
                },
                _ = tokio::signal::ctrl_c() => break,
            }
        }
        bridge.stop().await;
        Ok(())
    }
}
