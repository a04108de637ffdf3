use std::os::unix::fs::symlink;

use super::*;

fn write(dir: &Path, name: &str, text: &str) {
    fs::create_dir_all(dir).expect("a folder");
    fs::write(dir.join(name), text).expect("a file");
}

fn keys(dir: &Path) -> (String, String, Option<String>) {
    let keys = key_files(dir).expect("keys");
    (keys.access_key_id().to_owned(), keys.secret_access_key().to_owned(), keys.session_token().map(str::to_owned))
}

#[test]
fn key_files_may_end_in_a_newline_and_lack_a_token() {
    let dir = tempfile::tempdir().expect("a folder");
    write(dir.path(), "accessKeyId", "AKIA1\n");
    write(dir.path(), "secretAccessKey", " hush ");
    assert_eq!(keys(dir.path()), ("AKIA1".to_owned(), "hush".to_owned(), None));
    write(dir.path(), "sessionToken", "token\n");
    assert_eq!(keys(dir.path()).2, Some("token".to_owned()));
    write(dir.path(), "sessionToken", "");
    assert_eq!(keys(dir.path()).2, None);
}

#[test]
fn a_missing_file_is_named() {
    let dir = tempfile::tempdir().expect("a folder");
    write(dir.path(), "accessKeyId", "AKIA1");
    let fault = key_files(dir.path()).expect_err("no secret");
    let path = dir.path().join("secretAccessKey");
    assert_eq!(fault, not_found(format!("cannot read {}: No such file or directory (os error 2)", path.display())));
}

/// Breaks if a Secret that changes is read half old, half new: kubelet swaps the link `..data`.
#[test]
fn the_files_of_a_swapped_secret_belong_together() {
    let dir = tempfile::tempdir().expect("a folder");
    let volume = dir.path().join("volume");
    for version in ["1", "2"] {
        let data = volume.join(format!("..{version}"));
        write(&data, "accessKeyId", &format!("AKIA{version}"));
        write(&data, "secretAccessKey", &format!("hush{version}"));
    }
    let point_to = |version: &str| {
        let fresh = volume.join("..fresh");
        symlink(format!("..{version}"), &fresh).expect("a link");
        fs::rename(&fresh, volume.join("..data")).expect("a swap");
    };
    point_to("1");
    symlink("..data/accessKeyId", volume.join("accessKeyId")).expect("a link");
    symlink("..data/secretAccessKey", volume.join("secretAccessKey")).expect("a link");
    assert_eq!(keys(&volume), ("AKIA1".to_owned(), "hush1".to_owned(), None));
    point_to("2");
    assert_eq!(keys(&volume), ("AKIA2".to_owned(), "hush2".to_owned(), None));
}

async fn of_file(path: &Path) -> Result<Credentials, Fault> {
    shared_file(path, &ProviderConfig::without_region(), None).await
}

#[tokio::test]
async fn only_profile_default_of_the_file_is_used() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("credentials");
    write(
        dir.path(),
        "credentials",
        "[other]\naws_access_key_id = AKIA0\naws_secret_access_key = x\n\n[default]\naws_access_key_id = AKIA1\naws_secret_access_key = hush\naws_session_token = token\n",
    );
    let keys = of_file(&path).await.expect("keys");
    assert_eq!(keys.access_key_id(), "AKIA1");
    assert_eq!(keys.session_token(), Some("token"));
    write(dir.path(), "credentials", "[default]\naws_access_key_id = AKIA2\naws_secret_access_key = hush\n");
    assert_eq!(of_file(&path).await.expect("keys").access_key_id(), "AKIA2");
}

#[tokio::test]
async fn a_file_without_keys_or_no_file_is_an_answer() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("credentials");
    let missing = of_file(&path).await.expect_err("no file");
    assert_eq!(missing, not_found(format!("cannot read {}: No such file or directory (os error 2)", path.display())));
    write(dir.path(), "credentials", "[other]\naws_access_key_id = AKIA0\naws_secret_access_key = x\n");
    let empty = of_file(&path).await.expect_err("no profile");
    assert_eq!(empty, not_found(format!("profile default of {} has no usable keys", path.display())));
}
