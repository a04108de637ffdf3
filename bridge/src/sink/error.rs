//! Why a sink cannot be used at all: sentences for people. I/O: none.

use std::error::Error;
use std::fmt;

/// Why a sink cannot be used at all; each sentence names the setting and the fix.
#[derive(Debug)]
pub enum SinkError {
    /// The PEM text given with the sink's address is not usable.
    CaCerts(String),
    /// No version is left between the least and the most.
    TlsVersions,
    /// A cipher suite that is not supported.
    CipherSuite {
        /// As it was given.
        unknown: String,
        /// Those that can be given, comma-separated.
        known: String,
    },
    /// A curve that is not supported.
    Curve(String),
    /// Versions, suites and curves do not go together.
    Tls(rustls::Error),
    /// A token has to be requested, but there is no API server.
    NoTokenServer,
    /// A token has to be requested, but of a ServiceAccount in an unknown namespace.
    NoNamespace,
    /// The URL parses, but not as HTTP has it.
    Url,
    /// The HTTP client cannot be made.
    Client(reqwest::Error),
}

impl fmt::Display for SinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CaCerts(reason) => {
                write!(f, "K_CA_CERTS (ca-certs) cannot be used: {reason}; give PEM certificates")
            }
            Self::TlsVersions => f.write_str(
                "TLS_MAX_VERSION is below TLS_MIN_VERSION (1.3 unless set): set TLS_MIN_VERSION=1.2 or drop TLS_MAX_VERSION",
            ),
            Self::CipherSuite { unknown, known } => {
                write!(f, "TLS_CIPHER_SUITES: {unknown} is not supported; choose among {known}")
            }
            Self::Curve(unknown) => write!(
                f,
                "TLS_CURVE_PREFERENCES: {unknown} is not supported; \
                 choose among X25519MLKEM768, X25519, CurveP256, CurveP384"
            ),
            Self::Tls(_) => f.write_str("the TLS_* variables leave nothing to speak: drop one of them"),
            Self::NoTokenServer => f.write_str(
                "K_OIDC_SERVICE_ACCOUNT needs the Kubernetes API server: \
                 KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are set in every pod; \
                 outside one drop K_OIDC_SERVICE_ACCOUNT",
            ),
            Self::NoNamespace => {
                f.write_str("K_OIDC_SERVICE_ACCOUNT needs NAMESPACE, the namespace of that ServiceAccount: set it")
            }
            Self::Url => f.write_str("K_SINK (sink) cannot stand in an HTTP request: give an http or https URL with a host"),
            Self::Client(_) => f.write_str("cannot make the HTTP client for the sink"),
        }
    }
}

impl Error for SinkError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Tls(error) => Some(error),
            Self::Client(error) => Some(error),
            Self::CaCerts(_)
            | Self::TlsVersions
            | Self::CipherSuite { .. }
            | Self::Curve(_)
            | Self::NoTokenServer
            | Self::NoNamespace
            | Self::Url => None,
        }
    }
}
