//! A body of no known shape -> JSON or text. Pure.

use serde::de::IgnoredAny;

use super::Payload;

/// JSON for one valid object, array or string, however deep; text for everything else, numbers, `true` and
/// `null` among it.
pub(super) fn decode(body: &str) -> Payload<'_> {
    if is_json(body) { Payload::Json } else { Payload::Text }
}

/// True for one valid JSON object, array or string; nested values take no stack.
pub(crate) fn is_json(body: &str) -> bool {
    matches!(first_byte(body), Some(b'{' | b'[' | b'"')) && serde_json::from_str::<IgnoredAny>(body).is_ok()
}

/// The first byte that is not JSON white space.
pub(super) fn first_byte(body: &str) -> Option<u8> {
    body.bytes().find(|byte| !b" \t\n\r".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_object_array_or_string_is_json() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        for json in ["{}", " [1]\r\n", "\"baz\"", "\t{\"a\":1,\"a\":2}", r#"{"a":"\ud800","n":1e999}"#, &deep] {
            assert_eq!(decode(json), Payload::Json, "{json:.40}");
        }
    }

    #[test]
    fn everything_else_is_text() {
        let open = "[".repeat(100_000);
        let texts = [
            "",
            " ",
            "1",
            "true",
            "null",
            "hello",
            "{",
            "{}{}",
            "\"a\"\n\"b\"",
            "{'a':1}",
            "[1,]",
            "\"\\x\"",
            "\"a\nb\"",
            "\u{feff}{}",
            "H4sIAAAAAAAA",
            "<a/>",
            "{\"a\":\"\0\"}",
            &open,
        ];
        for text in texts {
            assert_eq!(decode(text), Payload::Text, "{text:.40?}");
        }
    }
}
