//! How this program is started again: the argument that tells it, and what lists of processes call it.

use std::{
    env,
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
};

/// The private argument. Nobody types it, so it need not be pretty; it must only not collide.
pub(super) const ROLE_ARGUMENT: &str = "--triway-started-again-as";

/// The first argument of a child: what this program is called, and the title.
pub(super) fn titled(title: &str) -> OsString {
    let called = env::args_os().next().map(PathBuf::from);
    let mut titled = called
        .as_deref()
        .and_then(Path::file_name)
        .unwrap_or(OsStr::new("triway"))
        .to_owned();
    titled.push(" ");
    titled.push(title);
    titled
}
