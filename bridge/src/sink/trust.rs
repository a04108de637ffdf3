//! Certificates and TLS settings -> the TLS configuration of a client. I/O: certificate files.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, SupportedKxGroup, aws_lc_rs};
use rustls::{ClientConfig, RootCertStore, SupportedCipherSuite, SupportedProtocolVersion, version};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use super::SinkError;
use super::files::{self, Fingerprint};
use crate::config::{Tls, TlsVersion};

/// Whom to trust: the system, the files that Kubernetes mounts, and `K_CA_CERTS`.
#[derive(Clone, Debug)]
pub(super) struct Trust {
    /// Every file in it is PEM; may be missing.
    pub(super) bundles: PathBuf,
    /// One more PEM file that may be missing.
    pub(super) ca_file: Option<PathBuf>,
    /// PEM.
    pub(super) ca_certs: Option<String>,
    /// Versions, suites and curves.
    pub(super) tls: Tls,
}

/// Trust as it is now.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) config: ClientConfig,
    /// Which file cannot be used, and why; the others are.
    pub(super) problem: Option<String>,
}

impl Trust {
    /// Reads everything anew.
    ///
    /// # Errors
    ///
    /// When `K_CA_CERTS` or a TLS setting cannot be used; a broken file is only a [`Loaded::problem`].
    pub(super) fn load(&self) -> Result<Loaded, SinkError> {
        let mut roots = system_roots();
        let mut problem = None;
        for file in self.present_files() {
            if let Err(reason) = add_file(&mut roots, &file) {
                problem.get_or_insert(format!("trust bundle {}: {reason}", file.display()));
            }
        }
        if let Some(pem) = &self.ca_certs {
            add_pem(&mut roots, pem.as_bytes()).map_err(SinkError::CaCerts)?;
        }
        Ok(Loaded { config: config(roots, &self.tls)?, problem })
    }

    /// Changes when a file does.
    pub(super) fn fingerprint(&self) -> (Fingerprint, Fingerprint) {
        let file = self.ca_file.as_deref().map(files::fingerprint_of_file).unwrap_or_default();
        (files::fingerprint_of_folder(&self.bundles), file)
    }

    fn present_files(&self) -> Vec<PathBuf> {
        let mut present = files::files(&self.bundles).unwrap_or_default();
        present.extend(self.ca_file.iter().filter(|file| file.is_file()).cloned());
        present
    }
}

/// TLS that trusts what the system trusts.
pub(crate) fn system_trust() -> Result<ClientConfig, SinkError> {
    let tls = Tls { min_version: TlsVersion::V12, ..Tls::default() };
    config(system_roots(), &tls)
}

/// TLS that trusts the certificates in these PEM bytes and no other.
pub(crate) fn only(pem: &[u8]) -> Result<ClientConfig, SinkError> {
    let mut roots = RootCertStore::empty();
    add_pem(&mut roots, pem).map_err(SinkError::CaCerts)?;
    config(roots, &Tls { min_version: TlsVersion::V12, ..Tls::default() })
}

/// TLS that trusts nobody, for a client that never speaks it.
pub(super) fn none() -> Result<ClientConfig, SinkError> {
    config(RootCertStore::empty(), &Tls::default())
}

fn system_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}

fn add_file(roots: &mut RootCertStore, file: &Path) -> Result<(), String> {
    let pem = fs::read(file).map_err(|error| error.to_string())?;
    add_pem(roots, &pem)
}

fn add_pem(roots: &mut RootCertStore, pem: &[u8]) -> Result<(), String> {
    let mut certificates = 0;
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|_| "it is not PEM".to_owned())?;
        roots.add(certificate).map_err(|error| format!("a certificate cannot be used: {error}"))?;
        certificates += 1;
    }
    if certificates == 0 { Err("it holds no certificate".into()) } else { Ok(()) }
}

fn config(roots: RootCertStore, tls: &Tls) -> Result<ClientConfig, SinkError> {
    let provider = CryptoProvider {
        cipher_suites: cipher_suites(&tls.cipher_suites)?,
        kx_groups: curves(&tls.curve_preferences)?,
        ..aws_lc_rs::default_provider()
    };
    let builder = ClientConfig::builder_with_provider(Arc::new(provider)).with_protocol_versions(&versions(tls)?);
    Ok(builder.map_err(SinkError::Tls)?.with_root_certificates(roots).with_no_client_auth())
}

fn versions(tls: &Tls) -> Result<Vec<&'static SupportedProtocolVersion>, SinkError> {
    match (tls.min_version, tls.max_version) {
        (TlsVersion::V12, TlsVersion::V12) => Ok(vec![&version::TLS12]),
        (TlsVersion::V12, TlsVersion::V13) => Ok(vec![&version::TLS13, &version::TLS12]),
        (TlsVersion::V13, TlsVersion::V13) => Ok(vec![&version::TLS13]),
        (TlsVersion::V13, TlsVersion::V12) => Err(SinkError::TlsVersions),
    }
}

/// As in Go, the suites of TLS 1.3 are not for choosing: they always stay.
fn cipher_suites(names: &[String]) -> Result<Vec<SupportedCipherSuite>, SinkError> {
    let suites = aws_lc_rs::default_provider().cipher_suites;
    if names.is_empty() {
        return Ok(suites);
    }
    let known: Vec<_> = suites.iter().map(go_suite_name).collect();
    if let Some(unknown) = names.iter().find(|name| !known.contains(name)) {
        return Err(SinkError::CipherSuite { unknown: unknown.clone(), known: known.join(", ") });
    }
    let stays = |suite: &SupportedCipherSuite| suite.tls13().is_some() || names.contains(&go_suite_name(suite));
    Ok(suites.into_iter().filter(stays).collect())
}

/// IANA's name, which Go uses; rustls marks those of TLS 1.3 as `TLS13_`.
fn go_suite_name(suite: &SupportedCipherSuite) -> String {
    format!("{:?}", suite.suite()).replacen("TLS13_", "TLS_", 1)
}

fn curves(names: &[String]) -> Result<Vec<&'static dyn SupportedKxGroup>, SinkError> {
    if names.is_empty() {
        return Ok(aws_lc_rs::default_provider().kx_groups);
    }
    names.iter().map(|name| curve(name)).collect()
}

fn curve(name: &str) -> Result<&'static dyn SupportedKxGroup, SinkError> {
    match name {
        "X25519" => Ok(aws_lc_rs::kx_group::X25519),
        "X25519MLKEM768" => Ok(aws_lc_rs::kx_group::X25519MLKEM768),
        "CurveP256" | "P256" => Ok(aws_lc_rs::kx_group::SECP256R1),
        "CurveP384" | "P384" => Ok(aws_lc_rs::kx_group::SECP384R1),
        _ => Err(SinkError::Curve(name.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn one_suite_of_tls_1_2_leaves_those_of_tls_1_3() {
        let suites = cipher_suites(&names(&["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"])).unwrap();
        let kept: Vec<_> = suites.iter().map(go_suite_name).collect();
        assert_eq!(
            kept,
            [
                "TLS_AES_256_GCM_SHA384",
                "TLS_AES_128_GCM_SHA256",
                "TLS_CHACHA20_POLY1305_SHA256",
                "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
            ]
        );
    }

    #[test]
    fn unusable_tls_settings_name_their_variable() {
        let tls = |tls: Tls| config(RootCertStore::empty(), &tls).unwrap_err().to_string();
        assert_eq!(
            tls(Tls { max_version: TlsVersion::V12, ..Tls::default() }),
            "TLS_MAX_VERSION is below TLS_MIN_VERSION (1.3 unless set): set TLS_MIN_VERSION=1.2 or drop TLS_MAX_VERSION"
        );
        assert_eq!(
            tls(Tls { curve_preferences: names(&["CurveP521"]), ..Tls::default() }),
            "TLS_CURVE_PREFERENCES: CurveP521 is not supported; choose among X25519MLKEM768, X25519, CurveP256, CurveP384"
        );
        let suite = tls(Tls { cipher_suites: names(&["TLS_RSA_WITH_AES_128_CBC_SHA"]), ..Tls::default() });
        assert!(
            suite.starts_with("TLS_CIPHER_SUITES: TLS_RSA_WITH_AES_128_CBC_SHA is not supported; choose among TLS_"),
            "{suite}"
        );
    }

    #[test]
    fn curves_keep_the_order_of_the_setting() {
        let curves = curves(&names(&["CurveP384", "X25519", "P256"])).unwrap();
        let kept: Vec<_> = curves.iter().map(|curve| format!("{:?}", curve.name())).collect();
        assert_eq!(kept, ["secp384r1", "X25519", "secp256r1"]);
    }
}
