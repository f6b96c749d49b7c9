//! The test server beside nginx: how many requests a second each answers when nothing but answering is to be done.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
};

use crate::nginx::Nginx;

const ROUNDS: usize = 7;
const SECONDS: u64 = 3;
const CONNECTIONS: u64 = 50;
/// Ticks of the kernel's clock for processor time, which is the same on every Linux that this runs on.
const TICKS_A_SECOND: f64 = 100.0;

/// What is asked of one server, and what came of it.
struct Contestant {
    name: &'static str,
    url: String,
    process: u32,
    figures: Vec<Figures>,
}

#[derive(Clone, Copy)]
struct Figures {
    requests_a_second: f64,
    cpu_micros: f64,
}

/// Prints the table.
#[expect(
    clippy::print_stdout,
    reason = "the figures are what this program is for"
)]
pub(crate) fn run(triway: &str) -> Result<(), Box<dyn std::error::Error>> {
    if let Err(error) = Command::new("wrk").arg("-v").output() {
        return Err(format!("wrk: {error}; apt-get install wrk").into());
    }
    let folder = std::env::temp_dir().join(format!("triway-benches-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let nginx = Nginx::start(&folder)?;
    let plain = Served::start(triway, &["http"])?;
    let secured = Served::start(triway, &["http", "--tls"])?;
    let contestant = |name, url, process| Contestant {
        name,
        url,
        process,
        figures: Vec::new(),
    };
    let url = |served: &Served, path| format!("{}{path}", served.address);
    let (plain_id, secured_id) = (plain.process.id(), secured.process.id());
    let mut all = [
        contestant(
            "nginx, 2 workers, `return 200 \"ok\"`",
            format!("http://127.0.0.1:{}/", nginx.port),
            nginx.process.id(),
        ),
        contestant("triway, `/bytes/2`", url(&plain, "/bytes/2"), plain_id),
        contestant(
            "triway, `/status/200`",
            url(&plain, "/status/200"),
            plain_id,
        ),
        contestant("triway, `/get`", url(&plain, "/get"), plain_id),
        contestant(
            "triway, `/bytes/2`, TLS",
            url(&secured, "/bytes/2"),
            secured_id,
        ),
    ];
    for round in 0..=ROUNDS {
        for place in 0..all.len() {
            let contestant = &mut all[(round + place) % 5];
            let figures = measure(contestant)?;
            if round > 0 {
                contestant.figures.push(figures);
            }
        }
    }
    println!(
        "| `wrk -t2 -c{CONNECTIONS} -d{SECONDS}s`, {ROUNDS} rounds | requests a second | of nginx | CPU a request |"
    );
    println!("|---|---|---|---|");
    report(&all);
    drop(nginx);
    fs::remove_dir_all(&folder)?;
    Ok(())
}

#[expect(
    clippy::print_stdout,
    reason = "the figures are what this program is for"
)]
fn report(all: &[Contestant]) {
    let rate = |it: &Contestant| median(it, |figures| figures.requests_a_second);
    let first = rate(&all[0]);
    for contestant in all {
        let cpu = median(contestant, |figures| figures.cpu_micros);
        let rate = rate(contestant);
        println!(
            "| {} | {rate:.0} | {:.2} | {cpu:.1} µs |",
            contestant.name,
            rate / first
        );
    }
}

fn median(contestant: &Contestant, of: impl Fn(&Figures) -> f64) -> f64 {
    let mut figures: Vec<f64> = contestant.figures.iter().map(of).collect();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn measure(contestant: &Contestant) -> Result<Figures, Box<dyn std::error::Error>> {
    let cpu = cpu_seconds(contestant.process)?;
    let wrk = Command::new("wrk")
        .args(["-t2", &format!("-c{CONNECTIONS}"), &format!("-d{SECONDS}s")])
        .arg(&contestant.url)
        .output()?;
    let cpu = cpu_seconds(contestant.process)? - cpu;
    let told = String::from_utf8(wrk.stdout)?;
    let complaint = told
        .lines()
        .find(|line| line.contains("Socket errors") || line.contains("Non-2xx"));
    if let Some(complaint) = complaint {
        return Err(format!("{}: {complaint}", contestant.url).into());
    }
    let after = |words: &str| {
        Some(
            told.split_once(words)?
                .1
                .trim()
                .split(' ')
                .next()?
                .to_owned(),
        )
    };
    let rate = after("Requests/sec:").ok_or_else(|| format!("wrk said `{told}`"))?;
    let rate: f64 = rate.lines().next().unwrap_or("").parse()?;
    #[expect(clippy::cast_precision_loss, reason = "it is a few seconds")]
    let requests = rate * SECONDS as f64;
    Ok(Figures {
        requests_a_second: rate,
        cpu_micros: cpu * 1e6 / requests,
    })
}

/// Processor time of a process and of its children, which are workers.
pub(crate) fn cpu_seconds(process: u32) -> Result<f64, Box<dyn std::error::Error>> {
    let mut ticks = 0.0;
    for entry in fs::read_dir("/proc")? {
        // Whatever is no process, or has ended since, has no such file.
        let Ok(stat) = fs::read_to_string(entry?.path().join("stat")) else {
            continue;
        };
        let Some((id, rest)) = stat.split_once(' ') else {
            continue;
        };
        let rest = rest.rsplit(") ").next().unwrap_or("");
        let fields: Vec<&str> = rest.split(' ').collect();
        let number = |field: usize| fields.get(field).unwrap_or(&"").parse::<f64>();
        let is_child = fields.get(1) == Some(&process.to_string().as_str());
        if id == process.to_string() || is_child {
            ticks += number(11)? + number(12)?;
        }
    }
    Ok(ticks / TICKS_A_SECOND)
}

/// `triway serve` on a free port; it ends with its standard input.
pub(crate) struct Served {
    pub(crate) process: Child,
    pub(crate) address: String,
}

impl Served {
    pub(crate) fn start(triway: &str, server: &[&str]) -> Result<Self, Box<dyn std::error::Error>> {
        let mut process = Command::new(triway)
            .arg("serve")
            .args(server)
            .args(["--port", "0", "--until-stdin-closes"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{triway}: {error}; build it first"))?;
        let stdout = process.stdout.take().ok_or("no pipe")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let address = line.trim_end().strip_prefix("listening on ");
        let address = address.ok_or_else(|| format!("{triway} said `{line}`"))?;
        Ok(Self {
            address: address.to_owned(),
            process,
        })
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}
