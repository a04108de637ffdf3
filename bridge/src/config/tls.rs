//! Knative's `TLS_*` variables -> which TLS is spoken with sinks. Pure.

use super::Strings;
use super::parse::{self, Fix};
use super::read::Reader;
use super::settings;

/// Which TLS is spoken with sinks: Knative's `TLS_*` variables, spelled as Go spells them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// `TLS_MIN_VERSION`: `1.2` or `1.3`. Default 1.3.
    pub min_version: TlsVersion,
    /// `TLS_MAX_VERSION`: `1.2` or `1.3`. Default 1.3.
    pub max_version: TlsVersion,
    /// `TLS_CIPHER_SUITES`, comma-separated, such as `TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256`; only chooses among
    /// those of TLS 1.2, as in Go. Empty: all that are safe.
    pub cipher_suites: Vec<String>,
    /// `TLS_CURVE_PREFERENCES`, comma-separated, best first: `X25519MLKEM768`, `X25519`, `CurveP256` (`P256`),
    /// `CurveP384`. Empty: the TLS library's own order.
    pub curve_preferences: Vec<String>,
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsVersion {
    /// RFC 5246.
    V12,
    /// RFC 8446.
    #[default]
    V13,
}

impl TlsVersion {
    /// The names of the values.
    pub const NAMES: &'static [(&'static str, Self)] = &[("1.2", Self::V12), ("1.3", Self::V13)];
}

/// The suites of TLS 1.2 that have forward secrecy and authenticated encryption; Go knows two of them by two names.
const CIPHER_SUITES: &[&str] = &[
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
];

const CURVES: &[&str] = &["X25519MLKEM768", "X25519", "CurveP256", "P256", "CurveP384", "P384"];

/// Reads which TLS is spoken.
pub(super) fn read<E: Strings>(reader: &mut Reader<E>) -> Option<Tls> {
    let min_version = reader.value(&settings::TLS_MIN_VERSION, parse::choice(TlsVersion::NAMES));
    let max_version = reader.value(&settings::TLS_MAX_VERSION, parse::choice(TlsVersion::NAMES));
    let cipher_suites = list(reader, &settings::TLS_CIPHER_SUITES, CIPHER_SUITES);
    let curve_preferences = list(reader, &settings::TLS_CURVE_PREFERENCES, CURVES);
    let (min_version, max_version) = (min_version?, max_version?);
    if max_version < min_version {
        reader.reject(&settings::TLS_MAX_VERSION, "is below TLS_MIN_VERSION: raise it, or set TLS_MIN_VERSION to 1.2");
    }
    Some(Tls { min_version, max_version, cipher_suites: cipher_suites?, curve_preferences: curve_preferences? })
}

/// `None` after an error, empty if nothing was given.
fn list<E: Strings>(
    reader: &mut Reader<E>,
    setting: &'static settings::Setting,
    known: &'static [&'static str],
) -> Option<Vec<String>> {
    if reader.given(setting).is_none() {
        return Some(Vec::new());
    }
    reader.optional(setting, |text| names(text, known))
}

fn names(text: &str, known: &[&str]) -> Result<Vec<String>, Fix> {
    let names: Vec<_> = text.split(',').map(|name| name.trim().to_owned()).collect();
    let all_known = names.iter().all(|name| known.contains(&name.as_str()));
    if all_known { Ok(names) } else { Err(format!("use one or more of {}, separated by commas", known.join(", "))) }
}
