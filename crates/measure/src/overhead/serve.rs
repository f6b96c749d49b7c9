//! A probe from the inside: measures what it is told to, in a process of its own, and answers.

use triway_exec::restart::{Link, LinkError, Registration};

use super::{
    catalog,
    handing::Empty,
    other::{self, NAME},
};

/// The role of a process that serves one probe.
pub(super) const ROLE: &str = "overhead";
/// Frame: the place of the probe in the catalog follows.
pub(super) const PROBE: u8 = 1;
/// Frame: an answer follows.
pub(super) const ANSWER: u8 = 2;

/// What makes this program able to measure what the machine charges: belongs among what `triway::init` is given.
#[must_use]
pub fn registration() -> Registration {
    triway_exec::registration::<Empty>(NAME)
        .with_role(ROLE, serve)
        .with_role(other::ROLE, other::serve)
}

fn serve(_: &Registration, mut link: Link) -> Result<(), LinkError> {
    let Some(frame) = link.recv(None)? else {
        return Ok(());
    };
    let place: usize = match frame.kind {
        PROBE => postcard::from_bytes(&frame.payload).map_err(LinkError::broken)?,
        other => return Err(LinkError::broken(format!("a frame of kind {other} first"))),
    };
    let probe = catalog::PROBES
        .get(place)
        .ok_or_else(|| LinkError::broken(format!("there is no probe {place}")))?;
    let payload = postcard::to_stdvec(&(probe.measure)()).map_err(LinkError::broken)?;
    link.send(ANSWER, &payload, &[], None)
}
