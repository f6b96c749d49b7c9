//! `triway serve echo`: lines answered as tasks, by threads or by processes.

use std::{
    net::SocketAddr,
    num::NonZeroUsize,
    thread::{self, available_parallelism},
    time::Duration,
};

use anyhow::{Context as _, anyhow};
use tokio::{
    runtime::Builder,
    sync::mpsc::Receiver,
    time::{Instant, MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;
use triway_measure::report::ServerReport;
use triway_serve::echo::{Counts, EchoServer, Host, Limits, Watch};

use crate::{
    TASK,
    arguments::{EchoModel, ServeEchoArguments},
    descriptors,
    exit::Exit,
    listening::{asked, refused, say_address, say_spent},
    people::{Screen, figures},
};

/// How often the figures on a terminal are new.
const GLANCE: Duration = Duration::from_secs(1);

/// Serves until a signal, or the end of standard input where that was asked for.
pub(crate) fn run(arguments: &ServeEchoArguments) -> anyhow::Result<Exit> {
    let screen = Screen::new(false);
    let address = SocketAddr::new(arguments.bind, arguments.port);
    let limits = limits(arguments);
    let few = descriptors::raise(limits.connections as u64);
    // Of an example's server, nobody has said how many connections it needs.
    screen.say_all(few.as_deref().filter(|_| !arguments.until_stdin_closes));
    let asked = asked(arguments.until_stdin_closes)?;
    let server = EchoServer::bind(address, host(arguments)?, limits)
        .map_err(|error| refused(address, error))?;
    let watch = server.watch();
    let address = server.local_addr()?;
    let (stop, ended) = (CancellationToken::new(), CancellationToken::new());
    let (asked_to, done) = (stop.clone(), ended.clone().drop_guard());
    let serve = move || {
        let served = server.run(&asked_to);
        drop(done);
        served
    };
    let serving = thread::Builder::new()
        .spawn(serve)
        .context("this machine gives no thread for the server")?;
    let runtime = Builder::new_current_thread().enable_time().build()?;
    say_address("tcp", address)
        .context("the server's address could not be written to standard output")?;
    if let Some(exit) = runtime.block_on(attend(asked, &stop, &ended, &watch, &screen)) {
        return Ok(exit);
    }
    screen.end_bar();
    let served = serving
        .join()
        .map_err(|_| anyhow!("the server panicked, which is a bug of this program"))?;
    served.context("the server could not go on")?;
    let counts = watch.look();
    match arguments.until_stdin_closes {
        // Whoever wanted to know may be gone.
        true => drop(say_spent(&spent(counts))),
        false => screen.say(&concluded(counts)),
    }
    Ok(Exit::Ok)
}

fn spent(counts: Counts) -> ServerReport {
    ServerReport::new(
        counts.accepted,
        counts.messages,
        counts.cpu.as_secs_f64(),
        counts.memory_bytes,
    )
}

/// What became of a server that has ended.
fn concluded(counts: Counts) -> String {
    let connections = figures::counted(counts.accepted, "connection", "connections");
    if counts.messages == 0 {
        return format!("{connections}, no message");
    }
    let spent = spent(counts);
    format!(
        "{connections}, {}: {} of processor time a message, {} of memory a connection",
        figures::counted(counts.messages, "message", "messages"),
        figures::time(spent.cpu_per_message_s),
        figures::bytes(spent.memory_per_connection_bytes),
    )
}

fn limits(arguments: &ServeEchoArguments) -> Limits {
    Limits {
        connections: arguments.max_connections.get(),
        message_bytes: usize::try_from(arguments.max_message_bytes).unwrap_or(usize::MAX),
        idle: arguments.idle,
        total: arguments.max_age,
        delay: arguments.delay,
        drain: arguments.drain,
    }
}

fn host(arguments: &ServeEchoArguments) -> anyhow::Result<Host> {
    match (arguments.model, arguments.workers) {
        (EchoModel::Async, None) => Ok(Host::Tasks),
        (EchoModel::Threads, None) => Ok(Host::Threads),
        (EchoModel::Processes, workers) => {
            let workers = workers
                .or_else(|| available_parallelism().ok())
                .unwrap_or(NonZeroUsize::MIN);
            Ok(Host::Processes(workers, TASK.to_owned()))
        }
        (_, Some(_)) => Err(anyhow!(
            "--workers: there are workers only with --model processes"
        )),
    }
}

/// Lets the server come to its end when it is asked to for the first time, and shows meanwhile what it does; how the
/// program ends if it is asked again.
async fn attend(
    mut asked: Receiver<Exit>,
    stop: &CancellationToken,
    ended: &CancellationToken,
    watch: &Watch,
    screen: &Screen,
) -> Option<Exit> {
    screen.show_bar(None, "nobody is connected yet");
    let mut ticks = interval(GLANCE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut before, mut at) = (Counts::default(), Instant::now());
    loop {
        tokio::select! {
            biased;
            () = ended.cancelled() => return None,
            Some(exit) = asked.recv() => {
                if stop.is_cancelled() {
                    return Some(exit);
                }
                stop.cancel();
            }
            now = ticks.tick() => {
                let counts = watch.look();
                screen.set_position(counts.messages);
                screen.set_message(told(before, counts, now - at));
                (before, at) = (counts, now);
            }
        }
    }
}

/// What happened since somebody looked last.
fn told(before: Counts, now: Counts, time: Duration) -> String {
    let messages = now.messages.saturating_sub(before.messages);
    let connections = figures::counted(now.open, "connection", "connections");
    if messages == 0 || time.is_zero() {
        return connections;
    }
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    let (count, seconds) = (messages as f64, time.as_secs_f64());
    let mean = now.busy.saturating_sub(before.busy).as_secs_f64() / count;
    format!(
        "{connections}, {} messages/s, latency {} (mean), {} (longest);",
        figures::number(count / seconds),
        figures::time(mean),
        figures::time(now.longest.as_secs_f64()),
    )
}
