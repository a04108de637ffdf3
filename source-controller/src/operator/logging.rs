//! ConfigMap `config-logging` -> `K_LOGGING_CONFIG` of every adapter. Pure.

use serde_json::{Value, json};

use super::Data;

/// The key of zap's own settings, in the ConfigMap and in what adapters get.
const ZAP: &str = "zap-logger-config";

/// The component whose level adapters use.
pub const COMPONENT: &str = "awssqssource";

/// A JSON object whose key `zap-logger-config` holds zap's settings as a string, with the component's level put in.
///
/// Nothing when the map says nothing about it: then adapters use their own default.
pub fn forward(data: &Data) -> Option<String> {
    let level = data.get(&format!("loglevel.{COMPONENT}")).map(|level| level.trim()).filter(|level| !level.is_empty());
    let zap = data.get(ZAP).map(|zap| zap.trim()).filter(|zap| !zap.is_empty());
    if level.is_none() && zap.is_none() {
        return None;
    }
    let mut settings: Value = zap.and_then(|zap| serde_json::from_str(zap).ok()).unwrap_or_else(|| json!({}));
    if let Some(level) = level {
        settings["level"] = json!(level);
    }
    Some(json!({ ZAP: settings.to_string() }).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_components_level_replaces_the_general_one() {
        let data = Data::from([
            ("zap-logger-config".to_owned(), r#"{"level": "info", "encoding": "json"}"#.to_owned()),
            ("loglevel.awssqssource".to_owned(), "debug".to_owned()),
            ("loglevel.controller".to_owned(), "error".to_owned()),
        ]);
        let expected = r#"{"zap-logger-config":"{\"encoding\":\"json\",\"level\":\"debug\"}"}"#;
        assert_eq!(forward(&data).as_deref(), Some(expected));
    }

    #[test]
    fn a_map_that_says_nothing_forwards_nothing() {
        assert_eq!(forward(&Data::from([("_example".to_owned(), "x".to_owned())])), None);
        assert_eq!(
            forward(&Data::from([("zap-logger-config".to_owned(), "not json".to_owned())])).as_deref(),
            Some(r#"{"zap-logger-config":"{}"}"#)
        );
    }
}
