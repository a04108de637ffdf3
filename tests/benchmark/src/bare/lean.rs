//! Hand-made signed requests on connections that the loop keeps: what is left when no client library is asked.
//! I/O: SQS, HTTP.

use std::borrow::Cow;
use std::cell::RefCell;
use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST};
use http::{HeaderName, HeaderValue, Request, Uri};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::json;
use tokio::net::TcpStream;
use tokio::task::spawn_local;

use super::{Failure, Message};

/// A queue and a sink, and the connections to both.
pub struct Client {
    sqs: Peer,
    sink: Peer,
    queue_url: String,
    credentials: Credentials,
}

/// A server, and the connections to it that carry nothing at the moment.
struct Peer {
    authority: String,
    path: Uri,
    idle: RefCell<Vec<SendRequest<Full<Bytes>>>>,
}

#[derive(Deserialize)]
struct Received<'a> {
    #[serde(borrow, default, rename = "Messages")]
    messages: Vec<Found<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Found<'a> {
    message_id: &'a str,
    receipt_handle: &'a str,
    #[serde(borrow)]
    body: Cow<'a, str>,
    #[serde(borrow, default)]
    attributes: Sent<'a>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Sent<'a> {
    #[serde(borrow)]
    sent_timestamp: Cow<'a, str>,
}

impl Client {
    pub fn new(queue_url: &str, sink: &str) -> Result<Self, Failure> {
        let mut sqs = Peer::new(queue_url)?;
        sqs.path = Uri::from_static("/");
        let credentials = Credentials::new("test", "test", None, None, "benchmark");
        Ok(Self { sqs, sink: Peer::new(sink)?, queue_url: queue_url.to_owned(), credentials })
    }

    pub async fn receive(&self) -> Result<Vec<Message>, Failure> {
        let body = json!({
            "QueueUrl": self.queue_url,
            "MaxNumberOfMessages": 10,
            "WaitTimeSeconds": 20,
            "VisibilityTimeout": 30,
            "MessageSystemAttributeNames": ["SentTimestamp"],
        });
        let answer = self.call("AmazonSQS.ReceiveMessage", body.to_string()).await?;
        let received: Received<'_> = serde_json::from_slice(&answer)?;
        Ok(received.messages.into_iter().map(message).collect())
    }

    /// Gives the receipt handle back.
    pub async fn post(&self, message: Message) -> Result<String, Failure> {
        let mut request = self.sink.request(message.body);
        let headers = request.headers_mut();
        for (name, value) in [
            ("ce-specversion", HeaderValue::from_static("1.0")),
            ("ce-id", message.id.try_into()?),
            ("ce-type", HeaderValue::from_static("aws.sqs.message")),
            ("ce-source", HeaderValue::from_static("arn:aws:sqs:us-east-1:123456789012:benchmark")),
            ("ce-time", message.sent.try_into()?),
            ("content-type", HeaderValue::from_static("application/json")),
        ] {
            headers.insert(HeaderName::from_static(name), value);
        }
        self.sink.send(request).await?;
        Ok(message.handle)
    }

    pub async fn delete(&self, handles: Vec<String>) -> Result<(), Failure> {
        let entries = handles.iter().enumerate();
        let entries = entries.map(|(index, handle)| json!({"Id": index.to_string(), "ReceiptHandle": handle}));
        let body = json!({"QueueUrl": self.queue_url, "Entries": entries.collect::<Vec<_>>()});
        self.call("AmazonSQS.DeleteMessageBatch", body.to_string()).await?;
        Ok(())
    }

    async fn call(&self, target: &'static str, body: String) -> Result<Bytes, Failure> {
        let body = Bytes::from(body);
        let mut request = self.sqs.request(body.clone());
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.0"));
        headers.insert("x-amz-target", HeaderValue::from_static(target));
        self.sign(&mut request, &body)?;
        self.sqs.send(request).await
    }

    fn sign(&self, request: &mut Request<Full<Bytes>>, body: &[u8]) -> Result<(), Failure> {
        let identity = self.credentials.clone().into();
        let settings = v4::SigningParams::builder()
            .identity(&identity)
            .region("us-east-1")
            .name("sqs")
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()?
            .into();
        let url = format!("http://{}/", self.sqs.authority);
        let headers = request.headers().iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap_or_default()));
        let signable = SignableRequest::new("POST", url, headers, SignableBody::Bytes(body))?;
        let (signed, _) = sign(signable, &settings)?.into_parts();
        for (name, value) in signed.headers() {
            request.headers_mut().insert(HeaderName::try_from(name)?, HeaderValue::from_str(value)?);
        }
        Ok(())
    }
}

impl Peer {
    fn new(url: &str) -> Result<Self, Failure> {
        let uri: Uri = url.parse()?;
        let authority = uri.authority().ok_or("a URL without a host")?.to_string();
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).parse()?;
        Ok(Self { authority, path, idle: RefCell::default() })
    }

    fn request(&self, body: Bytes) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = self.path.clone();
        let host = HeaderValue::from_str(&self.authority).unwrap_or(HeaderValue::from_static("localhost"));
        request.headers_mut().insert(HOST, host);
        request
    }

    async fn send(&self, request: Request<Full<Bytes>>) -> Result<Bytes, Failure> {
        let idle = self.idle.borrow_mut().pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        connection.ready().await?;
        let response = connection.send_request(request).await?;
        if !response.status().is_success() {
            return Err(format!("{} answers {}", self.authority, response.status()).into());
        }
        let body = response.into_body().collect().await?.to_bytes();
        self.idle.borrow_mut().push(connection);
        Ok(body)
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>, Failure> {
        let stream = TcpStream::connect(&self.authority).await?;
        stream.set_nodelay(true)?;
        let (requests, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // Its end shows at the next request.
        spawn_local(async move { drop(connection.await) });
        Ok(requests)
    }
}

fn message(found: Found<'_>) -> Message {
    Message {
        id: found.message_id.to_owned(),
        handle: found.receipt_handle.to_owned(),
        sent: found.attributes.sent_timestamp.into_owned(),
        body: Bytes::from(found.body.into_owned()),
    }
}
