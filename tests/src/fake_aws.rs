//! STS and the credentials endpoint of a pod, as doubles that remember what they were asked. I/O: TCP on 127.0.0.1.
//!
//! They check nothing: that a request is signed with the right keys is for the test to say.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// One request for credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// `AssumeRole`, `AssumeRoleWithWebIdentity`, `GetCallerIdentity`, or `GET` with the path for the endpoint of a pod.
    pub action: String,
    /// What the query protocol carried, such as `RoleArn`.
    pub parameters: BTreeMap<String, String>,
    /// The access key that signed; empty if none did.
    pub access_key: String,
    /// The whole `Authorization`, which for the endpoint of a pod is its token; empty without one.
    pub authorization: String,
}

/// What to answer next in place of credentials.
#[derive(Clone, Debug)]
struct Refusal {
    action: &'static str,
    status: u16,
    code: &'static str,
}

#[derive(Debug, Default)]
struct Memory {
    asked: Vec<Asked>,
    refusals: VecDeque<Refusal>,
    lifetime: Option<Duration>,
    given: u32,
}

type Shared = Arc<Mutex<Memory>>;

/// The double; it ends when dropped.
#[derive(Debug)]
pub struct FakeAws {
    address: SocketAddr,
    memory: Shared,
    server: JoinHandle<()>,
}

impl FakeAws {
    /// Starts on a free port.
    ///
    /// # Panics
    ///
    /// When there is none.
    pub async fn start() -> Self {
        let memory = Shared::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let router = Router::new().fallback(answer).with_state(Arc::clone(&memory));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.expect("the double serves") });
        Self { address, memory, server }
    }

    /// `http://127.0.0.1:port`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Everything that was asked, in order.
    pub fn asked(&self) -> Vec<Asked> {
        lock(&self.memory).asked.clone()
    }

    /// Answers the next `times` requests for `action` with this error.
    pub fn refuse(&self, action: &'static str, status: u16, code: &'static str, times: usize) {
        let refusals = std::iter::repeat_n(Refusal { action, status, code }, times);
        lock(&self.memory).refusals.extend(refusals);
    }

    /// Gives credentials again, whatever refusals are left.
    pub fn accept(&self) {
        lock(&self.memory).refusals.clear();
    }

    /// Gives credentials this lifetime from now on, instead of an hour.
    pub fn lifetime(&self, lifetime: Duration) {
        lock(&self.memory).lifetime = Some(lifetime);
    }
}

impl Drop for FakeAws {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn lock(memory: &Shared) -> std::sync::MutexGuard<'_, Memory> {
    memory.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn answer(State(memory): State<Shared>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let asked = read(&method, &uri, &headers, &body);
    let action = asked.action.clone();
    let mut memory = lock(&memory);
    memory.asked.push(asked);
    if memory.refusals.front().is_some_and(|refusal| action.starts_with(refusal.action)) {
        let refusal = memory.refusals.pop_front();
        return refusal.map_or_else(|| StatusCode::NOT_FOUND.into_response(), |refusal| refused(&refusal, &action));
    }
    memory.given += 1;
    let expiry = SystemTime::now() + memory.lifetime.unwrap_or(Duration::from_secs(3_600));
    let expiry = jiff::Timestamp::try_from(expiry).expect("a time").strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    given(&action, memory.given, &expiry)
}

fn read(method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Asked {
    let parameters: BTreeMap<String, String> = form(&String::from_utf8_lossy(body));
    let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let scope = authorization.split("Credential=").nth(1).unwrap_or_default();
    let action = parameters.get("Action").cloned().unwrap_or_else(|| format!("{method} {}", uri.path()));
    Asked {
        action,
        access_key: scope.split('/').next().unwrap_or_default().to_owned(),
        authorization: authorization.to_owned(),
        parameters,
    }
}

/// `a=b&c=d%20e` of the query protocol.
fn form(body: &str) -> BTreeMap<String, String> {
    let fields = body.split('&').filter_map(|field| field.split_once('='));
    fields.map(|(name, value)| (name.to_owned(), decode(value))).collect()
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let escaped = tail.get(..2).filter(|_| *first == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        match escaped.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(if *first == b'+' { b' ' } else { *first });
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Keys that name the action and count up: `ASIAASSUMEROLE1`.
fn given(action: &str, number: u32, expiry: &str) -> Response {
    let name: String = action.chars().filter(char::is_ascii_alphabetic).collect::<String>().to_ascii_uppercase();
    let key = format!("ASIA{name}{number}");
    if action.starts_with("GET ") {
        let body = format!(
            r#"{{"AccessKeyId":"{key}","SecretAccessKey":"secret","Token":"token{number}","Expiration":"{expiry}"}}"#
        );
        return ([(header::CONTENT_TYPE, "application/json")], body).into_response();
    }
    let result = match action {
        "GetCallerIdentity" => "<Arn>arn:aws:sts::123456789012:assumed-role/double/session</Arn><UserId>AROA:session\
             </UserId><Account>123456789012</Account>"
            .to_owned(),
        _ => format!(
            "<Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>\
             <SessionToken>token{number}</SessionToken><Expiration>{expiry}</Expiration></Credentials>\
             <AssumedRoleUser><AssumedRoleId>AROA:session</AssumedRoleId>\
             <Arn>arn:aws:sts::123456789012:assumed-role/double/session</Arn></AssumedRoleUser>"
        ),
    };
    let body = format!(
        "<{action}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{action}Result>{result}\
         </{action}Result><ResponseMetadata><RequestId>0</RequestId></ResponseMetadata></{action}Response>"
    );
    ([(header::CONTENT_TYPE, "text/xml")], body).into_response()
}

fn refused(refusal: &Refusal, action: &str) -> Response {
    let Refusal { status, code, .. } = refusal;
    let body = if action.starts_with("GET ") {
        format!(r#"{{"code":"{code}","message":"refused by the double"}}"#)
    } else {
        format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>refused by the double</Message>\
             </Error><RequestId>0</RequestId></ErrorResponse>"
        )
    };
    (StatusCode::from_u16(*status).unwrap_or(StatusCode::BAD_REQUEST), body).into_response()
}
