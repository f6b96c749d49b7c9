//! The task `http`: requests a URL and tells status, size, and where the time went.
//!
//! There is one client, written once, and two ways to wait for the network (`io`): on the thread that calls, or on a
//! runtime. So comparing models compares nothing else: both forms share policy, parser, limits, kinds of failure and
//! the places where a clock is read. `journey` decides, `client` carries it out.

mod accept;
mod answer;
mod client;
mod command;
mod decode;
mod dial;
mod distrust;
mod idle;
mod journey;
pub mod kinds;
mod limits;
mod mask;
mod names;
mod origin;
mod policy;
mod proxies;
mod reach;
mod redact;
mod route;
mod secret;
mod template;
mod tls;
mod tunnel;
mod wire;

use std::{
    sync::{Arc, OnceLock},
    time::Instant,
};

use serde::{Deserialize, Serialize};
use triway_core::{Context, Failure, FailureKind, Forms, Task};
pub use url::Url;

pub use accept::{Accept, AcceptError};
pub use answer::{Answer, Protocol};
pub use policy::{Credentials, Family, Policy, Trust};
pub use proxies::{Proxies, ProxyError};
pub use reach::{Reach, Zone, ZoneError};
pub use redact::redact;
pub use secret::{Payload, Secret};
pub use template::PolicyError;
#[cfg(feature = "sql")]
pub(crate) use tls::trusting;

pub(crate) use answer::Fetched;
use client::Client;
pub(crate) use decode::unknown_encoding;
use journey::{Journey, blame};
use names::Names;
use origin::Origin;
use template::Template;
use triway_wait::{Blocking, Io, NonBlocking, block_on};

/// Requests a URL.
///
/// The time limit is the attempt's own: it covers every redirect and the body. Both forms keep connections and use them
/// again; a kept one that the server had closed in the meantime is replaced once. Names are looked up on a few threads
/// of the task's own, and the blocking form waits on the calling thread for everything else.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Http {
    policy: Policy,
    #[serde(skip)]
    shared: Shared,
}

/// State that all lanes of a process share; each part is built when it is first needed.
#[derive(Debug, Default)]
struct Shared {
    names: OnceLock<Arc<Names>>,
    template: OnceLock<Result<Template, PolicyError>>,
    blocking: OnceLock<Client<Blocking>>,
    nonblocking: OnceLock<Client<NonBlocking>>,
}

impl Http {
    /// The task under this policy. If no request can be made of that, every input fails of it; see [`Policy::check`].
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self {
            policy,
            shared: Shared::default(),
        }
    }

    /// What its requests may do.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The decoded body of an answer, requested on the calling thread. Blocks.
    ///
    /// # Errors
    /// There was no answer, or one whose status is no success, or whose encoding nobody here knows.
    pub fn download(&self, url: &Url, deadline: Instant) -> Result<Vec<u8>, Failure> {
        let terms = Terms {
            deadline: Some(deadline),
            keep: true,
            only_once: false,
        };
        let fetched = self.fetch_blocking(url, terms)?;
        self.judge(&fetched.answer)
            .map_err(|failure| blame(url, failure))?;
        match unknown_encoding(&fetched.headers) {
            Some(encoding) => Err(blame(url, kinds::unknown_encoding(&encoding))),
            None => Ok(fetched.body.unwrap_or_default()),
        }
    }

    /// Requests a URL on the calling thread.
    pub(crate) fn fetch_blocking(&self, url: &Url, terms: Terms) -> Result<Fetched, Failure> {
        let client = self.shared.blocking.get_or_init(|| self.client());
        self.journey(url, terms)
            .and_then(|journey| block_on(client.fetch(journey, terms.deadline, terms.keep)))
            .map_err(|failure| blame(url, failure))
    }

    /// Requests a URL without blocking.
    pub(crate) async fn fetch(&self, url: &Url, terms: Terms) -> Result<Fetched, Failure> {
        let client = self.shared.nonblocking.get_or_init(|| self.client());
        let fetched = match self.journey(url, terms) {
            Ok(journey) => client.fetch(journey, terms.deadline, terms.keep).await,
            Err(failure) => Err(failure),
        };
        fetched.map_err(|failure| blame(url, failure))
    }

    fn client<I: Io>(&self) -> Client<I> {
        let names = self.shared.names.get_or_init(Arc::default);
        Client::new(Arc::clone(names))
    }

    fn journey(&self, url: &Url, terms: Terms) -> Result<Journey<'_>, Failure> {
        let template = &self.shared.template;
        match template.get_or_init(|| Template::new(&self.policy)) {
            Ok(template) => {
                let journey = Journey::new(&self.policy, template, url)?;
                Ok(journey.only_once(terms.only_once))
            }
            Err(error) => Err(kinds::policy(error)),
        }
    }
}

/// How an answer is wanted.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Terms {
    deadline: Option<Instant>,
    /// Whether its body is kept.
    keep: bool,
    /// Whether no request may leave twice, not even one that a closed connection swallowed.
    only_once: bool,
}

impl Terms {
    pub(crate) fn of(context: &Context<'_>, keep: bool) -> Self {
        Self {
            deadline: context.deadline(),
            keep,
            only_once: context.is_only_once(),
        }
    }
}

impl Policy {
    /// Whether requests can be made of it.
    ///
    /// # Errors
    /// What is wrong with its method, headers, credentials or authorities.
    pub fn check(&self) -> Result<(), PolicyError> {
        Template::new(self)?;
        tls::check(self)
    }
}

impl Task for Http {
    type Input = Url;
    type Output = Answer;
    type Lane = ();

    fn forms(&self) -> Forms {
        Forms::Both
    }

    fn run_blocking(
        &self,
        (): &mut (),
        input: &Url,
        context: &Context<'_>,
    ) -> Result<Answer, Failure> {
        let fetched = self.fetch_blocking(input, Terms::of(context, false))?;
        Ok(fetched.answer)
    }

    async fn run_async(
        &self,
        (): &mut (),
        input: &Url,
        context: &Context<'_>,
    ) -> Result<Answer, Failure> {
        let fetched = self.fetch(input, Terms::of(context, false)).await?;
        Ok(fetched.answer)
    }

    fn judge(&self, output: &Answer) -> Result<(), Failure> {
        let accept = &self.policy.accept;
        if accept.contains(output.status) {
            return Ok(());
        }
        let message = format!("status {} is not among {accept}", output.status);
        let failure = Failure::new(kinds::HTTP_STATUS, message);
        Err(output.blamed(failure, output.may_pass()))
    }

    fn timeout_kind(&self) -> FailureKind {
        kinds::TIMEOUT_TOTAL
    }

    /// Host and port.
    fn key(&self, input: &Url) -> Option<String> {
        let origin = Origin::of(input).ok()?;
        Some(format!("{}:{}", origin.host, origin.port))
    }

    fn input_bytes(&self, input: &Url) -> usize {
        size_of::<Url>() + input.as_str().len()
    }

    fn output_bytes(&self, output: &Answer) -> usize {
        size_of::<Answer>() + output.url.as_ref().map_or(0, String::len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Thousands of them are in flight at once, and each is moved about.
    #[test]
    fn a_request_in_flight_takes_little_room() {
        let task = Http::default();
        let url = "http://a.test/".parse().unwrap();
        let bytes = size_of_val(&task.fetch(&url, Terms::default()));
        assert!(bytes <= 8 << 10, "{bytes} bytes");
    }
}
