//! `/etc/resolv.conf` -> the domain of the cluster's services. I/O: one file.

/// The domain where nothing says otherwise.
const USUAL: &str = "cluster.local";

/// The domain that is set, else the one that the file says, else `cluster.local`.
pub fn discover(set: Option<String>, file: &str) -> String {
    let said = || std::fs::read_to_string(file).ok().and_then(|text| of_resolv_conf(&text));
    set.filter(|domain| !domain.is_empty()).or_else(said).unwrap_or_else(|| USUAL.to_owned())
}

/// The kubelet writes `search <namespace>.svc.<domain> svc.<domain> <domain>`.
fn of_resolv_conf(text: &str) -> Option<String> {
    let searches = text.lines().filter_map(|line| line.strip_prefix("search"));
    let domain = searches.flat_map(str::split_whitespace).find_map(|entry| entry.strip_prefix("svc."))?;
    Some(domain.trim_end_matches('.').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_domain_is_that_of_the_search_line() {
        let text = "nameserver 10.96.0.10\nsearch ns.svc.corp.example svc.corp.example corp.example\noptions ndots:5\n";
        assert_eq!(of_resolv_conf(text).as_deref(), Some("corp.example"));
        assert_eq!(of_resolv_conf("nameserver 1.1.1.1\n"), None);
        assert_eq!(discover(Some("set".to_owned()), "/nowhere"), "set");
        assert_eq!(discover(None, "/nowhere"), "cluster.local");
    }
}
