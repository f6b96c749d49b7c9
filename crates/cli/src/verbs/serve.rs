//! `triway serve`: servers to try tasks on.

use std::{
    fs::{self, File},
    future::pending,
    io::{self, Read as _, Write as _},
    net::SocketAddr,
    path::Path,
    thread,
};

use anyhow::{Context as _, anyhow};
use signal_hook::{
    consts::{SIGINT, SIGTERM},
    iterator::Signals,
};
use tokio::{
    runtime::Builder,
    sync::{
        Notify,
        mpsc::{self, Receiver},
    },
};
use triway_serve::http::{HttpServer, Secured};

use crate::{
    arguments::{ServeArguments, ServeHttpArguments, Server},
    example::LISTENING,
    exit::{Exit, Fault},
};

/// What a file begins with that holds a certificate.
const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----";

/// No certificate that `--write-ca` writes is as long.
const MOST_CERTIFICATE_BYTES: u64 = 16 << 10;

/// Serves until a signal, or the end of standard input where that was asked for.
pub(crate) fn run(arguments: &ServeArguments) -> Result<Exit, Fault> {
    match &arguments.server {
        Server::Http(http) => serve_http(http).map_err(Fault::could_not_run),
    }
}

fn serve_http(arguments: &ServeHttpArguments) -> anyhow::Result<Exit> {
    let runtime = Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the server could not be started")?;
    let address = SocketAddr::new(arguments.bind, arguments.port);
    let secured = secured(arguments)?;
    let asked = asked(arguments.until_stdin_closes)?;
    runtime.block_on(async {
        let mut server = HttpServer::bind(address)
            .await
            .map_err(|error| refused(address, error))?;
        let scheme = if secured.is_some() { "https" } else { "http" };
        if let Some(secured) = secured {
            server = server.with_tls(secured);
        }
        say_address(scheme, server.local_addr()?)
            .context("the server's address could not be written to standard output")?;
        let drain = Notify::new();
        tokio::select! {
            served = server.run(drain.notified()) => {
                served?;
                Ok(Exit::Ok)
            }
            exit = twice(asked, &drain) => Ok(exit),
        }
    })
}

/// Lets the server come to its end when it is asked to for the first time, which is what a server is there for; how the
/// program ends when it is asked again.
async fn twice(mut asked: Receiver<Exit>, drain: &Notify) -> Exit {
    // An error means that nobody is left who could stop it; then it had better end.
    let _first = asked.recv().await;
    drain.notify_one();
    match asked.recv().await {
        Some(exit) => exit,
        None => pending().await,
    }
}

/// What `--tls` asks for. The file is there before the address is told, for whoever waits for that.
fn secured(arguments: &ServeHttpArguments) -> anyhow::Result<Option<Secured>> {
    if !arguments.tls {
        return Ok(None);
    }
    let mut names = arguments.tls_name.clone();
    if !arguments.bind.is_unspecified() && !arguments.bind.is_loopback() {
        names.push(arguments.bind.to_string());
    }
    let told = names.join(", ");
    let secured = Secured::with_names(names)
        .with_context(|| format!("--tls-name: no certificate can be made for {told}"))?;
    if let Some(file) = &arguments.write_ca {
        check_spare(file)?;
        fs::write(file, secured.authority())
            .with_context(|| format!("--write-ca: cannot write {}", file.display()))?;
    }
    Ok(Some(secured))
}

/// Refuses to write over a file that is something else than one certificate, as a slip of the hand may want it.
fn check_spare(path: &Path) -> anyhow::Result<()> {
    let is_file = fs::metadata(path).is_ok_and(|metadata| metadata.is_file());
    // One that cannot be opened says so when it is written.
    let Some(file) = is_file.then(|| File::open(path).ok()).flatten() else {
        return Ok(());
    };
    let mut begins = Vec::new();
    file.take(MOST_CERTIFICATE_BYTES)
        .read_to_end(&mut begins)
        .with_context(|| format!("--write-ca: cannot read {}", path.display()))?;
    let one = begins.starts_with(CERTIFICATE.as_bytes())
        && memchr::memmem::find_iter(&begins, "-----BEGIN").count() == 1
        && (begins.len() as u64) < MOST_CERTIFICATE_BYTES;
    if begins.is_empty() || one {
        return Ok(());
    }
    Err(anyhow!(
        "--write-ca: {} is there already and holds something else than one certificate; remove it, or name another file",
        path.display()
    ))
}

fn refused(address: SocketAddr, error: io::Error) -> anyhow::Error {
    let port = address.port();
    match error.kind() {
        io::ErrorKind::AddrInUse => anyhow!(
            "--port {port}: something listens on {address} already; choose another port, or 0 for a free one"
        ),
        io::ErrorKind::PermissionDenied => anyhow!(
            "--port {port}: this user may not listen on {address}; choose a port from 1024 on"
        ),
        _ => anyhow::Error::from(error).context(format!("cannot listen on {address}")),
    }
}

fn say_address(scheme: &str, address: SocketAddr) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{LISTENING}{scheme}://{address}")?;
    stdout.flush()
}

/// Tells of each signal that asks the server to end, or of the end of standard input.
fn asked(until_stdin_closes: bool) -> io::Result<Receiver<Exit>> {
    let (ask, asked) = mpsc::channel(2);
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    // The server may have ended by itself, so that nobody listens any more.
    let wait = move || match until_stdin_closes {
        true => {
            wait_for_end();
            let _ended = ask.blocking_send(Exit::Ok);
        }
        false => {
            let exits = signals.forever().map(|signal| match signal {
                SIGINT => Exit::Interrupted,
                _ => Exit::Terminated,
            });
            exits
                .take_while(|exit| ask.blocking_send(*exit).is_ok())
                .for_each(drop);
        }
    };
    thread::Builder::new()
        .name("triway-stop".to_owned())
        .spawn(wait)?;
    Ok(asked)
}

/// Whatever stands in it does not matter.
fn wait_for_end() {
    let mut rest = [0; 4096];
    let mut stdin = io::stdin().lock();
    while matches!(stdin.read(&mut rest), Ok(1..)) {}
}
