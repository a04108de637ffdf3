//! A source of credentials -> credentials for every request, kept, renewed before they end and re-read on rotation.
//! I/O: clock, and what the source does.
//!
//! The SDK's own cache serves one client and cannot be told that AWS has refused what it holds.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};
use tokio::sync::Semaphore;

use super::source::Source;
use crate::fault::Fault;

/// The identity that signs every request of one source; clones share it.
#[derive(Clone, Debug)]
pub struct Identity {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    source: Source,
    held: RwLock<Held>,
    /// One load at a time; whoever waits then takes what was loaded.
    loading: Semaphore,
}

/// No credentials; wraps the fault so that it survives the way through the SDK's errors.
#[derive(Debug)]
pub(super) struct IdentityError {
    pub fault: Fault,
}

impl fmt::Display for IdentityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no AWS credentials: {}", self.fault.message)
    }
}

impl std::error::Error for IdentityError {}

/// Credentials are renewed this long before they end, or after two thirds of a short life.
const MARGIN: Duration = Duration::from_secs(300);
/// Between two tries to renew credentials that still hold.
const RETRY: Duration = Duration::from_secs(10);
/// How long a request with good credentials waits for newer ones.
const PATIENCE: Duration = Duration::from_secs(1);

impl Identity {
    pub(super) fn new(source: Source) -> Self {
        Self { shared: Arc::new(Shared { source, held: RwLock::default(), loading: Semaphore::new(1) }) }
    }

    /// The credentials in use, loaded if there are none yet or they are due.
    ///
    /// # Errors
    /// Why no provider has credentials, or what STS said.
    pub async fn load(&self) -> Result<Credentials, Fault> {
        match self.held(|held| held.look(SystemTime::now())) {
            Look::Good(credentials) => Ok(credentials),
            Look::Due(credentials) => match self.shared.loading.try_acquire() {
                Ok(_turn) => Ok(self.try_to_renew().await.unwrap_or(credentials)),
                Err(_) => Ok(credentials),
            },
            Look::Missing => {
                let _turn = self.shared.loading.acquire().await;
                match self.held(|held| held.look(SystemTime::now())) {
                    Look::Good(credentials) | Look::Due(credentials) => Ok(credentials),
                    Look::Missing => self.renew().await,
                }
            }
        }
    }

    /// Drops what is held: the next request loads credentials anew. For use after AWS refused them.
    pub fn refresh(&self) {
        self.change(|held| *held = Held::default());
    }

    /// When the credentials in use end; `None` if they do not, or none are loaded yet.
    pub fn expiry(&self) -> Option<SystemTime> {
        self.held(|held| held.credentials.as_ref().and_then(Credentials::expiry))
    }

    /// Where the credentials come from, for people.
    pub fn describe(&self) -> String {
        self.shared.source.describe()
    }

    /// Newer credentials if they come soon: whoever asked has good ones and other things to do.
    async fn try_to_renew(&self) -> Option<Credentials> {
        let renewed = tokio::time::timeout(PATIENCE, self.renew()).await;
        if renewed.is_err() {
            self.change(|held| held.put_off(SystemTime::now()));
        }
        renewed.ok()?.ok()
    }

    async fn renew(&self) -> Result<Credentials, Fault> {
        let loaded = self.shared.source.load().await;
        let now = SystemTime::now();
        match &loaded {
            Ok(credentials) => {
                let held = Held::new(credentials.clone(), now, self.shared.source.reread());
                self.change(|place| *place = held);
            }
            Err(_) => self.change(|held| held.put_off(now)),
        }
        loaded
    }

    fn held<T>(&self, read: impl FnOnce(&Held) -> T) -> T {
        read(&self.shared.held.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn change(&self, write: impl FnOnce(&mut Held)) {
        write(&mut self.shared.held.write().unwrap_or_else(PoisonError::into_inner));
    }
}

impl ProvideCredentials for Identity {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let load =
            async { self.load().await.map_err(|fault| CredentialsError::provider_error(IdentityError { fault })) };
        future::ProvideCredentials::new(load)
    }
}

/// What is held, and when to look for newer ones. Sans-IO.
#[derive(Debug, Default)]
struct Held {
    credentials: Option<Credentials>,
    due: Option<SystemTime>,
}

/// What a look at the held credentials says.
#[derive(Debug, PartialEq, Eq)]
enum Look {
    Good(Credentials),
    /// They hold, but newer ones should be looked for.
    Due(Credentials),
    Missing,
}

impl Held {
    fn new(credentials: Credentials, now: SystemTime, reread: Option<Duration>) -> Self {
        let renewal = credentials.expiry().map(|expiry| {
            let life = expiry.duration_since(now).unwrap_or_default();
            expiry - MARGIN.min(life / 3)
        });
        let due = [renewal, reread.map(|interval| now + interval)].into_iter().flatten().min();
        Self { credentials: Some(credentials), due }
    }

    fn look(&self, now: SystemTime) -> Look {
        match &self.credentials {
            Some(credentials) if credentials.expiry().is_none_or(|expiry| now < expiry) => {
                if self.due.is_some_and(|due| now >= due) {
                    Look::Due(credentials.clone())
                } else {
                    Look::Good(credentials.clone())
                }
            }
            Some(_) | None => Look::Missing,
        }
    }

    fn put_off(&mut self, now: SystemTime) {
        self.due = Some(now + RETRY);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn until(expiry: Option<SystemTime>) -> Credentials {
        Credentials::new("AKIA1", "hush", None, expiry, "test")
    }

    #[test]
    fn nothing_is_held_at_first() {
        assert_eq!(Held::default().look(at(0)), Look::Missing);
    }

    #[test]
    fn credentials_are_due_five_minutes_before_they_end_and_gone_after() {
        let credentials = until(Some(at(3_600)));
        let held = Held::new(credentials.clone(), at(0), None);
        assert_eq!(held.look(at(3_299)), Look::Good(credentials.clone()));
        assert_eq!(held.look(at(3_300)), Look::Due(credentials.clone()));
        assert_eq!(held.look(at(3_599)), Look::Due(credentials));
        assert_eq!(held.look(at(3_600)), Look::Missing);
    }

    #[test]
    fn a_short_life_is_used_for_two_thirds() {
        let credentials = until(Some(at(90)));
        let held = Held::new(credentials.clone(), at(0), None);
        assert_eq!(held.look(at(59)), Look::Good(credentials.clone()));
        assert_eq!(held.look(at(60)), Look::Due(credentials));
    }

    #[test]
    fn credentials_without_end_are_kept_unless_their_source_is_to_be_read_again() {
        let credentials = until(None);
        assert_eq!(Held::new(credentials.clone(), at(0), None).look(at(1 << 40)), Look::Good(credentials.clone()));
        let read_again = Held::new(credentials.clone(), at(0), Some(Duration::from_secs(2)));
        assert_eq!(read_again.look(at(1)), Look::Good(credentials.clone()));
        assert_eq!(read_again.look(at(2)), Look::Due(credentials));
    }

    #[test]
    fn a_failed_renewal_waits_and_keeps_what_still_holds() {
        let credentials = until(Some(at(3_600)));
        let mut held = Held::new(credentials.clone(), at(0), None);
        held.put_off(at(3_300));
        assert_eq!(held.look(at(3_309)), Look::Good(credentials.clone()));
        assert_eq!(held.look(at(3_310)), Look::Due(credentials));
    }
}
