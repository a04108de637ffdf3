//! A parent's name and a suffix -> the name of an owned object, at most 63 characters, the same every time. Pure.
//!
//! The algorithm and its results are Knative's (`knative.dev/pkg`, `kmeta.ChildName`), so that others find what we make.

use md5::{Digest, Md5};

/// The longest name, which is also the longest label value.
pub const LONGEST: usize = 63;

/// Characters of an MD5 sum in hexadecimal.
const DIGEST: usize = 32;

/// `parent` and `suffix` put together; what does not fit is replaced by a digest.
pub fn child_name(parent: &str, suffix: &str) -> String {
    if parent.len() + suffix.len() <= LONGEST {
        return format!("{parent}{suffix}");
    }
    let kept = LONGEST - DIGEST;
    if suffix.len() >= kept {
        let name = format!("{}{}", head(parent, kept), digest(&format!("{parent}{suffix}")));
        let padding = head(suffix, LONGEST - name.len());
        return format!("{name}{padding}").trim_end_matches(|last: char| !last.is_ascii_alphanumeric()).to_owned();
    }
    format!("{}{}{suffix}", head(parent, kept - suffix.len()), digest(parent))
}

/// The ServiceAccount whose tokens a source sends.
pub fn oidc_service_account(source: &str) -> String {
    child_name(source, "-oidc-sources.knative.dev-AwsSqsSource").to_lowercase()
}

/// The Role and the RoleBinding that let the adapter request such tokens.
pub fn oidc_role(source: &str) -> String {
    child_name(source, "-create-oidc-token")
}

/// The Role and the RoleBinding that let the adapter report failed deliveries as Kubernetes Events.
pub fn events_role(source: &str) -> String {
    child_name(source, "-create-events")
}

/// The Deployment of a source that has none yet.
pub fn deployment(source: &str, uid: &str) -> String {
    child_name(&format!("awssqs-{source}-"), uid)
}

/// The copy of a trust bundle in a source's namespace.
pub fn bundle_copy(origin: &str) -> String {
    child_name(origin, "kne-bundle")
}

fn head(text: &str, longest: usize) -> &str {
    text.get(..longest).unwrap_or(text)
}

fn digest(text: &str) -> String {
    Md5::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Produced by Knative's own function; if one differs, Knative and we no longer mean the same object.
    #[test]
    fn names_are_those_of_knative() {
        let a = |n: usize| "a".repeat(n);
        let cases = [
            (oidc_service_account("my-src"), "my-src-oidc-sources.knative.dev-awssqssource"),
            (oidc_service_account(&a(25)), "aaaaaaaaaaaaaaaaaaaaaaaaa-oidc-sources.knative.dev-awssqssource"),
            (oidc_service_account(&a(26)), "aaaaaaaaaaaaaaaaaaaaaaaaaa509a3cd48ab78d4f7f8cd12263715a26-oidc"),
            (oidc_service_account(&a(40)), "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa5743a49826d08742ae79d1eadfc3fe39"),
            (
                oidc_service_account("orders-queue-of-the-payments-team"),
                "orders-queue-of-the-payments-te4ad45f3b0078e424064078bd11fc6ab2",
            ),
            (oidc_role("my-src"), "my-src-create-oidc-token"),
            (oidc_role(&a(46)), "aaaaaaaaaaaaa8c6ded4f0af86e0a7e301f8a716c4363-create-oidc-token"),
            (
                deployment(&a(20), "0f3c8f6e-9d8b-4b57-8a0e-2f6a5f1c7d11"),
                "awssqs-aaaaaaaaaaaaaaaaaaaa-2cb044db360b2f00e40a941ed40501a90f3",
            ),
            (bundle_copy(&"b".repeat(60)), "bbbbbbbbbbbbbbbbbbbbb3cb5465a7e33b90e250e8e24a764e65akne-bundle"),
            (bundle_copy("knative-bundle"), "knative-bundlekne-bundle"),
        ];
        for (name, expected) in cases {
            assert_eq!(name, expected);
            assert!(name.len() <= LONGEST);
        }
    }
}
