//! Whatever stands in a journal file, its reader neither panics nor makes up outcomes without end.

#![no_main]

use std::io::Write as _;

use libfuzzer_sys::fuzz_target;
use triway_exec::journal::Recorded;
use triway_tasks::catalog::{RawInput, RawOutput};

fuzz_target!(|bytes: &[u8]| {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(bytes).expect("room for it");
    let Ok(recorded) = Recorded::<RawInput, RawOutput>::open(file.path()) else {
        return;
    };
    let count = recorded.take(bytes.len() + 1).count();
    assert!(count <= bytes.len(), "more outcomes than bytes");
});
