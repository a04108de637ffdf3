//! Timestamps of AWS and of producers -> RFC 3339 that every receiver parses. Pure.

use jiff::Timestamp;

/// `2018-12-17T21:41:09.180Z` for milliseconds since the Unix epoch.
///
/// A time after the year 9999 or before the year 1 is the epoch: no receiver parses it.
pub fn from_millis(millis: i64) -> String {
    format!("{:.3}", timestamp(millis))
}

/// `2018-12-17T21:41:09.18Z`, the same time without trailing zeros, as Go's RFC3339Nano has it.
pub fn from_millis_trimmed(millis: i64) -> String {
    timestamp(millis).to_string()
}

fn timestamp(millis: i64) -> Timestamp {
    let is_parsed = |time: &Timestamp| is_rfc3339(&time.to_string());
    Timestamp::from_millisecond(millis).ok().filter(is_parsed).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// True for an RFC 3339 timestamp as the strictest common parsers (Go, Python) want it: upper-case
/// `T` and `Z`, a date that exists, no leap second, a year from 1.
pub fn is_rfc3339(time: &str) -> bool {
    let bytes = time.as_bytes();
    let Some((date_time, rest)) = bytes.split_at_checked("2018-12-17T21:41:09".len()) else { return false };
    is_date_time(date_time) && is_offset(without_fraction(rest))
}

/// RFC 3339 of a time with CloudWatch's offset without colon, such as `2018-01-12T16:30:42.236+0000`.
pub fn from_cloudwatch(time: &str) -> Option<String> {
    if is_rfc3339(time) {
        return Some(time.to_owned());
    }
    let (date_time, offset) = time.split_at_checked(time.len().checked_sub("+0000".len())?)?;
    let (hours, minutes) = offset.split_at_checked("+00".len())?;
    let offset = if offset == "+0000" { "Z".to_owned() } else { format!("{hours}:{minutes}") };
    Some(format!("{date_time}{offset}")).filter(|time| is_rfc3339(time))
}

fn is_date_time(bytes: &[u8]) -> bool {
    let separators = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    let number = |from: usize, to: usize| digits(&bytes[from..to]);
    let (Some(year), Some(month), Some(day)) = (number(0, 4), number(5, 7), number(8, 10)) else { return false };
    let (Some(hour), Some(minute), Some(second)) = (number(11, 13), number(14, 16), number(17, 19)) else {
        return false;
    };
    separators.iter().all(|&(at, separator)| bytes[at] == separator)
        && year >= 1
        && (1..=days_in(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60
}

fn days_in(year: u32, month: u32) -> u32 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 0,
    }
}

/// What follows `.123`; an empty fraction is left standing, and so is no offset.
fn without_fraction(bytes: &[u8]) -> &[u8] {
    let Some(fraction) = bytes.strip_prefix(b".") else { return bytes };
    let length = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if length == 0 { bytes } else { &fraction[length..] }
}

fn is_offset(bytes: &[u8]) -> bool {
    match bytes {
        b"Z" => true,
        [b'+' | b'-', hours @ .., b':', _, _] if hours.len() == 2 => {
            digits(hours).is_some_and(|hours| hours < 24) && digits(&bytes[4..]).is_some_and(|minutes| minutes < 60)
        }
        _ => false,
    }
}

fn digits(bytes: &[u8]) -> Option<u32> {
    bytes.iter().try_fold(0, |number, byte| byte.is_ascii_digit().then(|| number * 10 + u32::from(byte - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_keep_three_digits() {
        assert_eq!(from_millis(1_545_082_869_183), "2018-12-17T21:41:09.183Z");
        assert_eq!(from_millis(1_545_082_869_000), "2018-12-17T21:41:09.000Z");
        assert_eq!(from_millis(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(from_millis(-1), "1969-12-31T23:59:59.999Z");
    }

    #[test]
    fn trailing_zeros_of_the_fraction_are_trimmed_like_go_does() {
        for (millis, expected) in [
            (1_545_082_869_183, "2018-12-17T21:41:09.183Z"),
            (1_545_082_869_180, "2018-12-17T21:41:09.18Z"),
            (1_545_082_869_000, "2018-12-17T21:41:09Z"),
            (1_545_082_860_000, "2018-12-17T21:41:00Z"),
            (0, "1970-01-01T00:00:00Z"),
        ] {
            assert_eq!(from_millis_trimmed(millis), expected);
        }
    }

    #[test]
    fn a_time_no_receiver_parses_is_the_epoch() {
        for millis in [i64::MAX, i64::MIN, -99_999_999_999_999] {
            assert_eq!(from_millis(millis), "1970-01-01T00:00:00.000Z", "{millis}");
        }
    }

    #[test]
    fn rfc3339_is_what_go_and_python_parse() {
        for valid in [
            "2018-12-17T21:41:09Z",
            "2018-12-17T21:41:09.1Z",
            "2018-12-17T21:41:09.123456789012+05:30",
            "2024-02-29T00:00:00-00:00",
            "0001-01-01T00:00:00Z",
        ] {
            assert!(is_rfc3339(valid), "{valid}");
        }
        for invalid in [
            "",
            "date",
            "2018-12-17",
            "2018-12-17T21:41:09",
            "2018-12-17t21:41:09Z",
            "2018-12-17T21:41:09z",
            "2018-12-17 21:41:09Z",
            "2018-12-17T21:41:60Z",
            "2018-12-17T24:00:00Z",
            "2018-13-17T21:41:09Z",
            "2023-02-29T00:00:00Z",
            "1900-02-29T00:00:00Z",
            "2018-04-31T00:00:00Z",
            "2018-12-00T21:41:09Z",
            "0000-01-01T00:00:00Z",
            "2018-12-17T21:41:09.Z",
            "2018-12-17T21:41:09+0000",
            "2018-12-17T21:41:09+24:00",
            "2018-12-17T21:41:09+05:60",
            "2018-12-17T21:41:09.1",
            "2018-12-17T21:41:0éZ",
            "+018-12-17T21:41:09Z",
        ] {
            assert!(!is_rfc3339(invalid), "{invalid}");
        }
    }

    #[test]
    fn cloudwatch_offsets_gain_their_colon() {
        let rfc3339 = |time| from_cloudwatch(time);
        assert_eq!(rfc3339("2018-01-12T16:30:42.236+0000").as_deref(), Some("2018-01-12T16:30:42.236Z"));
        assert_eq!(rfc3339("2018-01-12T16:30:42+0530").as_deref(), Some("2018-01-12T16:30:42+05:30"));
        assert_eq!(rfc3339("2018-01-12T16:30:42Z").as_deref(), Some("2018-01-12T16:30:42Z"));
        for invalid in ["", "é", "+0000", "2018-01-12T16:30:42", "2018-01-12T16:30:42 0000", "2018-01-12T16:30:42+00é"]
        {
            assert_eq!(rfc3339(invalid), None, "{invalid}");
        }
    }
}
