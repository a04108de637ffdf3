//! A `Retry-After` header -> a wait from now. Pure.

use std::time::{Duration, SystemTime};

use http::HeaderValue;

/// The wait that `Retry-After` asks for: whole seconds or an HTTP date (RFC 9110 §10.2.3); `None` if it is neither.
///
/// A date in the past is no wait.
pub(super) fn parse(value: &HeaderValue, now: SystemTime) -> Option<Duration> {
    let value = value.to_str().ok()?.trim();
    if value.bytes().all(|byte| byte.is_ascii_digit()) {
        return value.parse().ok().map(Duration::from_secs);
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_all_three_forms_of_dates_become_a_wait() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777 - 90);
        let cases: [(&str, Option<u64>); 10] = [
            ("0", Some(0)),
            (" 120 ", Some(120)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(90)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", Some(90)),
            ("Sun Nov  6 08:49:37 1994", Some(90)),
            ("Sun, 06 Nov 1994 08:40:00 GMT", Some(0)),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
            ("", None),
        ];
        for (value, expected) in cases {
            let header = HeaderValue::from_static(value);
            assert_eq!(parse(&header, now), expected.map(Duration::from_secs), "{value:?}");
        }
        assert_eq!(parse(&HeaderValue::from_static("99999999999999999999999"), now), None);
    }
}
