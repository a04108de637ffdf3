//! Log settings -> the layer that writes lines. I/O: its writer.

use tracing_subscriber::filter::{FilterExt, Targets, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::{Layer, registry::LookupSpan};

use super::{TelemetryError, trace};
use crate::config::Logging;

/// Lines for people, or one JSON object each; spans that are made for traces are left out.
pub(super) fn layer<S, W>(logging: &Logging, writer: W) -> Result<Box<dyn Layer<S> + Send + Sync>, TelemetryError>
where
    S: tracing::Subscriber + for<'a> LookupSpan<'a>,
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let level: Result<Targets, _> = logging.level.parse();
    let level = level.map_err(|error| TelemetryError::Level(logging.level.clone(), error))?;
    let filter = level.and(filter_fn(|metadata| metadata.target() != trace::TARGET));
    let layer = tracing_subscriber::fmt::layer().with_writer(writer).with_ansi(logging.color && !logging.json);
    Ok(if logging.json {
        layer.json().flatten_event(true).with_current_span(false).with_span_list(false).with_filter(filter).boxed()
    } else {
        layer.with_filter(filter).boxed()
    })
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex, PoisonError};

    use tracing_subscriber::layer::SubscriberExt;

    use super::*;
    use crate::telemetry::ONE_SUBSCRIBER;

    /// What a subscriber with these settings writes of one event at each level and a span for traces.
    fn written(level: &str, json: bool, color: bool) -> String {
        let _turn = ONE_SUBSCRIBER.lock().unwrap_or_else(PoisonError::into_inner);
        let lines = Arc::new(Mutex::new(Vec::<u8>::new()));
        let logging = Logging { level: level.into(), json, color };
        let writer = {
            let lines = lines.clone();
            move || Lines(lines.clone())
        };
        let subscriber = tracing_subscriber::registry().with(layer(&logging, writer).unwrap());
        tracing::subscriber::with_default(subscriber, || {
            let span = tracing::info_span!(target: trace::TARGET, "POST");
            assert!(span.is_disabled(), "a span for traces costs something where there are none");
            span.in_scope(|| {
                tracing::debug!(suppressed = 3, "sink_retry");
                tracing::info!(queue = "orders", "started");
                tracing::warn!("nacked");
            });
        });
        let bytes = lines.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn json_is_one_flat_object_per_line() {
        let lines = written("info", true, true);
        let lines: Vec<serde_json::Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let shown: Vec<_> = lines.iter().map(|line| (&line["level"], &line["message"], &line["queue"])).collect();
        let expected = [("INFO", "started", serde_json::json!("orders")), ("WARN", "nacked", serde_json::Value::Null)];
        assert_eq!(shown.len(), 2);
        for ((level, message, queue), expected) in shown.into_iter().zip(expected) {
            assert_eq!((level.as_str(), message.as_str(), queue), (Some(expected.0), Some(expected.1), &expected.2));
        }
        assert!(lines[0]["timestamp"].is_string());
    }

    #[test]
    fn text_has_colours_only_when_asked() {
        let plain = written("debug", false, false);
        assert!(plain.contains("DEBUG") && plain.contains("sink_retry suppressed=3"), "{plain}");
        assert!(!plain.contains('\u{1b}') && !plain.contains("POST"), "{plain}");
        assert!(written("warn", false, true).contains('\u{1b}'));
        assert_eq!(written("warn", false, false).lines().count(), 1);
    }

    #[test]
    fn a_level_that_is_none_is_explained() {
        let logging = Logging { level: "a=b=c".into(), json: true, color: false };
        let error = layer::<tracing_subscriber::Registry, _>(&logging, std::io::sink).err().unwrap();
        assert_eq!(
            error.to_string(),
            "the log level `a=b=c` in K_LOGGING_CONFIG cannot be used: give debug, info, warn or error"
        );
    }
}
