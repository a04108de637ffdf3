//! A checked configuration -> a running bridge: builds the parts, does what the engine says, tells it what came
//! of it. I/O: everything; the only file that spawns.

mod calls;
mod shutdown;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fastrand::Rng;
use futures::FutureExt;
use futures::future::OptionFuture;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::Sleep;
use tracing::{error, info, warn};

use crate::admin::{self, Pages};
use crate::aws::{self, Clients, ConnectError};
use crate::backoff::Backoff;
use crate::config::{Config, MetricsExport};
use crate::deliver::Courier;
use crate::engine::{Command, Engine, Input};
use crate::explain::explain;
use crate::fault::{FaultClass, FaultRun};
use crate::health::{Health, Problem};
use crate::metrics::{Metrics, MetricsError};
use crate::report::Reports;
use crate::sink::{Sink, SinkError};
use crate::telemetry::Telemetry;
use calls::Calls;
pub use shutdown::{Shutdown, Stopper, shutdown};

/// Inputs taken from the channel at once.
const GULP: usize = 256;
/// Between two questions for the queue's URL that only a person can get answered.
const FATAL_PAUSE: Duration = Duration::from_secs(30);

/// Why a bridge could not start, or had to end.
#[derive(Debug)]
pub enum RunError {
    /// A listener could not be opened.
    Listen(&'static str, SocketAddr, io::Error),
    /// The metrics could not be set up.
    Metrics(MetricsError),
    /// The sink (or dead-letter sink) cannot be used.
    Sink(SinkError),
    /// The AWS clients could not be built.
    Aws(ConnectError),
    /// A task ended by a panic.
    Defect(String),
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listen(setting, address, _) => {
                write!(f, "could not listen on {address}: choose a free address with {setting}")
            }
            Self::Metrics(_) => f.write_str("could not set up metrics"),
            Self::Sink(_) => f.write_str("could not set up the sink"),
            Self::Aws(_) => f.write_str("could not set up the AWS clients"),
            Self::Defect(what) => write!(f, "a task ended by a defect of the bridge: {what}"),
        }
    }
}

impl std::error::Error for RunError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Listen(_, _, error) => Some(error),
            Self::Metrics(error) => Some(error),
            Self::Sink(error) => Some(error),
            Self::Aws(error) => Some(error),
            Self::Defect(_) => None,
        }
    }
}

/// Sends the spans that are left, on a thread made for waiting.
pub async fn finish(telemetry: Telemetry) {
    if let Err(error) = tokio::task::spawn_blocking(move || telemetry.stop_blocking()).await {
        warn!(event = "defect", %error, "the last export of traces failed");
    }
}

/// A bridge with its listeners open and its clients built, which has not asked SQS for anything yet.
#[derive(Debug)]
pub struct Bridge {
    config: Config,
    clients: Clients,
    courier: Arc<Courier>,
    health: Arc<Health>,
    metrics: Arc<Metrics>,
    pages: TcpListener,
    prometheus: Option<TcpListener>,
}

/// Runs a bridge until `shutdown` says so: the product.
///
/// # Errors
///
/// When a listener, the sink's settings or the AWS clients cannot be set up. Whatever AWS or the sink
/// answer is no error: it shows in `/readiness`, in the logs and in the metrics, and is tried again.
pub async fn run(config: Config, shutdown: Shutdown) -> Result<(), RunError> {
    Bridge::build(config).await?.run(shutdown).await
}

impl Bridge {
    /// Builds every part.
    ///
    /// # Errors
    ///
    /// As [`run`].
    pub async fn build(config: Config) -> Result<Self, RunError> {
        let metrics = Metrics::start(&config.observability, &config.identity, &config.queue.arn.name)
            .map_err(RunError::Metrics)?;
        let health = Arc::new(Health::new(
            config.receive.wait_time,
            config.sink.timeout,
            tokio::time::Instant::now().into_std(),
        ));
        let compat = config.integration_source.as_ref();
        let dead_letter_sink =
            |settings| Sink::dead_letter(settings, &config.identity, compat, Arc::clone(&metrics), Arc::clone(&health));
        let courier = Courier {
            sink: Sink::new(&config.sink, &config.identity, compat, Arc::clone(&metrics), Arc::clone(&health))
                .map_err(RunError::Sink)?,
            dead_letter_sink: config
                .dead_letter_sink
                .as_ref()
                .map(dead_letter_sink)
                .transpose()
                .map_err(RunError::Sink)?,
            queue: config.queue.clone(),
            settings: config.event.clone(),
            reports: Reports::new(&config),
            health: Arc::clone(&health),
            metrics: Arc::clone(&metrics),
        };
        let clients = aws::connect(&config).await.map_err(RunError::Aws)?;
        let pages = listen("--health-addr (BRIDGE_HEALTH_ADDR)", config.health_addr).await?;
        let prometheus = match config.observability.metrics {
            MetricsExport::Prometheus(address) => {
                Some(listen("metrics-endpoint in K_OBSERVABILITY_CONFIG", address).await?)
            }
            MetricsExport::None | MetricsExport::OtlpHttp { .. } | MetricsExport::OtlpGrpc { .. } => None,
        };
        Ok(Self { config, clients, courier: Arc::new(courier), health, metrics, pages, prometheus })
    }

    /// Where health, readiness and metrics are served.
    ///
    /// # Errors
    ///
    /// When the operating system does not tell.
    pub fn health_addr(&self) -> io::Result<SocketAddr> {
        self.pages.local_addr()
    }

    /// Runs until `shutdown` says so.
    ///
    /// # Errors
    ///
    /// When a task ended by a panic.
    pub async fn run(self, mut shutdown: Shutdown) -> Result<(), RunError> {
        let Self { config, clients, courier, health, metrics, pages, prometheus } = self;
        let mut background = JoinSet::new();
        let shown = Pages {
            health: Arc::clone(&health),
            metrics: Arc::clone(&metrics),
            integration_source: config.integration_source.is_some(),
        };
        background.spawn(admin::serve(pages, shown, std::future::pending()));
        if let Some(listener) = prometheus {
            background.spawn(admin::serve_metrics(listener, Arc::clone(&metrics), std::future::pending()));
        }
        let maintained = Arc::clone(&courier);
        background.spawn(async move {
            let dead_letter = maintained.dead_letter_sink.as_ref().map(Sink::maintain);
            let reports = maintained.reports.as_ref().map(Reports::run);
            tokio::join!(maintained.sink.maintain(), OptionFuture::from(dead_letter), OptionFuture::from(reports));
            Ok(())
        });
        let outcome = match queue_url(&clients, &config, &health, &mut shutdown).await {
            None => Ok(()),
            Some(url) => {
                info!(event = "started", queue = %config.queue.arn, sink = courier.sink.url_without_user_info(), "receiving");
                let engine = Engine::new(&config, Arc::clone(&health), Arc::clone(&metrics), Rng::new(), now());
                let calls = Calls::new(clients, url, config.queue.is_fifo(), Arc::clone(&metrics));
                Driver::new(engine, Arc::new(calls), courier, &health).drive(shutdown).await
            }
        };
        // The last export waits for the collector, on a thread made for waiting.
        if let Err(error) = tokio::task::spawn_blocking(move || metrics.stop_blocking()).await {
            warn!(event = "defect", %error, "the last export of metrics failed");
        }
        outcome
    }
}

async fn listen(setting: &'static str, address: SocketAddr) -> Result<TcpListener, RunError> {
    admin::listen(address).await.map_err(|error| RunError::Listen(setting, address, error))
}

/// Asks until SQS tells; `None` if the shutdown came first.
async fn queue_url(clients: &Clients, config: &Config, health: &Health, shutdown: &mut Shutdown) -> Option<String> {
    let mut run = FaultRun::default();
    let mut rng = Rng::new();
    let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(30));
    loop {
        let fault = tokio::select! {
            result = aws::resolve_queue_url(clients, &config.queue) => match result {
                Ok(url) => return Some(url),
                Err(fault) => fault,
            },
            () = shutdown.requested() => return None,
        };
        let judged = run.observe(&fault);
        let explanation = explain("sqs:GetQueueUrl", &fault, &config.queue, None);
        warn!(event = "receive_failed", code = fault.code, reason = explanation.reason, "{}", explanation.message);
        if judged.class == FaultClass::Credentials {
            clients.identity.refresh();
        }
        if fault.status.is_none() && judged.class == FaultClass::Transient {
            health.endpoint_unreachable(now(), explanation.message);
        } else {
            let problem = Problem { reason: explanation.reason, message: explanation.message };
            health.receive_failed(now(), judged.report.then_some(problem));
        }
        let fatal = judged.class == FaultClass::FatalConfig;
        let pause = if fatal { FATAL_PAUSE } else { backoff.advance_with_full_jitter(&mut rng) };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = shutdown.requested() => return None,
        }
    }
}

/// The loop between the engine and the world.
struct Driver {
    engine: Engine,
    calls: Arc<Calls>,
    courier: Arc<Courier>,
    tasks: JoinSet<()>,
    inputs: mpsc::UnboundedSender<Input>,
    happened: mpsc::UnboundedReceiver<Input>,
    pings: mpsc::Receiver<oneshot::Sender<()>>,
}

impl Driver {
    fn new(engine: Engine, calls: Arc<Calls>, courier: Arc<Courier>, health: &Health) -> Self {
        // Unbounded, yet bounded: every input answers a command, and permits bound those.
        let (inputs, happened) = mpsc::unbounded_channel();
        let (ping, pings) = mpsc::channel(1);
        health.set_owner_ping(ping);
        Self { engine, calls, courier, tasks: JoinSet::new(), inputs, happened, pings }
    }

    async fn drive(mut self, mut shutdown: Shutdown) -> Result<(), RunError> {
        let mut gulp = Vec::with_capacity(GULP);
        let mut alarm = Box::pin(tokio::time::sleep(Duration::ZERO));
        loop {
            self.advance()?;
            if self.engine.is_finished() {
                return Ok(());
            }
            let due = self.engine.poll_timeout();
            tokio::select! {
                _ = self.happened.recv_many(&mut gulp, GULP) => {
                    let now = now();
                    for input in gulp.drain(..) {
                        self.engine.handle(input, now);
                    }
                }
                () = ring(alarm.as_mut(), due), if due.is_some() => {}
                stage = shutdown.changed() => self.engine.handle(stage, now()),
                Some(pong) = self.pings.recv() => drop(pong.send(())),
            }
        }
    }

    fn advance(&mut self) -> Result<(), RunError> {
        while let Some(ended) = self.tasks.try_join_next() {
            if let Err(error) = ended
                && error.is_panic()
            {
                error!(event = "defect", "a task panicked");
                return Err(RunError::Defect(error.to_string()));
            }
        }
        self.engine.advance(now());
        let commands: Vec<Command> = self.engine.take_commands().collect();
        for command in commands {
            self.execute(command);
        }
        Ok(())
    }

    fn execute(&mut self, command: Command) {
        let calls = Arc::clone(&self.calls);
        match command {
            Command::Deliver(shipment) => {
                let (courier, inputs, key) = (Arc::clone(&self.courier), self.inputs.clone(), shipment.key);
                self.tasks.spawn(async move {
                    // In a box, since a spawned future is moved several times and this one is large.
                    let delivery = Box::pin(courier.deliver(shipment));
                    let delivered = AssertUnwindSafe(delivery).catch_unwind().await;
                    tell(&inputs, delivered.map_or(Input::Broken(key), Input::Delivered));
                });
            }
            Command::Receive(poll) => self.call(async move { calls.receive(poll).await }),
            Command::Delete(batch) => self.call(async move { calls.delete(batch).await }),
            Command::Hide(purpose, batch) => self.call(async move { calls.hide(purpose, batch).await }),
            Command::Extend(batch) => self.call(async move { calls.extend(batch).await }),
            Command::Describe => self.call(async move { calls.describe().await }),
            Command::RefreshIdentity => self.calls.refresh_identity(),
        }
    }

    fn call(&mut self, call: impl Future<Output = Input> + Send + 'static) {
        let inputs = self.inputs.clone();
        self.tasks.spawn(async move { tell(&inputs, call.await) });
    }
}

/// The engine hears of it, unless it has ended: then nobody needs to know.
fn tell(inputs: &mpsc::UnboundedSender<Input>, input: Input) {
    drop(inputs.send(input));
}

/// Waits until `due` on the one timer that the engine has.
async fn ring(mut alarm: Pin<&mut Sleep>, due: Option<Instant>) {
    let Some(due) = due else { return std::future::pending().await };
    let due = tokio::time::Instant::from_std(due);
    if alarm.deadline() != due {
        alarm.as_mut().reset(due);
    }
    alarm.await;
}

fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
