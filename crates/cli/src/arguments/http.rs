//! What a request is and may do, the same for every task that makes some.

use std::{num::NonZeroU32, path::PathBuf, str::FromStr, time::Duration};

use clap::Args;
use triway_tasks::http::Zone;

use super::{
    job,
    values::{positive, size, time},
};

const REQUEST: &str = "Request";
const CONNECTION: &str = "Connection";

/// Options of requests.
#[derive(Debug, Args)]
pub(crate) struct RequestArguments {
    /// The method [default: GET, or POST with --data]
    #[arg(short = 'X', long, value_name = "METHOD", help_heading = REQUEST)]
    pub(crate) method: Option<String>,

    /// A header to send, such as 'Accept: text/html'; may be repeated. A redirect to another origin takes none along
    /// but Accept, Accept-Charset, Accept-Encoding, Accept-Language, Cache-Control, Pragma, Range and User-Agent
    #[arg(short = 'H', long, value_name = "NAME: VALUE", help_heading = REQUEST)]
    pub(crate) request_header: Vec<String>,

    /// What to send along: a text, or @FILE. A redirect that would take it to another origin is not followed
    #[arg(long, value_name = "TEXT|@FILE", help_heading = REQUEST)]
    pub(crate) data: Option<String>,

    /// Credentials for basic authentication, USER:PASSWORD: from a variable or a file, never from the command line
    #[arg(long, value_name = "env:NAME|file:PATH", help_heading = REQUEST, conflicts_with = "bearer")]
    pub(crate) basic: Option<Kept>,

    /// A bearer token: from a variable or a file
    #[arg(long, value_name = "env:NAME|file:PATH", help_heading = REQUEST)]
    pub(crate) bearer: Option<Kept>,

    /// What the request says it is sent by
    #[arg(long, value_name = "TEXT", help_heading = REQUEST)]
    pub(crate) user_agent: Option<String>,

    /// Do not ask for compressed answers
    #[arg(long, help_heading = REQUEST)]
    pub(crate) no_compression: bool,

    /// How many redirects are followed [default: 10]
    #[arg(long, value_name = "N", value_parser = job::whole::<u32>, allow_negative_numbers = true, help_heading = REQUEST)]
    pub(crate) max_redirects: Option<u32>,

    /// How large a body may be, in bytes after decoding [default: 16777216]
    #[arg(long, value_name = "BYTES", value_parser = size, allow_negative_numbers = true, help_heading = REQUEST)]
    pub(crate) max_body_bytes: Option<u64>,

    /// The time for a connection, from the look-up of the name until it is secured; or none
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = limit, allow_hyphen_values = true, help_heading = CONNECTION)]
    pub(crate) connect_timeout: Limit,

    /// The time from a request to the head of its answer; or none
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = limit, allow_hyphen_values = true, help_heading = CONNECTION)]
    pub(crate) first_byte_timeout: Limit,

    /// Use IPv4 addresses alone
    #[arg(short = '4', long, conflicts_with = "ipv6", help_heading = CONNECTION)]
    pub(crate) ipv4: bool,

    /// Use IPv6 addresses alone
    #[arg(short = '6', long, help_heading = CONNECTION)]
    pub(crate) ipv6: bool,

    /// Open a new connection for every request
    #[arg(long, help_heading = CONNECTION)]
    pub(crate) no_reuse: bool,

    /// Offer HTTP/2 on secured connections; under async alone
    #[arg(long, help_heading = CONNECTION)]
    pub(crate) http2: bool,

    /// Ask every server directly, whatever http_proxy, https_proxy and all_proxy say
    #[arg(long, help_heading = CONNECTION)]
    pub(crate) no_proxy: bool,

    /// Trust these certificate authorities alone (PEM)
    #[arg(long, value_name = "FILE", conflicts_with = "insecure", help_heading = CONNECTION)]
    pub(crate) cacert: Option<PathBuf>,

    /// Do not verify certificates
    #[arg(long, help_heading = CONNECTION)]
    pub(crate) insecure: bool,

    /// Do not connect to these addresses: private (all that are not reachable from everywhere), loopback (with 0.0.0.0
    /// and ::, which lead there), link-local, an address or a network; checked at every redirect
    #[arg(long, value_name = "ZONE,…", value_delimiter = ',', help_heading = CONNECTION)]
    pub(crate) deny: Vec<Zone>,

    /// Exceptions from --deny
    #[arg(long, value_name = "ZONE,…", value_delimiter = ',', requires = "deny", help_heading = CONNECTION)]
    pub(crate) allow: Vec<Zone>,
}

/// The embedded example of `http`.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Task")]
pub(crate) struct ExampleUrls {
    /// With no inputs given: how many URLs an embedded server has [default: 50]
    #[arg(long, value_name = "N", value_parser = positive::<NonZeroU32>, allow_negative_numbers = true, conflicts_with_all = ["files", "values"])]
    pub(crate) urls: Option<NonZeroU32>,

    /// With no inputs given: when it answers each [default: at once, and every fifth after 0.1s]
    #[arg(long, value_name = "TIME", value_parser = delay, allow_hyphen_values = true, conflicts_with_all = ["files", "values"])]
    pub(crate) delay: Option<Duration>,
}

/// Where a secret is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kept {
    /// In a variable of the environment.
    Variable(String),
    /// In a file.
    File(PathBuf),
}

/// A time limit that can be switched off. A type of its own, because clap would read an `Option` as an option that may
/// be missing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit(pub(crate) Option<Duration>);

impl FromStr for Kept {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("env", name)) if !name.is_empty() => Ok(Self::Variable(name.to_owned())),
            Some(("file", path)) if !path.is_empty() => Ok(Self::File(path.into())),
            // What was typed may be the secret itself, and stays unsaid.
            _ => Err("write env:NAME or file:PATH; a secret on the command line can be seen by everybody".to_owned()),
        }
    }
}

/// As long as the test server waits.
fn delay(text: &str) -> Result<Duration, String> {
    let delay = time(text)?;
    match delay.as_secs_f64() <= 60.0 {
        true => Ok(delay),
        false => Err("the embedded server waits for a minute at most".to_owned()),
    }
}

fn limit(text: &str) -> Result<Limit, String> {
    match text {
        "none" => Ok(Limit(None)),
        text => match time(text)? {
            Duration::ZERO => {
                Err("nothing is done in no time; write a time such as 5s, or none".to_owned())
            }
            time => Ok(Limit(Some(time))),
        },
    }
}
