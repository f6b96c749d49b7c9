//! What the options of requests mean: a policy.

use std::{
    env::VarError,
    fs::{self, File},
    io::{self, Read as _},
    path::Path,
};

use anyhow::{Context as _, anyhow};
use triway_core::Model;
use triway_tasks::http::{Accept, Credentials, Family, Payload, Policy, Proxies, Secret, Trust};

use crate::{
    arguments::{Kept, RequestArguments},
    exit::Fault,
};

/// The longest secret that is read from a file.
const MOST_SECRET_BYTES: u64 = 32 << 10;

/// The policy that these options describe.
pub(crate) fn policy(arguments: RequestArguments, accept: Accept) -> Result<Policy, Fault> {
    let mut policy = Policy::default();
    policy.accept = accept;
    policy.connect_limit = arguments.connect_timeout.0;
    policy.first_byte_limit = arguments.first_byte_timeout.0;
    policy.max_redirects = arguments.max_redirects.unwrap_or(policy.max_redirects);
    policy.max_body_bytes = arguments.max_body_bytes.unwrap_or(policy.max_body_bytes);
    policy.compressed = !arguments.no_compression;
    policy.reuse = !arguments.no_reuse;
    policy.http2 = arguments.http2;
    policy.family = match (arguments.ipv4, arguments.ipv6) {
        (true, _) => Family::V4,
        (_, true) => Family::V6,
        _ => Family::Any,
    };
    policy.reach.deny = arguments.deny;
    policy.reach.allow = arguments.allow;
    if let Some(agent) = arguments.user_agent {
        policy.user_agent = agent;
    }
    if arguments.data.is_some() {
        policy.method = "POST".to_owned();
    }
    if let Some(method) = arguments.method {
        policy.method = method.to_ascii_uppercase();
    }
    policy.body = arguments.data.map(body).transpose()?;
    policy.headers = headers(&arguments.request_header)?;
    policy.credentials = credentials(arguments.basic.as_ref(), arguments.bearer.as_ref())?;
    policy.trust = trust(arguments.insecure, arguments.cacert.as_deref())?;
    if !arguments.no_proxy {
        let variable = |name: &str| std::env::var(name).ok();
        policy.proxies = Proxies::from_variables(variable).map_err(Fault::usage)?;
    }
    policy.check().map_err(Fault::usage)?;
    Ok(policy)
}

/// HTTP/2 is there under one model alone, so another that was asked for must be refused rather than run differently.
pub(crate) fn check_model(policy: &Policy, model: Model) -> Result<(), Fault> {
    if policy.http2 && model != Model::Async {
        return Err(Fault::usage(anyhow!(
            "--http2 is for async alone, where many requests share a connection; {model} speaks HTTP/1.1"
        )));
    }
    Ok(())
}

fn body(text: String) -> Result<Payload, Fault> {
    let Some(path) = text.strip_prefix('@') else {
        return Ok(Payload::new(text));
    };
    let read = fs::read(path).with_context(|| format!("--data: cannot read {path}"));
    read.map(Payload::new).map_err(Fault::usage)
}

fn headers(given: &[String]) -> Result<Vec<(String, Secret)>, Fault> {
    let header = |line: &String| {
        let (name, value) = line.split_once(':').ok_or_else(|| {
            // A line without a colon may be all secret.
            Fault::usage(anyhow!(
                "--request-header: there is no colon in it; write 'NAME: VALUE'"
            ))
        })?;
        Ok((name.trim().to_owned(), Secret::new(value.trim())))
    };
    given.iter().map(header).collect()
}

fn credentials(basic: Option<&Kept>, bearer: Option<&Kept>) -> Result<Option<Credentials>, Fault> {
    if let Some(kept) = basic {
        let pair = secret(kept, "--basic")?;
        if !pair.reveal().contains(':') {
            return Err(Fault::usage(anyhow!(
                "--basic: there is no colon in it; write USER:PASSWORD there"
            )));
        }
        return Ok(Some(Credentials::Basic(pair)));
    }
    let token = bearer.map(|kept| secret(kept, "--bearer")).transpose()?;
    Ok(token.map(Credentials::Bearer))
}

fn secret(kept: &Kept, option: &str) -> Result<Secret, Fault> {
    let text = match kept {
        Kept::Variable(name) => std::env::var(name)
            // The error itself would show a value that is not UTF-8.
            .map_err(|error| match error {
                VarError::NotPresent => anyhow!("{option}: the variable {name} is not set"),
                VarError::NotUnicode(_) => anyhow!("{option}: the variable {name} is not UTF-8"),
            }),
        Kept::File(path) => {
            read_secret(path).with_context(|| format!("{option}: cannot read {}", path.display()))
        }
    };
    let text = text.map_err(Fault::usage)?;
    match text.trim_end_matches(['\r', '\n']) {
        "" => Err(Fault::usage(anyhow!("{option}: there is nothing in it"))),
        text => Ok(Secret::new(text)),
    }
}

/// The file's text, if there is no more of it than a header may hold: a device would never end.
fn read_secret(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let file = File::open(path)?;
    let read = file.take(MOST_SECRET_BYTES + 1).read_to_string(&mut text)?;
    if read as u64 > MOST_SECRET_BYTES {
        let told = format!("there are more than {MOST_SECRET_BYTES} bytes in it");
        return Err(io::Error::other(told));
    }
    Ok(text)
}

fn trust(insecure: bool, cacert: Option<&Path>) -> Result<Trust, Fault> {
    match cacert {
        _ if insecure => Ok(Trust::Anybody),
        None => Ok(Trust::Usual),
        Some(path) => fs::read(path)
            .with_context(|| format!("--cacert: cannot read {}", path.display()))
            .map(Trust::Authorities)
            .map_err(Fault::usage),
    }
}
