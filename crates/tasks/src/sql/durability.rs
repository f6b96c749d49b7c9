//! What an outcome that succeeded vouches for.

use serde::{Deserialize, Serialize};

/// What an outcome that succeeded vouches for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Durability {
    /// What it changed survives a loss of power.
    #[default]
    Full,
    /// It survives the end of this program, and of a loss of power only what was written some seconds before.
    Normal,
}
