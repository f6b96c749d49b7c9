//! Bytes that several processes see without copying them, and files as memory: all of it that needs unsafe code.

pub mod blob;
pub mod mapped;

pub use blob::Blob;
pub use mapped::Mapped;
