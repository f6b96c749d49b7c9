//! What a request may do, the same for both clients: data alone.

use serde::{Deserialize, Serialize};

use super::accept::Accept;

/// What a request may do and what counts as a success. Time limits are not here: they come with each attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Policy {
    /// The statuses that count as a success.
    pub accept: Accept,
    /// How many redirects are followed; the next one is a failure.
    pub max_redirects: u32,
    /// How large a body may be, in decoded bytes.
    pub max_body_bytes: u64,
    /// What the request says it is sent by.
    pub user_agent: String,
}

impl Default for Policy {
    /// Statuses 200 to 399, ten redirects, bodies of up to 16 MiB, and Triway's own name.
    fn default() -> Self {
        Self {
            accept: Accept::default(),
            max_redirects: 10,
            max_body_bytes: 16 << 20,
            user_agent: concat!("triway/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}
