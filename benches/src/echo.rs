//! Echo servers under the same client: Triway's under each model, and asyncio's streams with and without uvloop. Then ten
//! thousand connections that are held.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::{
    rounds::median,
    serve::{Served, cpu_seconds},
};

const ROUNDS: usize = 5;
const CONNECTIONS: &str = "50";
const MESSAGES: u32 = 200_000;
/// Connections that are held.
const HELD: u32 = 10_000;
const WITHIN: Duration = Duration::from_secs(20);

const PYTHON: &str = "
import asyncio, sys

async def answer(reader, writer):
    while line := await reader.readline():
        writer.write(b'Echo: ' + line)
        await writer.drain()
    writer.close()

async def main():
    server = await asyncio.start_server(answer, '127.0.0.1', 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

if sys.argv[1] == 'uvloop':
    import uvloop
    uvloop.run(main())
else:
    asyncio.run(main())
";

/// A server that runs.
struct Server {
    name: &'static str,
    address: String,
    running: Running,
    /// Messages a second, and microseconds of processor time a message.
    figures: (Vec<f64>, Vec<f64>),
}

enum Running {
    Own(Served),
    Python(Child),
}

/// Prints the tables. `peers` is a folder whose `bin` may hold a Python that knows uvloop.
#[expect(
    clippy::print_stdout,
    reason = "the figures are what this program is for"
)]
pub(crate) fn run(triway: &str, peers: &str) -> Result<(), Box<dyn std::error::Error>> {
    let mut servers = servers(triway, peers)?;
    for round in 0..=ROUNDS {
        let count = servers.len();
        for place in 0..count {
            let server = &mut servers[(round + place) % count];
            let (rate, cpu) = server.measure(triway)?;
            if round > 0 {
                server.figures.0.push(rate);
                server.figures.1.push(cpu);
            }
        }
    }
    println!(
        "| {MESSAGES} messages by `triway run echo -c {CONNECTIONS}`, {ROUNDS} rounds | messages a second | of uvloop's | server CPU a message | of uvloop's |"
    );
    println!("|---|---|---|---|---|");
    let medians: Vec<_> = servers.iter_mut().map(Server::medians).collect();
    let of = servers
        .iter()
        .position(|server| server.name.contains("uvloop"));
    for (server, (rate, cpu)) in servers.iter().zip(&medians) {
        let ratios = of.map_or(["–".to_owned(), "–".to_owned()], |of| {
            [rate / medians[of].0, cpu / medians[of].1].map(|ratio| format!("{ratio:.2}"))
        });
        let [rates, cpus] = ratios;
        println!(
            "| {} | {rate:.0} | {rates} | {cpu:.2} µs | {cpus} |",
            server.name
        );
    }
    drop(servers);
    held(triway, peers)
}

/// Those that are there; says which are not.
#[expect(
    clippy::print_stdout,
    reason = "the figures are what this program is for"
)]
fn servers(triway: &str, peers: &str) -> Result<Vec<Server>, Box<dyn std::error::Error>> {
    let mut servers = Vec::new();
    for (name, model) in [
        ("triway, async", "async"),
        ("triway, threads", "threads"),
        ("triway, processes", "processes"),
    ] {
        let served = Served::start(
            triway,
            &["echo", "--model", model, "--max-connections", "12000"],
        )?;
        let address = served.address.replace("tcp://", "");
        servers.push(Server::of(name, address, Running::Own(served)));
    }
    for (name, kind) in [
        ("Python's asyncio streams on uvloop", "uvloop"),
        ("Python's asyncio streams", "asyncio"),
    ] {
        match python(&format!("{peers}/bin/python"), kind) {
            Ok((child, address)) => {
                servers.push(Server::of(name, address, Running::Python(child)));
            }
            Err(error) => println!("{name}: not measured: {error}"),
        }
    }
    Ok(servers)
}

fn python(python: &str, kind: &str) -> Result<(Child, String), Box<dyn std::error::Error>> {
    let mut child = Command::new(python)
        .args(["-c", PYTHON, kind])
        .stdout(Stdio::piped())
        .spawn()?;
    let mut port = String::new();
    let stdout = child.stdout.take().ok_or("no pipe")?;
    BufReader::new(stdout).read_line(&mut port)?;
    match port.trim().parse::<u16>() {
        Ok(port) => Ok((child, format!("127.0.0.1:{port}"))),
        Err(_) => {
            let _ = child.kill();
            let _ = child.wait();
            Err("it does not start".into())
        }
    }
}

impl Server {
    fn of(name: &'static str, address: String, running: Running) -> Self {
        Self {
            name,
            address,
            running,
            figures: (Vec::new(), Vec::new()),
        }
    }

    fn process(&self) -> u32 {
        match &self.running {
            Running::Own(served) => served.process.id(),
            Running::Python(child) => child.id(),
        }
    }

    fn measure(&self, triway: &str) -> Result<(f64, f64), Box<dyn std::error::Error>> {
        let cpu = cpu_seconds(self.process())?;
        let began = Instant::now();
        let status = Command::new(triway)
            .args(["run", "echo", "--to", &self.address, "-c", CONNECTIONS])
            .args(["--messages", &MESSAGES.to_string(), "-q", "-o", "/dev/null"])
            .status()?;
        let took = began.elapsed().as_secs_f64();
        if !status.success() {
            return Err(format!("{}: its client ended with {status}", self.name).into());
        }
        let cpu = cpu_seconds(self.process())? - cpu;
        let messages = f64::from(MESSAGES);
        Ok((messages / took, cpu * 1e6 / messages))
    }

    fn medians(&mut self) -> (f64, f64) {
        (median(&mut self.figures.0), median(&mut self.figures.1))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Self::Python(child) = self {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Holds connections to each server, each after a message of its own, and then sends another on each.
#[expect(
    clippy::print_stdout,
    reason = "the figures are what this program is for"
)]
fn held(triway: &str, peers: &str) -> Result<(), Box<dyn std::error::Error>> {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(
        Resource::Nofile,
        Rlimit {
            current: limit.maximum,
            maximum: limit.maximum,
        },
    )?;
    println!("\n| {HELD} connections held, two messages each | answered | memory a connection |");
    println!("|---|---|---|");
    for server in servers(triway, peers)? {
        let before = resident_bytes(server.process())?;
        let mut clients = Vec::new();
        for _ in 0..HELD {
            let client = TcpStream::connect(&server.address)?;
            client.set_read_timeout(Some(WITHIN))?;
            clients.push(client);
        }
        let mut answered = 0;
        for _ in 0..2 {
            for client in &mut clients {
                client.write_all(b"0123456789012345678901234567890\n")?;
            }
            answered += clients.iter_mut().filter_map(answer).count();
        }
        let grown = resident_bytes(server.process())? - before;
        println!(
            "| {} | {answered} of {} | {:.2} KiB |",
            server.name,
            2 * HELD,
            grown / 1024.0 / f64::from(HELD)
        );
    }
    Ok(())
}

fn answer(client: &mut TcpStream) -> Option<()> {
    let mut answer = [0; 38];
    client.read_exact(&mut answer).ok()?;
    (&answer == b"Echo: 0123456789012345678901234567890\n").then_some(())
}

/// Memory of a process and of its children.
fn resident_bytes(process: u32) -> Result<f64, Box<dyn std::error::Error>> {
    let mut processes = vec![process.to_string()];
    for thread in fs::read_dir(format!("/proc/{process}/task"))? {
        let children = fs::read_to_string(thread?.path().join("children")).unwrap_or_default();
        processes.extend(children.split_whitespace().map(str::to_owned));
    }
    let mut bytes = 0.0;
    for process in processes {
        let status = fs::read_to_string(format!("/proc/{process}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib: f64 = line
            .and_then(|line| line.trim().strip_suffix(" kB"))
            .ok_or("no VmRSS")?
            .parse()?;
        bytes += kib * 1024.0;
    }
    Ok(bytes)
}
