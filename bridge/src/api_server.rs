//! A request -> the answer of the Kubernetes API server, as the pod's own ServiceAccount. I/O: HTTP, its files.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use serde::Deserialize;
use url::Url;

use crate::sink::{bearer_of, explain_reqwest, trust_only};

const TIMEOUT: Duration = Duration::from_secs(10);

/// The API server of the cluster that the bridge runs in.
#[derive(Clone, Debug)]
pub(crate) struct ApiServer {
    url: Url,
    /// Holds `token` and `ca.crt`, which the kubelet renews.
    service_account: PathBuf,
}

impl ApiServer {
    pub(crate) fn new(url: Url, service_account: PathBuf) -> Self {
        Self { url, service_account }
    }

    /// The URL of an object or a list; `None` if the server's own URL takes no path.
    pub(crate) fn url_of(&self, path: &[&str]) -> Option<Url> {
        let mut url = self.url.clone();
        url.path_segments_mut().ok()?.pop_if_empty().extend(path);
        Some(url)
    }

    /// POSTs an object.
    ///
    /// # Errors
    ///
    /// One clause: what the server answers, or why it does not.
    pub(crate) async fn create(&self, url: &Url, object: String) -> Result<Bytes, String> {
        let token = self.service_account.join("token");
        let token = bearer_of(&token).ok_or_else(|| format!("{} holds no token", token.display()))?;
        let request = self.client()?.post(url.clone()).header(AUTHORIZATION, token);
        let response = request.header(CONTENT_TYPE, "application/json").body(object).send().await;
        let response = response.map_err(|error| self.unreachable(&error))?;
        let status = response.status();
        let body = response.bytes().await.map_err(|error| self.unreachable(&error))?;
        if status.is_success() { Ok(body) } else { Err(denied(url, status, &body)) }
    }

    /// Made for each request, of which there are few, so that a renewed `ca.crt` is trusted.
    fn client(&self) -> Result<reqwest::Client, String> {
        let ca = self.service_account.join("ca.crt");
        let pem = fs::read(&ca).map_err(|error| format!("cannot read {}: {error}", ca.display()))?;
        let tls = trust_only(&pem).map_err(|error| format!("{}: {error}", ca.display()))?;
        let client = reqwest::Client::builder().tls_backend_preconfigured(tls).timeout(TIMEOUT);
        client.build().map_err(|error| error.to_string())
    }

    fn unreachable(&self, error: &reqwest::Error) -> String {
        explain_reqwest(error, &self.url, TIMEOUT).message
    }
}

fn denied(url: &Url, status: http::StatusCode, body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Status {
        message: String,
    }
    let said = serde_json::from_slice(body).map(|Status { message }| message.chars().take(300).collect());
    let said: String = said.unwrap_or_default();
    format!("the API server answers {} to {}: {said}", status.as_u16(), url.path())
}
