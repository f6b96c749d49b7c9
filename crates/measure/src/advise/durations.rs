//! How long work takes, and how much lanes gain, where that decides what is looked at and what is said of it.

/// Beside inputs that take less than this, handing them over counts: with more lanes than processors, fewer of them sleep
/// when the next input comes.
pub(super) const HAND_OVER_COUNTS_S: f64 = 5e-5;
/// Inputs that take less than this are many in a moment.
pub(super) const BRIEF_S: f64 = 1e-3;
/// Less work than this is done before anything could be gained: it is not worth the start of anything.
pub(super) const NOT_WORTH_PROBING_S: f64 = 0.1;
/// A model whose two lanes did not do more than this times one lane's work gains nothing, and has nothing to gain from more lanes.
pub(super) const WORTHWHILE: f64 = 1.15;
/// What two lanes do at least, as times of one, where no chance explains it.
pub(super) const CLEARLY_MORE: f64 = 1.25;
/// Where there is time for all, what gains less from more lanes has had enough of them.
pub(super) const GAIN: f64 = 1.05;
