//! A real browser, Chromium, which opens pages and nothing else. One at a time: it is heavy.

use std::{
    fs::{self, File},
    io::BufReader,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
};

use rustix::process::{Signal, kill_process_group};
use tempfile::{TempDir, tempdir};

use crate::program::{Ended, pid, start};

const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

const OPTIONS: [&str; 11] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--allow-file-access-from-files",
];

static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// The browser, with a profile that nobody has used.
pub(crate) struct Browser {
    program: PathBuf,
    profile: TempDir,
    _turn: MutexGuard<'static, ()>,
}

/// A picture of a page.
pub(crate) struct Picture {
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// Red, green and blue of each place, from the top left.
    pub(crate) pixels: Vec<[u8; 3]>,
}

impl Browser {
    /// `None` where there is none, which is said; fails there in CI.
    pub(crate) fn find() -> Option<Self> {
        let paths = std::env::var_os("PATH")?;
        let mut folders = std::env::split_paths(&paths);
        let program = folders.find_map(|folder| {
            let mut names = NAMES.iter().map(|name| folder.join(name));
            names.find(|program| program.is_file())
        });
        let Some(program) = program else {
            skipped();
            return None;
        };
        Some(Self {
            program,
            profile: tempdir().unwrap(),
            _turn: ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner),
        })
    }

    /// The page's document as it stands when all that may run has run.
    pub(crate) fn document(&self, page: &Path) -> String {
        let ended = self.open(page, &["--dump-dom"]);
        assert!(ended.out.contains("<html"), "{ended:?}");
        ended.out
    }

    /// A picture of it, so wide and high, with further options; kept beside the page for people to look at.
    pub(crate) fn picture(
        &self,
        page: &Path,
        name: &str,
        (width, height): (u32, u32),
        options: &[&str],
    ) -> Picture {
        let file = page.with_file_name(name);
        let size = format!("--window-size={width},{height}");
        let to = format!("--screenshot={}", file.display());
        let all = [&[&*size, &*to], options].concat();
        let ended = self.open(page, &all);
        let png = File::open(&file).unwrap_or_else(|error| panic!("{error}: {ended:?}"));
        if let Some(folder) = std::env::var_os("TRIWAY_TEST_PICTURES") {
            fs::copy(&file, Path::new(&folder).join(name)).unwrap();
        }
        Picture::read(png)
    }

    fn open(&self, page: &Path, options: &[&str]) -> Ended {
        let mut command = Command::new(&self.program);
        command
            .args(OPTIONS)
            .arg(format!("--user-data-dir={}", self.profile.path().display()))
            .args(options)
            .arg(format!("file://{}", page.display()))
            .stdin(Stdio::null())
            // With all that it starts it is a group, of which nothing stays.
            .process_group(0);
        let started = start(&mut command);
        let group = pid(started.pid());
        let ended = started.end();
        let _gone = kill_process_group(group, Signal::KILL);
        ended
    }
}

impl Picture {
    fn read(file: File) -> Self {
        let mut reader = png::Decoder::new(BufReader::new(file)).read_info().unwrap();
        let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
        let frame = reader.next_frame(&mut bytes).unwrap();
        let samples = frame.color_type.samples();
        assert!(samples >= 3, "{frame:?}");
        let pixels = bytes[..frame.buffer_size()].chunks_exact(samples);
        Self {
            width: frame.width,
            height: frame.height,
            pixels: pixels.map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect(),
        }
    }

    /// How many colours there are.
    pub(crate) fn colours(&self) -> usize {
        self.pixels
            .iter()
            .collect::<std::collections::HashSet<_>>()
            .len()
    }

    /// The share of places that are rather light.
    pub(crate) fn light(&self) -> f64 {
        let light = self
            .pixels
            .iter()
            .filter(|pixel| pixel.iter().all(|part| *part > 200));
        light.count() as f64 / self.pixels.len() as f64
    }
}

#[expect(clippy::print_stderr, reason = "nothing is skipped in silence")]
fn skipped() {
    assert!(std::env::var("CI").is_err(), "Chromium is not installed");
    eprintln!("SKIPPED: Chromium is not installed");
}
