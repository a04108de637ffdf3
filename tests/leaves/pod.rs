//! What users add to the pod.

use serde_json::{Value, json};

use crate::fields::fields;
use crate::row::{Becomes, Becomes::Env, Row, Seen, at, row, wire};

pub fn rows() -> Vec<Row> {
    let only_kubernetes = fields().into_iter().map(|(path, set, pointer, value)| {
        let becomes = Becomes::At(pointer.to_owned(), value);
        Row { path, set, becomes, seen: Seen::ByKubernetes }
    });
    variables().into_iter().chain(only_kubernetes).collect()
}

fn variables() -> Vec<Row> {
    let proxy = || json!({"template": {"env": [{"name": "HTTPS_PROXY", "value": "http://p"}]}});
    let from_secret = json!({"valueFrom": {"secretKeyRef": {"name": "keys", "key": "id"}}});
    let from =
        |variable: &str| json!({"template": {"env": [{"name": variable, "valueFrom": from_secret["valueFrom"]}]}});
    vec![
        row(
            "template.env[].name",
            proxy(),
            Env("HTTPS_PROXY", "http://p"),
            wire!(stage => {
                let _pod = stage.start(&keys()).await;
                assert_eq!(stage.long_poll().await.caller.access_key, "AKIDTEMPLATE");
            }),
        ),
        row(
            "template.env[].value",
            proxy(),
            Env("HTTPS_PROXY", "http://p"),
            wire!(stage => {
                let _pod = stage.start(&keys()).await;
                assert_eq!(stage.long_poll().await.caller.access_key, "AKIDTEMPLATE");
            }),
        ),
        row(
            "template.env[].valueFrom",
            from("MINE"),
            at("/containers/0/env/10", json!({"name": "MINE", "valueFrom": from_secret["valueFrom"]})),
            wire!(stage => {
                let mut stage = stage;
                stage.secret("keys", &[("id", "AKIDREFERENCE")]);
                let from = json!({"secretKeyRef": {"name": "keys", "key": "id"}});
                let env = json!([
                    {"name": "AWS_SECRET_ACCESS_KEY", "value": "s"}, {"name": "AWS_ACCESS_KEY_ID", "valueFrom": from},
                ]);
                let _pod = stage.start(&json!({"template": {"env": env}})).await;
                assert_eq!(stage.long_poll().await.caller.access_key, "AKIDREFERENCE");
            }),
        ),
    ]
}

fn keys() -> Value {
    json!({"template": {"env": [
        {"name": "AWS_SECRET_ACCESS_KEY", "value": "s"}, {"name": "AWS_ACCESS_KEY_ID", "value": "AKIDTEMPLATE"},
    ]}})
}
