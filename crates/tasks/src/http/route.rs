//! Where a connection leads: an origin, reached directly or through a proxy.

use super::{origin::Origin, proxies::Proxy};

/// An origin and the way there. Connections are kept by it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Route {
    pub(super) origin: Origin,
    pub(super) proxy: Option<Proxy>,
}

impl Route {
    /// Whether requests on it name their whole URL, because a proxy passes them on.
    pub(super) fn is_forwarded(&self) -> bool {
        self.proxy.is_some() && !self.origin.secure
    }
}
