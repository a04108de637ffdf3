//! A Destination and the object it names -> where to POST. Pure.

use serde::Deserialize;
use url::Url;

use crate::crd::{Destination, KReference};

/// Where to POST, and how to be believed there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Addressable {
    /// The URL, http or https.
    pub url: String,
    /// PEM certificates to trust beside the usual ones.
    pub ca_certs: Option<String>,
    /// OIDC audience.
    pub audience: Option<String>,
}

/// What is read of an object with an address: Knative's duck type Addressable.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct AddressStatus {
    /// The only address, where there is no list.
    #[serde(default)]
    pub address: Option<Address>,
    /// All addresses, the preferred one first.
    #[serde(default)]
    pub addresses: Option<Vec<Address>>,
}

/// One address of an object.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Address {
    /// Its name, such as http or https.
    #[serde(default)]
    pub name: Option<String>,
    /// Its URL.
    #[serde(default)]
    pub url: Option<String>,
    /// PEM certificates to trust there.
    #[serde(default, rename = "CACerts")]
    pub ca_certs: Option<String>,
    /// OIDC audience.
    #[serde(default)]
    pub audience: Option<String>,
}

/// The address of a core `Service`: no port, no path; https if the Destination brings certificates.
pub fn of_service(reference: &KReference, namespace: &str, destination: &Destination, domain: &str) -> Addressable {
    let scheme = if text(&destination.ca_certs).is_some() { "https" } else { "http" };
    Addressable {
        url: format!("{scheme}://{}.{namespace}.svc.{domain}", reference.name),
        ca_certs: text(&destination.ca_certs),
        audience: text(&destination.audience),
    }
}

/// The address that an object's status offers.
///
/// # Errors
/// A sentence that names the object and what is missing.
pub fn of_status(
    reference: &KReference,
    namespace: &str,
    destination: &Destination,
    status: &AddressStatus,
) -> Result<Addressable, String> {
    let who = format!("{} {} {namespace}/{}", reference.api_version, reference.kind, reference.name);
    let address = match text(&reference.address) {
        Some(name) => status
            .addresses
            .iter()
            .flatten()
            .find(|address| address.name.as_deref() == Some(name.as_str()))
            .ok_or_else(|| format!("address with name {name:?} not found for {who}: its status does not offer it"))?,
        None => status.addresses.iter().flatten().next().or(status.address.as_ref()).ok_or_else(|| {
            format!("address not set for {who}: see why it is not ready, or name something that takes events")
        })?,
    };
    let url = text(&address.url).ok_or_else(|| format!("URL missing in address of {who}"))?;
    if !url
        .split_once("://")
        .is_some_and(|(_, rest)| rest.starts_with(|first: char| first.is_alphanumeric() || first == '['))
    {
        return Err(format!("hostname missing in address of {who}"));
    }
    Ok(Addressable {
        url,
        ca_certs: text(&destination.ca_certs).or_else(|| text(&address.ca_certs)),
        audience: text(&destination.audience).or_else(|| text(&address.audience)),
    })
}

/// The same address with the Destination's relative URI resolved against it, as RFC 3986 says.
///
/// # Errors
/// A sentence about the URI.
pub fn with_relative(address: Addressable, uri: Option<&str>) -> Result<Addressable, String> {
    let Some(uri) = uri.filter(|uri| !uri.is_empty()) else { return Ok(address) };
    if Url::parse(uri).is_ok() {
        return Err(format!("uri must be relative with ref: {uri:?} is absolute"));
    }
    let joined = Url::parse(&address.url).and_then(|base| base.join(uri));
    let url = joined.map_err(|error| format!("uri {uri:?} cannot be resolved against {}: {error}", address.url))?;
    Ok(Addressable { url: url.into(), ..address })
}

/// The address that a URI alone stands for.
///
/// # Errors
/// A sentence about the URI.
pub fn of_uri(destination: &Destination) -> Result<Addressable, String> {
    let Some(uri) = text(&destination.uri) else {
        return Err("destination missing Ref and URI, expected at least one".to_owned());
    };
    let url = Url::parse(&uri).map_err(|error| format!("uri {uri:?} is not an absolute URL: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        return Err(format!("uri {uri:?} is not an absolute http or https URL with a host"));
    }
    Ok(Addressable { url: uri, ca_certs: text(&destination.ca_certs), audience: text(&destination.audience) })
}

/// What a template of `config-kreference-mapping` can name.
#[derive(Clone, Copy, Debug)]
pub struct Values<'a> {
    /// The object's name.
    pub name: &'a str,
    /// The object's namespace.
    pub namespace: &'a str,
    /// Knative's namespace.
    pub system_namespace: &'a str,
}

/// The address that a template of `config-kreference-mapping` gives, such as `https://pods.{{ .SystemNamespace }}.svc/{{ .Namespace }}/{{ .Name }}`.
pub fn of_template(template: &str, values: &Values) -> String {
    let mut url = template.trim().to_owned();
    let Values { name, namespace, system_namespace } = values;
    for (field, value) in
        [("Name", name), ("Namespace", namespace), ("SystemNamespace", system_namespace), ("UID", &"")]
    {
        for spelling in [format!("{{{{.{field}}}}}"), format!("{{{{ .{field} }}}}")] {
            url = url.replace(&spelling, value);
        }
    }
    url
}

fn text(value: &Option<String>) -> Option<String> {
    value.clone().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broker() -> KReference {
        KReference {
            api_version: "eventing.knative.dev/v1".to_owned(),
            kind: "Broker".to_owned(),
            name: "default".to_owned(),
            ..KReference::default()
        }
    }

    fn status(json: serde_json::Value) -> AddressStatus {
        serde_json::from_value(json).unwrap()
    }

    fn url_of(reference: &KReference, json: serde_json::Value) -> Result<String, String> {
        of_status(reference, "ns", &Destination::default(), &status(json)).map(|address| address.url)
    }

    #[test]
    fn a_service_has_no_port_and_https_only_with_certificates() {
        let service = KReference { kind: "Service".to_owned(), name: "sink".to_owned(), ..KReference::default() };
        let plain = of_service(&service, "ns", &Destination::default(), "cluster.local");
        assert_eq!(plain, Addressable { url: "http://sink.ns.svc.cluster.local".to_owned(), ..Addressable::default() });
        let trusted =
            Destination { ca_certs: Some("pem".to_owned()), audience: Some("me".to_owned()), ..Destination::default() };
        let expected = Addressable {
            url: "https://sink.ns.svc.corp".to_owned(),
            ca_certs: Some("pem".to_owned()),
            audience: Some("me".to_owned()),
        };
        assert_eq!(of_service(&service, "ns", &trusted, "corp"), expected);
    }

    #[test]
    fn the_first_of_the_addresses_wins_over_the_single_one() {
        let both = serde_json::json!({
            "address": {"url": "http://old/"},
            "addresses": [{"name": "https", "url": "https://h/b"}, {"name": "http", "url": "http://h/b"}],
        });
        assert_eq!(url_of(&broker(), both.clone()), Ok("https://h/b".to_owned()));
        let named = KReference { address: Some("http".to_owned()), ..broker() };
        assert_eq!(url_of(&named, both.clone()), Ok("http://h/b".to_owned()));
        assert_eq!(
            url_of(&broker(), serde_json::json!({"address": {"url": "http://h/b"}, "addresses": []})),
            Ok("http://h/b".to_owned())
        );
        let unknown = KReference { address: Some("grpc".to_owned()), ..broker() };
        assert_eq!(
            url_of(&unknown, both),
            Err("address with name \"grpc\" not found for eventing.knative.dev/v1 Broker ns/default: its status does not offer it".to_owned())
        );
    }

    #[test]
    fn what_is_missing_is_named() {
        let who = "eventing.knative.dev/v1 Broker ns/default";
        let cases = [
            (
                serde_json::json!({}),
                format!("address not set for {who}: see why it is not ready, or name something that takes events"),
            ),
            (serde_json::json!({"address": {}}), format!("URL missing in address of {who}")),
            (serde_json::json!({"address": {"url": "http:///x"}}), format!("hostname missing in address of {who}")),
        ];
        for (json, expected) in cases {
            assert_eq!(url_of(&broker(), json), Err(expected));
        }
    }

    #[test]
    fn certificates_and_audience_of_the_destination_replace_those_of_the_address() {
        let status =
            status(serde_json::json!({"address": {"url": "https://h", "CACerts": "theirs", "audience": "theirs"}}));
        let ours =
            Destination { ca_certs: Some("ours".to_owned()), audience: Some(String::new()), ..Destination::default() };
        let expected = Addressable {
            url: "https://h".to_owned(),
            ca_certs: Some("ours".to_owned()),
            audience: Some("theirs".to_owned()),
        };
        assert_eq!(of_status(&broker(), "ns", &ours, &status), Ok(expected));
    }

    #[test]
    fn a_relative_uri_is_resolved_as_rfc_3986_says() {
        let cases = [
            ("http://h/ns/b", "/x", "http://h/x"),
            ("http://h/ns/b", "x", "http://h/ns/x"),
            ("http://h/ns/b/", "x", "http://h/ns/b/x"),
            ("http://h", "x", "http://h/x"),
            ("http://h/ns/b", "?q=1", "http://h/ns/b?q=1"),
            ("http://h", "", "http://h"),
        ];
        for (base, uri, expected) in cases {
            let address = Addressable { url: base.to_owned(), ..Addressable::default() };
            assert_eq!(with_relative(address, Some(uri)).unwrap().url, expected, "{base} + {uri}");
        }
        let address = Addressable { url: "http://h".to_owned(), ..Addressable::default() };
        assert!(with_relative(address, Some("http://other")).is_err());
    }

    #[test]
    fn a_uri_alone_must_be_absolute() {
        let of = |uri: Option<&str>| {
            let destination = Destination { uri: uri.map(str::to_owned), ..Destination::default() };
            of_uri(&destination).map(|address| address.url)
        };
        assert_eq!(of(Some("https://h/p?q")), Ok("https://h/p?q".to_owned()));
        assert_eq!(of(None), Err("destination missing Ref and URI, expected at least one".to_owned()));
        assert!(of(Some("/p")).is_err());
        assert!(of(Some("mailto:me@h")).is_err());
    }

    #[test]
    fn a_template_is_filled_in_either_spelling() {
        let values = Values { name: "sink", namespace: "ns", system_namespace: "sys" };
        let filled = of_template("http://{{.Name}}.{{ .Namespace }}.svc/{{.SystemNamespace}}\n", &values);
        assert_eq!(filled, "http://sink.ns.svc/sys");
    }
}
