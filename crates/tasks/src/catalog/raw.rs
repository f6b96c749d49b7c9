//! Inputs and outputs as the command line handles them: bytes in, JSON out.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};
use triway_core::{Failure, FailureKind};
use triway_memory::Blob;

use crate::command::excerpt;

/// The input is longer than whoever read it was ready to hold.
pub const INPUT_TOO_LARGE: FailureKind = FailureKind::new("input-too-large");

/// An input as it was read, not yet understood.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum RawInput {
    /// All of it.
    Bytes(#[serde(with = "shared_bytes")] Arc<[u8]>),
    /// It was too long to be kept; what is left is enough to tell which it was.
    Oversized {
        /// How it begins.
        #[serde(with = "shared_bytes")]
        prefix: Arc<[u8]>,
        /// How long it was.
        bytes: u64,
        /// How long it may be.
        limit: u64,
    },
    /// Something that names inputs could not be read. It stands in their place and fails, so that they are missed.
    Unread {
        /// What that is called.
        #[serde(with = "shared_bytes")]
        name: Arc<[u8]>,
        /// Why.
        failure: Failure,
    },
    /// Bytes that are lent to whoever works on them, other processes included.
    Lent {
        /// What to call them.
        #[serde(with = "shared_bytes")]
        name: Arc<[u8]>,
        /// They themselves.
        bytes: Blob,
    },
}

/// An output as it is written, made where the task ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RawOutput {
    /// The output as compact JSON.
    pub json: String,
    /// A digest of all in it that must be the same under every model; 0 if nobody wanted one.
    pub digest: u64,
    /// The output in a form that can be added to others; empty if there is no such thing.
    #[serde(with = "serde_bytes")]
    pub addable: Vec<u8>,
    /// Why the task itself counts this output as a failure, if it does.
    pub rejected: Option<Failure>,
}

impl RawInput {
    /// An input that was read whole.
    pub fn new(bytes: impl Into<Arc<[u8]>>) -> Self {
        Self::Bytes(bytes.into())
    }

    /// An input of `bytes` bytes, of which only `prefix` was kept because `limit` is the most that is.
    pub fn oversized(prefix: impl Into<Arc<[u8]>>, bytes: u64, limit: u64) -> Self {
        Self::Oversized {
            prefix: prefix.into(),
            bytes,
            limit,
        }
    }

    /// What stands in the place of inputs that nobody could read, for a reason that no further attempt would mend.
    pub fn unread(name: impl Into<Arc<[u8]>>, mut failure: Failure) -> Self {
        failure.retryable = false;
        failure.retry_after = None;
        Self::Unread {
            name: name.into(),
            failure,
        }
    }

    /// What was kept of it: all, or how it begins; what it, or what it lends, is called.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Oversized { prefix, .. } => prefix,
            Self::Unread { name, .. } => name,
            Self::Lent { name, .. } => name,
        }
    }

    /// What it lends, if it does.
    #[must_use]
    pub fn lent(&self) -> Option<&Blob> {
        match self {
            Self::Lent { bytes, .. } => Some(bytes),
            Self::Bytes(_) | Self::Oversized { .. } | Self::Unread { .. } => None,
        }
    }

    /// The same as it may be written down, if that differs: `show` takes what is secret out of a text.
    ///
    /// What cannot be read as text may hold a secret all the same.
    pub(super) fn redacted(&self, show: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let shown = show(&String::from_utf8_lossy(self.as_bytes()))?;
        let shown: Arc<[u8]> = shown.into_bytes().into();
        Some(match self {
            Self::Bytes(_) => Self::Bytes(shown),
            Self::Lent { bytes, .. } => Self::Lent {
                name: shown,
                bytes: bytes.clone(),
            },
            Self::Oversized { bytes, limit, .. } => Self::Oversized {
                prefix: shown,
                bytes: *bytes,
                limit: *limit,
            },
            Self::Unread { failure, .. } => Self::Unread {
                name: shown,
                failure: failure.clone(),
            },
        })
    }

    /// All of it, or the name of what it lends.
    ///
    /// # Errors
    /// A failure of kind `input-too-large` if not all was kept; its own if it is none.
    pub fn whole(&self) -> Result<&[u8], Failure> {
        match self {
            Self::Bytes(bytes) | Self::Lent { name: bytes, .. } => Ok(bytes),
            Self::Oversized { bytes, limit, .. } => Err(Failure::permanent(
                INPUT_TOO_LARGE,
                format!("the input has {bytes} bytes; one may have {limit}"),
            )),
            Self::Unread { failure, .. } => Err(failure.clone()),
        }
    }
}

impl From<&str> for RawInput {
    fn from(text: &str) -> Self {
        Self::new(text.as_bytes())
    }
}

/// Inputs are text as a rule, and a list of numbers tells nobody anything.
impl fmt::Debug for RawInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = String::from_utf8_lossy(self.as_bytes());
        let text = excerpt(&text);
        match self {
            Self::Bytes(_) => f.debug_tuple("Bytes").field(&text).finish(),
            Self::Lent { bytes, .. } => f.debug_tuple("Lent").field(&text).field(bytes).finish(),
            Self::Oversized { bytes, limit, .. } => f
                .debug_struct("Oversized")
                .field("prefix", &text)
                .field("bytes", bytes)
                .field("limit", limit)
                .finish(),
            Self::Unread { failure, .. } => f
                .debug_struct("Unread")
                .field("name", &text)
                .field("failure", failure)
                .finish(),
        }
    }
}

/// Bytes as one run of bytes; serde by itself would take each for a number of its own.
mod shared_bytes {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serializer};
    use serde_bytes::ByteBuf;

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_bytes(bytes)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Arc<[u8]>, D::Error> {
        ByteBuf::deserialize(from).map(|bytes| bytes.into_vec().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_survive_the_wire_and_take_no_more_than_their_bytes() {
        for input in [
            RawInput::new(vec![0xff; 1000]),
            RawInput::new(Vec::new()),
            RawInput::oversized(*b"begins", 1 << 30, 1 << 20),
            RawInput::unread(*b"a list", Failure::bad_input("")),
            RawInput::Lent {
                name: (*b"a name").into(),
                bytes: vec![].into(),
            },
        ] {
            let wire = postcard::to_allocvec(&input).unwrap();
            assert!(wire.len() < input.as_bytes().len() + 24);
            assert_eq!(postcard::from_bytes::<RawInput>(&wire), Ok(input));
        }
    }
}
