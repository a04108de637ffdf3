//! POSTs to one destination -> duration and size by status or failure. Pure.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{BoundHistogram, Histogram};

use crate::outcome::{Answer, TransportClass};

/// `http.client.request.duration` and `http.client.request.body.size` of one destination.
pub struct Attempts {
    duration: Histogram<f64>,
    body: Histogram<f64>,
    labels: Vec<KeyValue>,
    bound: Mutex<HashMap<Result<u16, TransportClass>, Bound>>,
}

#[derive(Clone)]
struct Bound {
    duration: BoundHistogram<f64>,
    body: BoundHistogram<f64>,
}

impl Attempts {
    pub(super) fn new(duration: Histogram<f64>, body: Histogram<f64>, labels: Vec<KeyValue>) -> Self {
        Self { duration, body, labels, bound: Mutex::default() }
    }

    /// One POST ended; `body` is the length of what was sent, in bytes.
    pub fn record(&self, answer: &Answer, elapsed: Duration, body: usize) {
        let bound = self.bound(match answer {
            Answer::Status { code, .. } => Ok(*code),
            Answer::Failed(failure) => Err(failure.class),
        });
        bound.duration.record(elapsed.as_secs_f64());
        bound.body.record(body as f64);
    }

    fn bound(&self, end: Result<u16, TransportClass>) -> Bound {
        let mut bound = self.bound.lock().unwrap_or_else(PoisonError::into_inner);
        bound.entry(end).or_insert_with(|| self.bind(end)).clone()
    }

    /// Status and error type as OpenTelemetry's HTTP conventions have them: a 4xx or 5xx is its own error type.
    fn bind(&self, end: Result<u16, TransportClass>) -> Bound {
        let mut labels = self.labels.clone();
        match end {
            Ok(code) => {
                labels.push(KeyValue::new("http.response.status_code", i64::from(code)));
                labels.extend((code >= 400).then(|| KeyValue::new("error.type", code.to_string())));
            }
            Err(class) => labels.push(KeyValue::new("error.type", class.as_str())),
        }
        Bound { duration: self.duration.bind(&labels), body: self.body.bind(&labels) }
    }
}

impl std::fmt::Debug for Attempts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Attempts").field("labels", &self.labels).finish_non_exhaustive()
    }
}
