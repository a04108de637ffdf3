//! A JSON value and a merge patch (RFC 7396) -> the patched value. Pure.

use serde_json::{Map, Value};

/// Applies the patch: objects are merged, `null` removes, anything else replaces.
pub fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(fields) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    for (name, value) in fields {
        if value.is_null() {
            drop(target.as_object_mut().and_then(|target| target.remove(name)));
        } else {
            merge(&mut target[name], value);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn objects_are_merged_null_removes_and_lists_are_replaced() {
        let mut target = json!({"a": {"b": 1, "c": 2}, "d": [1, 2], "e": 1});
        merge(&mut target, &json!({"a": {"b": null, "f": {"g": null, "h": 3}}, "d": [3], "e": null}));
        assert_eq!(target, json!({"a": {"c": 2, "f": {"h": 3}}, "d": [3]}));
    }
}
