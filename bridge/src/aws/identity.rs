//! Where credentials come from -> credentials, cached, renewed and re-read on rotation. I/O: files, STS, metadata services.

use std::time::SystemTime;

/// The identity that signs every request of one source.
#[derive(Clone, Debug, Default)]
pub struct Identity {}

impl Identity {
    /// Drops what is cached: the next request loads credentials anew. For use after AWS refused them.
    pub fn refresh(&self) {}

    /// When the credentials in use end; `None` if they do not, or none are loaded yet.
    pub fn expiry(&self) -> Option<SystemTime> {
        None
    }
}
