//! One event -> one POST to one destination and its answer. I/O: HTTP, TLS, trust, token and header files.

mod answer;
mod client;
mod connections;
mod error;
mod failure;
mod files;
mod headers;
mod surroundings;
mod token;
mod trial;
mod trust;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use tokio::time::Instant;
use url::Url;

use crate::api_server::ApiServer;
use crate::config::{self, Identity, IntegrationSource};
use crate::event::Encoded;
use crate::health::Health;
use crate::metrics::{Attempts, Metrics};
use crate::outcome::{Answer, TransportClass, TransportFailure};
use crate::telemetry::trace::{PostSpan, ReceiveTrace};
use client::{Client, Response, Target};
use files::Fingerprint;
use headers::HeaderFiles;
use token::{Token, TokenFile, TokenRequests};
use trust::Trust;

pub use error::SinkError;
pub(crate) use failure::explain_reqwest;
pub use surroundings::Surroundings;
pub(crate) use token::read_bearer as bearer_of;
pub use trial::{Reply, Trial};
pub(crate) use trust::{only as trust_only, system_trust};

/// A client lives so long, 20 % more or less: what its pool would keep for ever, such as the address of a replaced
/// pod, goes with it.
const CLIENT_LIFETIME: Duration = Duration::from_secs(300);
const KN_NAMESPACE: HeaderName = HeaderName::from_static("kn-namespace");
const USER_AGENT: &str = concat!("sqs-bridge/", env!("CARGO_PKG_VERSION"));

/// One destination of events.
///
/// Its HTTP client, trust, token and headers are read without waiting by [`Sink::post`] and renewed by
/// [`Sink::maintain`]; without the latter it goes on with what it started with.
#[derive(Debug)]
pub struct Sink {
    target: Target,
    refresh: Duration,
    trust: Option<Trust>,
    trust_seen: Mutex<(Fingerprint, Fingerprint)>,
    client: RwLock<Client>,
    fixed: HeaderMap,
    headers_dir: Option<PathBuf>,
    headers_seen: Mutex<Option<Fingerprint>>,
    headers: RwLock<Arc<HeaderMap>>,
    token: Token,
    metrics: Arc<Metrics>,
    attempts: Attempts,
    health: Arc<Health>,
}

impl Sink {
    /// The destination of all events.
    ///
    /// # Errors
    ///
    /// When `K_CA_CERTS`, a `TLS_*` variable or the OIDC settings cannot be used.
    pub fn new(
        settings: &config::Sink,
        identity: &Identity,
        compat: Option<&IntegrationSource>,
        metrics: Arc<Metrics>,
        health: Arc<Health>,
    ) -> Result<Self, SinkError> {
        Self::within(&Surroundings::of_pod(compat), settings, identity, metrics, health)
    }

    /// The destination of events that the main one refuses or never takes: it gets no header files and no token but
    /// one for its own audience, since those are secrets that only the main one shares.
    ///
    /// # Errors
    ///
    /// Those of [`Sink::new`].
    pub fn dead_letter(
        settings: &config::Sink,
        identity: &Identity,
        compat: Option<&IntegrationSource>,
        metrics: Arc<Metrics>,
        health: Arc<Health>,
    ) -> Result<Self, SinkError> {
        let surroundings = Surroundings { bound_token: None, ..Surroundings::of_pod(compat) };
        let settings = config::Sink { headers_dir: None, ..settings.clone() };
        Self::within(&surroundings, &settings, identity, metrics, health)
    }

    /// A destination in other surroundings than those of a pod; `health` learns of broken files.
    ///
    /// # Errors
    ///
    /// Those of [`Sink::new`].
    pub fn within(
        surroundings: &Surroundings,
        settings: &config::Sink,
        identity: &Identity,
        metrics: Arc<Metrics>,
        health: Arc<Health>,
    ) -> Result<Self, SinkError> {
        let url = without_user_info(&settings.url);
        let trust = (url.scheme() == "https").then(|| Trust {
            bundles: surroundings.trust_bundles.clone(),
            ca_file: surroundings.ca_file.clone(),
            ca_certs: settings.ca_certs.clone(),
            tls: settings.tls.clone(),
        });
        let trust_seen = trust.as_ref().map(Trust::fingerprint).unwrap_or_default();
        let port = url.port_or_known_default().unwrap_or_default();
        let attempts = metrics.attempts(url.scheme(), url.host_str().unwrap_or_default(), port);
        let target = Target::new(url, settings.timeout).ok_or(SinkError::Url)?;
        let client = Client::new(&target, load(trust.as_ref(), &health)?, metrics.clone())?;
        let fixed = fixed_headers(&settings.url, identity);
        let sink = Self {
            target,
            refresh: surroundings.refresh,
            trust,
            trust_seen: Mutex::new(trust_seen),
            client: RwLock::new(client),
            headers_dir: settings.headers_dir.clone(),
            headers_seen: Mutex::default(),
            headers: RwLock::new(Arc::new(fixed.clone())),
            fixed,
            token: token(surroundings, settings, identity, &health)?,
            attempts,
            metrics,
            health,
        };
        sink.read_headers();
        Ok(sink)
    }

    /// One attempt, and after a 401 one more if there is another token or header to try; none of it is a retry.
    ///
    /// Takes no longer than the timeout of the settings, twice that after a 401.
    pub async fn post(&self, encoded: &Encoded) -> Answer {
        self.post_received(encoded, &ReceiveTrace::default()).await
    }

    /// [`Sink::post`] whose span is linked to the receive that brought the message.
    pub async fn post_received(&self, encoded: &Encoded, receive: &ReceiveTrace) -> Answer {
        let (answer, sent) = self.attempt(encoded, receive).await;
        if !matches!(answer, Answer::Status { code: 401, .. }) {
            return answer;
        }
        if sent.is_none() && matches!(self.token, Token::Withheld) {
            // The event is not to blame, so it waits as for any sink that cannot be reached.
            return no_token("the sink answers 401 to an event without a token");
        }
        self.token.refused(sent.as_ref()).await;
        self.refresh_files();
        match self.authorization().await {
            Ok(fresh) if fresh.is_some() && fresh != sent => self.attempt(encoded, receive).await.0,
            Ok(_) | Err(_) => answer,
        }
    }

    /// The destination as people and `knativeerrordest` may see it.
    pub fn url_without_user_info(&self) -> &str {
        self.target.url.as_str()
    }

    /// Looks after trust, token and header files and replaces the HTTP client now and then; runs until dropped.
    pub async fn maintain(&self) {
        let mut replace_at = Instant::now() + client_lifetime();
        loop {
            let look_at = if self.has_files() { Instant::now() + self.refresh } else { replace_at };
            // Ends at that time only: closing goes on for ever.
            let _elapsed = tokio::time::timeout_at(look_at.min(replace_at), self.client().close_idle()).await;
            self.refresh_files();
            if self.trust_has_changed() || Instant::now() >= replace_at {
                self.replace_client();
                replace_at = Instant::now() + client_lifetime();
            }
        }
    }

    /// The answer, and the `Authorization` that was sent.
    async fn attempt(&self, encoded: &Encoded, receive: &ReceiveTrace) -> (Answer, Option<HeaderValue>) {
        let started = Instant::now();
        let span = PostSpan::start(&self.target.url, encoded, receive);
        let (answer, sent) = match self.token.current().await {
            Ok(token) => {
                let mut headers = self.headers_of(encoded, token);
                span.inject(&mut headers);
                let sent = headers.get(header::AUTHORIZATION).cloned();
                (self.exchange(headers, encoded.body.clone()).await, sent)
            }
            Err(reason) => (no_token(&reason), None),
        };
        span.end(&answer);
        self.attempts.record(&answer, started.elapsed(), encoded.body.len());
        (answer, sent)
    }

    async fn exchange(&self, headers: HeaderMap, body: Bytes) -> Answer {
        match self.execute(Method::POST, headers, body).await {
            Ok(response) => answer::read(response).await,
            Err(failure) => Answer::Failed(failure),
        }
    }

    async fn execute(&self, method: Method, headers: HeaderMap, body: Bytes) -> Result<Response, TransportFailure> {
        self.client().send(&self.target, method, headers, body).await
    }

    fn client(&self) -> Client {
        self.client.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn headers_of(&self, encoded: &Encoded, token: Option<HeaderValue>) -> HeaderMap {
        let ours = self.headers.read().unwrap_or_else(PoisonError::into_inner).clone();
        let mut headers = encoded.headers.clone();
        headers.reserve(ours.len() + 2);
        put(&mut headers, &ours);
        if let Some(token) = token {
            headers.insert(header::AUTHORIZATION, token);
        }
        headers
    }

    async fn authorization(&self) -> Result<Option<HeaderValue>, Arc<str>> {
        let token = self.token.current().await?;
        let headers = self.headers.read().unwrap_or_else(PoisonError::into_inner);
        Ok(token.or_else(|| headers.get(header::AUTHORIZATION).cloned()))
    }

    fn has_files(&self) -> bool {
        self.trust.is_some() || self.headers_dir.is_some() || matches!(self.token, Token::File(_))
    }

    fn refresh_files(&self) {
        if let Token::File(file) = &self.token {
            file.reread();
        }
        self.read_headers();
    }

    fn trust_has_changed(&self) -> bool {
        let Some(trust) = &self.trust else { return false };
        let now = trust.fingerprint();
        let mut seen = self.trust_seen.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *seen, now.clone()) != now
    }

    /// On any failure the old client stays.
    fn replace_client(&self) {
        let loaded = load(self.trust.as_ref(), &self.health);
        match loaded.and_then(|tls| Client::new(&self.target, tls, self.metrics.clone())) {
            Ok(client) => *self.client.write().unwrap_or_else(PoisonError::into_inner) = client,
            Err(error) => tracing::warn!(%error, "sink_client_kept"),
        }
    }

    /// Puts the header files, if they have changed, on top of the headers that never do.
    fn read_headers(&self) {
        let Some(folder) = &self.headers_dir else { return };
        let now = Some(files::fingerprint_of_folder(folder));
        let mut seen = self.headers_seen.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::replace(&mut *seen, now.clone()) == now {
            return;
        }
        let HeaderFiles { headers, refused, missing } = headers::read(folder);
        let mut all = self.fixed.clone();
        put(&mut all, &headers);
        *self.headers.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(all);
        if let Some(refused) = refused {
            tracing::warn!(folder = %folder.display(), "{refused}");
        }
        self.health.sink_headers_not_found(missing);
    }
}

/// A token that is requested, else one from the file that a SinkBinding mounts; none over plain http, which `health` learns.
fn token(
    surroundings: &Surroundings,
    settings: &config::Sink,
    identity: &Identity,
    health: &Health,
) -> Result<Token, SinkError> {
    let requested = settings.audience.as_ref().zip(settings.oidc_service_account.as_ref());
    let mounted = surroundings.bound_token.clone();
    if let Some(reason) = token::withheld(&settings.url, requested.map(|(audience, _)| audience.as_str())) {
        let wants_one = requested.is_some() || mounted.as_deref().is_some_and(|path| bearer_of(path).is_some());
        if !wants_one {
            return Ok(Token::None);
        }
        tracing::warn!(event = "sink_token_not_sent", "{reason}");
        health.sink_token_not_sent(reason);
        return Ok(Token::Withheld);
    }
    match requested {
        Some((audience, account)) => {
            let requests = token_requests(surroundings, settings, identity, audience, account)?;
            Ok(Token::Requested(Box::new(requests)))
        }
        None => Ok(mounted.map_or(Token::None, |path| Token::File(TokenFile::read(path)))),
    }
}

fn token_requests(
    surroundings: &Surroundings,
    settings: &config::Sink,
    identity: &Identity,
    audience: &str,
    account: &str,
) -> Result<TokenRequests, SinkError> {
    let server = settings.token_server.as_ref().ok_or(SinkError::NoTokenServer)?;
    let namespace = identity.namespace.as_deref().ok_or(SinkError::NoNamespace)?;
    let server = ApiServer::new(server.clone(), surroundings.service_account.clone());
    TokenRequests::new(server, namespace, account, audience.to_owned()).ok_or(SinkError::NoTokenServer)
}

/// TLS for a client; a plain http destination needs no certificates.
fn load(trust: Option<&Trust>, health: &Health) -> Result<rustls::ClientConfig, SinkError> {
    let Some(trust) = trust else { return trust::none() };
    let trust::Loaded { config, problem } = trust.load()?;
    if let Some(problem) = &problem {
        tracing::warn!("{problem}");
    }
    health.trust_bundle_invalid(problem);
    Ok(config)
}

/// `User-Agent`, `Kn-Namespace`, and basic authentication if the URL holds user info.
fn fixed_headers(url: &Url, identity: &Identity) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
    let namespace = identity.namespace.as_deref().and_then(|namespace| HeaderValue::from_str(namespace).ok());
    headers.extend(namespace.map(|namespace| (KN_NAMESPACE, namespace)));
    headers.extend(basic_authentication(url).map(|value| (header::AUTHORIZATION, value)));
    headers
}

/// Each of `ours` in place of what `headers` had under its name.
fn put(headers: &mut HeaderMap, ours: &HeaderMap) {
    for (name, value) in ours {
        headers.insert(name.clone(), value.clone());
    }
}

fn basic_authentication(url: &Url) -> Option<HeaderValue> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let decode = |text: &str| percent_encoding::percent_decode_str(text).collect::<Vec<u8>>();
    let pair = [&decode(url.username())[..], b":", &decode(url.password().unwrap_or_default())].concat();
    let mut value = HeaderValue::from_str(&format!("Basic {}", BASE64_STANDARD.encode(pair))).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn without_user_info(url: &Url) -> Url {
    let mut url = url.clone();
    // These fail only for URLs without a host, which no sink has.
    let _done = (url.set_username(""), url.set_password(None));
    url
}

/// Host and port, which is all that sentences show of a URL: a webhook's path may be a secret.
fn authority(url: &Url) -> String {
    let (host, port) = (url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or_default());
    format!("{host}:{port}")
}

fn no_token(reason: &str) -> Answer {
    Answer::Failed(TransportFailure { class: TransportClass::Request, message: reason.to_owned() })
}

fn client_lifetime() -> Duration {
    CLIENT_LIFETIME.mul_f64(fastrand::f64().mul_add(0.4, 0.8))
}
