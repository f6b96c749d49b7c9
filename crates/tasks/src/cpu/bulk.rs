//! Loads by the mebibyte: reading memory, which all processors share, and hashing, which each does for itself.

use std::sync::OnceLock;

use sha2::{Digest as _, Sha256};
use triway_core::Failure;

/// The most mebibytes of one input: 16 tebibytes.
pub const MAX_MEBIBYTES: u64 = 1 << 24;

/// Words of eight bytes in a mebibyte.
const WORDS: usize = (1 << 20) / 8;

/// How much memory is read over and over: more than the caches of a processor hold. All lanes of a process share it, as
/// they would share a table.
const MEBIBYTES: usize = 128;

static TABLE: OnceLock<Vec<u64>> = OnceLock::new();

/// Reads so many mebibytes and adds up their words, modulo 2^64. Inputs begin at different places, or one would find in
/// a shared cache what another has just read; each mebibyte has the same sum, so that the result does not depend on it.
pub(super) fn read(
    mebibytes: u64,
    place: u64,
    look: impl Fn() -> Result<(), Failure>,
) -> Result<u64, Failure> {
    check(mebibytes)?;
    let table = TABLE.get_or_init(|| (0..MEBIBYTES * WORDS).map(word).collect());
    let first = usize::try_from(place % MEBIBYTES as u64).unwrap_or_default() * (MEBIBYTES / 3 + 1);
    let mut sum = 0_u64;
    for n in 0..mebibytes {
        look()?;
        let at = (first + usize::try_from(n).unwrap_or_default()) % MEBIBYTES * WORDS;
        let words = &table[at..at + WORDS];
        sum = words.iter().fold(sum, |sum, word| sum.wrapping_add(*word));
    }
    Ok(sum)
}

/// What stands in the table.
fn word(at: usize) -> u64 {
    (at % WORDS) as u64
}

/// The SHA-256 of so many mebibytes of zero bytes, in hexadecimal.
pub(super) fn hash(
    mebibytes: u64,
    look: impl Fn() -> Result<(), Failure>,
) -> Result<String, Failure> {
    check(mebibytes)?;
    let zeros = vec![0; 1 << 20];
    let mut hasher = Sha256::new();
    for _ in 0..mebibytes {
        look()?;
        hasher.update(&zeros);
    }
    let bytes = hasher.finalize();
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn check(mebibytes: u64) -> Result<(), Failure> {
    match mebibytes {
        0..=MAX_MEBIBYTES => Ok(()),
        _ => Err(Failure::bad_input(format!(
            "{mebibytes} MiB is more than {MAX_MEBIBYTES}"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mebibyte_is_read_wherever_it_begins() {
        let words = WORDS as u64;
        let each = words * (words - 1) / 2;
        for place in [0, 1, 5, u64::MAX] {
            for mebibytes in [0, 1, 130] {
                let sum = read(mebibytes, place, || Ok(())).unwrap();
                assert_eq!(sum, each.wrapping_mul(mebibytes), "{place} {mebibytes}");
            }
        }
        assert!(read(MAX_MEBIBYTES + 1, 0, || Ok(())).is_err());
    }

    #[test]
    fn a_hash_is_the_known_one() {
        // head -c 0 /dev/zero | sha256sum, and so on.
        for (mebibytes, known) in [
            (
                0,
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            ),
            (
                1,
                "30e14955ebf1352266dc2ff8067e68104607e750abb9d3b36582b8af909fcb58",
            ),
        ] {
            assert_eq!(hash(mebibytes, || Ok(())).unwrap(), known);
        }
    }
}
