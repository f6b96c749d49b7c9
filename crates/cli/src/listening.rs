//! What servers of the command line have in common: telling where they listen, or why not, and being asked to end.

use std::{
    io::{self, Read as _, Write as _},
    net::SocketAddr,
    thread,
};

use anyhow::anyhow;
use signal_hook::{
    consts::{SIGINT, SIGTERM},
    iterator::Signals,
};
use tokio::sync::mpsc::{self, Receiver};
use triway_measure::report::ServerReport;

use crate::{example::LISTENING, exit::Exit};

/// Why there is no listening on this address.
pub(crate) fn refused(address: SocketAddr, error: io::Error) -> anyhow::Error {
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

pub(crate) fn say_address(scheme: &str, address: SocketAddr) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{LISTENING}{scheme}://{address}")?;
    stdout.flush()
}

/// Says what serving has cost, for whoever started the server for that.
pub(crate) fn say_spent(spent: &ServerReport) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{}", serde_json::to_string(spent)?)?;
    stdout.flush()
}

/// Tells of each signal that asks the server to end, or of the end of standard input.
pub(crate) fn asked(until_stdin_closes: bool) -> io::Result<Receiver<Exit>> {
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
