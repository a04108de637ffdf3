//! The text of one setting -> its value, or a clause that says what to write instead. Pure.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use url::Url;

/// What a value should be instead, such as `use a number from 1 to 10`.
pub type Fix = String;

/// Durations such as `200ms`, `30s`, `15m`, `1h30m`, within these bounds.
pub fn duration(bounds: std::ops::RangeInclusive<Duration>) -> impl Fn(&str) -> Result<Duration, Fix> {
    move |text| {
        duration_text(text).filter(|value| bounds.contains(value)).ok_or_else(|| {
            let (least, most) = (show_duration(*bounds.start()), show_duration(*bounds.end()));
            format!("use a duration from {least} to {most}, such as 200ms, 30s or 15m")
        })
    }
}

/// Durations of whole seconds within these bounds.
pub fn seconds(bounds: std::ops::RangeInclusive<u64>) -> impl Fn(&str) -> Result<Duration, Fix> {
    move |text| {
        duration_text(text).filter(|value| value.subsec_nanos() == 0 && bounds.contains(&value.as_secs())).ok_or_else(
            || {
                let least = show_duration(Duration::from_secs(*bounds.start()));
                let most = show_duration(Duration::from_secs(*bounds.end()));
                format!("use whole seconds from {least} to {most}, such as {least}")
            },
        )
    }
}

/// Whole numbers within these bounds.
pub fn integer<T>(bounds: std::ops::RangeInclusive<T>) -> impl Fn(&str) -> Result<T, Fix>
where
    T: FromStr + PartialOrd + std::fmt::Display,
{
    move |text| {
        let value = text.trim().parse().ok().filter(|value| bounds.contains(value));
        value.ok_or_else(|| format!("use a whole number from {} to {}", bounds.start(), bounds.end()))
    }
}

/// One of these names.
pub fn choice<T: Copy>(names: &'static [(&'static str, T)]) -> impl Fn(&str) -> Result<T, Fix> {
    move |text| {
        let found = names.iter().find(|(name, _)| *name == text.trim());
        found.map(|(_, value)| *value).ok_or_else(|| {
            let names: Vec<_> = names.iter().map(|(name, _)| *name).collect();
            format!("use one of {}", names.join(", "))
        })
    }
}

/// `true` or `false`.
pub fn boolean(text: &str) -> Result<bool, Fix> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err("use true or false".to_owned()),
    }
}

/// A quantity of bytes as Kubernetes writes it, such as `64Mi`, `100M` or `67108864`, of at least this many bytes.
pub fn quantity(least: u64) -> impl Fn(&str) -> Result<u64, Fix> {
    move |text| {
        quantity_text(text)
            .filter(|value| *value >= least)
            .ok_or_else(|| format!("use a quantity of bytes of at least {}Mi, such as 64Mi", least / (1 << 20)))
    }
}

/// A positive number.
pub fn rate(text: &str) -> Result<f64, Fix> {
    let value = text.trim().parse().ok().filter(|value: &f64| value.is_finite() && *value > 0.0);
    value.ok_or_else(|| "use a number of events per second above 0".to_owned())
}

/// A number from 0 to 1.
pub fn ratio(text: &str) -> Result<f64, Fix> {
    let value = text.trim().parse().ok().filter(|value| (0.0..=1.0).contains(value));
    value.ok_or_else(|| "use a number from 0 to 1".to_owned())
}

/// An absolute http or https URL.
pub fn http_url(text: &str) -> Result<Url, Fix> {
    Url::parse(text.trim())
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .ok_or_else(|| "use an absolute http or https URL".to_owned())
}

/// Scheme, host and perhaps port, without a path.
pub fn origin_url(text: &str) -> Result<Url, Fix> {
    http_url(text)
        .ok()
        .filter(|url| url.path() == "/" && url.query().is_none() && url.fragment().is_none())
        .ok_or_else(|| "use an http or https URL without a path, such as http://localhost:4566".to_owned())
}

/// The path of a file or folder, not looked at.
pub fn path(text: &str) -> Result<PathBuf, Fix> {
    Ok(PathBuf::from(text))
}

/// Any text.
pub fn text(text: &str) -> Result<String, Fix> {
    Ok(text.to_owned())
}

/// One or more PEM certificates.
pub fn certificates(text: &str) -> Result<String, Fix> {
    let fix = || "use PEM certificates, from -----BEGIN CERTIFICATE----- on".to_owned();
    let parsed: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
    if parsed.map_err(|_| fix())?.is_empty() { Err(fix()) } else { Ok(text.to_owned()) }
}

/// `host:port`; without a host, every address of IPv6 and IPv4.
pub fn address(text: &str) -> Result<SocketAddr, Fix> {
    let text = text.trim();
    let full = if text.starts_with(':') { format!("[::]{text}") } else { text.replace("localhost:", "127.0.0.1:") };
    full.parse().map_err(|_| "use an address such as :8080, 127.0.0.1:8080 or [::]:8080".to_owned())
}

/// The ARN of an IAM role.
pub fn role_arn(text: &str) -> Result<String, Fix> {
    let parts: Vec<_> = text.split(':').collect();
    let is_role = matches!(parts.as_slice(), ["arn", partition, "iam", "", account, role]
        if partition.starts_with("aws")
            && account.len() == 12
            && account.bytes().all(|byte| byte.is_ascii_digit())
            && role.strip_prefix("role/").is_some_and(|name| !name.is_empty() && !name.contains(char::is_whitespace)));
    if is_role { Ok(text.to_owned()) } else { Err("use a role's ARN, arn:aws:iam::<account>:role/<name>".to_owned()) }
}

/// The name of an STS session.
///
/// Form: <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>.
pub fn session_name(text: &str) -> Result<String, Fix> {
    let valid = (2..=64).contains(&text.len()) && text.chars().all(is_session_character);
    if valid { Ok(text.to_owned()) } else { Err("use 2 to 64 letters, digits or _+=,.@-".to_owned()) }
}

/// True for the characters that STS allows in a session name.
pub fn is_session_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || "_+=,.@-".contains(character)
}

/// The external id of a role's trust policy.
pub fn external_id(text: &str) -> Result<String, Fix> {
    let allowed = |character: char| character.is_ascii_alphanumeric() || "_+=,.@:/-".contains(character);
    let valid = (2..=1224).contains(&text.len()) && text.chars().all(allowed);
    if valid { Ok(text.to_owned()) } else { Err("use 2 to 1224 letters, digits or _+=,.@:/-".to_owned()) }
}

/// A duration in the form that [`duration`] reads.
pub fn show_duration(value: Duration) -> String {
    let milliseconds = value.as_millis();
    for (unit, size) in [("h", 3_600_000), ("m", 60_000), ("s", 1_000)] {
        if milliseconds >= size && milliseconds.is_multiple_of(size) {
            return format!("{}{unit}", milliseconds / size);
        }
    }
    if milliseconds == 0 { "0s".to_owned() } else { format!("{milliseconds}ms") }
}

fn duration_text(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut sum = Duration::ZERO;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let unit_at = rest.find(|character: char| !character.is_ascii_digit() && character != '.')?;
        let (number, tail) = rest.split_at(unit_at);
        let (milliseconds, tail) = unit(tail)?;
        sum =
            sum.checked_add(Duration::try_from_secs_f64(number.parse::<f64>().ok()? * milliseconds / 1000.0).ok()?)?;
        rest = tail;
    }
    Some(sum)
}

fn unit(text: &str) -> Option<(f64, &str)> {
    // "ms" before "m", or milliseconds would read as minutes.
    [("ms", 1.0), ("s", 1_000.0), ("m", 60_000.0), ("h", 3_600_000.0)]
        .into_iter()
        .find_map(|(name, milliseconds)| text.strip_prefix(name).map(|rest| (milliseconds, rest)))
}

/// Forms: <https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/>.
fn quantity_text(text: &str) -> Option<u64> {
    let text = text.trim();
    let suffix_at = text.find(|character: char| !character.is_ascii_digit() && character != '.').unwrap_or(text.len());
    let (number, suffix) = text.split_at(suffix_at);
    let factor = match suffix {
        "" => 1.0,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "Ki" => f64::from(1 << 10),
        "Mi" => f64::from(1 << 20),
        "Gi" => f64::from(1 << 30),
        "Ti" => (1_u64 << 40) as f64,
        exponent => 10_f64.powi(exponent.strip_prefix(['e', 'E'])?.parse::<i32>().ok()?),
    };
    let bytes = number.parse::<f64>().ok()? * factor;
    (bytes.is_finite() && bytes < u64::MAX as f64).then_some(bytes as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        let cases = [
            ("200ms", Some(200)),
            ("30s", Some(30_000)),
            ("15m", Some(900_000)),
            ("1h30m", Some(5_400_000)),
            ("1.5s", Some(1_500)),
            ("0s", Some(0)),
            (" 2s ", Some(2_000)),
            ("", None),
            ("30", None),
            ("s", None),
            ("-1s", None),
            ("1d", None),
            ("PT30S", None),
            ("1..2s", None),
            ("99999999999999999999h", None),
        ];
        for (text, expected) in cases {
            assert_eq!(duration_text(text), expected.map(Duration::from_millis), "{text}");
        }
    }

    #[test]
    fn quantities_are_those_of_kubernetes() {
        let cases = [
            ("64Mi", Some(67_108_864)),
            ("67108864", Some(67_108_864)),
            ("1.5Gi", Some(1_610_612_736)),
            ("100M", Some(100_000_000)),
            ("12e6", Some(12_000_000)),
            ("64mi", None),
            ("Mi", None),
            ("-1", None),
            ("1e999", None),
        ];
        for (text, expected) in cases {
            assert_eq!(quantity_text(text), expected, "{text}");
        }
    }

    #[test]
    fn durations_are_shown_in_the_largest_unit_that_fits() {
        let cases =
            [(0, "0s"), (200, "200ms"), (45_000, "45s"), (90_000, "90s"), (900_000, "15m"), (39_600_000, "11h")];
        for (milliseconds, expected) in cases {
            assert_eq!(show_duration(Duration::from_millis(milliseconds)), expected);
        }
    }

    #[test]
    fn roles_sessions_and_external_ids_are_checked_as_aws_does() {
        assert!(role_arn("arn:aws:iam::123456789012:role/team/reader").is_ok());
        assert!(role_arn("arn:aws-cn:iam::123456789012:role/reader").is_ok());
        for wrong in
            ["reader", "arn:aws:iam::12:role/x", "arn:aws:iam::123456789012:user/x", "arn:aws:iam::123456789012:role/"]
        {
            assert!(role_arn(wrong).is_err(), "{wrong}");
        }
        assert!(session_name("ns.orders").is_ok());
        assert!(session_name("a").is_err());
        assert!(session_name("with space").is_err());
        assert!(external_id("team:a/b").is_ok());
        assert!(external_id("x").is_err());
    }

    #[test]
    fn certificates_must_parse() {
        assert!(certificates("").is_err());
        assert!(certificates("-----BEGIN CERTIFICATE-----").is_err());
        assert!(certificates("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n").is_err());
        let pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert_eq!(certificates(pem), Ok(pem.to_owned()));
    }

    #[test]
    fn addresses_may_leave_out_the_host() {
        assert_eq!(address(":8080"), Ok("[::]:8080".parse().expect("an address")));
        assert_eq!(address("localhost:0"), Ok("127.0.0.1:0".parse().expect("an address")));
        assert_eq!(address("[::]:8080"), Ok("[::]:8080".parse().expect("an address")));
        assert!(address("8080").is_err());
    }
}
