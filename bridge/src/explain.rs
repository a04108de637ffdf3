//! A failed AWS call or a sink's answer -> what it means and what to do, in one sentence each. Pure.

use crate::config::Queue;
use crate::fault::Fault;
use crate::outcome::Answer;

/// Why the queue or the sink does not work, for conditions, readiness, logs and `check`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// A stable token of the reason table, such as `AccessDenied`.
    pub reason: &'static str,
    /// What happened, why, and what to do next; no secret, at most a few sentences.
    pub message: String,
}

/// Explains a fault of the call `action` (such as `sqs:ReceiveMessage`), made as `caller` (an ARN, if known), on `queue`.
pub fn explain(action: &str, fault: &Fault, queue: &Queue, caller: Option<&str>) -> Explanation {
    let _ = caller;
    Explanation {
        reason: "QueueError",
        message: format!("{action} on {} failed: {} {}", queue.arn, fault.code, fault.message),
    }
}

/// Explains an answer of the sink at `url`; `None` if the sink accepted.
pub fn explain_answer(answer: &Answer, url: &url::Url) -> Option<Explanation> {
    match answer {
        Answer::Status { code: 200..300, .. } => None,
        Answer::Status { code, .. } => {
            Some(Explanation { reason: "SinkRefuses", message: format!("{url} answered {code}") })
        }
        Answer::Failed(failure) => {
            Some(Explanation { reason: "SinkUnavailable", message: format!("{url}: {}", failure.message) })
        }
    }
}
