//! Which function: `FILE.py:NAME` or `PACKAGE.MODULE:NAME`.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Where a function stands, and its name. A class is one whose instances are called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target(String);

/// What is written so names no function.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` names no function; write FILE.py:FUNCTION or PACKAGE.MODULE:FUNCTION")]
pub struct NoTarget(String);

impl Target {
    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The file or module.
    #[must_use]
    pub fn place(&self) -> &str {
        self.0.rsplit_once(':').map_or("", |(place, _)| place)
    }

    /// The name inside of it.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.rsplit_once(':').map_or("", |(_, name)| name)
    }

    /// Whether it stands in a file that is named, and not in a module that is looked for.
    #[must_use]
    pub fn is_file(&self) -> bool {
        self.place().ends_with(".py")
    }
}

impl FromStr for Target {
    type Err = NoTarget;

    fn from_str(text: &str) -> Result<Self, NoTarget> {
        match text.rsplit_once(':') {
            Some((place, name))
                if !place.is_empty() && !name.is_empty() && !text.contains('\0') =>
            {
                Ok(Self(text.to_owned()))
            }
            _ => Err(NoTarget(text.to_owned())),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_has_two_parts() {
        for (text, parts) in [
            ("app.py:fetch", Some(("app.py", "fetch", true))),
            ("a:b/app.py:fetch", Some(("a:b/app.py", "fetch", true))),
            ("pkg.mod:Class", Some(("pkg.mod", "Class", false))),
            ("app.py", None),
            (":fetch", None),
            ("app.py:", None),
        ] {
            let target = text.parse::<Target>().ok();
            let read = target
                .as_ref()
                .map(|target| (target.place(), target.name(), target.is_file()));
            assert_eq!(read, parts, "{text}");
        }
    }
}
