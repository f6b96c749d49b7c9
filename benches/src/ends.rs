//! How long it takes until all is over: a parent that is killed, a job that is interrupted; and what a journal saves of a
//! job that is killed again and again.

use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    fs, io,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::rounds::median;

const ROUNDS: usize = 9;
/// Inputs of the job that is killed again and again.
const INPUTS: usize = 3000;
/// Nothing here takes longer, or something is wrong.
const PATIENCE: Duration = Duration::from_secs(30);

/// How a job is ended.
#[derive(Clone, Copy)]
enum End {
    /// KILL to the program.
    Killed,
    /// KILL to its guard, and then to the program.
    GuardKilled,
    /// INT, so many times.
    Interrupted(usize),
}

/// Prints the tables.
pub(crate) fn run(triway: &str) -> Result<(), Box<dyn Error>> {
    println!("| what happens, {ROUNDS} rounds | ms until all of it was gone, median | longest |");
    println!("|---|---|---|");
    let long = "run cpu --work spin --n 600000 --inputs 4 -c 4 -q";
    let short = "run cpu --work spin --n 50 --inputs 100000 -c 2 -q";
    for (title, arguments, end) in [
        (
            "KILL to Triway, 4 busy workers",
            format!("{long} -m processes"),
            End::Killed,
        ),
        (
            "the same, its guard killed before",
            format!("{long} -m processes"),
            End::GuardKilled,
        ),
        (
            "Ctrl-C once, inputs of 50 ms, threads",
            format!("{short} -m threads"),
            End::Interrupted(1),
        ),
        (
            "the same, processes",
            format!("{short} -m processes"),
            End::Interrupted(1),
        ),
        (
            "Ctrl-C twice, inputs of 10 min, threads",
            format!("{long} -m threads"),
            End::Interrupted(2),
        ),
        (
            "the same, processes",
            format!("{long} -m processes"),
            End::Interrupted(2),
        ),
        (
            "the same, async",
            format!("{long} -m async"),
            End::Interrupted(2),
        ),
    ] {
        let mut figures = Vec::new();
        for _ in 0..ROUNDS {
            figures.push(ended(triway, &arguments, end)?.as_secs_f64() * 1e3);
        }
        let middle = median(&mut figures);
        println!("| {title} | {middle:.1} | {:.1} |", figures[ROUNDS - 1]);
    }
    println!();
    resumed(triway)
}

fn ended(triway: &str, arguments: &str, end: End) -> io::Result<Duration> {
    let mut program = start(triway, arguments)?;
    thread::sleep(Duration::from_millis(300));
    let children = children(program.id());
    let guard = children.iter().find(|child| named(**child, "triway guard"));
    let began = match end {
        End::Killed => {
            let now = Instant::now();
            program.kill()?;
            now
        }
        End::GuardKilled => {
            signal(*guard.unwrap_or(&0), "KILL")?;
            thread::sleep(Duration::from_millis(50));
            let now = Instant::now();
            program.kill()?;
            now
        }
        End::Interrupted(times) => {
            for _ in 1..times {
                signal(program.id(), "INT")?;
                thread::sleep(Duration::from_millis(100));
            }
            let now = Instant::now();
            signal(program.id(), "INT")?;
            now
        }
    };
    program.wait()?;
    while children.iter().any(|child| is_running(*child)) {
        if began.elapsed() > PATIENCE {
            return Err(io::Error::other(format!("{arguments}: something goes on")));
        }
        thread::sleep(Duration::from_micros(200));
    }
    Ok(began.elapsed())
}

/// A command a line that notes its input in a ledger of its own, killed with its Triway until all are done.
fn resumed(triway: &str) -> Result<(), Box<dyn Error>> {
    println!("| {INPUTS} commands, Triway killed with KILL and resumed until all were done | |");
    println!("|---|---|");
    let folder = std::env::temp_dir().join(format!("triway-ends-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let [ledger, journal, list] = ["ledger", "journal", "list"].map(|name| folder.join(name));
    let lines: Vec<String> = (0..INPUTS).map(|n| n.to_string()).collect();
    fs::write(&list, lines.join("\n"))?;
    let script = format!("echo \"$1\" >> {}", ledger.display());
    let mut kills = 0;
    let mut recorded: BTreeSet<String> = BTreeSet::new();
    let mut again = 0;
    loop {
        let before = noted(&ledger);
        let mut command = Command::new(triway);
        command
            .args(["run", "sh", "-c", "4", "-q", "--journal"])
            .arg(&journal);
        command
            .args(["--resume", &format!("sh -c '{script}' sh")])
            .arg(&list);
        let mut program = command.stdout(Stdio::null()).spawn()?;
        let ended = wait_for(&mut program, Duration::from_millis(fastrand::u64(50..500)))?;
        if !ended {
            program.kill()?;
            program.wait()?;
            kills += 1;
            // What was running when it was killed comes to its end.
            thread::sleep(Duration::from_millis(100));
        }
        let after = noted(&ledger);
        let executed = |input: &String| after.get(input) > before.get(input);
        again += recorded.iter().filter(|input| executed(input)).count();
        recorded = shown(triway, &journal)?;
        if ended {
            break;
        }
    }
    let counts = noted(&ledger);
    let more: usize = counts.values().map(|times| times - 1).sum();
    println!("| kills | {kills} |");
    println!(
        "| inputs with an outcome in the journal | {} |",
        recorded.len()
    );
    println!("| inputs never executed | {} |", INPUTS - counts.len());
    println!("| executed although the journal had the outcome | {again} |");
    println!("| executions more than inputs: what ran when Triway was killed | {more} |");
    fs::remove_dir_all(&folder)?;
    Ok(())
}

fn start(triway: &str, arguments: &str) -> io::Result<Child> {
    let mut command = Command::new(triway);
    let quiet = command.args(arguments.split(' ')).stdin(Stdio::null());
    quiet.stdout(Stdio::null()).stderr(Stdio::null()).spawn()
}

fn wait_for(program: &mut Child, time: Duration) -> io::Result<bool> {
    let until = Instant::now() + time;
    while Instant::now() < until {
        if program.try_wait()?.is_some() {
            return Ok(true);
        }
        thread::sleep(Duration::from_millis(5));
    }
    Ok(false)
}

/// How often each input was executed.
fn noted(ledger: &std::path::Path) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for line in fs::read_to_string(ledger).unwrap_or_default().lines() {
        *counts.entry(line.to_owned()).or_default() += 1;
    }
    counts
}

/// The inputs whose outcomes the journal has.
fn shown(triway: &str, journal: &std::path::Path) -> Result<BTreeSet<String>, Box<dyn Error>> {
    let mut command = Command::new(triway);
    let told = command
        .args(["journal", "show", "--format", "jsonl"])
        .arg(journal)
        .output()?;
    let lines = String::from_utf8(told.stdout)?;
    let input = |line: &str| {
        Some(
            line.split("\"input\":\"")
                .nth(1)?
                .split('"')
                .next()?
                .to_owned(),
        )
    };
    Ok(lines.lines().filter_map(input).collect())
}

fn signal(process: u32, name: &str) -> io::Result<()> {
    let mut kill = Command::new("kill");
    kill.args(["-s", name, &process.to_string()])
        .status()
        .map(|_| ())
}

fn children(parent: u32) -> Vec<u32> {
    let threads = fs::read_dir(format!("/proc/{parent}/task"));
    let lists = threads.into_iter().flatten().flatten();
    let lists = lists.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    let lists: Vec<String> = lists.collect();
    lists
        .iter()
        .flat_map(|list| list.split(' '))
        .filter_map(|word| word.parse().ok())
        .collect()
}

fn named(process: u32, name: &str) -> bool {
    let line = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
    line.starts_with(name.as_bytes())
}

fn is_running(process: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    !stat.is_empty() && !stat.contains(") Z ")
}
