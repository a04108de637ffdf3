use std::os::unix::fs::symlink;
use std::time::Duration;

use tests::sqs::Code;
use tests::wait::eventually;

use super::*;

fn keys(folder: &Path, access_key_id: &str) {
    write(folder, "accessKeyId", access_key_id);
    write(folder, "secretAccessKey", "secret");
}

/// Asks until the calls are signed with this key.
async fn signed_with(sqs: &Simulator, clients: &Clients, key: &str) {
    eventually(Duration::from_secs(20), async || {
        let signer = receive(sqs, clients).await.access_key;
        if signer == key { Ok(()) } else { Err(signer) }
    })
    .await;
}

#[tokio::test]
async fn key_files_sign_and_are_read_again_when_they_change() {
    let sqs = Simulator::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    keys(folder.path(), "AKIAOLD");
    let clients = connect(&sqs, &[("BRIDGE_KEYS_DIR", &folder.path().display().to_string())]).await;
    assert_eq!(signer(&sqs, &clients).await.access_key, "AKIAOLD");
    keys(folder.path(), "AKIANEW");
    signed_with(&sqs, &clients, "AKIANEW").await;
}

/// Breaks if kubelet's way to change the files of a Secret goes unnoticed: it swaps a link to a new folder.
#[tokio::test]
async fn a_secret_that_kubelet_swaps_is_noticed() {
    let sqs = Simulator::start().await;
    let volume = tempfile::tempdir().expect("a folder");
    for (version, key) in [("..1", "AKIAOLD"), ("..2", "AKIANEW")] {
        std::fs::create_dir(volume.path().join(version)).expect("a folder");
        keys(&volume.path().join(version), key);
    }
    let data = volume.path().join("..data");
    symlink("..1", &data).expect("a link");
    for name in ["accessKeyId", "secretAccessKey"] {
        symlink(format!("..data/{name}"), volume.path().join(name)).expect("a link");
    }
    let clients = connect(&sqs, &[("BRIDGE_KEYS_DIR", &volume.path().display().to_string())]).await;
    assert_eq!(signer(&sqs, &clients).await.access_key, "AKIAOLD");
    let fresh = volume.path().join("..fresh");
    symlink("..2", &fresh).expect("a link");
    std::fs::rename(&fresh, &data).expect("a swap");
    std::fs::remove_dir_all(volume.path().join("..1")).expect("the old files go");
    signed_with(&sqs, &clients, "AKIANEW").await;
}

#[tokio::test]
async fn keys_that_aws_refuses_are_read_again_at_once() {
    let sqs = Simulator::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    keys(folder.path(), "AKIAOLD");
    sqs.reject_access_key("AKIAOLD", Code::INVALID_CLIENT_TOKEN);
    let clients = connect(&sqs, &[("BRIDGE_KEYS_DIR", &folder.path().display().to_string())]).await;
    let refused = fault(&sqs, &clients).await;
    assert_eq!((refused.class, refused.code.as_str()), (FaultClass::Credentials, "InvalidClientTokenId"));
    keys(folder.path(), "AKIANEW");
    clients.identity.refresh();
    assert_eq!(signer(&sqs, &clients).await.access_key, "AKIANEW");
}

#[tokio::test]
async fn missing_key_files_are_named_and_read_when_they_come() {
    let sqs = Simulator::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let clients = connect(&sqs, &[("BRIDGE_KEYS_DIR", &folder.path().display().to_string())]).await;
    let missing = fault(&sqs, &clients).await;
    let path = folder.path().join("accessKeyId");
    let expected = Fault {
        class: FaultClass::Credentials,
        code: "CredentialsNotFound".to_owned(),
        message: format!("cannot read {}: No such file or directory (os error 2)", path.display()),
        status: None,
    };
    assert_eq!(missing, expected);
    assert_eq!(sqs.calls().len(), 0);
    keys(folder.path(), "AKIA1");
    assert_eq!(signer(&sqs, &clients).await.access_key, "AKIA1");
}

const INI: &str = "[other]\naws_access_key_id = AKIAOTHER\naws_secret_access_key = s\n\n\
                   [default]\naws_access_key_id = AKIADEFAULT\naws_secret_access_key = s\n";

#[tokio::test]
async fn profile_default_of_the_credentials_file_signs_and_is_read_again() {
    let sqs = Simulator::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), "credentials", INI);
    let path = folder.path().join("credentials").display().to_string();
    let clients = connect(&sqs, &[("AWS_APPLICATION_CREDENTIALS", &path)]).await;
    assert_eq!(signer(&sqs, &clients).await.access_key, "AKIADEFAULT");
    write(folder.path(), "credentials", &INI.replace("AKIADEFAULT", "AKIANEW"));
    signed_with(&sqs, &clients, "AKIANEW").await;
}

#[tokio::test]
async fn a_missing_credentials_file_is_named() {
    let sqs = Simulator::start().await;
    let clients = connect(&sqs, &[("AWS_APPLICATION_CREDENTIALS", "/nowhere/credentials")]).await;
    let missing = fault(&sqs, &clients).await;
    assert_eq!(missing.code, "CredentialsNotFound");
    assert_eq!(missing.message, "cannot read /nowhere/credentials: No such file or directory (os error 2)");
}
