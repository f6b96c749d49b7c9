//! How long an input takes where that decides how it is looked at.

/// Beside inputs that take less than this, handing them over counts: with more lanes than processors, fewer of them sleep
/// when the next input comes.
pub(super) const HAND_OVER_COUNTS_S: f64 = 5e-5;
/// Inputs that take less than this are many in a moment.
pub(super) const BRIEF_S: f64 = 1e-3;
