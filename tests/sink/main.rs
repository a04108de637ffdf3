//! What the sink client, the admin pages and the exporters do on the wire: real TCP and TLS on ports of the system.

#![expect(clippy::unwrap_used, reason = "in a test the panic names the line")]

mod admin;
mod certificates;
mod delivery;
mod export;
mod files;
mod reports;
mod server;
mod tls;
mod tokens;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use sqs_bridge::config;
use sqs_bridge::event::Encoded;
use sqs_bridge::health::Health;
use sqs_bridge::metrics::Metrics;
use sqs_bridge::outcome::Answer;
use sqs_bridge::sink::{Sink, SinkError, Surroundings};

/// Long enough for a busy machine; nothing waits that long when all is well.
const SOON: Duration = Duration::from_secs(20);

/// One sink and what it reports to.
struct Subject {
    sink: Sink,
    metrics: Arc<Metrics>,
    health: Arc<Health>,
}

impl Subject {
    fn new(settings: &config::Sink, surroundings: &Surroundings) -> Result<Self, SinkError> {
        let identity = identity();
        let metrics = Metrics::new(&identity, "orders").unwrap();
        let health = Arc::new(Health::new(Duration::from_secs(20), settings.timeout, Instant::now()));
        let sink = Sink::within(surroundings, settings, &identity, metrics.clone(), health.clone())?;
        Ok(Self { sink, metrics, health })
    }

    /// With nothing around it: no trust bundles, no tokens.
    fn alone(settings: &config::Sink) -> Self {
        Self::new(settings, &nowhere()).unwrap()
    }

    async fn post(&self) -> Answer {
        self.sink.post(&event()).await
    }

    /// The value of the one sample of this name; zero if it was never counted.
    fn count(&self, name: &str) -> f64 {
        let page = self.metrics.page();
        let sample = page.lines().find(|line| line.starts_with(name));
        sample.map_or(0.0, |line| line.rsplit_once(' ').unwrap().1.parse().unwrap())
    }
}

fn settings(url: &str) -> config::Sink {
    config::Sink {
        url: url.parse().unwrap(),
        ca_certs: None,
        audience: None,
        oidc_service_account: None,
        headers_dir: None,
        timeout: Duration::from_secs(10),
        tls: config::Tls::default(),
        token_server: None,
    }
}

fn identity() -> config::Identity {
    config::Identity {
        namespace: Some("shop".into()),
        name: "orders".into(),
        uid: None,
        pod_name: None,
        component: "awssqssource".into(),
        resource_group: "adapter.sources.knative.dev".into(),
    }
}

/// Surroundings whose files do not exist and are looked for often.
fn nowhere() -> Surroundings {
    Surroundings {
        trust_bundles: "/nowhere/bundles".into(),
        ca_file: None,
        bound_token: None,
        service_account: "/nowhere/serviceaccount".into(),
        refresh: Duration::from_millis(10),
    }
}

fn event() -> Encoded {
    let headers = [("ce-id", "1"), ("ce-type", "order"), ("content-type", "application/json")];
    let headers = headers
        .into_iter()
        .map(|(name, value)| (http::HeaderName::from_static(name), http::HeaderValue::from_static(value)));
    Encoded { headers: headers.collect(), body: Bytes::from_static(b"{\"a\":1}") }
}

fn status(code: u16) -> Answer {
    Answer::Status { code, retry_after: None, body: Bytes::new() }
}
