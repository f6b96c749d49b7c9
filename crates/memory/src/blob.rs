//! Bytes that reach another process without being copied there: large ones travel as memory files.
//!
//! While an input or output is written for another process, [`collecting`] gathers the memory files of the blobs in it;
//! while it is read back there, [`lending`] has them. Everywhere else a blob is written as plain bytes.

use std::{cell::RefCell, fmt, io, ops::Deref, os::fd::OwnedFd, sync::Arc};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error as _, Visitor},
};

use crate::mapped::Sealed;

/// What is not longer than this is copied.
pub const INLINE_BYTES: usize = 64 << 10;

/// Bytes for a task's input or output. A clone is the same bytes, not a copy of them.
///
/// Where a blob of more than 64 KiB reaches another process, it is written once into a memory file, which the other
/// process maps. One that is in a memory file already ([`Blob::shared`], or any large one that came from another process)
/// is not even written again.
#[derive(Clone)]
pub struct Blob(Arc<Kept>);

enum Kept {
    Heap(Vec<u8>),
    File { file: OwnedFd, map: Sealed },
}

impl Blob {
    /// The same bytes in a memory file, from where other processes can have them without a copy. Copies them once.
    ///
    /// # Errors
    /// The machine gave no memory file.
    pub fn shared(bytes: &[u8]) -> io::Result<Self> {
        let file = Sealed::create(bytes)?;
        Self::from_file(file)
    }

    fn from_file(file: OwnedFd) -> io::Result<Self> {
        let map = Sealed::open(&file)?;
        Ok(Self(Arc::new(Kept::File { file, map })))
    }

    /// The memory file with these bytes, made now if there is none.
    fn file(&self) -> io::Result<OwnedFd> {
        match &*self.0 {
            Kept::Heap(bytes) => Sealed::create(bytes),
            Kept::File { file, .. } => file.try_clone(),
        }
    }
}

impl Deref for Blob {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &*self.0 {
            Kept::Heap(bytes) => bytes,
            Kept::File { map, .. } => map.as_ref(),
        }
    }
}

impl From<Vec<u8>> for Blob {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Arc::new(Kept::Heap(bytes)))
    }
}

impl PartialEq for Blob {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Blob {}

impl AsRef<[u8]> for Blob {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Blob({} bytes)", self.len())
    }
}

// On the way to another process.

thread_local! {
    static ON_THE_WAY: RefCell<OnTheWay> = const { RefCell::new(OnTheWay::Nothing) };
}

enum OnTheWay {
    Nothing,
    /// Memory files of what is being written, and how many there may be.
    Collecting(Vec<OwnedFd>, usize),
    /// Memory files of what is being read.
    Lending(Vec<Option<OwnedFd>>),
}

/// How a blob travels.
#[derive(Serialize, Deserialize)]
enum Travels<'a> {
    Inline(#[serde(borrow, with = "plain")] &'a [u8]),
    /// In this one of the memory files.
    File(u32),
}

/// Slices of bytes as such, and not as sequences of numbers.
mod plain {
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &&[u8], into: S) -> Result<S::Ok, S::Error> {
        into.serialize_bytes(bytes)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<&'de [u8], D::Error> {
        <&[u8]>::deserialize(from)
    }
}

/// Writes a value that goes to another process; gives the memory files that must go with it, at most so many.
pub fn collecting<R>(most: usize, write: impl FnOnce() -> R) -> (R, Vec<OwnedFd>) {
    let ending = Scope::begin(OnTheWay::Collecting(Vec::new(), most));
    let written = write();
    match ending.end() {
        OnTheWay::Collecting(files, _) => (written, files),
        _ => (written, Vec::new()),
    }
}

/// Reads a value that came from another process with these memory files.
pub fn lending<R>(files: Vec<OwnedFd>, read: impl FnOnce() -> R) -> R {
    let _ending = Scope::begin(OnTheWay::Lending(files.into_iter().map(Some).collect()));
    read()
}

/// Puts back what was there, also when the user's own code panics in between.
struct Scope(OnTheWay);

impl Scope {
    fn begin(now: OnTheWay) -> Self {
        Self(ON_THE_WAY.replace(now))
    }

    fn end(mut self) -> OnTheWay {
        let before = std::mem::replace(&mut self.0, OnTheWay::Nothing);
        ON_THE_WAY.replace(before)
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        let before = std::mem::replace(&mut self.0, OnTheWay::Nothing);
        ON_THE_WAY.set(before);
    }
}

impl Serialize for Blob {
    fn serialize<S: Serializer>(&self, into: S) -> Result<S::Ok, S::Error> {
        let travels = ON_THE_WAY.with_borrow_mut(|way| match way {
            OnTheWay::Collecting(files, most) => Some(self.pack(files, *most)),
            _ => None,
        });
        match travels {
            Some(travels) => travels.serialize(into),
            None => into.serialize_bytes(self),
        }
    }
}

impl Blob {
    fn pack(&self, files: &mut Vec<OwnedFd>, most: usize) -> Travels<'_> {
        if self.len() > INLINE_BYTES
            && files.len() < most
            && let Ok(file) = self.file()
        {
            files.push(file);
            return Travels::File(u32::try_from(files.len() - 1).unwrap_or(u32::MAX));
        }
        Travels::Inline(self)
    }
}

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let lent = ON_THE_WAY.with_borrow(|way| matches!(way, OnTheWay::Lending(_)));
        if !lent {
            return from.deserialize_byte_buf(Bytes);
        }
        match Travels::deserialize(from)? {
            Travels::Inline(bytes) => Ok(bytes.to_vec().into()),
            Travels::File(at) => {
                let file = ON_THE_WAY.with_borrow_mut(|way| match way {
                    OnTheWay::Lending(files) => files.get_mut(at as usize).and_then(Option::take),
                    _ => None,
                });
                let file = file.ok_or_else(|| D::Error::custom("a memory file is missing"))?;
                Self::from_file(file).map_err(D::Error::custom)
            }
        }
    }
}

struct Bytes;

impl<'de> Visitor<'de> for Bytes {
    type Value = Blob;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes")
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Blob, E> {
        Ok(bytes.to_vec().into())
    }

    fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Blob, E> {
        Ok(bytes.into())
    }

    /// Formats without bytes, such as JSON, have a list of numbers.
    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut list: A) -> Result<Blob, A::Error> {
        let mut bytes = Vec::new();
        while let Some(byte) = list.next_element()? {
            bytes.push(byte);
        }
        Ok(bytes.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn travel(blob: &Blob, most: usize) -> (Blob, usize) {
        let (bytes, files) = collecting(most, || postcard::to_stdvec(blob).unwrap());
        let count = files.len();
        let read = lending(files, || postcard::from_bytes(&bytes).unwrap());
        (read, count)
    }

    #[test]
    fn a_blob_arrives_whole_and_large_ones_in_files() {
        for (size, most, files) in [
            (0, 8, 0),
            (INLINE_BYTES, 8, 0),
            (INLINE_BYTES + 1, 8, 1),
            (INLINE_BYTES + 1, 0, 0),
        ] {
            let blob = Blob::from(vec![7; size]);
            let (arrived, count) = travel(&blob, most);
            assert_eq!(count, files, "{size} bytes, at most {most} files");
            assert_eq!(arrived, blob);
        }
    }

    #[test]
    fn one_in_a_memory_file_is_not_written_again() {
        let blob = Blob::shared(&vec![7; INLINE_BYTES + 1]).unwrap();
        let inode = |file: &OwnedFd| rustix::fs::fstat(file).unwrap().st_ino;
        let Kept::File { file, .. } = &*blob.0 else {
            panic!("it was put into a file");
        };
        let (_, files) = collecting(8, || postcard::to_stdvec(&blob).unwrap());
        assert_eq!(inode(file), inode(&files[0]));
    }

    #[test]
    fn elsewhere_it_is_plain_bytes() {
        let blob = Blob::from(vec![1, 2, 3]);
        let json = serde_json::to_string(&blob).unwrap();
        assert_eq!(serde_json::from_str::<Blob>(&json).unwrap(), blob);
        let bytes = postcard::to_stdvec(&blob).unwrap();
        assert_eq!(postcard::from_bytes::<Blob>(&bytes).unwrap(), blob);
    }
}
