//! Names, addresses and limits of the process -> what we are called and where we listen. Pure.

use std::net::SocketAddr;
use std::time::Duration;

use super::Strings;
use super::parse;
use super::read::Reader;
use super::settings;

/// What we are called in Kubernetes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// `NAMESPACE`: sent as `Kn-Namespace`, and where tokens are requested.
    pub namespace: Option<String>,
    /// `NAME` of the source; default `adapter`.
    pub name: String,
    /// `BRIDGE_SOURCE_UID`: by it `kubectl describe` finds the Kubernetes Events of the source.
    pub uid: Option<String>,
    /// `POD_NAME`.
    pub pod_name: Option<String>,
    /// `K_COMPONENT`; default `awssqssource`.
    pub component: String,
    /// `K_RESOURCE_GROUP`; default `adapter.sources.knative.dev`.
    pub resource_group: String,
}

/// Reads what we are called; nothing of it can be wrong.
pub(super) fn read_identity<E: Strings>(reader: &mut Reader<E>) -> Identity {
    let namespace = reader.optional(&settings::NAMESPACE, parse::text);
    let uid = reader.optional(&settings::SOURCE_UID, parse::text);
    let pod_name = reader.optional(&settings::POD_NAME, parse::text);
    let mut named = |setting| reader.value(setting, parse::text).unwrap_or_default();
    Identity {
        namespace,
        name: named(&settings::NAME),
        uid,
        pod_name,
        component: named(&settings::COMPONENT),
        resource_group: named(&settings::RESOURCE_GROUP),
    }
}

/// Reads the address of health, readiness and metrics.
pub(super) fn read_health_addr<E: Strings>(reader: &mut Reader<E>) -> Option<SocketAddr> {
    reader.value(&settings::HEALTH_ADDR, parse::address)
}

/// Reads the number of threads.
pub(super) fn read_worker_threads<E: Strings>(reader: &mut Reader<E>) -> Option<usize> {
    reader.value(&settings::WORKER_THREADS, parse::integer(0..=64))
}

/// Reads the time from SIGTERM to exit.
pub(super) fn read_drain_timeout<E: Strings>(reader: &mut Reader<E>) -> Option<Duration> {
    reader.value(&settings::DRAIN_TIMEOUT, parse::duration(Duration::from_secs(10)..=Duration::from_secs(3_600)))
}
