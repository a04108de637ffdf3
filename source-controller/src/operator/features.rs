//! ConfigMap `config-features` -> the features that concern sources. Pure.

use super::Data;

/// The features that concern sources; an absent key is Knative's default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Features {
    /// `transport-encryption`.
    pub transport_encryption: TransportEncryption,
    /// `authentication-oidc`: sources send tokens of an identity of their own.
    pub oidc: bool,
    /// `kreference-mapping`: a ConfigMap gives addresses of kinds that have none.
    pub reference_mapping: bool,
}

/// Whether addresses inside the cluster use TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TransportEncryption {
    /// Plain HTTP.
    #[default]
    Disabled,
    /// Both; sources prefer TLS.
    Permissive,
    /// TLS only.
    Strict,
}

impl Features {
    /// Reads the map; what is not understood is off.
    pub fn parse(data: &Data) -> Self {
        let value = |key: &str| data.get(key).map(|value| value.trim().to_lowercase()).unwrap_or_default();
        Self {
            transport_encryption: match value("transport-encryption").as_str() {
                "permissive" => TransportEncryption::Permissive,
                "strict" => TransportEncryption::Strict,
                _ => TransportEncryption::Disabled,
            },
            oidc: value("authentication-oidc") == "enabled",
            reference_mapping: value("kreference-mapping") == "enabled",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_keys_are_defaults_and_words_are_read_in_any_case() {
        assert_eq!(Features::parse(&Data::new()), Features::default());
        let data = Data::from([
            ("_example".to_owned(), "authentication-oidc: \"enabled\"".to_owned()),
            ("transport-encryption".to_owned(), "Strict".to_owned()),
            ("authentication-oidc".to_owned(), "enabled".to_owned()),
            ("kreference-mapping".to_owned(), "disabled".to_owned()),
        ]);
        let expected =
            Features { transport_encryption: TransportEncryption::Strict, oidc: true, reference_mapping: false };
        assert_eq!(Features::parse(&data), expected);
    }
}
