//! Where ci/test.sh installs what comes from the Python package index.

use std::path::{Path, PathBuf};

/// A program of that folder.
pub(crate) fn program(name: &str) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let usual = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target");
    target
        .unwrap_or_else(usual)
        .join("test-venv/bin")
        .join(name)
}
