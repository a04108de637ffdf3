//! The environment of Knative's IntegrationSource container -> our own settings. Pure.
//!
//! Knative starts the image of its ConfigMap `eventing-integrations-images` with variables made for an Apache Camel
//! Kamelet; with these this program is a drop-in for that image.

use std::path::PathBuf;

use super::Strings;
use super::credentials::Secret;
use super::queue::partition_of;
use super::read::{Given, Origin, Reader};
use super::settings::{self, Setting};

/// What Knative's IntegrationSource asks for beyond the common settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IntegrationSource {
    /// `CAMEL_KNATIVE_CLIENT_SSL_CERT_PATH`, if SSL is enabled; the file may be missing.
    pub ca_file: Option<PathBuf>,
    /// `CAMEL_KNATIVE_CLIENT_OIDC_TOKEN_PATH`, if OIDC is enabled.
    pub token_file: Option<PathBuf>,
}
/// What the variables ask for that no setting of ours expresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wishes {
    pub create_missing: bool,
    pub delete_accepted: bool,
    pub keys: Option<(String, Secret)>,
    pub source: IntegrationSource,
}

macro_rules! variables {
    ($($name:ident = $suffix:literal;)+) => {
        $(const $name: &str = concat!("CAMEL_KAMELET_AWS_SQS_SOURCE_", $suffix);)+
    };
}

variables! {
    QUEUE_NAME_OR_ARN = "QUEUE_NAME_OR_ARN";
    QUEUE_URL = "QUEUEURL";
    REGION = "REGION";
    ENDPOINT = "URIENDPOINTOVERRIDE";
    OVERRIDE_ENDPOINT = "OVERRIDEENDPOINT";
    AMAZON_AWS_HOST = "AMAZONAWSHOST";
    PROTOCOL = "PROTOCOL";
    DELETE_AFTER_READ = "DELETEAFTERREAD";
    AUTO_CREATE_QUEUE = "AUTOCREATEQUEUE";
    MAX_MESSAGES = "MAXMESSAGESPERPOLL";
    WAIT_TIME = "WAITTIMESECONDS";
    VISIBILITY_TIMEOUT = "VISIBILITYTIMEOUT";
    GREEDY = "GREEDY";
    DELAY = "DELAY";
    ACCESS_KEY = "ACCESSKEY";
    SECRET_KEY = "SECRETKEY";
}

const SSL_ENABLED: &str = "CAMEL_KNATIVE_CLIENT_SSL_ENABLED";
const SSL_CERT_PATH: &str = "CAMEL_KNATIVE_CLIENT_SSL_CERT_PATH";
const OIDC_ENABLED: &str = "CAMEL_KNATIVE_CLIENT_OIDC_ENABLED";
const OIDC_TOKEN_PATH: &str = "CAMEL_KNATIVE_CLIENT_OIDC_TOKEN_PATH";

/// Turns IntegrationSource's variables into values of our settings, below variables of our own.
/// `None` unless they name a queue.
pub(super) fn translate<E: Strings>(reader: &mut Reader<E>) -> Option<Wishes> {
    let env = reader.env;
    let get = |name: &str| env.get(name).filter(|value| !value.is_empty());
    if get(QUEUE_NAME_OR_ARN).is_none() && get(QUEUE_URL).is_none() {
        return None;
    }
    translate_queue(reader, &get);
    translate_receive(reader, &get);
    put(reader, &settings::FORMAT, QUEUE_NAME_OR_ARN, "integrationsource".to_owned());
    for name in [GREEDY, DELAY] {
        // Knative always emits the defaults; only a wish of the user is worth a word.
        if get(name).is_some_and(|value| !matches!(value.as_str(), "false" | "500")) {
            reader.warnings.push(format!("{name} has no effect: long polling needs no pause"));
        }
    }
    Some(Wishes {
        create_missing: is_true(get(AUTO_CREATE_QUEUE)),
        delete_accepted: get(DELETE_AFTER_READ).is_none_or(|value| value != "false"),
        keys: get(ACCESS_KEY).zip(get(SECRET_KEY)).map(|(id, secret)| (id, Secret(secret))),
        source: IntegrationSource {
            ca_file: get(SSL_CERT_PATH).filter(|_| is_true(get(SSL_ENABLED))).map(file),
            token_file: get(OIDC_TOKEN_PATH).filter(|_| is_true(get(OIDC_ENABLED))).map(file),
        },
    })
}

fn translate_queue<E: Strings>(reader: &mut Reader<E>, get: &impl Fn(&str) -> Option<String>) {
    let region = get(REGION);
    if let Some(region) = &region {
        put(reader, &settings::REGION, REGION, region.clone());
    }
    // A full URL wins over the name. Names hold no colon, so an ARN is told by its prefix.
    if let Some(url) = get(QUEUE_URL) {
        put(reader, &settings::QUEUE_URL, QUEUE_URL, url);
    } else if let Some(named) = get(QUEUE_NAME_OR_ARN) {
        let region = region.clone().or_else(|| reader.given(&settings::REGION).map(|given| given.value));
        let arn = match region {
            _ if named.starts_with("arn:") => named,
            Some(region) => format!("arn:{}:sqs:{region}::{named}", partition_of(&region)),
            None => named,
        };
        put(reader, &settings::QUEUE_ARN, QUEUE_NAME_OR_ARN, arn);
    }
    if let Some((name, endpoint)) = endpoint(region.as_deref(), get) {
        put(reader, &settings::ENDPOINT_URL, name, endpoint);
    }
}

/// The override if it is switched on, else an endpoint made of another protocol or host.
fn endpoint(region: Option<&str>, get: &impl Fn(&str) -> Option<String>) -> Option<(&'static str, String)> {
    if let Some(url) = get(ENDPOINT).filter(|_| is_true(get(OVERRIDE_ENDPOINT))) {
        return Some((ENDPOINT, url));
    }
    let host = get(AMAZON_AWS_HOST).unwrap_or_else(|| "amazonaws.com".to_owned());
    let protocol = get(PROTOCOL).unwrap_or_else(|| "https".to_owned());
    let usual = host == "amazonaws.com" && protocol == "https";
    region.filter(|_| !usual).map(|region| (AMAZON_AWS_HOST, format!("{protocol}://sqs.{region}.{host}")))
}

fn translate_receive<E: Strings>(reader: &mut Reader<E>, get: &impl Fn(&str) -> Option<String>) {
    // 1 is what Knative emits when nobody chose a number.
    if let Some(count) = get(MAX_MESSAGES).filter(|count| count != "1") {
        put(reader, &settings::MAX_MESSAGES, MAX_MESSAGES, count);
    }
    if let Some(wait) = get(WAIT_TIME).filter(|wait| wait != "0") {
        put(reader, &settings::WAIT_TIME, WAIT_TIME, format!("{wait}s"));
    }
    let Some(visibility) = get(VISIBILITY_TIMEOUT).filter(|visibility| visibility != "0") else { return };
    let short = visibility.parse::<u64>().is_ok_and(|seconds| seconds < 10);
    if short {
        reader.warnings.push(format!("{VISIBILITY_TIMEOUT}={visibility} is raised to the least of 10 s"));
    }
    let value = if short { "10s".to_owned() } else { format!("{visibility}s") };
    put(reader, &settings::VISIBILITY_TIMEOUT, VISIBILITY_TIMEOUT, value);
}

fn put<E: Strings>(reader: &mut Reader<E>, setting: &'static Setting, name: &'static str, value: String) {
    reader.translated.insert(setting.env, Given { value, origin: Origin::Env(name) });
}

fn is_true(value: Option<String>) -> bool {
    value.is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

fn file(path: String) -> PathBuf {
    PathBuf::from(path.strip_prefix("file://").map(str::to_owned).unwrap_or(path))
}
