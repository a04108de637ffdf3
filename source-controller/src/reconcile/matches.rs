//! What we want of an object and what the API server has -> does anything have to be written. Pure.

use serde_json::Value;

use crate::quantity;

/// True if `live` has everything that `desired` says; what others or the API server's defaults add to objects is theirs.
///
/// Lists must have the same length: an item too many is a difference. Amounts may be spelt differently.
pub fn covers(desired: &Value, live: &Value) -> bool {
    match (desired, live) {
        (Value::Object(desired), Value::Object(live)) => desired
            .iter()
            .all(|(key, value)| live.get(key).map_or_else(|| is_nothing(value), |live| covers(value, live))),
        (Value::Array(desired), Value::Array(live)) => {
            desired.len() == live.len() && desired.iter().zip(live).all(|(desired, live)| covers(desired, live))
        }
        (Value::String(desired), Value::String(live)) => desired == live || same_amount(desired, live),
        (Value::Number(desired), Value::String(live)) => same_amount(&desired.to_string(), live),
        (Value::Number(desired), Value::Number(live)) => desired.as_f64() == live.as_f64(),
        (desired, live) => desired == live || (is_nothing(desired) && is_nothing(live)),
    }
}

/// What the API server need not store: null, and empty lists, objects and texts.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.values().all(is_nothing),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

fn same_amount(desired: &str, live: &str) -> bool {
    matches!((quantity::parse(desired), quantity::parse(live)), (Some(desired), Some(live)) if desired == live)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn defaults_of_the_server_are_no_difference() {
        let desired = json!({"spec": {"env": [{"name": "A", "value": ""}], "cpu": "0.5", "affinity": {}}});
        let live = json!({"spec": {"env": [{"name": "A"}], "cpu": "500m", "dnsPolicy": "ClusterFirst"}, "status": {}});
        assert!(covers(&desired, &live));
    }

    #[test]
    fn a_changed_a_missing_and_an_additional_item_are_differences() {
        let desired = json!({"env": [{"name": "A", "value": "1"}]});
        assert!(!covers(&desired, &json!({"env": [{"name": "A", "value": "2"}]})));
        assert!(!covers(&desired, &json!({"env": []})));
        assert!(!covers(&desired, &json!({"env": [{"name": "A", "value": "1"}, {"name": "B"}]})));
        assert!(!covers(&desired, &json!({})));
    }
}
