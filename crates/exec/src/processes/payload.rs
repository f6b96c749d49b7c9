//! Large inputs and outputs: they travel as memory files, and whoever wants may borrow their bytes without a copy.
//!
//! While a value is read back from a memory file, [`lend`] knows the file. A `bytes::Bytes` that is deserialised by
//! [`borrowed`] meanwhile keeps the file mapped and points into it, instead of copying its part out.

use std::{cell::RefCell, sync::Arc};

use crate::mapped::Sealed;

thread_local! {
    static LENT: RefCell<Option<Arc<Sealed>>> = const { RefCell::new(None) };
}

/// Reads a value back from a mapped file, whose bytes it may borrow.
pub(super) fn lend<V>(file: Sealed, read: impl FnOnce(&[u8]) -> V) -> V {
    let file = Arc::new(file);
    let _ending = LentUntilDropped::begin(Arc::clone(&file));
    read((*file).as_ref())
}

/// Also when what reads panics.
struct LentUntilDropped;

impl LentUntilDropped {
    fn begin(file: Arc<Sealed>) -> Self {
        LENT.with(|lent| *lent.borrow_mut() = Some(file));
        Self
    }
}

impl Drop for LentUntilDropped {
    fn drop(&mut self) {
        LENT.with(|lent| *lent.borrow_mut() = None);
    }
}

/// For a field `#[serde(with = "triway::borrowed")]` of type `bytes::Bytes` in a task's input or output: where the value
/// reaches another process as a memory file (that is when it is longer than 64 KiB), the field borrows its bytes from
/// there without a copy. Otherwise it is the same as any field of bytes.
pub mod borrowed {
    use std::{fmt, sync::Arc};

    use bytes::Bytes;
    use serde::{Deserializer, Serializer, de::Visitor};

    use super::{LENT, Sealed};

    /// Writes the bytes.
    ///
    /// # Errors
    /// The serialiser's own.
    pub fn serialize<S: Serializer>(bytes: &Bytes, into: S) -> Result<S::Ok, S::Error> {
        into.serialize_bytes(bytes)
    }

    /// Borrows the bytes where it can, and copies them where it cannot.
    ///
    /// # Errors
    /// The deserialiser's own.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Bytes, D::Error> {
        from.deserialize_bytes(Borrows)
    }

    struct Borrows;

    impl<'de> Visitor<'de> for Borrows {
        type Value = Bytes;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("bytes")
        }

        fn visit_borrowed_bytes<E>(self, bytes: &'de [u8]) -> Result<Bytes, E> {
            let file = LENT.with(|lent| lent.borrow().clone());
            Ok(file
                .and_then(|file| part(&file, bytes))
                .unwrap_or_else(|| Bytes::copy_from_slice(bytes)))
        }

        fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Bytes, E> {
            Ok(Bytes::copy_from_slice(bytes))
        }

        fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Bytes, E> {
            Ok(bytes.into())
        }
    }

    /// These bytes as a part of the file, if they are one.
    fn part(file: &Arc<Sealed>, bytes: &[u8]) -> Option<Bytes> {
        let whole: &[u8] = (**file).as_ref();
        let from = (bytes.as_ptr() as usize).checked_sub(whole.as_ptr() as usize)?;
        let to = from.checked_add(bytes.len())?;
        (to <= whole.len()).then(|| Bytes::from_owner(Mapped(Arc::clone(file))).slice(from..to))
    }

    struct Mapped(Arc<Sealed>);

    impl AsRef<[u8]> for Mapped {
        fn as_ref(&self) -> &[u8] {
            (*self.0).as_ref()
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Serialize, Deserialize)]
    struct Image {
        name: String,
        #[serde(with = "borrowed")]
        pixels: Bytes,
    }

    #[test]
    fn bytes_are_borrowed_from_a_file_and_copied_from_elsewhere() {
        let image = Image {
            name: "cat".to_owned(),
            pixels: Bytes::from(vec![7; 1000]),
        };
        let encoded = postcard::to_stdvec(&image).unwrap();
        let file = Sealed::open(Sealed::create(&encoded).unwrap()).unwrap();
        let at = file.as_ref().as_ptr_range();
        let read: Image = lend(file, |bytes| postcard::from_bytes(bytes).unwrap());
        assert_eq!((read.name.as_str(), &read.pixels), ("cat", &image.pixels));
        assert!(
            at.contains(&read.pixels.as_ptr()),
            "it points into the file"
        );

        let copied: Image = postcard::from_bytes(&encoded).unwrap();
        assert_eq!(copied.pixels, image.pixels);
        assert!(!encoded.as_ptr_range().contains(&copied.pixels.as_ptr()));
    }
}
