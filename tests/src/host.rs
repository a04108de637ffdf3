//! Where servers of the tests listen. I/O: the environment.

use std::net::Ipv4Addr;

/// The environment variable with an address that others than this machine reach too, such as Pods of a node on it.
const VARIABLE: &str = "TESTS_HOST";

/// 127.0.0.1, unless the tier needs another.
///
/// # Panics
///
/// When the variable holds something else than an address.
pub fn address() -> Ipv4Addr {
    let chosen = std::env::var(VARIABLE).ok();
    chosen.map_or(Ipv4Addr::LOCALHOST, |address| address.parse().expect("TESTS_HOST is an IPv4 address"))
}
