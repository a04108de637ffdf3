//! Certificates for servers on this machine. I/O: randomness.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, SupportedProtocolVersion, version};
use tokio_rustls::TlsAcceptor;

/// An authority that a client may trust or not.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        // Two authorities of one name would be taken for each other.
        params.distinguished_name.push(DnType::CommonName, format!("authority {:x}", fastrand::u64(..)));
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// Its certificate, for those who trust it.
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// A server called `localhost` that it vouches for.
    pub fn acceptor(&self) -> TlsAcceptor {
        self.acceptor_of("localhost", &[&version::TLS13, &version::TLS12])
    }

    /// A server of another name or of fewer versions of TLS.
    pub fn acceptor_of(&self, name: &str, versions: &[&'static SupportedProtocolVersion]) -> TlsAcceptor {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new([name.to_owned()]).unwrap().signed_by(&key, &self.0).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(versions)
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }
}
