//! Many URLs of which a tenth are faulty: whether each has the right outcome, under every model.

use std::{
    fmt::Write as _,
    fs::{self, File},
    io::{BufRead as _, BufReader},
    net::TcpListener,
    process::{Child, Command, Stdio},
    time::Instant,
};

use serde_json::Value;

/// What every tenth URL is, in turn, and the kind of its failure.
const FAULTS: [(&str, &str); 8] = [
    ("http://SERVER/status/404", "http-status"),
    ("http://SERVER/status/503", "http-status"),
    ("http://SERVER/redirect-loop", "redirect-loop"),
    ("http://SERVER/redirect/12", "too-many-redirects"),
    ("http://SERVER/bytes/200000", "too-large"),
    ("http://CLOSED/", "refused"),
    ("https://SERVER/", "tls"),
    ("no URL", "bad-input"),
];

/// Prints the table; an outcome that is wrong ends it.
#[expect(
    clippy::print_stdout,
    reason = "the figures are what this program is for"
)]
pub(crate) fn run(triway: &str, count: usize) -> Result<(), Box<dyn std::error::Error>> {
    let (mut server, address) = serve(triway)?;
    // Nobody listens where somebody has just stopped to.
    let closed = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
    let folder = std::env::temp_dir();
    let list = folder.join(format!("triway-faulty-{}", std::process::id()));
    let out = list.with_extension("jsonl");
    fs::write(&list, urls(count, &address, &closed))?;
    println!("| {count} URLs, a tenth of them faulty | right outcomes | wrong | took |");
    println!("|---|---|---|---|");
    for model in ["sequential", "threads", "processes", "async"] {
        let mut command = Command::new(triway);
        command.args([
            "run",
            "http",
            "-q",
            "--max-body-bytes",
            "100000",
            "-m",
            model,
        ]);
        if model != "sequential" {
            command.args(["-c", "50"]);
        }
        let began = Instant::now();
        let status = command.arg("-o").arg(&out).arg(&list).status()?;
        let took = began.elapsed().as_secs_f64();
        if status.code() != Some(1) {
            return Err(format!("{model}: {status} instead of 1").into());
        }
        let (right, wrong) = judge(BufReader::new(File::open(&out)?), count)?;
        println!("| {model} | {right} | {wrong} | {took:.1} s |");
    }
    server.kill()?;
    server.wait()?;
    fs::remove_file(&list)?;
    fs::remove_file(&out)?;
    Ok(())
}

fn fault(index: usize) -> Option<(&'static str, &'static str)> {
    (index % 10 == 0).then(|| FAULTS[index / 10 % FAULTS.len()])
}

fn urls(count: usize, server: &str, closed: &str) -> String {
    let mut urls = String::new();
    for index in 0..count {
        let good = format!("http://{server}/status/200?{index}");
        let url = fault(index).map_or(good, |(url, _)| {
            url.replace("SERVER", server).replace("CLOSED", closed)
        });
        // Writing into a text does not fail.
        let _ = writeln!(urls, "{url}");
    }
    urls
}

/// How many inputs have exactly one outcome, of the right kind, and how many have not.
fn judge(
    lines: impl std::io::BufRead,
    count: usize,
) -> Result<(usize, usize), Box<dyn std::error::Error>> {
    let mut outcomes = vec![0_u8; count];
    let mut right = 0;
    for line in lines.lines() {
        let outcome: Value = serde_json::from_str(&line?)?;
        let index = usize::try_from(outcome["index"].as_u64().ok_or("no index")?)?;
        outcomes[index] += 1;
        let kind = outcome["error"]["kind"].as_str();
        right += usize::from(kind == fault(index).map(|(_, kind)| kind));
    }
    let once = outcomes.iter().filter(|count| **count == 1).count();
    Ok((right.min(once), count - right.min(once)))
}

fn serve(triway: &str) -> Result<(Child, String), Box<dyn std::error::Error>> {
    let mut server = Command::new(triway)
        .args(["serve", "http", "--port", "0"])
        .stdout(Stdio::piped())
        .spawn()?;
    let mut line = String::new();
    let stdout = server.stdout.take().ok_or("standard output is piped")?;
    BufReader::new(stdout).read_line(&mut line)?;
    let address = line.trim().rsplit("//").next().unwrap_or("").to_owned();
    Ok((server, address))
}
