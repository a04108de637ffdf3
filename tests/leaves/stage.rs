//! SQS, STS and sinks around a bridge that runs as the Deployment of a spec says.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use serde_json::{Value, json};
use tests::bridge::{RunningBridge, Setup};
use tests::fake_aws::FakeAws;
use tests::kubelet::{Container, Surroundings};
use tests::merge::merge;
use tests::sink::Sink;
use tests::sqs::{Action, Call, SimulatedQueue, Simulator};
use tests::wait::eventually;

use crate::row::{Object, deployment, operator};

/// Long enough for whatever a row waits for; time flies here.
const LONG: Duration = Duration::from_secs(3600);

/// The key that the node of the pod would give.
pub const NODE_KEY: &str = "AKIDNODE";

/// Where one row runs.
pub struct Stage {
    /// Holds `queue`.
    pub sqs: Simulator,
    /// The queue that is drained unless the row says otherwise.
    pub queue: SimulatedQueue,
    /// The sink, unless the row says otherwise.
    pub sink: Sink,
    /// Another sink.
    pub other: Sink,
    /// STS.
    pub sts: FakeAws,
    /// Objects that a sink can name.
    pub objects: Vec<Object>,
    /// Secrets and ServiceAccounts.
    pub around: Surroundings,
    /// Feature `authentication-oidc`.
    pub oidc: bool,
    leaf: &'static str,
    used: Rc<RefCell<bool>>,
}

/// Tells whether a row has run a bridge with its leaf set.
pub struct Use(Rc<RefCell<bool>>);

impl Use {
    /// It has.
    pub fn happened(&self) -> bool {
        *self.0.borrow()
    }
}

impl Stage {
    /// For the row of this leaf.
    pub async fn new(leaf: &'static str) -> (Self, Use) {
        let sqs = Simulator::start().await;
        let queue = sqs.queue("q");
        let used = Rc::new(RefCell::new(false));
        let stage = Self {
            queue,
            sqs,
            sink: Sink::start().await,
            other: Sink::start().await,
            sts: FakeAws::start().await,
            objects: Vec::new(),
            around: Surroundings { namespace: "ns".to_owned(), pod: "orders-1".to_owned(), ..Surroundings::default() },
            oidc: false,
            leaf,
            used: Rc::clone(&used),
        };
        (stage, Use(used))
    }

    /// A Secret of the namespace.
    pub fn secret(&mut self, name: &str, keys: &[(&str, &str)]) {
        let keys = keys.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        self.around.secrets.insert(name.to_owned(), keys);
    }

    /// An object with this one address.
    pub fn addressable(&mut self, is: [&'static str; 4], url: &str) {
        self.objects.push(Object { is, status: json!({"address": {"url": url}}) });
    }

    /// The environment of the pod that becomes of the stage's spec with this patch.
    pub fn container(&self, set: &Value) -> Container {
        assert!(has(set, self.leaf), "the row of {} sets it: {set}", self.leaf);
        *self.used.borrow_mut() = true;
        let mut spec = json!({
            "queueUrl": self.queue.url(), "region": "us-east-1", "sink": {"uri": self.sink.url()},
            "template": {"env": [{"name": "AWS_ENDPOINT_URL_STS", "value": self.sts.url()}]},
        });
        merge(&mut spec, set);
        let deployment = deployment(&spec, &self.objects, &operator(self.oidc));
        let mut container =
            Container::of(&deployment["spec"]["template"]["spec"], &self.around).expect("the pod starts");
        let gives_own_keys = ["AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ACCESS_KEY_ID"];
        if gives_own_keys.iter().all(|name| !container.env.contains_key(*name)) {
            let keys = [("AWS_ACCESS_KEY_ID", NODE_KEY), ("AWS_SECRET_ACCESS_KEY", "secret")];
            container.env.extend(keys.map(|(name, value)| (name.to_owned(), value.to_owned())));
        }
        container
    }

    /// A bridge with that environment and no more.
    pub async fn start(&self, set: &Value) -> Pod {
        let container = self.container(set);
        let bridge = Setup::whole(container.env.clone()).set("BRIDGE_HEALTH_ADDR", "127.0.0.1:0").start().await;
        Pod { bridge, _files: container }
    }

    /// The first receive that waits.
    pub async fn long_poll(&self) -> Call {
        eventually(LONG, async || {
            let calls = self.sqs.calls_of(Action::ReceiveMessage);
            let waits = |call: &Call| call.receive().is_some_and(|ask| ask.wait_time_seconds != Some(0));
            calls.into_iter().find(waits).ok_or("no long poll yet")
        })
        .await
    }

    /// What STS was asked first, once it was asked and the queue too.
    pub async fn asked_of_sts(&self) -> BTreeMap<String, String> {
        self.long_poll().await;
        self.sts.asked().remove(0).parameters
    }

    /// Waits until the queue is empty.
    pub async fn drained(&self) {
        eventually(LONG, async || if self.queue.is_empty() { Ok(()) } else { Err(self.queue.counts()) }).await;
    }
}

/// A bridge and the files of its pod.
pub struct Pod {
    /// It runs.
    pub bridge: RunningBridge,
    _files: Container,
}

/// True if a patch sets the leaf of this path.
fn has(set: &Value, path: &str) -> bool {
    let mut here = set;
    for part in path.split('.') {
        let (name, is_list) = part.strip_suffix("[]").map_or((part, false), |name| (name, true));
        here = &here[name];
        if is_list {
            here = &here[here.as_array().map_or(0, Vec::len).saturating_sub(1)];
        }
    }
    !here.is_null()
}
