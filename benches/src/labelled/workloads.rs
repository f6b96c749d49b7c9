//! The labelled set: workloads that people argue about, each with what it is like, as data.

use std::path::Path;

/// What a workload is like, in the words of those who ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Label {
    Waiting,
    Computing,
    LockHolding,
    LockReleasing,
    Tiny,
    Mixed,
    MemoryBound,
    ExternalLock,
    RateLimited,
    EightSlots,
    FakeAsync,
    RealAsync,
    SlowStart,
    HugePayload,
    HeavyTail,
    FailsUnderLoad,
}

impl Label {
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Computing => "computing",
            Self::LockHolding => "lock-holding",
            Self::LockReleasing => "lock-releasing",
            Self::Tiny => "tiny",
            Self::Mixed => "mixed",
            Self::MemoryBound => "memory-bound",
            Self::ExternalLock => "external lock",
            Self::RateLimited => "rate-limited server",
            Self::EightSlots => "server with 8 slots",
            Self::FakeAsync => "fake async",
            Self::RealAsync => "real async",
            Self::SlowStart => "slow start",
            Self::HugePayload => "huge payload",
            Self::HeavyTail => "heavy tail",
            Self::FailsUnderLoad => "failing under load",
        }
    }
}

/// Whom the task speaks to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Server {
    None,
    Http,
    /// With these options.
    Echo(&'static [&'static str]),
}

/// What is made in the workload's folder before each command, so that all find the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Needs {
    Nothing,
    /// An empty table `t(a)` in `rows.db`.
    Table,
    /// So many rows in it, found by `a`.
    Rows(u64),
    /// So many small files, named by numbers.
    Files(u64),
    /// No `rows.db` from before.
    NoDatabase,
}

/// What stands behind the inputs: a folder for files, and the server's address.
pub(super) struct Ground<'a> {
    pub(super) folder: &'a Path,
    pub(super) server: &'a str,
}

/// Where inputs come from.
#[derive(Clone, Copy)]
pub(super) enum Inputs {
    /// A line each.
    Lines(fn(&Ground<'_>, u64) -> String),
    /// Parts of one CSV file with so many rows.
    Csv,
}

/// A task and its inputs.
#[derive(Clone, Copy)]
pub(super) struct Workload {
    pub(super) name: &'static str,
    pub(super) label: Label,
    /// The words of the command line after the verb; `{inputs}`, `{server}`, `{folder}` and `{peers}` stand for what the
    /// ground has.
    pub(super) task: &'static [&'static str],
    pub(super) inputs: Inputs,
    /// How many inputs there are, or rows of a CSV file.
    pub(super) count: u64,
    pub(super) server: Server,
    pub(super) needs: Needs,
    /// More at once are not tried when the best is looked for.
    pub(super) most: usize,
}

/// Who computes and nothing else gains nothing from more lanes than this on any machine that this is run on.
const FEW: usize = 16;

const fn of(
    (name, label): (&'static str, Label),
    task: &'static [&'static str],
    count: u64,
    line: fn(&Ground<'_>, u64) -> String,
) -> Workload {
    Workload {
        name,
        label,
        task,
        inputs: Inputs::Lines(line),
        count,
        server: Server::None,
        needs: Needs::Nothing,
        most: 256,
    }
}

impl Workload {
    const fn few(self) -> Self {
        Self { most: FEW, ..self }
    }

    const fn served(self, server: Server) -> Self {
        Self { server, ..self }
    }

    const fn with(self, needs: Needs) -> Self {
        Self { needs, ..self }
    }
}

/// Native ones first, then Python's.
#[rustfmt::skip]
pub(super) const WORKLOADS: [Workload; 39] = [
    of(("cpu-spin", Label::Computing), &["cpu", "--work", "spin", "{inputs}"], 600, |_, _| "5".into()).few(),
    of(("cpu-sqrt", Label::Computing), &["cpu", "{inputs}"], 250, |_, _| "10000000".into()).few(),
    of(("cpu-sha256", Label::Computing), &["cpu", "--work", "sha256", "{inputs}"], 1000, |_, _| "4".into()).few(),
    of(("cpu-memory", Label::MemoryBound), &["cpu", "--work", "memory", "{inputs}"], 600, |_, _| "64".into()).few(),
    of(("cpu-none", Label::Tiny), &["cpu", "--work", "none", "{inputs}"], 2_000_000, |_, n| n.to_string()).few(),
    of(("http-delay", Label::Waiting), &["http", "{inputs}"], 20_000, |it, n| it.url(&format!("delay/0.02?{n}")))
        .served(Server::Http),
    of(("http-few", Label::Waiting), &["http", "{inputs}"], 3000, |it, n| it.url(&format!("delay/0.1?{n}")))
        .served(Server::Http),
    of(("http-bytes", Label::Waiting), &["http", "{inputs}"], 120_000, |it, n| it.url(&format!("bytes/2?{n}")))
        .served(Server::Http),
    of(("http-slots", Label::EightSlots), &["http", "{inputs}"], 300, |it, n| it.url(&format!("slots/8?seconds=0.05&n={n}")))
        .served(Server::Http),
    of(("http-rate", Label::RateLimited), &["http", "--retries", "20", "{inputs}"], 3000, |it, n| it.url(&format!("rate/300?{n}")))
        .served(Server::Http),
    of(("http-tail", Label::HeavyTail), &["http", "{inputs}"], 24_000, |it, n| it.url(&format!("delay/{}?{n}", tail(n))))
        .served(Server::Http),
    of(("echo-delay", Label::Waiting), &["echo", "--to", "{server}", "{inputs}"], 40_000, |_, n| format!("message {n}"))
        .served(Server::Echo(&["--delay", "10ms"])),
    of(("echo-quick", Label::Tiny), &["echo", "--to", "{server}", "{inputs}"], 200_000, |_, n| format!("message {n}"))
        .served(Server::Echo(&[])),
    of(("sh-sleep", Label::Waiting), &["sh", "sleep", "{inputs}"], 3000, |_, _| "0.02".into()),
    of(("sh-true", Label::Computing), &["sh", "true", "{inputs}"], 3000, |_, n| n.to_string()),
    of(("sql-inserts", Label::ExternalLock), &["sql", "insert into t values (:a)", "{inputs}", "--db", "sqlite:{folder}/rows.db"],
        6000, |_, n| format!("{{\"a\": {n}}}")).with(Needs::Table).few(),
    of(("sql-selects", Label::Tiny), &["sql", "select * from t where a = :a", "{inputs}", "--db", "sqlite:{folder}/rows.db"],
        400_000, |_, n| format!("{{\"a\": {}}}", n * 7919 % ROWS)).with(Needs::Rows(ROWS)).few(),
    Workload { inputs: Inputs::Csv,
        ..of(("columns-parts", Label::Computing),
            &["columns", "--column", "price", "--where", "x > 50", "--split=1MiB", "{inputs}"], 24_000_000, |_, _| String::new()).few() },
    of(("py-sqrt", Label::LockHolding), &["py", "{peers}/labelled.py:sqrt", "{inputs}"], 1200, |_, _| "30000".into()).few(),
    of(("py-sha256", Label::LockReleasing), &["py", "{peers}/labelled.py:digest", "{inputs}"], 1000, |_, n| n.to_string()).few(),
    of(("py-zlib", Label::LockReleasing), &["py", "{peers}/labelled.py:deflate", "{inputs}"], 600, |_, n| n.to_string()).few(),
    of(("py-tiny", Label::Tiny), &["py", "{peers}/labelled.py:tiny", "{inputs}"], 20_000, |_, n| n.to_string()).few(),
    of(("py-tiny-many", Label::Tiny), &["py", "{peers}/labelled.py:tiny", "{inputs}"], 500_000, |_, n| n.to_string()).few(),
    of(("py-sleep", Label::Waiting), &["py", "{peers}/labelled.py:sleep", "{inputs}"], 4000, |_, _| "0.02".into()),
    of(("py-async-sleep", Label::RealAsync), &["py", "{peers}/labelled.py:sleep_async", "{inputs}"], 12_000, |_, _| "0.02".into()),
    of(("py-fake-async", Label::FakeAsync), &["py", "{peers}/labelled.py:fake_async", "{inputs}"], 3000, |_, _| "0.01".into()),
    of(("py-async-mixed", Label::Mixed), &["py", "{peers}/labelled.py:mixed_async", "{inputs}"], 800, |_, _| "2".into()),
    of(("py-mixed", Label::Mixed), &["py", "{peers}/labelled.py:mixed", "{inputs}"], 200, |_, _| "10".into()),
    of(("py-flock", Label::ExternalLock), &["py", "{peers}/labelled.py:locked", "{inputs}"], 150, |it, _| it.file("lock")),
    of(("py-re", Label::LockHolding), &["py", "{peers}/labelled.py:search", "{inputs}"], 500, |_, n| n.to_string()).few(),
    of(("py-large-results", Label::HugePayload), &["py", "{peers}/labelled.py:large_result", "{inputs}"], 150, |_, _| "8000".into())
        .few(),
    of(("py-dumps", Label::LockHolding), &["py", "{peers}/labelled.py:dumped", "{inputs}"], 200, |_, _| "8000".into()).few(),
    of(("py-lists", Label::HugePayload), &["py", "{peers}/labelled.py:total", "{inputs}"], 300, |_, n| list(n)).few(),
    of(("py-slow-import", Label::SlowStart), &["py", "{peers}/labelled_slow.py:sqrt", "{inputs}"], 1000, |_, _| "20000".into()).few(),
    of(("py-pareto", Label::HeavyTail), &["py", "{peers}/labelled.py:sleep", "{inputs}"], 3000, |_, n| pareto(n)),
    of(("py-crowded", Label::FailsUnderLoad), &["py", "{peers}/labelled.py:crowded", "{inputs}"], 600, |it, _| it.file("")),
    of(("py-sqlite", Label::ExternalLock), &["py", "{peers}/labelled.py:insert", "{inputs}"], 150,
        |it, n| format!("[{}, {n}]", it.file("rows.db"))).with(Needs::NoDatabase).few(),
    of(("py-files", Label::Tiny), &["py", "{peers}/labelled.py:read", "{inputs}"], 30_000, |it, n| it.file(&format!("file{}", n % FILES)))
        .with(Needs::Files(FILES)).few(),
    of(("py-urllib", Label::Waiting), &["py", "{peers}/labelled.py:fetch", "{inputs}"], 1500,
        |it, n| format!("\"{}\"", it.url(&format!("delay/0.01?{n}")))).served(Server::Http),
];

const ROWS: u64 = 100_000;
const FILES: u64 = 500;

impl Ground<'_> {
    fn url(&self, path: &str) -> String {
        format!("{}/{path}", self.server)
    }

    /// A path as Python reads it.
    fn file(&self, name: &str) -> String {
        format!("\"{}\"", self.folder.join(name).display())
    }
}

/// A number from 0 to 1 that looks like chance and is the same each time.
fn chance(n: u64) -> f64 {
    let mixed = (n + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    f64::from(u32::try_from(mixed >> 33).unwrap_or(0)) / f64::from(1_u32 << 31)
}

/// One in ten takes a tenth of a second.
fn tail(n: u64) -> &'static str {
    if chance(n) < 0.1 { "0.1" } else { "0.004" }
}

/// Seconds of Pareto's kind: half take less than 8 ms, one in a hundred more than 100.
fn pareto(n: u64) -> String {
    let seconds = 0.005 / (1.0 - chance(n)).powf(1.0 / 1.5);
    format!("{:.4}", seconds.min(0.5))
}

fn list(n: u64) -> String {
    let numbers: Vec<String> = (0..100_000).map(|at| (at * 31 + n).to_string()).collect();
    format!("[{}]", numbers.join(","))
}
