//! A response -> the answer that is judged. I/O: reads the body.

mod retry_after;

use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use http::header;

use super::client::Response;
use crate::outcome::Answer;

/// How much of the body of an answer that is not 2xx is kept, in bytes: as base64 it fits the 1,024 characters of
/// `knativeerrordata`.
const KEPT_BODY: usize = 768;
/// How much of a body is read so that the connection can be used again; a longer one costs the connection.
const DRAINED_BODY: usize = 64 * 1_024;
/// How long a body may take; the status line has decided by then.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(1);

/// The status line decides, whatever reading the body does.
pub(super) async fn read(response: Response) -> Answer {
    let status = response.status();
    let retry_after = response.headers().get(header::RETRY_AFTER);
    let retry_after = retry_after.and_then(|value| retry_after::parse(value, SystemTime::now()));
    let mut kept = BytesMut::new();
    if !response.is_read() {
        // A body that takes too long only costs its connection.
        let _in_time = tokio::time::timeout(DRAIN_TIMEOUT, drain(response, &mut kept)).await;
    }
    let body = if status.is_success() { Bytes::new() } else { kept.freeze() };
    Answer::Status { code: status.as_u16(), retry_after, body }
}

/// Reads a body to its end or its limit and keeps its beginning; dropping an unread response closes the connection.
async fn drain(mut response: Response, kept: &mut BytesMut) {
    let mut drained = 0;
    while let Some(chunk) = response.chunk().await {
        let room = KEPT_BODY - kept.len();
        kept.extend_from_slice(&chunk[..chunk.len().min(room)]);
        drained += chunk.len();
        if drained > DRAINED_BODY {
            return;
        }
    }
}
