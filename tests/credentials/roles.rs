use std::time::{Duration, SystemTime};

use super::*;

const ROLE: &str = "arn:aws:iam::210987654321:role/reader";
const KEYS: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", "AKIABASE"), ("AWS_SECRET_ACCESS_KEY", "s")];

fn with<'a>(sts: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let role = [("AWS_ENDPOINT_URL_STS", sts), ("BRIDGE_ASSUME_ROLE_ROLE_ARN", ROLE)];
    role.into_iter().chain(KEYS).chain(more.iter().copied()).collect()
}

#[tokio::test]
async fn a_role_is_assumed_with_its_external_id_and_signs() {
    let (sqs, sts) = (Simulator::start().await, FakeAws::start().await);
    let url = sts.url();
    let more = [("BRIDGE_ASSUME_ROLE_EXTERNAL_ID", "team-a"), ("NAMESPACE", "ns"), ("NAME", "orders")];
    let clients = connect(&sqs, &with(&url, &more)).await;
    let caller = signer(&sqs, &clients).await;
    assert_eq!(caller.access_key, "ASIAASSUMEROLE1");
    assert_eq!(caller.session_token.as_deref(), Some("token1"));
    let asked = sts.asked();
    assert_eq!(asked.len(), 1, "one role for both clients: {asked:?}");
    assert_eq!(asked[0].access_key, "AKIABASE");
    let expected = parameters(&[
        ("Action", "AssumeRole"),
        ("Version", "2011-06-15"),
        ("RoleArn", ROLE),
        ("RoleSessionName", "ns.orders"),
        ("ExternalId", "team-a"),
    ]);
    assert_eq!(asked[0].parameters, expected);
}

#[tokio::test]
async fn a_role_is_assumed_again_when_aws_has_refused_its_keys() {
    let (sqs, sts) = (Simulator::start().await, FakeAws::start().await);
    let clients = connect(&sqs, &with(&sts.url(), &[])).await;
    assert_eq!(signer(&sqs, &clients).await.access_key, "ASIAASSUMEROLE1");
    clients.identity.refresh();
    assert_eq!(signer(&sqs, &clients).await.access_key, "ASIAASSUMEROLE2");
}

/// Breaks if a problem of STS reaches the queue while the session still holds.
#[tokio::test]
async fn a_session_is_renewed_before_it_ends_and_kept_while_sts_has_a_problem() {
    let (sqs, sts) = (Simulator::start().await, FakeAws::start().await);
    sts.lifetime(Duration::from_secs(6));
    let clients = connect(&sqs, &with(&sts.url(), &[])).await;
    assert_eq!(signer(&sqs, &clients).await.access_key, "ASIAASSUMEROLE1");
    sts.refuse("AssumeRole", 500, "InternalFailure", 3);
    sts.lifetime(Duration::from_secs(3_600));
    tests::wait::eventually(Duration::from_secs(20), async || {
        let signer = receive(&sqs, &clients).await.access_key;
        if signer == "ASIAASSUMEROLE2" { Ok(()) } else { Err(signer) }
    })
    .await;
    let left = clients.identity.expiry().and_then(|expiry| expiry.duration_since(SystemTime::now()).ok());
    assert!(left.is_some_and(|left| left > Duration::from_secs(3_000)), "{left:?}");
}

#[tokio::test]
async fn a_refusal_of_sts_is_told_from_one_of_sqs() {
    let (sqs, sts) = (Simulator::start().await, FakeAws::start().await);
    sts.refuse("AssumeRole", 403, "AccessDenied", 1);
    let clients = connect(&sqs, &with(&sts.url(), &[])).await;
    let expected = Fault {
        class: FaultClass::Credentials,
        code: "AssumeRoleDenied".to_owned(),
        message: "STS answered AccessDenied: refused by the double".to_owned(),
        status: Some(403),
    };
    assert_eq!(fault(&sqs, &clients).await, expected);
    assert_eq!(signer(&sqs, &clients).await.access_key, "ASIAASSUMEROLE1");
}

#[tokio::test]
async fn base_keys_that_sts_does_not_know_are_rejected_credentials() {
    let (sqs, sts) = (Simulator::start().await, FakeAws::start().await);
    sts.refuse("AssumeRole", 403, "InvalidClientTokenId", 1);
    let clients = connect(&sqs, &with(&sts.url(), &[])).await;
    let refused = fault(&sqs, &clients).await;
    assert_eq!((refused.class, refused.code.as_str()), (FaultClass::Credentials, "InvalidClientTokenId"));
}

#[tokio::test]
async fn an_sts_that_is_down_is_a_transient_fault() {
    let sqs = Simulator::start().await;
    let clients = connect(&sqs, &with("http://127.0.0.1:9", &[])).await;
    let down = fault(&sqs, &clients).await;
    assert_eq!((down.class, down.code.as_str()), (FaultClass::Transient, ""));
    assert!(down.message.starts_with("STS: "), "{}", down.message);
}

/// Breaks if an endpoint for SQS sends the keys of STS to it.
#[tokio::test]
async fn the_endpoint_of_sqs_does_not_redirect_sts() {
    let (sqs, sts) = (Simulator::start().await, FakeAws::start().await);
    let (endpoint, url) = (sqs.url(), sts.url());
    for variable in ["AWS_ENDPOINT_URL_SQS", "AWS_ENDPOINT_URL"] {
        let clients = connect(&sqs, &with(&url, &[(variable, endpoint.as_str())])).await;
        clients.identity.load().await.expect("credentials");
    }
    assert_eq!(sts.asked().len(), 2);
}

#[tokio::test]
async fn a_web_identity_token_is_read_for_each_session() {
    let (sqs, sts) = (Simulator::start().await, FakeAws::start().await);
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), "token", "jwt1\n");
    let (url, path) = (sts.url(), folder.path().join("token").display().to_string());
    let settings = [
        ("AWS_ENDPOINT_URL_STS", url.as_str()),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", path.as_str()),
        ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/orders"),
        ("AWS_ROLE_SESSION_NAME", "session"),
    ];
    let clients = connect(&sqs, &settings).await;
    assert_eq!(signer(&sqs, &clients).await.access_key, "ASIAASSUMEROLEWITHWEBIDENTITY1");
    write(folder.path(), "token", "jwt2");
    clients.identity.refresh();
    assert_eq!(signer(&sqs, &clients).await.access_key, "ASIAASSUMEROLEWITHWEBIDENTITY2");
    let expected = |token| Asked {
        action: "AssumeRoleWithWebIdentity".to_owned(),
        access_key: String::new(),
        authorization: String::new(),
        parameters: parameters(&[
            ("Action", "AssumeRoleWithWebIdentity"),
            ("Version", "2011-06-15"),
            ("RoleArn", "arn:aws:iam::123456789012:role/orders"),
            ("RoleSessionName", "session"),
            ("WebIdentityToken", token),
        ]),
    };
    assert_eq!(sts.asked(), [expected("jwt1"), expected("jwt2")]);
}

#[tokio::test]
async fn a_role_is_assumed_on_top_of_web_identity() {
    let (sqs, sts) = (Simulator::start().await, FakeAws::start().await);
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), "token", "jwt");
    let (url, path) = (sts.url(), folder.path().join("token").display().to_string());
    let settings = [
        ("AWS_ENDPOINT_URL_STS", url.as_str()),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", path.as_str()),
        ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/orders"),
        ("BRIDGE_ASSUME_ROLE_ROLE_ARN", ROLE),
    ];
    let clients = connect(&sqs, &settings).await;
    assert_eq!(signer(&sqs, &clients).await.access_key, "ASIAASSUMEROLE2");
    let asked = sts.asked();
    let actions: Vec<&str> = asked.iter().map(|asked| asked.action.as_str()).collect();
    assert_eq!(actions, ["AssumeRoleWithWebIdentity", "AssumeRole"]);
    assert_eq!(asked[1].access_key, "ASIAASSUMEROLEWITHWEBIDENTITY1");
    assert_eq!(asked[1].parameters.get("RoleSessionName").map(String::as_str), Some("adapter"));
}

#[tokio::test]
async fn a_missing_token_file_is_named() {
    let sqs = Simulator::start().await;
    let settings =
        [("AWS_WEB_IDENTITY_TOKEN_FILE", "/nowhere/token"), ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/orders")];
    let missing = fault(&sqs, &connect(&sqs, &settings).await).await;
    assert_eq!(missing.code, "CredentialsNotFound");
    assert_eq!(missing.message, "cannot read /nowhere/token: No such file or directory (os error 2)");
}
