//! ConfigMap `config-observability` -> `K_OBSERVABILITY_CONFIG` of every adapter. Pure.

use std::time::Duration;

use serde_json::{Value, json};

use super::Data;

/// What adapters get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forwarded {
    /// The JSON text of `K_OBSERVABILITY_CONFIG`; durations are whole nanoseconds.
    pub config: String,
    /// `sink-event-error-reporting.enable`: adapters report failed deliveries as Kubernetes Events.
    pub reports_failed_deliveries: bool,
    /// Keys whose values make no sense and are not forwarded, one sentence each.
    pub problems: Vec<String>,
}

/// Reads the map; an absent key is Knative's default, a key that makes no sense is left out and told.
pub fn forward(data: &Data) -> Forwarded {
    let mut reader = Reader { data, problems: Vec::new() };
    let metrics = reader.metrics();
    let tracing = reader.tracing();
    let profiling = reader.text("runtime-profiling").unwrap_or("disabled");
    let reports = reader.text("sink-event-error-reporting.enable").is_some_and(|value| value == "true");
    let config = json!({
        "tracing": tracing,
        "metrics": metrics,
        "runtime": {"profiling": profiling, "exportInterval": reader.interval("runtime-export-interval", 15)},
        "enableSinkEventErrorReporting": reports,
    });
    Forwarded { config: config.to_string(), reports_failed_deliveries: reports, problems: reader.problems }
}

struct Reader<'a> {
    data: &'a Data,
    problems: Vec<String>,
}

impl Reader<'_> {
    fn text(&self, key: &str) -> Option<&str> {
        self.data.get(key).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    fn metrics(&mut self) -> Value {
        let protocol = self.choice("metrics-protocol", &["none", "prometheus", "http/protobuf", "grpc"]);
        let mut metrics = json!({"protocol": protocol});
        match (protocol, self.text("metrics-endpoint")) {
            ("none", None) => return metrics,
            ("none", Some(_)) => {
                self.problem("metrics-endpoint needs a metrics-protocol other than none");
                return metrics;
            }
            ("prometheus", endpoint) => metrics["endpoint"] = json!(endpoint.unwrap_or(":9092")),
            (_, Some(endpoint)) => metrics["endpoint"] = json!(endpoint),
            (_, None) => {
                self.problem("metrics-endpoint is missing: metrics are not exported");
                return json!({"protocol": "none"});
            }
        }
        metrics["exportInterval"] = json!(self.interval("metrics-export-interval", 60));
        metrics
    }

    fn tracing(&mut self) -> Value {
        let protocol = self.choice("tracing-protocol", &["none", "http/protobuf", "grpc", "stdout"]);
        let mut tracing = json!({"protocol": protocol});
        match (protocol, self.text("tracing-endpoint")) {
            ("none" | "stdout", _) => {}
            (_, Some(endpoint)) => tracing["endpoint"] = json!(endpoint),
            (_, None) => {
                self.problem("tracing-endpoint is missing: traces are not exported");
                return json!({"protocol": "none"});
            }
        }
        if let Some(rate) = self.text("tracing-sampling-rate") {
            match rate.parse::<f64>() {
                Ok(rate) if (0.0..=1.0).contains(&rate) => tracing["samplingRate"] = json!(rate),
                _ => self.problem("tracing-sampling-rate must be a number from 0 to 1"),
            }
        }
        tracing
    }

    fn choice(&mut self, key: &str, choices: &[&'static str]) -> &'static str {
        let Some(value) = self.text(key) else { return "none" };
        match choices.iter().find(|choice| **choice == value) {
            Some(choice) => choice,
            None => {
                self.problem(&format!("{key} must be one of {}", choices.join(", ")));
                "none"
            }
        }
    }

    /// Nanoseconds, as Go's JSON has durations.
    fn interval(&mut self, key: &str, default_seconds: u64) -> u64 {
        let nanoseconds = |duration: Duration| u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        let default = nanoseconds(Duration::from_secs(default_seconds));
        let Some(text) = self.text(key) else { return default };
        match go_duration(text) {
            Some(duration) => nanoseconds(duration),
            None => {
                self.problem(&format!("{key} must be a duration such as 60s"));
                default
            }
        }
    }

    fn problem(&mut self, problem: &str) {
        self.problems.push(problem.to_owned());
    }
}

/// A duration as Go writes it; `jiff` reads the same units.
fn go_duration(text: &str) -> Option<Duration> {
    let duration: jiff::SignedDuration = text.parse().ok()?;
    Duration::try_from(duration).ok().filter(|duration| !duration.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(pairs: &[(&str, &str)]) -> Data {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn an_empty_map_forwards_the_defaults() {
        let expected = json!({
            "tracing": {"protocol": "none"},
            "metrics": {"protocol": "none"},
            "runtime": {"profiling": "disabled", "exportInterval": 15_000_000_000_u64},
            "enableSinkEventErrorReporting": false,
        });
        let forwarded = forward(&Data::new());
        assert_eq!(serde_json::from_str::<Value>(&forwarded.config).unwrap(), expected);
        assert_eq!(forwarded.problems, Vec::<String>::new());
    }

    #[test]
    fn every_key_is_forwarded() {
        let forwarded = forward(&data(&[
            ("metrics-protocol", "prometheus"),
            ("metrics-export-interval", "1m30s"),
            ("tracing-protocol", "grpc"),
            ("tracing-endpoint", "http://collector:4317"),
            ("tracing-sampling-rate", "0.25"),
            ("runtime-profiling", "enabled"),
            ("sink-event-error-reporting.enable", "true"),
        ]));
        let expected = json!({
            "tracing": {"protocol": "grpc", "endpoint": "http://collector:4317", "samplingRate": 0.25},
            "metrics": {"protocol": "prometheus", "endpoint": ":9092", "exportInterval": 90_000_000_000_u64},
            "runtime": {"profiling": "enabled", "exportInterval": 15_000_000_000_u64},
            "enableSinkEventErrorReporting": true,
        });
        assert_eq!(serde_json::from_str::<Value>(&forwarded.config).unwrap(), expected);
        assert!(forwarded.reports_failed_deliveries);
    }

    #[test]
    fn what_makes_no_sense_is_left_out_and_told() {
        let forwarded = forward(&data(&[
            ("metrics-protocol", "grpc"),
            ("tracing-protocol", "zipkin"),
            ("tracing-sampling-rate", "2"),
        ]));
        assert_eq!(
            forwarded.problems,
            [
                "metrics-endpoint is missing: metrics are not exported",
                "tracing-protocol must be one of none, http/protobuf, grpc, stdout",
                "tracing-sampling-rate must be a number from 0 to 1",
            ]
        );
    }
}
