//! Requesting many distinct URLs of a local nginx, with a record a URL, beside what people would use instead.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

use crate::{memory, nginx::Nginx};

const ROUNDS: usize = 5;
const AT_ONCE: &str = "50";
/// Ticks of the kernel's clock for processor time, which is the same on every Linux that this runs on.
const TICKS_A_SECOND: f64 = 100.0;

/// A client that requests all the URLs once.
struct Client {
    name: &'static str,
    command: Vec<String>,
    figures: Vec<Figures>,
}

#[derive(Clone, Copy)]
struct Figures {
    seconds: f64,
    cpu_seconds: f64,
}

/// Prints the tables. `peers` is a folder whose `bin` may hold oha, and a Python that knows aiohttp.
#[expect(
    clippy::print_stdout,
    reason = "the figures are what this program is for"
)]
pub(crate) fn run(
    triway: &str,
    count: usize,
    peers: &str,
) -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::temp_dir().join(format!("triway-benches-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let server = Nginx::start(&folder)?;
    let list = folder.join("urls");
    fs::write(&list, server.urls(count))?;
    let mut clients = clients(triway, peers, &folder, count, server.port);
    println!(
        "| {count} distinct URLs on a local nginx, {AT_ONCE} at once, {ROUNDS} rounds | URLs a second | CPU a URL | of triway async |"
    );
    println!("|---|---|---|---|");
    for round in 0..=ROUNDS {
        let count = clients.len();
        for place in 0..count {
            let client = &mut clients[(round + place) % count];
            let figures = measure(&client.command)?;
            if round > 0 {
                client.figures.push(figures);
            }
        }
    }
    report(&clients, count);
    let peak = peak_mib(triway, &folder)?;
    println!("\n{count} URLs, 1000 at once, async: peak memory {peak:.0} MiB");
    drop(server);
    fs::remove_dir_all(&folder)?;
    Ok(())
}

#[expect(
    clippy::print_stdout,
    reason = "the figures are what this program is for"
)]
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn report(clients: &[Client], count: usize) {
    let rate = |client: &Client| count as f64 / median(client, |figures| figures.seconds);
    let first = rate(&clients[0]);
    for client in clients {
        let cpu = median(client, |figures| figures.cpu_seconds) * 1e6 / count as f64;
        let rate = rate(client);
        println!(
            "| {} | {rate:.0} | {cpu:.1} µs | {:.2} |",
            client.name,
            rate / first
        );
    }
}

fn median(client: &Client, of: impl Fn(&Figures) -> f64) -> f64 {
    let mut figures: Vec<f64> = client.figures.iter().map(of).collect();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// Those that are there; says which are not.
#[expect(
    clippy::print_stdout,
    reason = "the figures are what this program is for"
)]
fn clients(triway: &str, peers: &str, folder: &Path, count: usize, port: u16) -> Vec<Client> {
    let list = folder.join("urls").display().to_string();
    let out = folder.join("out.jsonl").display().to_string();
    let script = folder.join("aio.py").display().to_string();
    // Whoever cannot write it does not find it either, and is told below.
    let _ = fs::write(&script, AIOHTTP);
    let own = |model: &str| {
        words(&format!(
            "{triway} run http {list} -m {model} -c {AT_ONCE} -q -o {out}"
        ))
    };
    let range = format!("http://127.0.0.1:{port}/[0-{}]", count - 1);
    let curl = "curl --parallel --parallel-immediate --no-progress-meter --parallel-max";
    let found = [
        ("triway, async, a record a URL", own("async")),
        ("triway, threads, a record a URL", own("threads")),
        (
            "oha, no record",
            words(&format!(
                "{peers}/bin/oha --no-tui -n {count} -c {AT_ONCE} --urls-from-file {list}"
            )),
        ),
        (
            "curl --parallel, no record",
            words(&format!("{curl} {AT_ONCE} -o /dev/null {range}")),
        ),
        (
            "aiohttp, a record a URL",
            words(&format!(
                "{peers}/bin/python {script} {list} {AT_ONCE} {out}"
            )),
        ),
    ];
    let is_there = |command: &Vec<String>| {
        let tried = Command::new(&command[0]).arg("--version").output();
        tried.is_ok_and(|tried| tried.status.success())
    };
    let (there, missing): (Vec<_>, Vec<_>) = found
        .into_iter()
        .partition(|(_, command)| is_there(command));
    for (name, command) in missing {
        println!("{name}: there is no {}\n", command[0]);
    }
    there
        .into_iter()
        .map(|(name, command)| Client {
            name,
            command,
            figures: Vec::new(),
        })
        .collect()
}

/// What people write: one session, a semaphore, a line a URL.
const AIOHTTP: &str = r#"
import asyncio, json, sys, time
import aiohttp
urls = open(sys.argv[1]).read().split()
async def main():
    out = open(sys.argv[3], "w")
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=int(sys.argv[2]))) as session:
        gate = asyncio.Semaphore(int(sys.argv[2]))
        async def one(url):
            async with gate:
                began = time.perf_counter()
                async with session.get(url) as answer:
                    body = await answer.read()
                    record = {"url": url, "status": answer.status, "bytes": len(body), "run_s": time.perf_counter() - began}
                    out.write(json.dumps(record) + "\n")
        await asyncio.gather(*map(one, urls))
asyncio.run(main())
"#;

fn words(line: &str) -> Vec<String> {
    line.split(' ').map(str::to_owned).collect()
}

fn measure(command: &[String]) -> Result<Figures, Box<dyn std::error::Error>> {
    let cpu = children_cpu()?;
    let began = Instant::now();
    let status = Command::new(&command[0])
        .args(&command[1..])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()?;
    let seconds = began.elapsed().as_secs_f64();
    if !status.success() {
        return Err(format!("{}: {status}", command.join(" ")).into());
    }
    let cpu_seconds = children_cpu()? - cpu;
    Ok(Figures {
        seconds,
        cpu_seconds,
    })
}

/// Processor time of all children that have ended: fields 16 and 17 of proc_pid_stat(5), the name before them put aside.
fn children_cpu() -> Result<f64, Box<dyn std::error::Error>> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let rest = stat.rsplit(") ").next().unwrap_or("");
    let fields: Vec<&str> = rest.split(' ').collect();
    let ticks = |field: usize| fields.get(field).unwrap_or(&"0").parse::<f64>();
    Ok((ticks(13)? + ticks(14)?) / TICKS_A_SECOND)
}

#[expect(clippy::cast_precision_loss, reason = "a size in MiB needs few digits")]
fn peak_mib(triway: &str, folder: &Path) -> Result<f64, Box<dyn std::error::Error>> {
    let list = folder.join("urls");
    let out = folder.join("out.jsonl");
    let mut child = Command::new(triway)
        .args(["run", "http", "-m", "async", "-c", "1000", "-q", "-o"])
        .args([&out, &list])
        .spawn()?;
    Ok(memory::watch(&mut child)? as f64 / 1024.0)
}
