//! The profile `eventing-awssqs` against what the original sent: headers and body, byte for byte.

use std::collections::BTreeMap;

use serde_json::Value;
use sqs_bridge::config::{ContentMode, Format};
use sqs_bridge::event::Encoded;
use sqs_bridge::normalize;

use crate::fixture::{published, queue, received, settings};

#[test]
fn every_request_equals_the_original_s() {
    let (Some(inputs), Some(outputs)) = (published("oracles/inputs.jsonl"), published("oracles/eventing-awssqs.jsonl"))
    else {
        return;
    };
    let mut compared = 0;
    for (input, output) in inputs.iter().zip(&outputs) {
        let events = normalize::events(&received(input), &queue(), &settings(Format::EventingAwssqs), 0);
        assert_eq!(events.len(), 1);
        let Encoded { headers, body } = events[0].encode(ContentMode::Auto);
        let headers: BTreeMap<String, &str> =
            headers.iter().map(|(name, value)| (name.as_str().to_owned(), value.to_str().unwrap())).collect();
        assert_eq!(headers, original_headers(output), "{}", output["origin"]);
        assert_eq!(std::str::from_utf8(&body).ok(), output["body"].as_str(), "{}", output["origin"]);
        compared += 1;
    }
    assert_eq!(compared, 236);
}

fn original_headers(output: &Value) -> BTreeMap<String, &str> {
    let headers = output["headers"].as_object().unwrap();
    headers.iter().map(|(name, values)| (name.to_ascii_lowercase(), values[0].as_str().unwrap())).collect()
}
