//! Server and case -> why that server is known to answer otherwise than AWS documents. Pure.

use super::Server;

/// Each known difference: the server, the case of the suite, the reason.
const KNOWN: &[(Server, &str, &str)] = &[];

/// The reason why `server` is known to fail `case`, if it is.
pub fn known(server: Server, case: &str) -> Option<&'static str> {
    KNOWN.iter().find(|(who, what, _)| *who == server && *what == case).map(|(_, _, reason)| *reason)
}
