//! Memory that several processes see, and files as memory: the one place in this crate that needs unsafe code.
//!
//! Two kinds are made of anonymous memory files whose size is sealed, so that no process can pull the memory away from
//! under another. A [`Region`] is written and read while it is shared, through atomics alone. A [`Sealed`] file can never
//! be written again, by nobody, so its bytes can be lent out like any others. A [`Mapped`] file is somebody else's, on a
//! disk, and has no such seal.

#![expect(
    unsafe_code,
    reason = "memory that another process writes has no safe form"
)]

use std::{
    fs::File,
    io,
    os::fd::{AsFd, OwnedFd},
    sync::atomic::AtomicU64,
};

use memmap2::{Mmap, MmapOptions, MmapRaw};
use rustix::fs::{
    MemfdFlags, SealFlags, fcntl_add_seals, fcntl_get_seals, fstat, ftruncate, memfd_create,
};

/// Memory that two processes write and read, by whole words and by bytes that a word vouches for.
#[derive(Debug)]
pub struct Region {
    map: MmapRaw,
}

const WORD_BYTES: usize = size_of::<u64>();

impl Region {
    /// So many zeroed bytes, and the descriptor by which another process can have them too.
    ///
    /// # Errors
    /// The machine gave no memory file.
    pub fn create(bytes: usize) -> io::Result<(Self, OwnedFd)> {
        let file = memfd_create(
            c"triway-board",
            MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING,
        )?;
        ftruncate(&file, bytes as u64)?;
        fcntl_add_seals(&file, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
        Ok((Self::map(&file, bytes)?, file))
    }

    /// The same bytes in the other process.
    ///
    /// # Errors
    /// The file has another size, may change it, or cannot be mapped.
    pub fn open(file: &OwnedFd, bytes: usize) -> io::Result<Self> {
        let size = fstat(file)?.st_size;
        let sealed = fcntl_get_seals(file)?.contains(SealFlags::SHRINK);
        if u64::try_from(size).ok() != Some(bytes as u64) || !sealed {
            return Err(io::Error::other(
                "the shared memory has another size than expected",
            ));
        }
        Self::map(file, bytes)
    }

    fn map(file: &OwnedFd, bytes: usize) -> io::Result<Self> {
        let map = MmapOptions::new().len(bytes).map_raw(file)?;
        Ok(Self { map })
    }

    /// The word at this place, counted in words.
    ///
    /// # Panics
    /// When it is out of bounds.
    #[must_use]
    pub fn word(&self, at: usize) -> &AtomicU64 {
        assert!(
            (at + 1) * WORD_BYTES <= self.map.len(),
            "word {at} is out of bounds"
        );
        let place = self.map.as_mut_ptr().cast::<u64>().wrapping_add(at);
        // SAFETY: inside the mapping, which lives as long as `self` and cannot shrink (its size is sealed); aligned,
        // because a mapping begins with a page; and everybody who touches it does so through atomics.
        unsafe { AtomicU64::from_ptr(place) }
    }

    /// Writes bytes at this place, counted in bytes. Others may look at them once a word says so.
    ///
    /// # Panics
    /// When they are out of bounds.
    pub fn write(&self, at: usize, bytes: &[u8]) {
        let end = at.checked_add(bytes.len());
        assert!(
            end.is_some_and(|end| end <= self.map.len()),
            "{at} is out of bounds"
        );
        let place = self.map.as_mut_ptr().wrapping_add(at);
        // SAFETY: inside the mapping, as above. Other processes read these bytes through the file, not through memory,
        // and in this one only the writer's lock leads here.
        unsafe { place.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
    }
}

/// Lets every processor finish what it was writing: whatever other processes had written before this returns is seen after
/// it, and what this process had written before is seen by them. Takes some milliseconds.
///
/// It spares the other side a barrier of its own, which some languages do not have (`membarrier(2)`).
///
/// # Errors
/// The kernel does not offer it.
pub fn settle_all_processors() -> io::Result<()> {
    const GLOBAL: libc::c_int = 1;
    // SAFETY: the call takes three numbers, and no memory.
    match unsafe { libc::syscall(libc::SYS_membarrier, GLOBAL, 0, 0) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// The bytes of a memory file that can never change again.
#[derive(Debug)]
pub struct Sealed {
    map: Mmap,
}

impl Sealed {
    /// Makes such a file and gives the descriptor by which other processes can have it too. Writes the bytes once.
    ///
    /// # Errors
    /// The machine gave no memory file, or not so much memory.
    pub fn create(bytes: &[u8]) -> io::Result<OwnedFd> {
        let file = memfd_create(
            c"triway-payload",
            MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING,
        )?;
        let mut rest = bytes;
        while !rest.is_empty() {
            let count = rustix::io::write(&file, rest)?;
            rest = &rest[count..];
        }
        fcntl_add_seals(&file, Self::seals())?;
        Ok(file)
    }

    /// Maps what another process made.
    ///
    /// # Errors
    /// The file could still change, or cannot be mapped.
    pub fn open(file: impl AsFd) -> io::Result<Self> {
        if !fcntl_get_seals(&file)?.contains(Self::seals()) {
            return Err(io::Error::other("a payload's memory file is not sealed"));
        }
        // SAFETY: sealed against writing and shrinking, so the bytes can neither change nor vanish.
        let map = unsafe { MmapOptions::new().populate().map(&file.as_fd())? };
        Ok(Self { map })
    }

    fn seals() -> SealFlags {
        SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE | SealFlags::SEAL
    }
}

/// The bytes of a file that is only read.
///
/// A file that somebody cuts short while it is mapped ends the process that touches what is missing, and one that is
/// written to in place changes under its reader: this is for files that are made once and then read. One that is
/// replaced or removed meanwhile stays as it was opened.
#[derive(Debug)]
pub struct Mapped {
    map: Mmap,
}

impl Mapped {
    /// Maps all of a file.
    ///
    /// # Errors
    /// It is no plain file, or cannot be mapped.
    pub fn open(file: &File) -> io::Result<Self> {
        if !file.metadata()?.is_file() {
            return Err(io::Error::other("only a plain file can be mapped"));
        }
        // SAFETY: mapped for reading alone. That nobody changes the file meanwhile cannot be enforced for a file on a
        // disk; it is the condition that this type names, and that every reader of mapped files lives with.
        let map = unsafe { MmapOptions::new().map(file)? };
        Ok(Self { map })
    }
}

impl AsRef<[u8]> for Mapped {
    fn as_ref(&self) -> &[u8] {
        &self.map
    }
}

impl AsRef<[u8]> for Sealed {
    fn as_ref(&self) -> &[u8] {
        &self.map
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::*;

    #[test]
    fn both_sides_see_the_same_words_and_bytes() {
        let (ours, file) = Region::create(8192).unwrap();
        let theirs = Region::open(&file, 8192).unwrap();
        ours.write(4096, b"abc");
        ours.word(3).store(7, Ordering::Release);
        assert_eq!(theirs.word(3).load(Ordering::Acquire), 7);
        let mut read = [0; 3];
        assert_eq!(rustix::io::pread(&file, &mut read, 4096).unwrap(), 3);
        assert_eq!(&read, b"abc");
        assert!(
            Region::open(&file, 4096).is_err(),
            "another size is refused"
        );
    }

    #[test]
    fn a_payload_cannot_change_any_more() {
        let file = Sealed::create(b"for good").unwrap();
        assert_eq!(Sealed::open(&file).unwrap().as_ref(), b"for good");
        assert!(rustix::io::pwrite(&file, b"x", 0).is_err());
        let open = memfd_create(c"open", MemfdFlags::ALLOW_SEALING).unwrap();
        assert!(
            Sealed::open(&open).is_err(),
            "one that may change is refused"
        );
    }
}
