//! Names and values of attributes -> what CloudEvents and every receiver accept. Pure.

use std::borrow::Cow;

use super::Text;

/// Attributes that CloudEvents defines, and names it forbids.
const CONTEXT: [&str; 10] =
    ["specversion", "id", "source", "type", "time", "subject", "datacontenttype", "dataschema", "data", "data_base64"];

/// True if an extension attribute may have this name: lower-case letters and digits, not one
/// that CloudEvents itself uses.
pub fn is_extension_name(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        && !CONTEXT.contains(&name)
}

/// The lower-case letters and digits of a name, which may be none.
pub fn stripped(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|character| character.to_ascii_lowercase()).collect()
}

/// True if a value reads the same as a header whether or not the receiver percent-decodes it:
/// visible ASCII without `"` and `%`.
pub fn is_header_safe(value: &str) -> bool {
    value.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'%')
}

/// True if a CloudEvents String may hold this character: no control character, no Unicode non-character.
pub fn is_allowed(character: char) -> bool {
    !character.is_control() && !is_noncharacter(character)
}

/// Replaces each character that a CloudEvents String must not hold by the percent-escape of its UTF-8 bytes.
pub fn clean(value: Text) -> Text {
    if is_clean(&value) { value } else { Cow::Owned(escape(&value, is_allowed)) }
}

/// True if [`clean`] would change nothing.
pub fn is_clean(value: &str) -> bool {
    value.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_control()) || value.chars().all(is_allowed)
}

/// Replaces each character that is not `kept` by the percent-escape of its UTF-8 bytes, upper-case hex.
pub fn escape(value: &str, kept: impl Fn(char) -> bool) -> String {
    let mut escaped = String::with_capacity(value.len() + 16);
    for character in value.chars() {
        if kept(character) {
            escaped.push(character);
        } else {
            push_escape(&mut escaped, character);
        }
    }
    escaped
}

fn push_escape(out: &mut String, character: char) {
    const HEX: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    for byte in character.encode_utf8(&mut [0; 4]).bytes() {
        out.push('%');
        out.push(HEX[usize::from(byte >> 4)]);
        out.push(HEX[usize::from(byte & 15)]);
    }
}

/// U+FDD0 to U+FDEF, and the last two code points of each plane.
fn is_noncharacter(character: char) -> bool {
    let code = u32::from(character);
    (0xFDD0..=0xFDEF).contains(&code) || code & 0xFFFE == 0xFFFE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lower_case_letters_and_digits_name_an_extension() {
        for name in ["team", "a1", "1a", "averyveryverylongextensionname"] {
            assert!(is_extension_name(name), "{name}");
        }
        for name in ["", "Team", "my-ext", "my_ext", "é", "id", "data", "specversion", "data_base64"] {
            assert!(!is_extension_name(name), "{name}");
        }
    }

    #[test]
    fn forbidden_characters_become_percent_escapes_and_the_rest_stays() {
        let dirty = "a\0b\tc\u{7f}d\u{85}e\u{fdd0}f\u{fffe}g\u{1ffff}h %é\"";
        assert_eq!(clean(dirty.into()), "a%00b%09c%7Fd%C2%85e%EF%B7%90f%EF%BF%BEg%F0%9F%BF%BFh %é\"");
        assert_eq!(clean("Euro €😀".into()), "Euro €😀");
    }

    #[test]
    fn quotes_percent_signs_spaces_and_non_ascii_are_not_header_safe() {
        assert!(is_header_safe("arn:aws:sqs:eu-north-1:123456789012:q!#$&'()*+,-./:;<=>?@[]^_`{|}~"));
        for value in ["a b", "a\"b", "a%40b", "é", "a\tb", "\u{7f}"] {
            assert!(!is_header_safe(value), "{value:?}");
        }
    }
}
