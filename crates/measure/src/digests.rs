//! What a trial gave for each input, written small: enough to tell whether two trials gave the same, and to show a
//! person where they did not.
//!
//! A record is the input's index and a fingerprint of its outcome (8 bytes each), the length of a preview (2 bytes) and
//! the preview. Only status, kind of failure and the output's digest take part in the fingerprint: messages name ports
//! and times that legitimately vary.

use std::{
    fs::File,
    io::{self, BufReader, BufWriter, Read, Write},
    sync::Arc,
};

use serde::Serialize;
use triway_core::{Failure, FailureKind, Outcome, Status, Task};
use triway_exec::restart::{self, CodecError};
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use crate::positioned::Positioned;

/// The longest preview, in characters.
pub const PREVIEW_CHARS: usize = 120;

/// How many bytes of previews a trial writes for successes, and again for failures. Differences are shown by the ten,
/// so that more would only cost the trial time; an outcome beyond is shown by its digest.
const PREVIEW_BYTES: usize = 1 << 20;

/// What stands for an outcome in comparisons: never zero, which stands for no outcome at all.
#[must_use]
pub fn fingerprint(status: Status, kind: Option<&FailureKind>, digest: Option<u64>) -> u64 {
    let mut hash = Xxh3::new();
    hash.update(status.name().as_bytes());
    hash.update(&[0]);
    hash.update(kind.map_or("", FailureKind::as_str).as_bytes());
    hash.update(&[0]);
    if let Some(digest) = digest {
        hash.update(&digest.to_le_bytes());
    }
    hash.digest().max(1)
}

/// Writes down outcomes as they come.
pub(crate) struct Writer<W: Write> {
    out: BufWriter<W>,
    room_for_successes: usize,
    room_for_failures: usize,
    scratch: Vec<u8>,
}

impl<W: Write> Writer<W> {
    pub(crate) fn new(out: W) -> Self {
        Self {
            out: BufWriter::with_capacity(1 << 16, out),
            room_for_successes: PREVIEW_BYTES,
            room_for_failures: PREVIEW_BYTES,
            scratch: Vec::new(),
        }
    }

    /// The digest of what the outcome gave, if it gave anything.
    ///
    /// # Errors
    /// The output cannot be serialised, which is the failure of this input alone.
    pub(crate) fn digest<T>(
        &mut self,
        task: &T,
        outcome: &Outcome<T::Input, T::Output>,
    ) -> Result<Option<u64>, Failure>
    where
        T: Task,
        T::Output: Serialize,
    {
        let Some(output) = &outcome.output else {
            return Ok(None);
        };
        if let Some(digest) = task.digest(output) {
            return Ok(Some(digest));
        }
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        self.scratch = restart::append(output, scratch).map_err(|cause| unserialisable(&cause))?;
        Ok(Some(xxh3_64(&self.scratch)))
    }

    /// Writes one outcome down, whose output has this digest.
    pub(crate) fn push<T>(
        &mut self,
        task: &T,
        outcome: &Outcome<T::Input, T::Output>,
        digest: Option<u64>,
    ) -> io::Result<()>
    where
        T: Task,
        T::Output: Serialize,
    {
        let kind = outcome.error.as_ref().map(|failure| &failure.kind);
        let room = if outcome.is_ok() {
            &mut self.room_for_successes
        } else {
            &mut self.room_for_failures
        };
        let preview = if *room == 0 {
            String::new()
        } else {
            preview(task, outcome)
        };
        *room = room.saturating_sub(preview.len());
        let fingerprint = fingerprint(outcome.status, kind, digest);
        self.write(outcome.index, fingerprint, &preview)
    }

    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.out.flush()
    }

    pub(crate) fn write(&mut self, index: u64, fingerprint: u64, preview: &str) -> io::Result<()> {
        let length = u16::try_from(preview.len()).map_err(io::Error::other)?;
        self.out.write_all(&index.to_le_bytes())?;
        self.out.write_all(&fingerprint.to_le_bytes())?;
        self.out.write_all(&length.to_le_bytes())?;
        self.out.write_all(preview.as_bytes())
    }
}

/// What one trial gave for one input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    /// The input's place in the spool that the trial read.
    pub(crate) index: u64,
    /// See [`fingerprint`].
    pub(crate) fingerprint: u64,
    /// For people; empty where there was no more room.
    pub(crate) preview: String,
}

impl Record {
    /// What a person is shown.
    pub(crate) fn shown(self) -> String {
        if self.preview.is_empty() {
            format!("an outcome with fingerprint {:016x}", self.fingerprint)
        } else {
            self.preview
        }
    }
}

/// The records of a trial in the order in which the outcomes came.
pub(crate) fn read(file: Arc<File>) -> impl Iterator<Item = io::Result<Record>> {
    let mut from = BufReader::with_capacity(1 << 16, Positioned::new(file));
    std::iter::from_fn(move || read_one(&mut from).transpose())
}

fn read_one(from: &mut impl Read) -> io::Result<Option<Record>> {
    let mut index = [0; 8];
    match from.read_exact(&mut index) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let (mut fingerprint, mut length) = ([0; 8], [0; 2]);
    from.read_exact(&mut fingerprint)?;
    from.read_exact(&mut length)?;
    let mut preview = vec![0; usize::from(u16::from_le_bytes(length))];
    from.read_exact(&mut preview)?;
    Ok(Some(Record {
        index: u64::from_le_bytes(index),
        fingerprint: u64::from_le_bytes(fingerprint),
        preview: String::from_utf8_lossy(&preview).into_owned(),
    }))
}

fn unserialisable(cause: &CodecError) -> Failure {
    Failure::permanent(
        FailureKind::ERROR,
        format!("the output cannot be serialised: {cause}"),
    )
}

/// Status, then failure or what takes part in the digest, cut to [`PREVIEW_CHARS`].
fn preview<T>(task: &T, outcome: &Outcome<T::Input, T::Output>) -> String
where
    T: Task,
    T::Output: Serialize,
{
    let text = match (&outcome.error, &outcome.output) {
        (Some(failure), _) => format!("{} {failure}", outcome.status),
        (None, Some(output)) => {
            let shown = task.compared(output);
            let shown = shown.unwrap_or_else(|| beginning_of_json(output));
            format!("{} {shown}", outcome.status)
        }
        (None, None) => outcome.status.to_string(),
    };
    text.chars().take(PREVIEW_CHARS).collect()
}

/// As much of the output's JSON as a preview has room for; the rest is never made.
fn beginning_of_json(output: &impl Serialize) -> String {
    let mut clipped = Clipped(Vec::new());
    match serde_json::to_writer(&mut clipped, output) {
        Err(_) if clipped.0.len() < Clipped::MOST => "(an output that has no JSON)".to_owned(),
        _ => String::from_utf8_lossy(&clipped.0).into_owned(),
    }
}

/// Takes so many bytes and then fails, which ends the serialising.
struct Clipped(Vec<u8>);

impl Clipped {
    /// A character has four bytes at most.
    const MOST: usize = 4 * PREVIEW_CHARS;
}

impl Write for Clipped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(Self::MOST - self.0.len());
        if taken == 0 && !bytes.is_empty() {
            return Err(io::ErrorKind::WriteZero.into());
        }
        self.0.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use triway_core::Forms;

    use super::*;

    struct Echo {
        digest: Option<u64>,
    }

    impl Task for Echo {
        type Input = ();
        type Output = String;
        type Lane = ();

        fn forms(&self) -> Forms {
            Forms::Blocking
        }

        fn digest(&self, _: &String) -> Option<u64> {
            self.digest
        }
    }

    fn outcome(result: Result<&str, Failure>) -> Outcome<(), String> {
        let (output, error) = match result {
            Ok(text) => (Some(text.to_owned()), None),
            Err(failure) => (None, Some(failure)),
        };
        let status = error.as_ref().map_or(Status::Ok, |_| Status::Failed);
        let mut outcome = Outcome::new(7, (), status);
        outcome.output = output;
        outcome.error = error;
        outcome.attempts = 1;
        outcome
    }

    fn written(task: &Echo, outcomes: &[Outcome<(), String>]) -> Vec<Record> {
        let file = tempfile::tempfile().unwrap();
        let mut writer = Writer::new(file.try_clone().unwrap());
        for outcome in outcomes {
            let digest = writer.digest(task, outcome).unwrap();
            writer.push(task, outcome, digest).unwrap();
        }
        writer.finish().unwrap();
        read(Arc::new(file)).collect::<Result<_, _>>().unwrap()
    }

    fn one(digest: Option<u64>, result: Result<&str, Failure>) -> Record {
        written(&Echo { digest }, &[outcome(result)]).remove(0)
    }

    #[test]
    fn only_status_kind_and_digest_make_the_fingerprint() {
        let refused = |message| Failure::new(FailureKind::new("refused"), message);
        let same = |a: Record, b: Record| a.fingerprint == b.fingerprint;
        assert!(same(one(None, Ok("a")), one(None, Ok("a"))));
        assert!(!same(one(None, Ok("a")), one(None, Ok("b"))));
        assert!(same(one(Some(1), Ok("a")), one(Some(1), Ok("b"))));
        assert!(!same(one(Some(1), Ok("a")), one(Some(2), Ok("a"))));
        assert!(same(
            one(None, Err(refused("port 1"))),
            one(None, Err(refused("port 2")))
        ));
        assert!(!same(
            one(None, Err(refused("x"))),
            one(None, Err(Failure::bad_input("x")))
        ));
    }

    #[test]
    fn previews_are_short_and_whole_characters() {
        let long = "é".repeat(1000);
        for (result, expected) in [
            (Ok("a\"b"), r#"ok "a\"b""#.to_owned()),
            (
                Ok(&*long),
                format!("ok \"{}", "é".repeat(PREVIEW_CHARS - 4)),
            ),
            (
                Err(Failure::bad_input("no")),
                "failed bad-input: no".to_owned(),
            ),
        ] {
            assert_eq!(one(None, result).preview, expected);
        }
        let odd = BTreeMap::from([((1, 2), 3)]);
        assert!(beginning_of_json(&odd).contains("no JSON"));
    }

    #[test]
    fn previews_end_when_their_room_does_and_failures_have_their_own() {
        let long = outcome(Ok(&"x".repeat(200)));
        let mut outcomes = vec![long; PREVIEW_BYTES / PREVIEW_CHARS + 2];
        outcomes.push(outcome(Err(Failure::bad_input("no"))));
        let records = written(&Echo { digest: None }, &outcomes);
        assert_eq!(records.len(), outcomes.len());
        let [.., last_success, failure] = &records[..] else {
            panic!("two records at least");
        };
        assert_eq!(last_success.preview, "");
        assert!(last_success.clone().shown().contains("fingerprint"));
        assert_eq!(failure.preview, "failed bad-input: no");
    }
}
