//! A real server of PostgreSQL with a folder and a port of its own, made of the programs that are installed.

use std::{
    fs,
    net::TcpListener,
    os::unix::fs::{PermissionsExt as _, chown},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, geteuid, kill_process};
use tempfile::TempDir;

/// A server while it runs.
pub(crate) struct Postgres {
    pub(crate) folder: TempDir,
    pub(crate) port: u16,
    options: Vec<String>,
    process: Child,
}

impl Postgres {
    /// Starts one with these settings; everybody is trusted, the superuser is `owner`. `None`, said, where there are no
    /// programs; fails there in CI.
    pub(crate) fn start(settings: &[&str]) -> Option<Self> {
        let Some(programs) = programs() else {
            skipped();
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let data = folder.path().join("data");
        fs::create_dir(&data).unwrap();
        give_away(&[folder.path(), &data]);
        initialised(&programs, &data);
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let mut options = vec![
            "-D".to_owned(),
            data.display().to_string(),
            "-p".to_owned(),
            port.to_string(),
            "-h".to_owned(),
            "127.0.0.1".to_owned(),
            "-k".to_owned(),
            folder.path().display().to_string(),
        ];
        options.extend(
            settings
                .iter()
                .flat_map(|setting| ["-c".to_owned(), (*setting).to_owned()]),
        );
        let process = started(&programs, &options, folder.path());
        let server = Self {
            folder,
            port,
            options,
            process,
        };
        server.wait_until_ready();
        Some(server)
    }

    /// Where it is, as `--db` takes it.
    pub(crate) fn url(&self) -> String {
        format!("postgres://owner@127.0.0.1:{}/postgres", self.port)
    }

    /// What psql prints for a query: a line a row, fields between bars.
    #[track_caller]
    pub(crate) fn psql(&self, query: &str) -> String {
        let output = self.asked(query);
        assert!(output.status.success(), "{query}: {output:?}");
        String::from_utf8(output.stdout)
            .unwrap()
            .trim_end()
            .to_owned()
    }

    /// Ends it at once, as a crash of the machine would; a part of what is in memory is lost.
    pub(crate) fn crash(&mut self) {
        self.end(Signal::QUIT);
    }

    /// Ends it in order: connections are closed, what they do is undone.
    pub(crate) fn stop(&mut self) {
        self.end(Signal::INT);
    }

    /// Starts it again after it has ended.
    pub(crate) fn again(&mut self) {
        self.process = started(&programs().unwrap(), &self.options, self.folder.path());
        self.wait_until_ready();
    }

    fn asked(&self, query: &str) -> std::process::Output {
        Command::new("psql")
            .args([
                "-X",
                "-A",
                "-t",
                "-q",
                "-v",
                "ON_ERROR_STOP=1",
                &self.url(),
                "-c",
                query,
            ])
            .output()
            .unwrap()
    }

    fn wait_until_ready(&self) {
        let until = Instant::now() + Duration::from_secs(30);
        while !self.asked("select 1").status.success() {
            assert!(Instant::now() < until, "the server does not start");
            thread::sleep(Duration::from_millis(30));
        }
    }

    fn end(&mut self, signal: Signal) {
        // Under setpriv the process is replaced by the server's, so the number stays.
        let _gone = kill_process(Pid::from_child(&self.process), signal);
        self.process.wait().unwrap();
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.end(Signal::QUIT);
    }
}

#[expect(clippy::print_stderr, reason = "nothing is skipped in silence")]
fn skipped() {
    assert!(std::env::var("CI").is_err(), "PostgreSQL is not installed");
    eprintln!("SKIPPED: PostgreSQL is not installed");
}

/// To the user that the server runs as: the one that Debian's package has made if this is root, who may not.
pub(crate) fn give_away(paths: &[&Path]) {
    if !geteuid().is_root() {
        return;
    }
    let id = |flag| {
        let output = Command::new("id")
            .args([flag, "postgres"])
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.trim().parse::<u32>().unwrap()
    };
    for path in paths {
        chown(path, Some(id("-u")), Some(id("-g"))).unwrap();
    }
}

fn initialised(programs: &Path, data: &Path) {
    let options = "--no-sync --auth trust --username owner --encoding UTF8 -D";
    let made = unprivileged(&programs.join("initdb"))
        .args(options.split(' '))
        .arg(data)
        .current_dir(data)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
}

/// Where Debian keeps the programs of the newest version, or wherever the path finds them.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let debian = versions.map(|version| version.path().join("bin")).max();
    let named =
        std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect::<Vec<_>>());
    debian
        .into_iter()
        .chain(named.into_iter().flatten())
        .find(|folder| folder.join("initdb").exists())
}

fn started(programs: &Path, options: &[String], folder: &Path) -> Child {
    let log = fs::File::create(folder.join("log")).unwrap();
    unprivileged(&programs.join("postgres"))
        .args(options)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap()
}

/// The server refuses to run as root.
fn unprivileged(program: &Path) -> Command {
    if !geteuid().is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command
        .args([
            "--reuid",
            "postgres",
            "--regid",
            "postgres",
            "--clear-groups",
            "--",
        ])
        .arg(program);
    command
}
