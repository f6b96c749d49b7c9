//! Tasks that another process of the same program can find by name.

use std::{
    any::{Any, TypeId, type_name},
    error::Error,
    io,
};

use serde::{Serialize, de::DeserializeOwned};
use triway_core::Task;

use super::link::{Link, LinkError};

/// Serves a role in a process that was started for it.
pub type Role = fn(&'static Registration, Link) -> Result<(), LinkError>;

/// A task that another process can have: it, its inputs and its outputs become bytes and back.
///
/// Every such task has this of itself; there is nothing to implement.
pub trait Portable:
    Task<Input: Serialize + DeserializeOwned, Output: Serialize + DeserializeOwned>
    + Serialize
    + DeserializeOwned
{
}

impl<T> Portable for T where
    T: Task<Input: Serialize + DeserializeOwned, Output: Serialize + DeserializeOwned>
        + Serialize
        + DeserializeOwned
{
}

/// One task under its name.
pub struct Registration {
    name: String,
    type_id: TypeId,
    codec: Box<dyn Any + Send + Sync>,
    roles: Vec<(&'static str, Role)>,
}

/// Appends a value's bytes to what is there.
pub type Append<V> = fn(&V, Vec<u8>) -> Result<Vec<u8>, CodecError>;

/// Appends a value in postcard to what is there.
///
/// # Errors
/// The value cannot be serialised; the error says why as the value's own serialiser does.
pub fn append<V: Serialize>(value: &V, into: Vec<u8>) -> Result<Vec<u8>, CodecError> {
    postcard::to_extend(value, into).map_err(|error| {
        // Postcard drops what the value's serialiser says; JSON asks the same serialiser and keeps it.
        match serde_json::to_writer(io::sink(), value) {
            Err(said) => CodecError::new(said),
            Ok(()) => CodecError::new(error),
        }
    })
}

/// How a task, its inputs and its outputs become bytes and back.
#[non_exhaustive]
pub struct Codec<T: Task> {
    /// The task's configuration.
    pub encode_task: fn(&T) -> Result<Vec<u8>, CodecError>,
    /// The task from its configuration.
    pub decode_task: fn(&[u8]) -> Result<T, CodecError>,
    /// Appends an input.
    pub encode_input: Append<T::Input>,
    /// The input that the bytes begin with.
    pub decode_input: fn(&[u8]) -> Result<T::Input, CodecError>,
    /// Appends an output.
    pub encode_output: Append<T::Output>,
    /// The output that the bytes begin with.
    pub decode_output: fn(&[u8]) -> Result<T::Output, CodecError>,
}

impl<T: Portable> Codec<T> {
    pub(crate) fn postcard() -> Self {
        Self {
            encode_task: |task| postcard::to_stdvec(task).map_err(CodecError::new),
            decode_task: |bytes| postcard::from_bytes(bytes).map_err(CodecError::new),
            encode_input: append,
            decode_input: |bytes| postcard::from_bytes(bytes).map_err(CodecError::new),
            encode_output: append,
            decode_output: |bytes| postcard::from_bytes(bytes).map_err(CodecError::new),
        }
    }
}

/// A value that does not become bytes, or bytes that do not become a value.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct CodecError(Box<dyn Error + Send + Sync>);

impl CodecError {
    /// What the format says.
    pub fn new(cause: impl Error + Send + Sync + 'static) -> Self {
        Self(Box::new(cause))
    }
}

impl Registration {
    /// Registers task type `T` as `name`, for no role yet.
    #[must_use]
    pub fn of<T: Portable>(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            type_id: TypeId::of::<T>(),
            codec: Box::new(Codec::<T>::postcard()),
            roles: Vec::new(),
        }
    }

    /// Lets processes started in `role` be served by `serve`.
    #[must_use]
    pub fn with_role(mut self, role: &'static str, serve: Role) -> Self {
        self.roles.push((role, serve));
        self
    }

    /// The task's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How values of task `T` become bytes; `None` if this is the registration of another task.
    #[must_use]
    pub fn codec<T: Task>(&self) -> Option<&Codec<T>> {
        self.codec.downcast_ref()
    }

    pub(super) fn is<T: Task>(&self) -> bool {
        self.type_id == TypeId::of::<T>()
    }

    pub(super) fn serve(&'static self, role: &str, link: Link) -> Result<(), LinkError> {
        match self.roles.iter().find(|(name, _)| *name == role) {
            Some((_, serve)) => serve(self, link),
            None => Err(LinkError::unknown(role, &self.name)),
        }
    }
}

/// A task that other processes of this program cannot find.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{}; make `triway::init([triway::task::<{}>(\"{}\")]);` the first line of `main`",
    if *.initialised { "this task was not given to `triway::init`" } else { "this program never called `triway::init`" },
    .type_name,
    short(.type_name).to_lowercase()
)]
pub struct NotRegistered {
    initialised: bool,
    type_name: &'static str,
}

impl NotRegistered {
    pub(super) fn of<T: Task>(initialised: bool) -> Self {
        Self {
            initialised,
            type_name: type_name::<T>(),
        }
    }
}

fn short(type_name: &str) -> &str {
    type_name.rsplit("::").next().unwrap_or(type_name)
}

#[cfg(test)]
mod tests {
    use serde::{Serializer, ser::Error as _};

    use super::*;

    struct Refuses;

    impl Serialize for Refuses {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(S::Error::custom("it is a secret"))
        }
    }

    #[test]
    fn what_cannot_be_serialised_says_why_in_its_own_words() {
        let error = append(&Refuses, Vec::new()).unwrap_err();
        assert_eq!(error.to_string(), "it is a secret");
    }
}
