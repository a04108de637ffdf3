//! Sink, dead-letter sink and retry settings -> where events go and how often they are tried. Pure.

use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use super::Strings;
use super::parse;
use super::read::{Origin, Reader};
use super::settings;
use super::tls::{self, Tls};

/// One HTTP destination of events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sink {
    /// Where to POST; http or https.
    pub url: Url,
    /// PEM certificates trusted beside the system's and `/knative-custom-certs/*`.
    pub ca_certs: Option<String>,
    /// OIDC audience of the destination.
    pub audience: Option<String>,
    /// ServiceAccount whose token is requested; only used with an audience.
    pub oidc_service_account: Option<String>,
    /// Folder of files that become request headers (`BRIDGE_SINK_HEADERS_DIR`); never for the dead-letter sink.
    pub headers_dir: Option<PathBuf>,
    /// Limit of one POST. Default 310 s (1 s to 11 h).
    pub timeout: Duration,
    /// Which TLS is spoken.
    pub tls: Tls,
    /// The Kubernetes API server that makes tokens for `audience`:
    /// `https://KUBERNETES_SERVICE_HOST:KUBERNETES_SERVICE_PORT`; absent outside a cluster.
    pub token_server: Option<Url>,
}

/// Retries of one POST while its message is leased (Knative's DeliverySpec arithmetic).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Retries after the first attempt, as the user set them; `None`: not set, 3 (0 to 100).
    /// Set, and with a dead-letter sink: an exhausted event goes there.
    pub retry: Option<u32>,
    /// How waits grow. Default exponential.
    pub backoff_policy: BackoffPolicy,
    /// The first wait. Default 200 ms (at most 5 min).
    pub backoff_delay: Duration,
    /// Longest wait that a `Retry-After` of 429 or 503 can ask for. Default 30 s (at most 15 min); zero ignores the header.
    pub retry_after_max: Duration,
}

/// How waits between attempts grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackoffPolicy {
    /// delay × 2^i for retry i = 0, 1, …
    Exponential,
    /// delay × i: the first retry at once.
    Linear,
}

impl BackoffPolicy {
    /// The names of the values.
    pub const NAMES: &'static [(&'static str, Self)] = &[("exponential", Self::Exponential), ("linear", Self::Linear)];
}

const HOUR: Duration = Duration::from_secs(3_600);
const MINUTE: Duration = Duration::from_secs(60);

/// Reads the sink's settings. Without a sink `placeholder` stands in for it, where a sink is not needed.
pub(super) fn read_sink<E: Strings>(reader: &mut Reader<E>, placeholder: Option<&'static str>) -> Option<Sink> {
    if reader.given(&settings::SINK).is_none() && placeholder.is_none() {
        reader.missing(&settings::SINK, "set it to the http or https URL that receives the events");
    }
    let url = match reader.given(&settings::SINK) {
        Some(_) => reader.optional(&settings::SINK, parse::http_url),
        None => placeholder.and_then(|placeholder| parse::http_url(placeholder).ok()),
    };
    let ca_certs = certificates(reader, &settings::CA_CERTS);
    let audience = reader.optional(&settings::AUDIENCE, parse::text);
    let oidc_service_account = reader.optional(&settings::OIDC_SERVICE_ACCOUNT, parse::text);
    let headers_dir = reader.optional(&settings::SINK_HEADERS_DIR, parse::path);
    let timeout = timeout(reader);
    let tls = tls::read(reader);
    let token_server = token_server(reader);
    Some(Sink {
        url: url?,
        ca_certs: ca_certs?,
        audience,
        oidc_service_account,
        headers_dir,
        timeout: timeout?,
        tls: tls?,
        token_server,
    })
}

/// Reads the dead-letter sink's settings; service account and time limit are those of the sink.
/// `None` after an error, `Some(None)` if there is none.
pub(super) fn read_dead_letter_sink<E: Strings>(reader: &mut Reader<E>, sink: Option<&Sink>) -> Option<Option<Sink>> {
    let wanted = reader.given(&settings::DEAD_LETTER_SINK).is_some();
    let url = reader.optional(&settings::DEAD_LETTER_SINK, parse::http_url);
    let ca_certs = certificates(reader, &settings::DEAD_LETTER_SINK_CA_CERTS);
    let audience = reader.optional(&settings::DEAD_LETTER_SINK_AUDIENCE, parse::text);
    if !wanted {
        for setting in [&settings::DEAD_LETTER_SINK_CA_CERTS, &settings::DEAD_LETTER_SINK_AUDIENCE] {
            if reader.given(setting).is_some() {
                reader.reject(
                    setting,
                    "has no effect without a dead-letter sink: set BRIDGE_DEAD_LETTER_SINK (flag --dead-letter-sink) too",
                );
            }
        }
        return Some(None);
    }
    let sink = sink?;
    Some(Some(Sink {
        url: url?,
        ca_certs: ca_certs?,
        audience,
        oidc_service_account: sink.oidc_service_account.clone(),
        headers_dir: None,
        timeout: sink.timeout,
        tls: sink.tls.clone(),
        token_server: sink.token_server.clone(),
    }))
}

/// Reads the retry settings.
pub(super) fn read_delivery<E: Strings>(reader: &mut Reader<E>) -> Option<Delivery> {
    let wanted = reader.given(&settings::DELIVERY_RETRY).is_some();
    let retry = reader.optional(&settings::DELIVERY_RETRY, parse::integer(0..=100));
    let policy = reader.value(&settings::DELIVERY_BACKOFF_POLICY, parse::choice(BackoffPolicy::NAMES));
    let delay = reader.value(&settings::DELIVERY_BACKOFF_DELAY, parse::duration(Duration::ZERO..=5 * MINUTE));
    let most = reader.value(&settings::DELIVERY_RETRY_AFTER_MAX, parse::duration(Duration::ZERO..=15 * MINUTE));
    if wanted && retry.is_none() {
        return None;
    }
    Some(Delivery { retry, backoff_policy: policy?, backoff_delay: delay?, retry_after_max: most? })
}

/// `None` after an error, `Some(None)` if none were given.
fn certificates<E: Strings>(reader: &mut Reader<E>, setting: &'static settings::Setting) -> Option<Option<String>> {
    if reader.given(setting).is_none() {
        return Some(None);
    }
    reader.optional(setting, parse::certificates).map(Some)
}

/// Kubernetes sets both variables in every pod, the host perhaps as a bare IPv6 address.
fn token_server<E: Strings>(reader: &mut Reader<E>) -> Option<Url> {
    let host = reader.optional(&settings::KUBERNETES_HOST, parse::text)?;
    let port = reader.value(&settings::KUBERNETES_PORT, parse::integer(1..=u16::MAX))?;
    let host = if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host };
    let url = Url::parse(&format!("https://{host}:{port}")).ok();
    if url.is_none() {
        reader.reject(&settings::KUBERNETES_HOST, "is no host name or address: leave it as Kubernetes sets it");
    }
    url
}

/// Knative's controllers write -1 for "no limit"; their adapters take what does not parse for that too.
fn timeout<E: Strings>(reader: &mut Reader<E>) -> Option<Duration> {
    let given = reader.given(&settings::SINK_TIMEOUT);
    let knative = given.as_ref().filter(|given| matches!(given.origin, Origin::Env(_)));
    if let Some(knative) = knative
        && knative.value.trim().parse::<i64>().ok().is_none_or(|seconds| seconds <= 0)
    {
        let value = &knative.value;
        if value.trim().parse::<i64>().is_err() {
            let quoted = super::read::quote(value);
            reader
                .warnings
                .push(format!("K_SINK_TIMEOUT is {quoted}, no whole number of seconds: the default of 310 s holds"));
        }
        return sink_timeout(settings::SINK_TIMEOUT.default).ok();
    }
    reader.value(&settings::SINK_TIMEOUT, sink_timeout)
}

/// Whole seconds, or a duration with a unit.
fn sink_timeout(text: &str) -> Result<Duration, parse::Fix> {
    let bounds = Duration::from_secs(1)..=11 * HOUR;
    let seconds = text.trim().parse().ok().map(Duration::from_secs).filter(|value| bounds.contains(value));
    seconds
        .map_or_else(|| parse::duration(bounds)(text), Ok)
        .map_err(|_| "use whole seconds from 1 to 39600, such as 310".to_owned())
}
