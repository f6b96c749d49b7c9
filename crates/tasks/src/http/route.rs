//! Where a connection leads: an origin, reached directly or through a proxy.

use super::{origin::Origin, proxies::Proxy};

/// An origin and the way there. Connections are kept by it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Route {
    pub(super) origin: Origin,
    pub(super) proxy: Option<Proxy>,
}

impl Route {
    /// Where the connection itself leads.
    pub(super) fn first(&self) -> Origin {
        match &self.proxy {
            Some(proxy) => proxy.origin(),
            None => self.origin.clone(),
        }
    }

    /// Whether requests on it name their whole URL, because a proxy passes them on.
    pub(super) fn is_forwarded(&self) -> bool {
        self.proxy.is_some() && !self.origin.secure
    }
}
