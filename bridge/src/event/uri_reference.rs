//! Any text -> a URI-reference (RFC 3986) that receivers parse. Pure.
//!
//! Go's URL parser, which Knative's broker runs on every source, refuses the whole event for
//! one it does not like; so this is as strict as that parser where it is stricter than the RFC.

use std::borrow::Cow;

use super::Text;
use super::attribute::escape;

/// The text as it is if it is a URI-reference; else with each illegal byte percent-encoded.
pub fn encode(text: Text) -> Text {
    if is_valid(&text) {
        return text;
    }
    let legal_bytes = escape_illegal(&text);
    if is_valid(&legal_bytes) { Cow::Owned(legal_bytes) } else { Cow::Owned(as_path(&text)) }
}

/// True for a URI-reference that is not empty.
pub fn is_valid(text: &str) -> bool {
    let (text, fragment) = text.split_once('#').unwrap_or((text, ""));
    let (hierarchy, query) = text.split_once('?').unwrap_or((text, ""));
    let tail_ok = |tail: &str| is_made_of(tail, |byte| is_path_byte(byte) || byte == b'?');
    let known = !(hierarchy.is_empty() && query.is_empty() && fragment.is_empty());
    known && tail_ok(fragment) && tail_ok(query) && is_hierarchy(hierarchy)
}

/// True for a URI with a scheme.
pub fn is_absolute(text: &str) -> bool {
    is_valid(text) && text.split(['/', '?', '#']).next().is_some_and(|start| start.contains(':'))
}

fn is_hierarchy(hierarchy: &str) -> bool {
    let first_segment = hierarchy.split('/').next().unwrap_or_default();
    let rest = match first_segment.split_once(':') {
        Some((scheme, _)) if is_scheme(scheme) => &hierarchy[scheme.len() + 1..],
        Some(_) => return false,
        None => hierarchy,
    };
    match rest.strip_prefix("//") {
        Some(rest) => {
            let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            is_authority(authority) && is_made_of(path, is_path_byte)
        }
        None => is_made_of(rest, is_path_byte),
    }
}

fn is_scheme(scheme: &str) -> bool {
    scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

fn is_authority(authority: &str) -> bool {
    let (userinfo, host_port) = authority.rsplit_once('@').unwrap_or(("", authority));
    let (host, port) = match host_port.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port),
        _ => (host_port, ""),
    };
    let is_address = |address: &str| address.bytes().all(|byte| byte.is_ascii_hexdigit() || b":.".contains(&byte));
    let host_ok = match host.strip_prefix('[') {
        Some(literal) => literal.strip_suffix(']').is_some_and(|address| !address.is_empty() && is_address(address)),
        None => host.bytes().all(|byte| is_unreserved(byte) || is_sub_delimiter(byte)),
    };
    host_ok
        && port.bytes().all(|byte| byte.is_ascii_digit())
        && is_made_of(userinfo, |byte| is_unreserved(byte) || is_sub_delimiter(byte) || byte == b':')
}

/// True if each byte is legal or begins a percent-escape.
fn is_made_of(text: &str, legal: impl Fn(u8) -> bool) -> bool {
    let bytes = text.as_bytes();
    (0..bytes.len()).all(|at| legal(bytes[at]) || is_escape(bytes, at))
}

fn is_escape(bytes: &[u8], at: usize) -> bool {
    bytes[at] == b'%' && bytes.get(at + 1..at + 3).is_some_and(|hex| hex.iter().all(|digit| digit.is_ascii_hexdigit()))
}

/// What may stand in path, query and fragment without an escape, `?` excepted.
fn is_path_byte(byte: u8) -> bool {
    is_unreserved(byte) || is_sub_delimiter(byte) || b":@/".contains(&byte)
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

fn is_sub_delimiter(byte: u8) -> bool {
    b"!$&'()*+,;=".contains(&byte)
}

fn escape_illegal(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 16);
    let mut fragment = false;
    for (at, character) in text.char_indices() {
        let legal = match u8::try_from(character) {
            Ok(b'#') => !std::mem::replace(&mut fragment, true),
            Ok(b'?') => true,
            Ok(b'%') => is_escape(text.as_bytes(), at),
            Ok(byte) => is_path_byte(byte),
            Err(_) => false,
        };
        escaped.push_str(&escape(character.encode_utf8(&mut [0; 4]), |_| legal));
    }
    escaped
}

/// A relative path, whatever the text: no scheme, no authority, no query.
fn as_path(text: &str) -> String {
    let slash = !text.starts_with("//");
    escape(text, |character| u8::try_from(character).is_ok_and(is_unreserved) || (slash && character == '/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_aws_and_programs_send_as_source_stays() {
        for source in [
            "aws.ec2",
            "my.app",
            "arn:aws:sqs:eu-north-1:123456789012:q",
            "arn:aws:sqs:eu-north-1::q",
            "aws:s3.us-east-1.bkt",
            "https://sqs.us-east-2.amazonaws.com/123456789012/MyQueue",
            "http://user:p%40ss@[::1]:8080/a?b=c&d=/?#e",
            "/sensors/tn-1234567/alerts",
            "//host:80/x",
            "urn:event:from:myapi/resource/123",
            "mailto:cncf-wg@lists.cncf.io",
            "my%20app",
        ] {
            assert!(is_valid(source), "{source}");
            assert_eq!(encode(source.into()), source);
        }
    }

    #[test]
    fn illegal_bytes_are_escaped_and_legal_ones_kept() {
        for (text, encoded) in [
            ("my app", "my%20app"),
            ("a#b#c", "a#b%23c"),
            ("a[0]", "a%5B0%5D"),
            ("100%", "100%25"),
            ("%2", "%252"),
            ("müll\n", "m%C3%BCll%0A"),
            ("arn:aws:cloudwatch:us-east-1:1:alarm:A B", "arn:aws:cloudwatch:us-east-1:1:alarm:A%20B"),
        ] {
            assert_eq!(encode(text.into()), encoded);
            assert!(is_valid(encoded), "{encoded}");
        }
    }

    #[test]
    fn text_that_only_looks_like_a_scheme_or_authority_becomes_a_path() {
        for (text, encoded) in [
            ("my_app:orders/1", "my_app%3Aorders/1"),
            (":x", "%3Ax"),
            ("1a:b?c", "1a%3Ab%3Fc"),
            ("//a b/c", "%2F%2Fa%20b%2Fc"),
            ("http://h:x/", "http%3A//h%3Ax/"),
        ] {
            assert!(!is_valid(text), "{text}");
            assert_eq!(encode(text.into()), encoded);
            assert!(is_valid(encoded), "{encoded}");
        }
    }

    #[test]
    fn an_absolute_uri_has_a_scheme() {
        assert!(is_absolute("urn:x"));
        assert!(!is_absolute("/x:y"));
        assert!(!is_absolute("x"));
    }
}
