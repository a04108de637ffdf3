//! Who the adapter is for AWS: whose key signs, and what STS is asked.

use serde_json::{Value, json};
use tests::bridge::Setup;
use tests::kubelet::token;

use crate::row::{Becomes::Env, ROLE, Row, Seen, at, row, wire};
use crate::stage::{NODE_KEY, Stage};

const INI: &str =
    "[default]\naws_access_key_id = AKIDFILE\naws_secret_access_key = s\n[other]\naws_access_key_id = AKIDOTHER\n";

/// Keys of the Secret `keys` under names of one's own.
fn keys() -> Value {
    json!({"name": "keys", "accessKeyIdKey": "id", "secretAccessKeyKey": "secret", "sessionTokenKey": "token"})
}

fn optional() -> Value {
    json!({"awsCredsSecret": {"name": "n", "key": "k", "optional": true}})
}

fn file() -> Value {
    json!({"awsCredsSecret": {"name": "n", "key": "k"}})
}

/// Keys of the Secret `keys`, of which only one is where the default would not look for it.
async fn signed_with(mut stage: Stage, keys: &[(&str, &str)], names: Value) -> (String, Option<String>) {
    stage.secret("keys", keys);
    let mut secret = json!({"name": "keys"});
    tests::merge::merge(&mut secret, &names);
    let _pod = stage.start(&json!({"auth": {"secret": secret}})).await;
    let caller = stage.long_poll().await.caller;
    (caller.access_key, caller.session_token)
}

async fn assumed(stage: Stage, more: Value) -> (String, std::collections::BTreeMap<String, String>) {
    let mut role = json!({"roleArn": ROLE});
    tests::merge::merge(&mut role, &more);
    let _pod = stage.start(&json!({"auth": {"assumeRole": role}})).await;
    let asked = stage.asked_of_sts().await;
    assert_eq!((asked["Action"].as_str(), stage.sts.asked()[0].access_key.as_str()), ("AssumeRole", NODE_KEY));
    (stage.long_poll().await.caller.access_key, asked)
}

async fn web_identity(stage: Stage, more: Value) -> (String, std::collections::BTreeMap<String, String>) {
    let mut identity = json!({"roleArn": ROLE});
    tests::merge::merge(&mut identity, &more);
    let _pod = stage.start(&json!({"auth": {"webIdentity": identity}})).await;
    let asked = stage.asked_of_sts().await;
    assert_eq!(asked["Action"], "AssumeRoleWithWebIdentity");
    (stage.long_poll().await.caller.access_key, asked)
}

pub fn rows() -> Vec<Row> {
    let items = |index: usize, key: &str, path: &str| {
        at(&format!("/volumes/0/projected/sources/0/secret/items/{index}"), json!({"key": key, "path": path}))
    };
    let token_of =
        |field: &str, value: Value| at(&format!("/volumes/0/projected/sources/0/serviceAccountToken/{field}"), value);
    vec![
        row(
            "serviceAccountName",
            json!({"serviceAccountName": "reader"}),
            at("/serviceAccountName", json!("reader")),
            wire!(stage => {
                let mut stage = stage;
                stage.around.roles.insert("reader".to_owned(), ROLE.to_owned());
                let _pod = stage.start(&json!({"serviceAccountName": "reader"})).await;
                let asked = stage.asked_of_sts().await;
                let expected = (ROLE, token("reader", "sts.amazonaws.com", 86_400));
                assert_eq!((asked["RoleArn"].as_str(), asked["WebIdentityToken"].clone()), expected);
            }),
        ),
        row(
            "awsCredsSecret.name",
            file(),
            at("/volumes/0/secret/secretName", json!("n")),
            wire!(stage => {
                let mut stage = stage;
                stage.secret("n", &[("k", INI)]);
                let _pod = stage.start(&file()).await;
                assert_eq!(stage.long_poll().await.caller.access_key, "AKIDFILE");
            }),
        ),
        row(
            "awsCredsSecret.key",
            file(),
            Env("AWS_APPLICATION_CREDENTIALS", "/var/secrets/aws/k"),
            wire!(stage => {
                let mut stage = stage;
                stage.secret("n", &[("credentials", &INI.replace("AKIDFILE", "AKIDWRONG")), ("k", INI)]);
                let _pod = stage.start(&file()).await;
                assert_eq!(stage.long_poll().await.caller.access_key, "AKIDFILE");
            }),
        ),
        Row {
            path: "awsCredsSecret.optional",
            set: optional(),
            becomes: Env("BRIDGE_CREDENTIALS_OPTIONAL", "true"),
            seen: Seen::OfTheProgram(wire!(stage => {
                let container = stage.container(&optional());
                let _bridge = Setup::whole(container.env.clone()).spawn();
                assert_eq!(stage.long_poll().await.caller.access_key, NODE_KEY);
            })),
        },
        row(
            "auth.secret.name",
            json!({"auth": {"secret": keys()}}),
            at("/volumes/0/projected/sources/0/secret/name", json!("keys")),
            wire!(stage => {
                let both = [("AWS_ACCESS_KEY_ID", "AKIDSECRET"), ("AWS_SECRET_ACCESS_KEY", "s")];
                assert_eq!(signed_with(stage, &both, json!({})).await, ("AKIDSECRET".to_owned(), None));
            }),
        ),
        row(
            "auth.secret.accessKeyIdKey",
            json!({"auth": {"secret": keys()}}),
            items(0, "id", "accessKeyId"),
            wire!(stage => {
                let all = [("id", "AKIDOWN"), ("AWS_ACCESS_KEY_ID", "AKIDWRONG"), ("AWS_SECRET_ACCESS_KEY", "s")];
                assert_eq!(signed_with(stage, &all, json!({"accessKeyIdKey": "id"})).await.0, "AKIDOWN");
            }),
        ),
        row(
            "auth.secret.secretAccessKeyKey",
            json!({"auth": {"secret": keys()}}),
            items(1, "secret", "secretAccessKey"),
            wire!(stage => {
                // Without the key's own name there is no secret, and nothing could be signed.
                let all = [("AWS_ACCESS_KEY_ID", "AKIDSECRET"), ("secret", "s")];
                assert_eq!(signed_with(stage, &all, json!({"secretAccessKeyKey": "secret"})).await.0, "AKIDSECRET");
            }),
        ),
        row(
            "auth.secret.sessionTokenKey",
            json!({"auth": {"secret": keys()}}),
            items(2, "token", "sessionToken"),
            wire!(stage => {
                let all = [("AWS_ACCESS_KEY_ID", "ASIASECRET"), ("AWS_SECRET_ACCESS_KEY", "s"), ("token", "session")];
                let expected = ("ASIASECRET".to_owned(), Some("session".to_owned()));
                assert_eq!(signed_with(stage, &all, json!({"sessionTokenKey": "token"})).await, expected);
            }),
        ),
        row(
            "auth.webIdentity.roleArn",
            json!({"auth": {"webIdentity": {"roleArn": ROLE}}}),
            Env("AWS_ROLE_ARN", ROLE),
            wire!(stage => {
                let (signer, asked) = web_identity(stage, json!({})).await;
                assert_eq!((signer.as_str(), asked["RoleArn"].as_str()), ("ASIAASSUMEROLEWITHWEBIDENTITY1", ROLE));
                assert_eq!(asked["RoleSessionName"], "ns.orders");
            }),
        ),
        row(
            "auth.webIdentity.audience",
            json!({"auth": {"webIdentity": {"roleArn": ROLE, "audience": "me"}}}),
            token_of("audience", json!("me")),
            wire!(stage => {
                let (_, asked) = web_identity(stage, json!({"audience": "me"})).await;
                assert_eq!(asked["WebIdentityToken"], token("default", "me", 3600));
            }),
        ),
        row(
            "auth.webIdentity.expirationSeconds",
            json!({"auth": {"webIdentity": {"roleArn": ROLE, "expirationSeconds": 900}}}),
            token_of("expirationSeconds", json!(900)),
            wire!(stage => {
                let (_, asked) = web_identity(stage, json!({"expirationSeconds": 900})).await;
                assert_eq!(asked["WebIdentityToken"], token("default", "sts.amazonaws.com", 900));
            }),
        ),
        row(
            "auth.assumeRole.roleArn",
            json!({"auth": {"assumeRole": {"roleArn": ROLE}}}),
            Env("BRIDGE_ASSUME_ROLE_ROLE_ARN", ROLE),
            wire!(stage => {
                let (signer, asked) = assumed(stage, json!({})).await;
                assert_eq!((signer.as_str(), asked["RoleArn"].as_str()), ("ASIAASSUMEROLE1", ROLE));
            }),
        ),
        row(
            "auth.assumeRole.externalId",
            json!({"auth": {"assumeRole": {"roleArn": ROLE, "externalId": "ex"}}}),
            Env("BRIDGE_ASSUME_ROLE_EXTERNAL_ID", "ex"),
            wire!(stage => assert_eq!(assumed(stage, json!({"externalId": "ex"})).await.1["ExternalId"], "ex")),
        ),
        row(
            "auth.assumeRole.sessionName",
            json!({"auth": {"assumeRole": {"roleArn": ROLE, "sessionName": "me"}}}),
            Env("BRIDGE_ASSUME_ROLE_SESSION_NAME", "me"),
            wire!(stage => assert_eq!(assumed(stage, json!({"sessionName": "me"})).await.1["RoleSessionName"], "me")),
        ),
    ]
}
