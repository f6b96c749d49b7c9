//! Which interpreter: the one that is named, the active virtual environment's, or the first on the path.

use std::{
    env,
    path::{Path, PathBuf},
};

/// There is no interpreter to be found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoInterpreter(String);

/// The interpreter to use where `asked` names one or none.
///
/// # Errors
/// What was asked for is not there, or nothing is.
pub fn interpreter(asked: Option<&Path>) -> Result<PathBuf, NoInterpreter> {
    if let Some(path) = asked {
        return found(path)
            .ok_or_else(|| NoInterpreter(format!("{}: there is no such program", path.display())));
    }
    if let Some(active) = env::var_os("VIRTUAL_ENV").filter(|folder| !folder.is_empty()) {
        let path = Path::new(&active).join("bin/python");
        return found(&path).ok_or_else(|| {
            NoInterpreter(format!(
                "the active virtual environment has no {}; name an interpreter with --python",
                path.display()
            ))
        });
    }
    found(Path::new("python3")).ok_or_else(|| {
        NoInterpreter(
            "no python3 is on the PATH; install Python 3.9 or later, or name one with --python"
                .to_owned(),
        )
    })
}

/// A path, or a name that is on the path.
fn found(program: &Path) -> Option<PathBuf> {
    if program.components().count() > 1 || program.is_absolute() {
        let here = env::current_dir().ok()?.join(program);
        return here.is_file().then_some(here);
    }
    let path = env::var_os("PATH")?;
    let mut places = env::split_paths(&path).map(|folder| folder.join(program));
    places.find(|place| place.is_file())
}
