//! The address of an SQS server -> what is in its queues, in words. I/O: TCP.

use std::io;
use std::net::SocketAddr;

use serde_json::{Value, json};

use super::http;

/// One line per queue: messages visible, in flight and delayed.
///
/// # Errors
///
/// When the server does not answer any more.
pub(super) fn describe_queues(address: SocketAddr) -> io::Result<String> {
    let listed = ask(address, "ListQueues", &json!({}))?;
    let urls = listed["QueueUrls"].as_array().cloned().unwrap_or_default();
    let lines: io::Result<Vec<String>> = urls.iter().map(|url| describe(address, url)).collect();
    Ok(lines?.join("\n"))
}

fn describe(address: SocketAddr, url: &Value) -> io::Result<String> {
    let answer = ask(address, "GetQueueAttributes", &json!({"QueueUrl": url, "AttributeNames": ["All"]}))?;
    let count = |name: &str| answer["Attributes"][name].as_str().unwrap_or("?").to_owned();
    Ok(format!(
        "{}: {} visible, {} in flight, {} delayed",
        url.as_str().unwrap_or_default(),
        count("ApproximateNumberOfMessages"),
        count("ApproximateNumberOfMessagesNotVisible"),
        count("ApproximateNumberOfMessagesDelayed"),
    ))
}

fn ask(address: SocketAddr, operation: &str, input: &Value) -> io::Result<Value> {
    let target = format!("AmazonSQS.{operation}");
    let headers = [("content-type", "application/x-amz-json-1.0"), ("x-amz-target", target.as_str())];
    let answer = http::request(address, "POST", "/", &headers, input.to_string().as_bytes())?;
    serde_json::from_str(&answer.body).map_err(io::Error::other)
}
