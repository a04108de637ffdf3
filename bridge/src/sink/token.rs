//! An audience -> the bearer token that proves who we are to it. I/O: the Kubernetes API server, token files.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use http::HeaderValue;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::Mutex;
use url::Url;

use crate::api_server::ApiServer;

/// A token is not used for its last minutes: clocks differ and requests take time.
const RENEW_BEFORE_EXPIRY: Duration = Duration::from_secs(300);
/// What is asked for; the API server may give another lifetime.
const LIFETIME_SECONDS: u32 = 3_600;
/// After a failure nobody asks again for so long, however many POSTs want a token.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(1);

/// Where the token of one destination comes from.
#[derive(Debug)]
pub(super) enum Token {
    /// The destination is told nothing.
    None,
    /// It wants a token, and its URL is plain http.
    Withheld,
    /// A file that somebody else renews; no token while it is missing.
    File(TokenFile),
    /// Made by the API server on demand.
    Requested(Box<TokenRequests>),
}

impl Token {
    /// The `Authorization` to send, if any.
    ///
    /// # Errors
    ///
    /// One sentence on why the API server made no token.
    pub(super) async fn current(&self) -> Result<Option<HeaderValue>, Arc<str>> {
        match self {
            Self::None | Self::Withheld => Ok(None),
            Self::File(file) => Ok(file.current()),
            Self::Requested(requests) => requests.current().await.map(Some),
        }
    }

    /// After a 401 on `used`: makes sure that the next [`Token::current`] is not it, if that is possible.
    pub(super) async fn refused(&self, used: Option<&HeaderValue>) {
        match self {
            Self::None | Self::Withheld => {}
            Self::File(file) => file.reread(),
            Self::Requested(requests) => requests.forget(used).await,
        }
    }
}

/// Why a sink at this URL gets no token, if that is so: over plain http everybody on the way could read it, and use it
/// until it expires. `audience` is whom it would be for, if the sink said so.
pub(super) fn withheld(url: &Url, audience: Option<&str>) -> Option<String> {
    if url.scheme() == "https" {
        return None;
    }
    let wish = audience.map_or_else(
        || "a token for the sink is mounted".to_owned(),
        |audience| format!("the sink wants a token for the audience {audience}"),
    );
    Some(format!(
        "{wish}, but none is sent over plain http: give the sink an https address; Knative's Brokers and channels have \
         one while transport-encryption in config-features is permissive or strict"
    ))
}

/// A token file and what it held when it was last read.
#[derive(Debug)]
pub(super) struct TokenFile {
    path: PathBuf,
    token: RwLock<Option<HeaderValue>>,
}

impl TokenFile {
    pub(super) fn read(path: PathBuf) -> Self {
        let token = RwLock::new(read_bearer(&path));
        Self { path, token }
    }

    /// Takes over what the file holds now.
    pub(super) fn reread(&self) {
        let token = read_bearer(&self.path);
        *self.token.write().unwrap_or_else(PoisonError::into_inner) = token;
    }

    fn current(&self) -> Option<HeaderValue> {
        self.token.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Tokens of a ServiceAccount for one audience, made by the API server and kept until shortly before they expire.
#[derive(Debug)]
pub(super) struct TokenRequests {
    /// `…/api/v1/namespaces/<namespace>/serviceaccounts/<name>/token`.
    url: Url,
    audience: String,
    server: ApiServer,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    token: Option<(HeaderValue, Timestamp)>,
    failure: Option<(Arc<str>, Instant)>,
}

impl TokenRequests {
    /// `None` if the names do not make a URL.
    pub(super) fn new(server: ApiServer, namespace: &str, account: &str, audience: String) -> Option<Self> {
        let url = server.url_of(&["api", "v1", "namespaces", namespace, "serviceaccounts", account, "token"])?;
        Some(Self { url, audience, server, kept: Mutex::default() })
    }

    /// Whoever comes first asks; the others wait for the same answer.
    async fn current(&self) -> Result<HeaderValue, Arc<str>> {
        let mut kept = self.kept.lock().await;
        let now = Timestamp::now();
        if let Some(token) = kept.fresh(now) {
            return Ok(token);
        }
        if let Some(failure) = kept.recent_failure(Instant::now()) {
            return kept.unexpired(now).ok_or(failure);
        }
        match self.request().await {
            Ok((token, expires)) => {
                *kept = Kept { token: Some((token.clone(), expires)), failure: None };
                Ok(token)
            }
            Err(reason) => {
                let failure: Arc<str> = format!("no token for the audience {}: {reason}", self.audience).into();
                kept.failure = Some((failure.clone(), Instant::now()));
                kept.unexpired(now).ok_or(failure)
            }
        }
    }

    async fn forget(&self, used: Option<&HeaderValue>) {
        let mut kept = self.kept.lock().await;
        if kept.token.as_ref().map(|(token, _)| token) == used {
            *kept = Kept::default();
        }
    }

    async fn request(&self) -> Result<(HeaderValue, Timestamp), String> {
        let asked = json!({
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"audiences": [self.audience], "expirationSeconds": LIFETIME_SECONDS},
        });
        parse(&self.server.create(&self.url, asked.to_string()).await?)
    }
}

impl Kept {
    fn fresh(&self, now: Timestamp) -> Option<HeaderValue> {
        self.unexpired(now.saturating_add(RENEW_BEFORE_EXPIRY).unwrap_or(Timestamp::MAX))
    }

    fn unexpired(&self, now: Timestamp) -> Option<HeaderValue> {
        self.token.as_ref().filter(|(_, expires)| *expires > now).map(|(token, _)| token.clone())
    }

    fn recent_failure(&self, now: Instant) -> Option<Arc<str>> {
        let (failure, since) = self.failure.as_ref()?;
        (now.saturating_duration_since(*since) < PAUSE_AFTER_FAILURE).then(|| failure.clone())
    }
}

fn parse(body: &[u8]) -> Result<(HeaderValue, Timestamp), String> {
    #[derive(Deserialize)]
    struct TokenRequest {
        status: Status,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Status {
        token: String,
        expiration_timestamp: String,
    }
    // The parser's own words could quote the token.
    let unreadable = || "the API server's answer is not a TokenRequest".to_owned();
    let TokenRequest { status } = serde_json::from_slice(body).map_err(|_| unreadable())?;
    let expires = status.expiration_timestamp.parse().map_err(|_| unreadable())?;
    Ok((bearer(&status.token).ok_or_else(unreadable)?, expires))
}

pub(crate) fn read_bearer(path: &Path) -> Option<HeaderValue> {
    bearer(fs::read_to_string(path).ok()?.trim())
}

fn bearer(token: &str) -> Option<HeaderValue> {
    if token.is_empty() {
        return None;
    }
    let mut value = HeaderValue::from_str(&format!("Bearer {token}")).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_withheld_from_a_sink_without_tls() {
        let told = |url: &str, audience| withheld(&url.parse().unwrap(), audience);
        let advice = "but none is sent over plain http: give the sink an https address; Knative's Brokers and channels \
                      have one while transport-encryption in config-features is permissive or strict";
        assert_eq!(told("https://broker/ns/default", Some("broker/ns/default")), None);
        assert_eq!(
            told("http://broker/ns/default", Some("broker/ns/default")),
            Some(format!("the sink wants a token for the audience broker/ns/default, {advice}"))
        );
        assert_eq!(told("http://broker/", None), Some(format!("a token for the sink is mounted, {advice}")));
    }
}
