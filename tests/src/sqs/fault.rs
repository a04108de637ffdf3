//! What goes wrong, when, how often: rules that tests set -> what is done to one request. Pure.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use super::clock::Time;
use super::code::{Code, Refusal};
use super::request::{Action, Request};

/// Something that goes wrong with a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// It takes longer: half of it on the way there, half on the way back.
    Delay(Latency),
    /// It is refused with this code.
    Refuse(Code),
    /// Some entries of a batch fail; the others are carried out.
    FailEntries(FailEntries),
    /// The connection is reset before anything is carried out.
    Reset,
    /// Nothing is carried out and nothing is ever answered; the connection stays open.
    Swallow,
    /// It is carried out, then the connection is reset instead of an answer. A receive that brings nothing is spared.
    LoseAnswer,
    /// It is carried out and never answered; the connection stays open. A receive that brings nothing is spared.
    HoldAnswer,
    /// The answer is this, whatever was asked: a proxy's page, broken JSON.
    Nonsense {
        /// The status.
        status: u16,
        /// The body.
        body: &'static str,
    },
    /// A receive brings its first message twice, under two handles (standard queues).
    HandOverTwice,
    /// The messages of a receive stay visible, as when another server holds a copy (standard queues).
    LeaveVisible,
    /// The messages of a receive come without any system attribute.
    OmitAttributes,
    /// A delete succeeds and deletes nothing: the message is visible again (standard queues).
    DeleteInVain,
}

/// Which entries of a batch fail, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct FailEntries {
    /// Which.
    pub which: Which,
    /// With what code.
    pub code: Code,
    /// What the answer says of whose fault it is.
    pub sender_fault: bool,
}

/// A choice of entries.
#[derive(Clone, Debug, PartialEq)]
pub enum Which {
    /// The first so many.
    First(usize),
    /// Those at these places, from 0.
    At(Vec<usize>),
    /// All.
    All,
    /// Each with this probability.
    Share(f64),
}

/// How long something takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Latency {
    /// Mostly so long, ± 20 %.
    pub typical: Duration,
    /// The share that takes five times as long.
    pub tail: f64,
}

impl Latency {
    /// Always the same.
    pub fn exactly(duration: Duration) -> Self {
        Self { typical: duration, tail: -1.0 }
    }

    /// ± 20 %, and 1.5 % of requests take five times as long, so that p99 is five times the median.
    pub fn around(duration: Duration) -> Self {
        Self { typical: duration, tail: 0.015 }
    }

    /// One of them.
    pub fn sample(&self, random: &mut fastrand::Rng) -> Duration {
        if self.tail < 0.0 {
            return self.typical;
        }
        let factor = if random.f64() < self.tail { 5.0 } else { 0.8 + 0.4 * random.f64() };
        self.typical.mul_f64(factor)
    }
}

type Predicate = Arc<dyn Fn(&Request) -> bool + Send + Sync>;

/// Which requests a fault befalls; made by [`on`], [`on_any`].
#[derive(Clone)]
pub struct When {
    actions: Vec<Action>,
    access_key: Option<String>,
    predicate: Option<Predicate>,
    spared: u64,
    times: Option<u64>,
    probability: f64,
    quota: Option<f64>,
}

/// Requests of one action, all of them.
pub fn on(action: Action) -> When {
    on_each(&[action])
}

/// Requests of these actions, all of them.
pub fn on_each(actions: &[Action]) -> When {
    When {
        actions: actions.to_vec(),
        access_key: None,
        predicate: None,
        spared: 0,
        times: None,
        probability: 1.0,
        quota: None,
    }
}

/// All requests.
pub fn on_any() -> When {
    on_each(&[])
}

impl When {
    /// Only the first so many of them.
    pub fn times(self, times: u64) -> Self {
        Self { times: Some(times), ..self }
    }

    /// Only the first of them.
    pub fn once(self) -> Self {
        self.times(1)
    }

    /// Not the first so many.
    pub fn after(self, spared: u64) -> Self {
        Self { spared, ..self }
    }

    /// Each with this probability, from the simulator's seed.
    pub fn with_probability(self, probability: f64) -> Self {
        Self { probability, ..self }
    }

    /// Only those that go beyond so many per second of SQS time.
    pub fn above_per_second(self, quota: f64) -> Self {
        Self { quota: Some(quota), ..self }
    }

    /// Only those signed with this access key.
    pub fn by(self, access_key: &str) -> Self {
        Self { access_key: Some(access_key.to_owned()), ..self }
    }

    /// Only those for which `predicate` holds.
    pub fn if_request(self, predicate: impl Fn(&Request) -> bool + Send + Sync + 'static) -> Self {
        Self { predicate: Some(Arc::new(predicate)), ..self }
    }

    fn covers(&self, request: &Request, access_key: &str) -> bool {
        (self.actions.is_empty() || self.actions.contains(&request.action()))
            && self.access_key.as_deref().is_none_or(|key| key == access_key)
            && self.predicate.as_ref().is_none_or(|holds| holds(request))
    }
}

impl fmt::Debug for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("When").field("actions", &self.actions).field("times", &self.times).finish_non_exhaustive()
    }
}

/// A fault that was set, to be counted and taken away.
#[derive(Clone, Debug)]
pub struct Switch {
    on: Arc<AtomicBool>,
    fired: Arc<AtomicU64>,
}

impl Switch {
    /// Ends the fault.
    pub fn off(&self) {
        self.on.store(false, Ordering::SeqCst);
    }

    /// Lets it happen again.
    pub fn on(&self) {
        self.on.store(true, Ordering::SeqCst);
    }

    /// How many requests it befell.
    pub fn fired(&self) -> u64 {
        self.fired.load(Ordering::SeqCst)
    }
}

/// What is done to one request.
#[derive(Debug, Default)]
pub struct Verdict {
    /// So much longer does it take.
    pub delay: Duration,
    /// What happens beside.
    pub fate: Fate,
}

/// What happens to one request beside a delay.
#[derive(Clone, Debug, Default)]
pub enum Fate {
    /// It is carried out, perhaps with a twist, and answered.
    #[default]
    Answered,
    /// Carried out with a twist, and answered.
    Twisted(Twist),
    /// Refused.
    Refused(Code),
    /// The connection is reset.
    Reset,
    /// Never answered.
    Swallowed,
    /// Carried out, then the connection is reset.
    AnswerLost,
    /// Carried out, never answered.
    AnswerHeld,
    /// Answered with something else.
    Nonsense {
        /// The status.
        status: u16,
        /// The body.
        body: &'static str,
    },
}

/// How carrying out a request differs from what SQS mostly does.
#[derive(Clone, Debug, Default)]
pub struct Twist {
    /// See [`Fault::HandOverTwice`].
    pub hands_over_twice: bool,
    /// See [`Fault::LeaveVisible`].
    pub leaves_visible: bool,
    /// See [`Fault::OmitAttributes`].
    pub omits_attributes: bool,
    /// See [`Fault::DeleteInVain`].
    pub deletes_in_vain: bool,
    entries: Option<(Vec<usize>, FailEntries)>,
}

/// Why one entry of a batch failed.
#[derive(Clone, Debug)]
pub struct EntryFault {
    /// Code and sentence.
    pub refusal: Refusal,
    /// What the answer says of whose fault it is.
    pub sender_fault: bool,
}

impl Twist {
    /// What befalls the entry at this place of a batch, if something does.
    pub fn fails(&self, position: usize) -> Option<EntryFault> {
        let (positions, fault) = self.entries.as_ref()?;
        let refusal = fault.code.because("The test wants this entry to fail.");
        positions.contains(&position).then_some(EntryFault { refusal, sender_fault: fault.sender_fault })
    }
}

impl Fate {
    /// The name of what happens, for the log.
    pub fn name(&self) -> Option<&'static str> {
        match self {
            Self::Answered => None,
            Self::Twisted(_) => Some("twisted"),
            Self::Refused(_) => Some("refused"),
            Self::Reset => Some("reset"),
            Self::Swallowed => Some("swallowed"),
            Self::AnswerLost => Some("answer lost"),
            Self::AnswerHeld => Some("answer held"),
            Self::Nonsense { .. } => Some("nonsense"),
        }
    }
}

/// When a fault acts on a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Before anything is carried out.
    Arrival,
    /// While it is carried out and answered.
    Execution,
}

/// All rules that are set.
#[derive(Debug)]
pub struct Faults {
    rules: Vec<Rule>,
    random: fastrand::Rng,
}

#[derive(Debug)]
struct Rule {
    when: When,
    fault: Fault,
    switch: Switch,
    seen: u64,
    bucket: Bucket,
}

#[derive(Debug, Default)]
struct Bucket {
    tokens: Option<f64>,
    at: Time,
}

impl Faults {
    /// No rule yet; what is left to chance follows from `seed`.
    pub fn new(seed: u64) -> Self {
        Self { rules: Vec::new(), random: fastrand::Rng::with_seed(seed) }
    }

    /// Adds a rule.
    pub fn add(&mut self, when: When, fault: Fault) -> Switch {
        let switch = Switch { on: Arc::new(AtomicBool::new(true)), fired: Arc::default() };
        self.rules.push(Rule { when, fault, switch: switch.clone(), seen: 0, bucket: Bucket::default() });
        switch
    }

    /// Takes all rules away.
    pub fn clear(&mut self) {
        self.rules.clear();
    }

    /// What is done to a request that arrives: all delays, and the first other fault that befalls it.
    pub fn judge_arrival(&mut self, now: Time, request: &Request, access_key: &str) -> Verdict {
        let mut verdict = Verdict::default();
        for position in self.befalling(Stage::Arrival, now, request, access_key) {
            let rule = &self.rules[position];
            if let Fault::Delay(latency) = &rule.fault {
                verdict.delay += latency.sample(&mut self.random);
            } else if verdict.fate.name().is_none() {
                verdict.fate = rule.fault.fate(&mut self.random, request);
            } else {
                rule.spare();
            }
        }
        verdict
    }

    /// What is done to a request that is carried out now: the first fault that befalls it.
    pub fn judge_execution(&mut self, now: Time, request: &Request, access_key: &str) -> Execution {
        let befalling = self.befalling(Stage::Execution, now, request, access_key);
        for later in befalling.iter().skip(1) {
            self.rules[*later].spare();
        }
        let first = befalling.first().copied();
        let fate = first.map(|rule| self.rules[rule].fault.fate(&mut self.random, request)).unwrap_or_default();
        Execution { fate, rule: first }
    }

    /// Takes back what was decided on a receive that brought nothing: no fault has befallen it.
    pub fn spare(&mut self, execution: &Execution, request: &Request, access_key: &str) {
        if let Some(rule) = execution.rule {
            self.rules[rule].spare();
        }
        for rule in self.rules.iter_mut().filter(|rule| rule.fault.stage() == Stage::Execution) {
            if rule.when.covers(request, access_key) {
                rule.seen = rule.seen.saturating_sub(1);
            }
        }
    }

    fn befalling(&mut self, stage: Stage, now: Time, request: &Request, access_key: &str) -> Vec<usize> {
        let random = &mut self.random;
        let rules = self.rules.iter_mut().enumerate().filter(|(_, rule)| rule.fault.stage() == stage);
        let befalling = rules.filter(|(_, rule)| rule.when.covers(request, access_key));
        befalling.filter_map(|(place, rule)| rule.befalls(now, random).then_some(place)).collect()
    }
}

/// What is done to a request while it is carried out.
#[derive(Debug)]
pub struct Execution {
    /// It.
    pub fate: Fate,
    rule: Option<usize>,
}

impl Rule {
    /// True, and counted, if the fault befalls a request that the rule covers.
    fn befalls(&mut self, now: Time, random: &mut fastrand::Rng) -> bool {
        if !self.switch.on.load(Ordering::SeqCst) {
            return false;
        }
        self.seen += 1;
        let exhausted = self.when.times.is_some_and(|times| self.switch.fired() >= times);
        let within_quota = self.when.quota.is_some_and(|quota| self.bucket.take(now, quota));
        let lucky = self.when.probability < 1.0 && random.f64() >= self.when.probability;
        if self.seen <= self.when.spared || exhausted || within_quota || lucky {
            return false;
        }
        self.switch.fired.fetch_add(1, Ordering::SeqCst);
        true
    }

    fn spare(&self) {
        self.switch.fired.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Bucket {
    /// True if one more call fits into the quota per second, with a burst of one second.
    fn take(&mut self, now: Time, quota: f64) -> bool {
        let gained = now.saturating_sub(self.at).as_secs_f64() * quota;
        let tokens = self.tokens.map_or(quota, |tokens| (tokens + gained).min(quota));
        self.at = now;
        self.tokens = Some(if tokens >= 1.0 { tokens - 1.0 } else { tokens });
        tokens >= 1.0
    }
}

impl Fault {
    fn stage(&self) -> Stage {
        match self {
            Self::Delay(_) | Self::Refuse(_) | Self::Reset | Self::Swallow | Self::Nonsense { .. } => Stage::Arrival,
            Self::FailEntries(_)
            | Self::LoseAnswer
            | Self::HoldAnswer
            | Self::HandOverTwice
            | Self::LeaveVisible
            | Self::OmitAttributes
            | Self::DeleteInVain => Stage::Execution,
        }
    }

    fn fate(&self, random: &mut fastrand::Rng, request: &Request) -> Fate {
        match self {
            Self::Delay(_) => Fate::Answered,
            Self::Refuse(code) => Fate::Refused(*code),
            Self::FailEntries(fail) => {
                let chosen = (0..entries_of(request)).filter(|position| fail.which.contains(*position, random));
                Fate::Twisted(Twist { entries: Some((chosen.collect(), fail.clone())), ..Twist::default() })
            }
            Self::Reset => Fate::Reset,
            Self::Swallow => Fate::Swallowed,
            Self::LoseAnswer => Fate::AnswerLost,
            Self::HoldAnswer => Fate::AnswerHeld,
            Self::Nonsense { status, body } => Fate::Nonsense { status: *status, body },
            Self::HandOverTwice => Fate::Twisted(Twist { hands_over_twice: true, ..Twist::default() }),
            Self::LeaveVisible => Fate::Twisted(Twist { leaves_visible: true, ..Twist::default() }),
            Self::OmitAttributes => Fate::Twisted(Twist { omits_attributes: true, ..Twist::default() }),
            Self::DeleteInVain => Fate::Twisted(Twist { deletes_in_vain: true, ..Twist::default() }),
        }
    }
}

impl Which {
    fn contains(&self, position: usize, random: &mut fastrand::Rng) -> bool {
        match self {
            Self::First(count) => position < *count,
            Self::At(places) => places.contains(&position),
            Self::All => true,
            Self::Share(share) => random.f64() < *share,
        }
    }
}

fn entries_of(request: &Request) -> usize {
    #[expect(clippy::wildcard_enum_match_arm, reason = "all other actions have no entries")]
    match request {
        Request::DeleteMessageBatch(ask) => ask.entries.len(),
        Request::ChangeMessageVisibilityBatch(ask) => ask.entries.len(),
        Request::SendMessageBatch(ask) => ask.entries.len(),
        _ => 0,
    }
}
