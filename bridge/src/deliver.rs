//! One shipment -> one POST and its answer. I/O: HTTP through `sink`.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use tokio::time::Instant;

use crate::config::{EventSettings, Queue};
use crate::engine::Key;
use crate::event::{Encoded, Event};
use crate::health::Health;
use crate::message::Message;
use crate::metrics::Metrics;
use crate::normalize::{self, Events};
use crate::outcome::{Answer, Verdict, verdict};
use crate::report::Reports;
use crate::sink::Sink;
use crate::telemetry::trace::ReceiveTrace;

/// Intermediaries must forward events up to this size; larger ones are counted.
/// Source: CloudEvents 1.0.2, "Size Limits".
const SAFE_EVENT_SIZE: usize = 64 * 1024;

/// A message on its way, with the events made from it once they are made.
#[derive(Debug)]
pub struct Parcel {
    message: Message,
    receive: ReceiveTrace,
    events: Option<Events>,
}

/// One POST to make.
#[derive(Debug)]
pub struct Shipment {
    /// The delivery it belongs to.
    pub key: Key,
    /// What is sent.
    pub parcel: Parcel,
    /// Which of the message's events.
    pub index: usize,
    /// Where to.
    pub to: Destination,
}

/// Where an event is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// The sink.
    Sink,
    /// The dead-letter sink, saying why.
    DeadLetter(Refusal),
}

/// The last answer of the sink about an event that it did not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// `knativeerrorcode`: the status, 500 without one.
    pub code: u16,
    /// `knativeerrordata` before base64: the beginning of the response body, or `dispatch error: <class>`.
    pub data: Bytes,
}

/// A POST that was made.
#[derive(Debug)]
pub struct Delivered {
    /// The shipment.
    pub shipment: Shipment,
    /// What came back.
    pub answer: Answer,
    /// How long it took.
    pub elapsed: Duration,
}

/// Everything a POST needs, shared by all.
#[derive(Debug)]
pub struct Courier {
    /// The sink.
    pub sink: Sink,
    /// The dead-letter sink.
    pub dead_letter_sink: Option<Sink>,
    /// The queue, for the attributes that come from it.
    pub queue: Queue,
    /// How messages become events.
    pub settings: EventSettings,
    /// Told of what the sink does not take.
    pub reports: Option<Reports>,
    /// Told of what is under way.
    pub health: Arc<Health>,
    /// Told of what was sent.
    pub metrics: Arc<Metrics>,
}

impl Parcel {
    /// A message of which nothing was sent yet, and the receive that brought it.
    pub fn new(message: Message, receive: ReceiveTrace) -> Self {
        Self { message, receive, events: None }
    }

    /// The message.
    pub fn message(&self) -> &Message {
        &self.message
    }

    /// Makes the events, once.
    pub fn open(&mut self, queue: &Queue, settings: &EventSettings, received_at_ms: u64) -> &Events {
        let Self { message, events, receive: _ } = self;
        events.get_or_insert_with(|| normalize::events(message, queue, settings, received_at_ms))
    }

    /// How many events the message makes; known after the first POST.
    pub fn events(&self) -> Option<usize> {
        self.events.as_ref().map(Events::len)
    }
}

impl Refusal {
    /// What an answer leaves for the dead-letter sink.
    pub fn of(answer: &Answer) -> Self {
        match answer {
            Answer::Status { code, body, .. } => Self { code: *code, data: body.clone() },
            Answer::Failed(failure) => {
                Self { code: 500, data: Bytes::from(format!("dispatch error: {}", failure.class.as_str())) }
            }
        }
    }

    /// The event as the dead-letter sink gets it: as Knative's dispatcher marks it.
    /// Source: knative/eventing `pkg/kncloudevents/event_dispatcher.go`.
    fn mark(&self, event: &Event, destination: &str) -> Event {
        let marked = event
            .clone()
            .with_extension("knativeerrordest", destination.to_owned())
            .with_extension("knativeerrorcode", self.code.to_string());
        if self.data.is_empty() {
            return marked;
        }
        marked.with_extension("knativeerrordata", BASE64_STANDARD.encode(&self.data))
    }
}

impl Courier {
    /// Makes the events, if this is the first POST of the message, and sends one.
    pub async fn deliver(&self, mut shipment: Shipment) -> Delivered {
        let started = Instant::now();
        let encoded = self.encode(&mut shipment);
        let sink = match (&shipment.to, &self.dead_letter_sink) {
            (Destination::DeadLetter(_), Some(sink)) => sink,
            (Destination::DeadLetter(_), None) | (Destination::Sink, _) => &self.sink,
        };
        let answer = {
            let _waiting = self.health.post_started(started.into_std());
            sink.post_received(&encoded, &shipment.parcel.receive).await
        };
        if shipment.to == Destination::Sink {
            match (verdict(&answer), &self.reports) {
                (Verdict::Accepted, _) => self.note_lag(&shipment.parcel.message),
                (Verdict::Refused | Verdict::Retry { .. }, Some(reports)) => reports.failed(&answer),
                (Verdict::Refused | Verdict::Retry { .. }, None) => {}
            }
        }
        Delivered { shipment, answer, elapsed: started.elapsed() }
    }

    fn note_lag(&self, message: &Message) {
        if let Some(sent) = message.attributes.sent_ms() {
            self.metrics.lag(Duration::from_millis(unix_ms().saturating_sub(sent)));
        }
    }

    fn encode(&self, shipment: &mut Shipment) -> Encoded {
        let first = shipment.parcel.events().is_none();
        let size = shipment.parcel.message.body.len();
        let events = shipment.parcel.open(&self.queue, &self.settings, unix_ms());
        if first {
            self.metrics.body_size(size);
            self.metrics.extensions_skipped(events.skipped_extensions);
        }
        let event = &events[shipment.index.min(events.len() - 1)];
        let encoded = match &shipment.to {
            Destination::Sink => event.encode(self.settings.content_mode),
            Destination::DeadLetter(refusal) => {
                refusal.mark(event, self.sink.url_without_user_info()).encode(self.settings.content_mode)
            }
        };
        if encoded.body.len() > SAFE_EVENT_SIZE {
            self.metrics.event_oversized();
        }
        encoded
    }
}

fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::{TransportClass, TransportFailure};

    #[test]
    fn a_refusal_keeps_what_the_dead_letter_sink_should_know() {
        let status = Answer::Status { code: 422, retry_after: None, body: Bytes::from_static(b"no such tenant") };
        assert_eq!(Refusal::of(&status), Refusal { code: 422, data: Bytes::from_static(b"no such tenant") });
        let failure = TransportFailure { class: TransportClass::Refused, message: "connection refused".into() };
        assert_eq!(
            Refusal::of(&Answer::Failed(failure)),
            Refusal { code: 500, data: Bytes::from_static(b"dispatch error: refused") }
        );
    }
}
