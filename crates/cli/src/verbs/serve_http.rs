//! `triway serve http`: the test server in the manner of httpbin.

use std::{
    fs::{self, File},
    future::pending,
    io::Read as _,
    net::SocketAddr,
    path::Path,
};

use anyhow::{Context as _, anyhow};
use tokio::{
    runtime::Builder,
    sync::{Notify, mpsc::Receiver},
};
use triway_serve::http::{HttpServer, Secured};

use crate::{
    arguments::ServeHttpArguments,
    exit::Exit,
    listening::{asked, refused, say_address},
};

/// What a file begins with that holds a certificate.
const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----";

/// No certificate that `--write-ca` writes is as long.
const MOST_CERTIFICATE_BYTES: u64 = 16 << 10;

/// Serves until a signal, or the end of standard input where that was asked for.
pub(crate) fn run(arguments: &ServeHttpArguments) -> anyhow::Result<Exit> {
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
