//! PEM text -> are these certificates, and which. Pure.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::RootCertStore;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

/// Checks that the text is at least one certificate and that each can be read.
///
/// # Errors
/// A sentence that names the first that cannot.
pub fn check(pem: &str) -> Result<(), String> {
    let mut count = 0;
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        count += 1;
        let certificate = certificate.map_err(|error| format!("certificate {count} is not PEM: {error:?}"))?;
        readable(&certificate).map_err(|error| format!("certificate {count} is not an X.509 certificate: {error}"))?;
    }
    if count == 0 {
        return Err("must be PEM certificates, each beginning with -----BEGIN CERTIFICATE-----".to_owned());
    }
    Ok(())
}

/// The certificates in the text that can be read, as DER, in their order; anything else is passed over.
pub fn valid(pem: &str) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(pem.as_bytes())
        .map_while(Result::ok)
        .filter(|certificate| readable(certificate).is_ok())
        .map(CertificateDer::into_owned)
        .collect()
}

/// One certificate as PEM, in lines of 64 characters as RFC 7468 has them.
pub fn pem(certificate: &CertificateDer<'_>) -> String {
    let body = STANDARD.encode(certificate);
    let lines: Vec<&str> = body.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

fn readable(certificate: &CertificateDer<'_>) -> Result<(), rustls::Error> {
    RootCertStore::empty().add(certificate.clone().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A self-signed certificate of the name `ca`, made for this test.
    const CERTIFICATE: &str = include_str!("../../../fixtures/ca.pem");

    #[test]
    fn certificates_are_told_from_what_looks_like_them() {
        assert_eq!(check(CERTIFICATE), Ok(()));
        assert_eq!(check(&format!("{CERTIFICATE}\n{CERTIFICATE}")), Ok(()));
        let hollow = "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n";
        assert!(check(hollow).unwrap_err().starts_with("certificate 1 is not an X.509 certificate"));
        assert!(check(&format!("{CERTIFICATE}\n{hollow}")).unwrap_err().starts_with("certificate 2"));
        assert!(check("-----BEGIN CERTIFICATE-----").is_err());
        assert!(check("").is_err());
        assert_eq!(valid(&format!("{hollow}{CERTIFICATE}")).len(), 1);
    }
}
