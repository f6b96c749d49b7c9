//! The task `http`: requests a URL and tells status, size, and where the time went.
//!
//! It has two clients that share one policy, so that comparing models compares nothing else: ureq, which truly blocks
//! and starts no hidden threads, and hyper, which truly does not. `journey` takes every decision for both;
//! `blocking` and `nonblocking` only carry bytes.

mod accept;
mod answer;
mod blocking;
mod command;
mod connector;
mod dial;
mod idle;
mod journey;
pub mod kinds;
mod names;
mod nonblocking;
mod policy;
mod redact;
mod tls;
mod transport;
mod wire;

use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};
use triway_core::{Context, Failure, Forms, Task};
pub use url::Url;

pub use accept::{Accept, AcceptError};
pub use answer::Answer;
pub use policy::Policy;
pub use redact::redact;

use blocking::BlockingClient;
use journey::{Journey, Origin, blame};
use names::Names;
use nonblocking::AsyncClient;

/// Requests a URL with GET.
///
/// The time limit is the attempt's own: it covers every redirect and the body. Both forms keep connections and use them
/// again; a kept one that the server had closed in the meantime is replaced once.
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
    parts: OnceLock<(Arc<Names>, Arc<rustls::ClientConfig>)>,
    blocking: OnceLock<BlockingClient>,
    nonblocking: OnceLock<AsyncClient>,
}

impl Http {
    /// The task under this policy.
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
}

impl Shared {
    fn parts(&self) -> (Arc<Names>, Arc<rustls::ClientConfig>) {
        self.parts
            .get_or_init(|| (Arc::new(Names::new()), tls::client_config()))
            .clone()
    }

    fn blocking(&self) -> &BlockingClient {
        self.blocking.get_or_init(|| {
            let (names, tls) = self.parts();
            BlockingClient::new(names, tls)
        })
    }

    fn nonblocking(&self) -> &AsyncClient {
        self.nonblocking.get_or_init(|| {
            let (names, tls) = self.parts();
            AsyncClient::new(names, tls)
        })
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
        Journey::new(&self.policy, input)
            .and_then(|journey| self.shared.blocking().fetch(journey, context.deadline()))
            .map_err(|failure| blame(input, failure))
    }

    async fn run_async(
        &self,
        (): &mut (),
        input: &Url,
        context: &Context<'_>,
    ) -> Result<Answer, Failure> {
        let fetched = match Journey::new(&self.policy, input) {
            Ok(journey) => {
                let client = self.shared.nonblocking();
                client.fetch(journey, context.deadline()).await
            }
            Err(failure) => Err(failure),
        };
        fetched.map_err(|failure| blame(input, failure))
    }

    fn judge(&self, output: &Answer) -> Result<(), Failure> {
        let accept = &self.policy.accept;
        if accept.contains(output.status) {
            return Ok(());
        }
        let mut failure = Failure::new(
            kinds::HTTP_STATUS,
            format!("status {} is not among {accept}", output.status),
        );
        // Too early, too many, or the server's own trouble: these may pass, the others are what the server means.
        failure.retryable = matches!(output.status, 408 | 425 | 429 | 500..);
        Err(failure)
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
