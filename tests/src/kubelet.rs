//! The spec of a Pod and what the cluster has -> environment and files of its container, as a kubelet makes them.
//! I/O: files in a temporary directory.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// What a pod finds around it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// The pod's namespace.
    pub namespace: String,
    /// The pod's name.
    pub pod: String,
    /// Secrets of the namespace, each with its keys as texts.
    pub secrets: BTreeMap<String, BTreeMap<String, String>>,
    /// Roles that the webhook of EKS (IRSA) finds on ServiceAccounts of the namespace.
    pub roles: BTreeMap<String, String>,
}

/// A container that cannot be started: the reason and the message that a kubelet writes into the pod's status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stuck {
    /// One word.
    pub reason: &'static str,
    /// One sentence.
    pub message: String,
}

/// Environment and files of the first container of a pod; the files go with this value.
#[derive(Debug)]
pub struct Container {
    /// The variables; paths of mounts are those of this machine.
    pub env: BTreeMap<String, String>,
    directory: PathBuf,
}

impl Container {
    /// Makes them.
    ///
    /// # Errors
    ///
    /// A volume or variable needs what does not exist.
    ///
    /// # Panics
    ///
    /// When files cannot be written.
    pub fn of(pod: &Value, around: &Surroundings) -> Result<Self, Stuck> {
        let directory = std::env::temp_dir().join(format!("sqs-bridge-pod-{:016x}", fastrand::u64(..)));
        let mut container = Self { env: BTreeMap::new(), directory };
        container.mount(pod, around)?;
        let variables = pod["containers"][0]["env"].as_array().cloned().unwrap_or_default();
        for variable in &variables {
            let name = text(&variable["name"]).to_owned();
            let value = value_of(variable, around)?;
            container.env.insert(name, container.on_this_machine(pod, &value));
        }
        container.inject_role(pod, around);
        Ok(container)
    }

    /// Writes the volumes again, as a kubelet does when a Secret has changed.
    ///
    /// # Errors
    ///
    /// As [`Container::of`].
    ///
    /// # Panics
    ///
    /// When files cannot be written.
    pub fn mount(&self, pod: &Value, around: &Surroundings) -> Result<(), Stuck> {
        for volume in pod["volumes"].as_array().into_iter().flatten() {
            let files = files_of(pod, volume, around)?;
            replace(&self.directory.join(text(&volume["name"])), &files);
        }
        Ok(())
    }

    /// A path below a mount becomes one below the directory of its volume.
    fn on_this_machine(&self, pod: &Value, value: &str) -> String {
        let mounts = pod["containers"][0]["volumeMounts"].as_array().cloned().unwrap_or_default();
        for mount in &mounts {
            let rest =
                value.strip_prefix(text(&mount["mountPath"])).filter(|rest| rest.is_empty() || rest.starts_with('/'));
            if let Some(rest) = rest {
                return format!("{}{rest}", self.directory.join(text(&mount["name"])).display());
            }
        }
        value.to_owned()
    }

    /// What the webhook of EKS adds to pods of a ServiceAccount with a role.
    fn inject_role(&mut self, pod: &Value, around: &Surroundings) {
        let account = text(&pod["serviceAccountName"]);
        let Some(role) = around.roles.get(account) else { return };
        let directory = self.directory.join("aws-iam-token");
        replace(&directory, &BTreeMap::from([("token".to_owned(), token(account, "sts.amazonaws.com", 86_400))]));
        let file = directory.join("token").display().to_string();
        self.env.entry("AWS_ROLE_ARN".to_owned()).or_insert_with(|| role.clone());
        self.env.entry("AWS_WEB_IDENTITY_TOKEN_FILE".to_owned()).or_insert(file);
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        // Left behind, it is only a directory too many in a temporary place.
        fs::remove_dir_all(&self.directory).ok();
    }
}

/// What stands in a token of a ServiceAccount here: all that a test wants to know of it.
pub fn token(account: &str, audience: &str, seconds: u64) -> String {
    format!("token of {account} for {audience} for {seconds} s")
}

fn value_of(variable: &Value, around: &Surroundings) -> Result<String, Stuck> {
    let from = &variable["valueFrom"];
    if let Some(path) = from["fieldRef"]["fieldPath"].as_str() {
        return Ok(match path {
            "metadata.namespace" => around.namespace.clone(),
            "metadata.name" => around.pod.clone(),
            other => panic!("the kubelet of the tests does not know the field {other}"),
        });
    }
    if from["secretKeyRef"].is_object() {
        let (secret, key) = (text(&from["secretKeyRef"]["name"]), text(&from["secretKeyRef"]["key"]));
        let Some(keys) = around.secrets.get(secret) else {
            return Err(Stuck {
                reason: "CreateContainerConfigError",
                message: format!("secret {secret:?} not found"),
            });
        };
        return keys.get(key).cloned().ok_or_else(|| Stuck {
            reason: "CreateContainerConfigError",
            message: format!("couldn't find key {key} in Secret {}/{secret}", around.namespace),
        });
    }
    Ok(text(&variable["value"]).to_owned())
}

fn files_of(pod: &Value, volume: &Value, around: &Surroundings) -> Result<BTreeMap<String, String>, Stuck> {
    if volume["secret"].is_object() {
        return secret_files(text(&volume["secret"]["secretName"]), &volume["secret"], around);
    }
    let mut files = BTreeMap::new();
    for source in volume["projected"]["sources"].as_array().into_iter().flatten() {
        if source["secret"].is_object() {
            files.extend(secret_files(text(&source["secret"]["name"]), &source["secret"], around)?);
        } else if source["serviceAccountToken"].is_object() {
            let asked = &source["serviceAccountToken"];
            let seconds = asked["expirationSeconds"].as_u64().unwrap_or(3600);
            let token = token(text(&pod["serviceAccountName"]), text(&asked["audience"]), seconds);
            files.insert(text(&asked["path"]).to_owned(), token);
        }
    }
    Ok(files)
}

fn secret_files(name: &str, source: &Value, around: &Surroundings) -> Result<BTreeMap<String, String>, Stuck> {
    let optional = source["optional"] == true;
    let missing =
        |what: String| Stuck { reason: "ContainerCreating", message: format!("MountVolume.SetUp failed: {what}") };
    let Some(keys) = around.secrets.get(name) else {
        return if optional { Ok(BTreeMap::new()) } else { Err(missing(format!("secret {name:?} not found"))) };
    };
    let Some(items) = source["items"].as_array() else { return Ok(keys.clone()) };
    let mut files = BTreeMap::new();
    for item in items {
        match keys.get(text(&item["key"])) {
            Some(value) => drop(files.insert(text(&item["path"]).to_owned(), value.clone())),
            None if optional => {}
            None => return Err(missing(format!("references non-existent secret key: {}", text(&item["key"])))),
        }
    }
    Ok(files)
}

/// The directory with exactly these files; each appears whole, under its name.
fn replace(directory: &Path, files: &BTreeMap<String, String>) {
    fs::create_dir_all(directory).expect("a directory for a volume");
    for (name, content) in files {
        let (whole, begun) = (directory.join(name), directory.join(format!(".{name}")));
        if fs::read_to_string(&whole).is_ok_and(|there| there == *content) {
            continue;
        }
        fs::write(&begun, content).expect("a file of a volume");
        fs::rename(begun, whole).expect("a file of a volume");
    }
    for entry in fs::read_dir(directory).expect("the directory of a volume").flatten() {
        if entry.file_name().to_str().is_some_and(|name| !files.contains_key(name)) {
            fs::remove_file(entry.path()).expect("a file of a volume goes");
        }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn around() -> Surroundings {
        let keys = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
        };
        Surroundings {
            namespace: "ns".to_owned(),
            pod: "p".to_owned(),
            secrets: BTreeMap::from([("s".to_owned(), keys(&[("a", "1"), ("b", "2")]))]),
            roles: BTreeMap::from([("reader".to_owned(), "role".to_owned())]),
        }
    }

    #[test]
    fn paths_of_mounts_lead_to_the_files_of_their_volumes() {
        let pod = json!({
            "serviceAccountName": "reader",
            "containers": [{
                "env": [
                    {"name": "FILE", "value": "/mnt/a"}, {"name": "DIR", "value": "/keys"}, {"name": "OTHER", "value": "/keys2"},
                    {"name": "NS", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
                    {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "s", "key": "b"}}},
                ],
                "volumeMounts": [{"name": "v", "mountPath": "/mnt"}, {"name": "k", "mountPath": "/keys"}],
            }],
            "volumes": [
                {"name": "v", "secret": {"secretName": "s"}},
                {"name": "k", "projected": {"sources": [
                    {"secret": {"name": "s", "items": [{"key": "b", "path": "c"}], "optional": true}},
                    {"serviceAccountToken": {"audience": "me", "expirationSeconds": 600, "path": "token"}},
                ]}},
            ],
        });
        let container = Container::of(&pod, &around()).unwrap();
        let read = |path: String| fs::read_to_string(path).unwrap();
        assert_eq!(read(container.env["FILE"].clone()), "1");
        assert_eq!(read(format!("{}/c", container.env["DIR"])), "2");
        assert_eq!(read(format!("{}/token", container.env["DIR"])), "token of reader for me for 600 s");
        let plain = ["OTHER", "NS", "KEY", "AWS_ROLE_ARN"].map(|name| container.env[name].as_str());
        assert_eq!(plain, ["/keys2", "ns", "2", "role"]);

        let mut later = around();
        later.secrets.insert("s".to_owned(), BTreeMap::from([("a".to_owned(), "3".to_owned())]));
        container.mount(&pod, &later).unwrap();
        assert_eq!(read(container.env["FILE"].clone()), "3");
        assert!(!Path::new(&format!("{}/c", container.env["DIR"])).exists());
    }

    #[test]
    fn what_is_missing_keeps_a_container_from_starting_unless_it_is_optional() {
        let pod = |optional: bool| {
            json!({
                "containers": [{"volumeMounts": [{"name": "v", "mountPath": "/mnt"}]}],
                "volumes": [{"name": "v", "secret": {"secretName": "other", "optional": optional}}],
            })
        };
        assert!(Container::of(&pod(true), &around()).is_ok());
        let stuck = Container::of(&pod(false), &around()).unwrap_err();
        assert_eq!(stuck.message, "MountVolume.SetUp failed: secret \"other\" not found");
        let pod =
            json!({"containers": [{"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "z"}}}]}]});
        let stuck = Container::of(&pod, &around()).unwrap_err();
        assert_eq!(
            (stuck.reason, stuck.message.as_str()),
            ("CreateContainerConfigError", "couldn't find key z in Secret ns/s")
        );
    }
}
