//! Opens a journal for a job: locks it, reads what is there, and refuses what must not be written to.

use std::{
    fs::{self, File},
    io::{self, Read as _, Seek as _, SeekFrom},
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use rustix::{
    fs::{FlockOperation, flock},
    io::Errno,
};
use serde::Serialize;

use super::{
    error::JournalError,
    header::{Beginning, Header, MOST_BYTES},
    past::{Found, Past},
    table::Table,
    writer::{Durability, Writer},
};

/// How a journal is opened.
#[derive(Debug, Clone, Copy, Default)]
pub struct Opening {
    /// Whether to go on where an earlier run ended. Without it, a journal with outcomes is refused.
    pub resume: bool,
    /// Whether inputs that failed are executed again.
    pub retry_failed: bool,
    /// How sure a record must be before its outcome is reported.
    pub durability: Durability,
}

/// A journal that is this job's alone for as long as it runs.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    found: Found,
    pub(super) salt: u64,
    pub(super) needed: u64,
    pub(super) table: Arc<Mutex<Table>>,
    pub(super) file: File,
    pub(super) writer: Writer,
}

impl Journal {
    /// Opens the journal of a task with this name and configuration, or begins one. Of the configuration only a digest
    /// is kept. Reads all of the journal.
    ///
    /// # Errors
    /// It is in use, damaged, of something else, or holds outcomes and is not to be resumed.
    pub fn open(
        path: &Path,
        task: &str,
        configuration: &impl Serialize,
        opening: Opening,
    ) -> Result<Self, JournalError> {
        let io = JournalError::io(path);
        let configuration = postcard::to_stdvec(configuration);
        let configuration = configuration.map_err(|error| io(io::Error::other(error)))?;
        let file = locked(path)?;
        let (header, past) = match beginning(path, &file)? {
            Some((header, begins)) => {
                let past = Past::read(path, &file, &header, begins, opening.retry_failed)?;
                if past.found.outcomes > 0 && !opening.resume {
                    return Err(JournalError::Exists {
                        path: path.to_owned(),
                        outcomes: past.found.outcomes,
                    });
                }
                match opening.resume {
                    true => (Some(header), past),
                    false => (None, Past::default()),
                }
            }
            None => (None, Past::default()),
        };
        let header = match header {
            Some(header) => {
                check(path, &header, task, &configuration)?;
                file.set_len(past.end).map_err(&io)?;
                (header, past)
            }
            None => begin(path, &file, Header::new(task, &configuration), opening).map_err(&io)?,
        };
        let (header, past) = header;
        let salt = header.salt;
        let written = file.try_clone().map_err(&io)?;
        let writer = Writer::new(written, salt, past.end, opening.durability);
        Ok(Self {
            path: path.to_owned(),
            found: past.found,
            salt,
            needed: past.needed,
            table: Arc::new(Mutex::new(past.table)),
            file,
            writer,
        })
    }

    /// What was in it.
    #[must_use]
    pub fn found(&self) -> Found {
        self.found
    }

    /// A name for the job, chosen by chance when the journal was begun; the same in each run that resumes it.
    #[must_use]
    pub fn job(&self) -> String {
        format!("{:016x}", self.salt)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// By name, because a process that is just being started by another thread holds the same lock until it is what it is
/// to be.
impl Drop for Journal {
    fn drop(&mut self) {
        // It ends with the last descriptor in any case.
        let _unlocked = flock(&self.file, FlockOperation::Unlock);
    }
}

/// The file, which nobody else writes to from here on.
fn locked(path: &Path) -> Result<File, JournalError> {
    let io = JournalError::io(path);
    if fs::metadata(path).is_ok_and(|it| !it.is_file()) {
        return Err(JournalError::NotPlain(path.to_owned()));
    }
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false);
    let file = options.open(path).map_err(&io)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(Errno::WOULDBLOCK) => Err(JournalError::InUse(path.to_owned())),
        Err(error) => Err(io(error.into())),
    }
}

/// The header and where it ends; `None` where nothing was ever recorded. The file stands at the first record then.
pub(super) fn beginning(
    path: &Path,
    mut file: &File,
) -> Result<Option<(Header, u64)>, JournalError> {
    let io = JournalError::io(path);
    let mut bytes = Vec::new();
    file.take(MOST_BYTES as u64)
        .read_to_end(&mut bytes)
        .map_err(&io)?;
    match Header::read(&bytes) {
        Beginning::Journal(header, end) => {
            file.seek(SeekFrom::Start(end)).map_err(&io)?;
            Ok(Some((header, end)))
        }
        Beginning::Torn => Ok(None),
        Beginning::Foreign => Err(JournalError::Foreign(path.to_owned())),
        Beginning::OtherVersion => Err(JournalError::OtherVersion(path.to_owned())),
        Beginning::Damaged => Err(JournalError::HeaderDamaged(path.to_owned())),
    }
}

fn check(
    path: &Path,
    header: &Header,
    task: &str,
    configuration: &[u8],
) -> Result<(), JournalError> {
    if header.task != task {
        return Err(JournalError::OtherTask {
            path: path.to_owned(),
            was: header.task.clone(),
            is: task.to_owned(),
        });
    }
    match header.is_of(configuration) {
        true => Ok(()),
        false => Err(JournalError::OtherConfiguration {
            path: path.to_owned(),
            task: task.to_owned(),
        }),
    }
}

/// Writes a header into the empty file.
fn begin(path: &Path, file: &File, header: Header, opening: Opening) -> io::Result<(Header, Past)> {
    let bytes = header.bytes().map_err(io::Error::other)?;
    file.set_len(0)?;
    file.write_all_at(&bytes, 0)?;
    if opening.durability == Durability::Full {
        file.sync_all()?;
        // The name of a new file is on disk when its directory is.
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    let past = Past {
        end: bytes.len() as u64,
        ..Past::default()
    };
    Ok((header, past))
}
