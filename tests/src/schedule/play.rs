//! A plan -> a queue, a sink and bridges that live through it, and what came of that. I/O: TCP, processes, the clock.

use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use tokio::time::{Instant, sleep_until, timeout};

use super::audit::{Audit, Past};
use super::plan::{Plan, Queue};
use super::running::Running;
use crate::bridge::Setup;
use crate::scene::Scene;
use crate::sqs::{Switch, on};

/// After the last fault everything must be delivered within this time; a FIFO group may be held for a quarter of an
/// hour and then wait as long.
const RECOVERS_WITHIN: Duration = Duration::from_secs(3600);
/// In real time the faults are too short for that.
const RECOVERS_SOON: Duration = Duration::from_secs(150);
/// How often liveness is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// Something of the plan that is due.
#[derive(Clone, Copy, Debug)]
enum Event {
    Send(usize),
    Trouble(usize, bool),
    Network(usize, bool),
    SinkDown(bool),
    Crash(usize),
    Start,
    Look,
}

/// Plays a plan with a bridge in this process, in the time of the runtime.
///
/// # Errors
///
/// Every promise that was broken, one a line.
pub async fn in_process(plan: &Plan) -> Result<(), String> {
    Play::new(plan, false).await.run(false).await
}

/// The same, and liveness must never fail.
///
/// # Errors
///
/// As [`in_process`].
pub async fn watched(plan: &Plan) -> Result<(), String> {
    Play::new(plan, false).await.run(true).await
}

/// Plays a plan with the real program.
///
/// # Errors
///
/// As [`in_process`].
pub async fn with_processes(plan: &Plan) -> Result<(), String> {
    Play::new(plan, true).await.run(false).await
}

struct Play<'a> {
    plan: &'a Plan,
    scene: Scene,
    setup: Setup,
    process: bool,
    start: Instant,
    bridge: Option<Running>,
    leaving: Vec<Running>,
    switches: Vec<Switch>,
    past: Past,
}

impl<'a> Play<'a> {
    async fn new(plan: &'a Plan, process: bool) -> Self {
        let scene = match plan.queue {
            Queue::Standard => Scene::new().await,
            Queue::Fifo => Scene::fifo().await,
        };
        let setup = plan.settings.iter().fold(scene.setup(), |setup, (name, value)| setup.set(name, value));
        let past = Past { sink_timeout: plan.scale.sink_timeout, ..Past::default() };
        let (start, bridge, leaving, switches) = (Instant::now(), None, Vec::new(), Vec::new());
        Self { plan, scene, setup, process, start, bridge, leaving, switches, past }
    }

    async fn run(mut self, look: bool) -> Result<(), String> {
        self.set_moods();
        for (_, action, fault, probability) in &self.plan.wire {
            let switch = self.scene.sqs.inject(on(*action).with_probability(*probability), fault.clone());
            switch.off();
            self.switches.push(switch);
        }
        for (at, event) in timeline(self.plan, look) {
            sleep_until(self.start + at).await;
            self.happen(event).await?;
        }
        self.scene.sqs.recover();
        self.scene.sink.up();
        if self.bridge.is_none() {
            self.happen(Event::Start).await?;
        }
        self.recovered().await?;
        for bridge in self.leaving.drain(..) {
            bridge.ended().await?;
        }
        Audit::of(&self.scene).judge(&self.past)
    }

    /// The sink's answers follow the plan by themselves.
    fn set_moods(&self) {
        let (start, moods) = (self.start, self.plan.sink.clone());
        let mut rng = Rng::with_seed(self.plan.seed ^ 0x5111);
        self.scene.sink.decide(move |delivery| {
            let at = delivery.came - start;
            let mut now = moods.iter().filter(|(window, ..)| window.from <= at && at < window.until);
            now.find(|(_, _, probability)| rng.f64() < *probability).map(|(_, reply, _)| reply.clone())
        });
    }

    async fn happen(&mut self, event: Event) -> Result<(), String> {
        match event {
            Event::Send(number) => {
                let group = self.plan.sends[number].1;
                self.scene.queue.send_to_group(&format!("group-{group}"), format!("{group}:{number:04}"));
            }
            Event::Trouble(index, true) => self.switches[index].on(),
            Event::Trouble(index, false) => self.switches[index].off(),
            Event::Network(index, true) if self.plan.network[index].1 => self.scene.sqs.go_silent(),
            Event::Network(_, true) => self.scene.sqs.partition(),
            Event::Network(_, false) => self.scene.sqs.heal(),
            Event::SinkDown(true) => {
                self.past.sink_downs.push(Instant::now());
                self.scene.sink.down();
            }
            Event::SinkDown(false) => self.scene.sink.up(),
            Event::Crash(index) => self.crash(self.plan.crashes[index].kill).await,
            Event::Start if self.bridge.is_none() => {
                self.bridge = Some(Running::start(&self.setup, self.process).await);
            }
            Event::Start => {}
            Event::Look => {
                if let Some(bridge) = &self.bridge
                    && let Some(status) = bridge.health().await
                    && status != 200
                {
                    return Err(format!("liveness answered {status} after {:?}", self.start.elapsed()));
                }
            }
        }
        Ok(())
    }

    async fn crash(&mut self, kill: bool) {
        let Some(bridge) = self.bridge.take() else { return };
        if kill {
            bridge.kill().await;
        } else {
            bridge.terminate();
            self.leaving.push(bridge);
        }
        self.past.stops.push(Instant::now());
    }

    async fn recovered(&self) -> Result<(), String> {
        let limit = if self.process { RECOVERS_SOON } else { RECOVERS_WITHIN };
        let drained = timeout(limit, self.scene.drained_within(limit * 2)).await;
        drained.map_err(|_| {
            let left: Vec<Arc<str>> = self.scene.queue.left();
            let histories: Vec<_> = left.iter().take(2).map(|id| self.scene.queue.history(id)).collect();
            format!("{} messages are left {limit:?} after the last fault: {histories:#?}", left.len())
        })
    }
}

fn timeline(plan: &Plan, look: bool) -> Vec<(Duration, Event)> {
    let mut events = vec![(Duration::ZERO, Event::Start)];
    events.extend(plan.sends.iter().enumerate().map(|(number, (at, _))| (*at, Event::Send(number))));
    for (index, (window, ..)) in plan.wire.iter().enumerate() {
        events.extend([(window.from, Event::Trouble(index, true)), (window.until, Event::Trouble(index, false))]);
    }
    for (index, (window, _)) in plan.network.iter().enumerate() {
        events.extend([(window.from, Event::Network(index, true)), (window.until, Event::Network(index, false))]);
    }
    for window in &plan.sink_down {
        events.extend([(window.from, Event::SinkDown(true)), (window.until, Event::SinkDown(false))]);
    }
    for (index, crash) in plan.crashes.iter().enumerate() {
        events.extend([(crash.at, Event::Crash(index)), (crash.at + crash.back_after, Event::Start)]);
    }
    if look {
        let mut at = LOOK_EVERY;
        while at < plan.scale.lasts {
            events.push((at, Event::Look));
            at += LOOK_EVERY;
        }
    }
    events.push((plan.scale.lasts, Event::Start));
    events.sort_by_key(|(at, _)| *at);
    events
}
