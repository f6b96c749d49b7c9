//! What a URL is to be like to count as healthy, and where the URLs stand.

use std::{path::PathBuf, time::Duration};

use clap::Args;
use triway_core::Model;
use triway_tasks::{
    check::{Expected, Rule},
    http::{Accept, Url},
};

use super::{
    help,
    http::RequestArguments,
    inputs::InputArguments,
    job::{self, JobArguments, LanesArguments},
    journal::JournalArguments,
    report::TraceArguments,
};

const RULES: &str = "Rules";

/// `triway check`.
#[derive(Debug, Args)]
#[command(after_help = help::CHECK)]
pub(crate) struct CheckVerbArguments {
    /// Concurrency model [default: async]
    #[arg(short, long, value_parser = job::model(), help_heading = job::HEADING)]
    pub(crate) model: Option<Model>,

    #[command(flatten)]
    pub(crate) lanes: LanesArguments,

    #[command(flatten)]
    pub(crate) job: JobArguments,

    #[command(flatten)]
    pub(crate) journal: JournalArguments,

    #[command(flatten)]
    pub(crate) trace: TraceArguments,

    #[command(flatten)]
    pub(crate) check: CheckArguments,
}

/// Options of the task `check`.
#[derive(Debug, Args)]
pub(crate) struct CheckArguments {
    #[command(flatten)]
    pub(crate) inputs: InputArguments,

    #[command(flatten)]
    pub(crate) listed: ListedArguments,

    #[command(flatten)]
    pub(crate) rules: RuleArguments,

    #[command(flatten)]
    pub(crate) request: RequestArguments,
}

/// Documents that list URLs.
#[derive(Debug, Args)]
pub(crate) struct ListedArguments {
    /// Check the links of this Markdown or HTML file; may be repeated
    #[arg(long, value_name = "FILE", help_heading = "Inputs")]
    pub(crate) links: Vec<PathBuf>,

    /// What relative links start from
    #[arg(long, value_name = "URL", requires = "links", help_heading = "Inputs")]
    pub(crate) base: Option<Url>,

    /// Check the pages of this sitemap, and of those that it leads to; may be repeated
    #[arg(long, value_name = "URL", value_parser = sitemap, help_heading = "Inputs")]
    pub(crate) sitemap: Vec<Url>,
}

/// A URL that a sitemap can be requested from.
fn sitemap(text: &str) -> Result<Url, String> {
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(url),
        Ok(url) => Err(format!(
            "a sitemap is requested from an http:// or https:// URL, not from {}:",
            url.scheme()
        )),
        Err(error) => Err(format!(
            "a sitemap is requested from an http:// or https:// URL, and this is none ({error}); a file with a URL a \
             line is named without --sitemap"
        )),
    }
}

/// What an answer should be. These hold for all URLs; a file may hold rules by pattern.
#[derive(Debug, Args)]
pub(crate) struct RuleArguments {
    /// The right statuses, such as 200..=299,404 [default: 200..=399]
    #[arg(long, value_name = "STATUSES", help_heading = RULES)]
    pub(crate) accept: Option<Accept>,

    /// The longest time from the look-up of the name to the end of the body
    #[arg(long, value_name = "TIME", value_parser = job::time, allow_hyphen_values = true, help_heading = RULES)]
    pub(crate) max_latency: Option<Duration>,

    /// A text that the body should contain; may be repeated
    #[arg(long, value_name = "TEXT", help_heading = RULES)]
    pub(crate) contains: Vec<String>,

    /// A header that should be there, with this value if one is given (`*` stands for any text); may be repeated
    #[arg(long, value_name = "NAME[=VALUE]", value_parser = Rule::header, help_heading = RULES)]
    pub(crate) header: Vec<String>,

    /// What the body, a JSON document, should say, such as data.0.state==ready; may be repeated
    #[arg(long, value_name = "PATH==VALUE", help_heading = RULES)]
    pub(crate) json: Vec<Expected>,

    /// For how many days a certificate should still be valid
    #[arg(long, value_name = "N", value_parser = job::whole::<u32>, allow_negative_numbers = true, help_heading = RULES)]
    pub(crate) cert_days: Option<u32>,

    /// A file with rules, also by URL pattern (TOML); what is said here goes before it
    #[arg(long, value_name = "FILE", help_heading = RULES)]
    pub(crate) config: Option<PathBuf>,
}
