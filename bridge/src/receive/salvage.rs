//! JSON with escapes that stand for no character -> JSON that can be read. Pure.
//!
//! A server that lets a lone surrogate into a body makes the whole answer unreadable, with the nine other
//! messages in it, on every delivery: such an escape is replaced by that of U+FFFD, and so is what is not UTF-8.

const REPLACEMENT: &str = r"\ufffd";

/// Replaces each `\uD800`…`\uDFFF` that is no half of a pair.
pub(super) fn mend(json: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(json);
    let mut mended = String::with_capacity(text.len());
    let mut rest = text.as_ref();
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        mended.push_str(before);
        let length = match surrogate(escape) {
            Some(Half::High) if surrogate(escape.get(6..).unwrap_or_default()) == Some(Half::Low) => 12,
            Some(_) => {
                mended.push_str(REPLACEMENT);
                rest = &escape[6..];
                continue;
            }
            None => 1 + escape[1..].chars().next().map_or(0, char::len_utf8),
        };
        mended.push_str(&escape[..length]);
        rest = &escape[length..];
    }
    mended.push_str(rest);
    mended.into_bytes()
}

#[derive(Debug, PartialEq, Eq)]
enum Half {
    High,
    Low,
}

/// Which half of a surrogate pair the text begins with, if it does.
fn surrogate(text: &str) -> Option<Half> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    match u16::from_str_radix(digits, 16).ok()? {
        0xd800..=0xdbff => Some(Half::High),
        0xdc00..=0xdfff => Some(Half::Low),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_escapes_that_stand_for_no_character_are_replaced() {
        let cases = [
            (r#""plain""#, r#""plain""#),
            (r#""\ud83d\ude00""#, r#""\ud83d\ude00""#),
            (r#""a\ud800b""#, r#""a\ufffdb""#),
            (r#""\ude00""#, r#""\ufffd""#),
            (r#""\ud800\ud83d\ude00""#, r#""\ufffd\ud83d\ude00""#),
            (r#""\\ud800""#, r#""\\ud800""#),
            (r#""\\\ud800""#, r#""\\\ufffd""#),
            (r#""\n\u00e9\"""#, r#""\n\u00e9\"""#),
            (r#""\ud8"#, r#""\ud8"#),
            ("\\", "\\"),
        ];
        for (json, mended) in cases {
            assert_eq!(String::from_utf8(mend(json.as_bytes())).as_deref(), Ok(mended), "{json}");
        }
        assert_eq!(mend(b"\"\xff\""), "\"\u{fffd}\"".as_bytes());
    }
}
