//! A Lease -> at most one replica reconciles. I/O: reads and writes of one Lease.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use k8s_openapi::jiff::Timestamp;
use kube::Client;
use kube::api::{Api, PostParams};

/// How long a lease is good without being renewed. The values are those of Knative's and Kubernetes' own controllers.
const LEASE: Duration = Duration::from_secs(15);

/// How long the holder tries to renew before it gives up.
const RENEW: Duration = Duration::from_secs(10);

/// Between two looks at the lease.
const RETRY: Duration = Duration::from_secs(2);

/// The one lease of all replicas.
pub struct Election {
    leases: Api<Lease>,
    name: String,
    me: String,
}

/// What to do with the lease as it is.
#[derive(Clone, Debug, PartialEq)]
pub enum Move {
    /// It is somebody else's, and good.
    Wait,
    /// Write this: it is free, expired, or ours to renew.
    Write(LeaseSpec),
}

impl Election {
    /// Takes part under the name `me`, which no other replica may have.
    pub fn new(client: Client, namespace: &str, name: &str, me: String) -> Self {
        Self { leases: Api::namespaced(client, namespace), name: name.to_owned(), me }
    }

    /// Returns when the lease is ours.
    pub async fn win(&self) {
        let mut seen = Seen::default();
        loop {
            match self.turn(&mut seen).await {
                Ok(true) => return,
                Ok(false) => {}
                Err(error) => tracing::warn!(lease = %self.name, %error, "the lease cannot be read or written"),
            }
            tokio::time::sleep(RETRY).await;
        }
    }

    /// Renews the lease; returns when it is lost.
    pub async fn lose(&self) {
        let mut seen = Seen::default();
        let mut renewed = tokio::time::Instant::now();
        while renewed.elapsed() < RENEW {
            tokio::time::sleep(RETRY).await;
            match tokio::time::timeout(RENEW, self.turn(&mut seen)).await {
                Ok(Ok(true)) => renewed = tokio::time::Instant::now(),
                Ok(Ok(false)) => return,
                Ok(Err(error)) => tracing::warn!(lease = %self.name, %error, "the lease could not be renewed"),
                Err(_) => return,
            }
        }
    }

    /// Gives the lease back, so that the next replica need not wait until it expires.
    pub async fn release(&self) -> Result<(), kube::Error> {
        let Some(mut lease) = self.leases.get_opt(&self.name).await? else { return Ok(()) };
        let spec = lease.spec.get_or_insert_default();
        if spec.holder_identity.as_deref() != Some(&self.me) {
            return Ok(());
        }
        spec.holder_identity = None;
        spec.lease_duration_seconds = Some(1);
        self.leases.replace(&self.name, &PostParams::default(), &lease).await.map(|_| ())
    }

    async fn turn(&self, seen: &mut Seen) -> Result<bool, kube::Error> {
        let lease = self.leases.get_opt(&self.name).await?;
        let spec = lease.as_ref().and_then(|lease| lease.spec.clone()).unwrap_or_default();
        let expired = seen.expired(&spec, tokio::time::Instant::now().into_std());
        let spec = match decide(&spec, &self.me, expired, Timestamp::now()) {
            Move::Wait => return Ok(false),
            Move::Write(spec) => spec,
        };
        let written = match lease {
            Some(lease) => {
                let lease = Lease { spec: Some(spec), ..lease };
                self.leases.replace(&self.name, &PostParams::default(), &lease).await
            }
            None => {
                let mut lease = Lease { spec: Some(spec), ..Lease::default() };
                lease.metadata.name = Some(self.name.clone());
                self.leases.create(&PostParams::default(), &lease).await
            }
        };
        match written {
            Ok(_) => Ok(true),
            Err(kube::Error::Api(status)) if status.code == 409 => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// When a lease was last seen to change, by our own clock: clocks of other machines are not trusted.
#[derive(Default)]
struct Seen {
    last: Option<(LeaseSpec, std::time::Instant)>,
}

impl Seen {
    fn expired(&mut self, spec: &LeaseSpec, now: std::time::Instant) -> bool {
        let seconds = spec.lease_duration_seconds.and_then(|seconds| u64::try_from(seconds).ok());
        let good_for = seconds.map_or(LEASE, Duration::from_secs);
        match &self.last {
            Some((last, since)) if last == spec => now.duration_since(*since) > good_for,
            Some(_) | None => {
                self.last = Some((spec.clone(), now));
                false
            }
        }
    }
}

/// Whether to wait or to write. Pure.
pub fn decide(spec: &LeaseSpec, me: &str, expired: bool, now: Timestamp) -> Move {
    let holder = spec.holder_identity.as_deref().filter(|holder| !holder.is_empty());
    if holder.is_some_and(|holder| holder != me) && !expired {
        return Move::Wait;
    }
    let ours = holder == Some(me);
    let transitions = spec.lease_transitions.unwrap_or(0) + i32::from(!ours && spec.acquire_time.is_some());
    Move::Write(LeaseSpec {
        holder_identity: Some(me.to_owned()),
        lease_duration_seconds: i32::try_from(LEASE.as_secs()).ok(),
        acquire_time: if ours { spec.acquire_time.clone() } else { Some(MicroTime(now)) },
        renew_time: Some(MicroTime(now)),
        lease_transitions: Some(transitions),
        ..LeaseSpec::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn held(holder: &str, acquired: i64, renewed: i64, transitions: i32) -> LeaseSpec {
        LeaseSpec {
            holder_identity: Some(holder.to_owned()),
            lease_duration_seconds: Some(15),
            acquire_time: Some(MicroTime(at(acquired))),
            renew_time: Some(MicroTime(at(renewed))),
            lease_transitions: Some(transitions),
            ..LeaseSpec::default()
        }
    }

    #[test]
    fn a_good_lease_of_another_is_respected_and_an_expired_one_taken() {
        let theirs = held("other", 1, 2, 3);
        assert_eq!(decide(&theirs, "me", false, at(9)), Move::Wait);
        assert_eq!(decide(&theirs, "me", true, at(9)), Move::Write(held("me", 9, 9, 4)));
    }

    #[test]
    fn our_own_is_renewed_and_a_free_one_taken() {
        assert_eq!(decide(&held("me", 1, 2, 3), "me", false, at(9)), Move::Write(held("me", 1, 9, 3)));
        assert_eq!(decide(&LeaseSpec::default(), "me", false, at(9)), Move::Write(held("me", 9, 9, 0)));
    }

    #[test]
    fn a_lease_expires_by_our_own_clock() {
        let mut seen = Seen::default();
        let start = std::time::Instant::now();
        let lease = held("other", 1, 2, 3);
        assert!(!seen.expired(&lease, start));
        assert!(!seen.expired(&lease, start + Duration::from_secs(15)));
        assert!(seen.expired(&lease, start + Duration::from_secs(16)));
        assert!(!seen.expired(&held("other", 1, 3, 3), start + Duration::from_secs(17)));
    }
}
