//! `triway serve`: servers to try tasks on.

use std::{
    fs,
    io::{self, Read as _, Write as _},
    net::SocketAddr,
    thread,
};

use anyhow::{Context as _, anyhow};
use signal_hook::{
    consts::{SIGINT, SIGTERM},
    iterator::Signals,
};
use tokio::{runtime::Builder, sync::oneshot};
use triway_serve::http::{HttpServer, Secured};

use crate::{
    arguments::{ServeArguments, ServeHttpArguments, Server},
    example::LISTENING,
    exit::{Exit, Fault},
};

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
    let stop = stop(arguments.until_stdin_closes)?;
    runtime.block_on(async {
        let mut server = HttpServer::bind(address)
            .await
            .map_err(|error| refused(address, error))?;
        let scheme = if secured.is_some() { "https" } else { "http" };
        if let Some(secured) = secured {
            server = server.with_tls(secured);
        }
        say_address(scheme, server.local_addr()?)?;
        let stopped = async {
            // An error means that nobody is left who could stop it; then it had better end.
            let _dropped = stop.await;
        };
        server.run(stopped).await?;
        Ok(Exit::Ok)
    })
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
        fs::write(file, secured.authority())
            .with_context(|| format!("--write-ca: cannot write {}", file.display()))?;
    }
    Ok(Some(secured))
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

/// Ends when somebody wants the server to end.
fn stop(until_stdin_closes: bool) -> io::Result<oneshot::Receiver<()>> {
    let (stop, stopped) = oneshot::channel();
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let wait = move || {
        if until_stdin_closes {
            wait_for_end();
        } else {
            signals.forever().next();
        }
        // The server may have ended by itself.
        let _ended = stop.send(());
    };
    thread::Builder::new()
        .name("triway-stop".to_owned())
        .spawn(wait)?;
    Ok(stopped)
}

/// Whatever stands in it does not matter.
fn wait_for_end() {
    let mut rest = [0; 4096];
    let mut stdin = io::stdin().lock();
    while matches!(stdin.read(&mut rest), Ok(1..)) {}
}
