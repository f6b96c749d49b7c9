//! What a site's maps list: pages, and further maps. One of those that cannot be read is an input of its own, which
//! fails, and the others go on.

use std::{
    collections::HashSet,
    thread,
    time::{Duration, Instant},
    vec,
};

use triway_core::{Failure, FailureKind, Retry};
use triway_tasks::{
    catalog::RawInput,
    check::sources::{
        Link,
        sitemap::{self, Sitemap},
    },
    http::{Http, Policy, Url, redact},
};

use super::seen::Seen;

/// How many maps one map may lead to; beyond it something leads in circles.
const MOST_MAPS: usize = 50_000;

/// How long one attempt at fetching a map may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// What came is no map, or one that lists nothing.
const SITEMAP: FailureKind = FailureKind::new("sitemap");

/// The maps of a site, fetched one after the other while their pages are asked for.
#[derive(Debug)]
pub(super) struct Maps {
    http: Http,
    first: Url,
    retry: Retry,
}

/// Pages as the maps list them.
pub(super) struct Pages {
    maps: Maps,
    /// Maps to be opened, the next one last, and in the place of some what is wrong with them.
    left: Vec<Result<Url, RawInput>>,
    opened: HashSet<Url>,
    pages: vec::IntoIter<Link>,
    /// Whether anything was listed, also if it was known already.
    any: bool,
}

impl Maps {
    /// The maps that `first` begins with, requested under this policy, each so many times more if that may help.
    pub(super) fn new(first: Url, policy: &Policy, retries: u32) -> Self {
        let mut policy = policy.clone();
        // How pages are asked for is no way to ask for a list of them: HEAD would bring none, POST might do something.
        policy.method = Policy::default().method;
        policy.body = None;
        policy.max_body_bytes = policy.max_body_bytes.max(sitemap::MOST_DECODED_BYTES);
        Self {
            http: Http::new(policy),
            first,
            retry: Retry::times(retries),
        }
    }

    pub(super) fn title(&self) -> String {
        redact(self.first.as_str()).into_owned()
    }

    pub(super) fn pages(self) -> Pages {
        Pages {
            left: vec![Ok(self.first.clone())],
            opened: HashSet::new(),
            pages: Vec::new().into_iter(),
            any: false,
            maps: self,
        }
    }

    fn read(&self, map: &Url) -> Result<Sitemap, Failure> {
        let document = self.fetch(map).map_err(|failure| unfetched(map, failure))?;
        let wrong = |error: sitemap::SitemapError| Failure::permanent(SITEMAP, error.to_string());
        sitemap::read(&document).map_err(wrong)
    }

    fn fetch(&self, map: &Url) -> Result<Vec<u8>, Failure> {
        let mut attempt = 0;
        loop {
            let fetched = self.http.download(map, Instant::now() + PATIENCE);
            match fetched.map_err(|failure| (self.pause(attempt, &failure), failure)) {
                Ok(document) => return Ok(document),
                Err((Some(pause), _)) => thread::sleep(pause),
                Err((None, failure)) => return Err(failure),
            }
            attempt += 1;
        }
    }

    /// How long to wait before another attempt, if there is to be one. Nobody else asks at the same time, so this needs
    /// no jitter.
    fn pause(&self, attempt: u32, failure: &Failure) -> Option<Duration> {
        let Retry {
            retries,
            base,
            cap,
            longest_wait,
            ..
        } = self.retry;
        let asked = failure.retry_after.unwrap_or_default();
        let again = failure.retryable && attempt < retries && asked <= longest_wait;
        let usual = base.saturating_mul(2_u32.saturating_pow(attempt)).min(cap);
        again.then(|| usual.max(asked))
    }
}

impl Pages {
    /// The next page that was not seen yet, or a map that cannot be read; fetches the next map where that is needed,
    /// which blocks.
    ///
    /// # Errors
    /// The first map cannot be read, so that nothing is known of the site.
    pub(super) fn next(&mut self, seen: &mut Seen) -> Result<Option<RawInput>, Failure> {
        loop {
            if let Some(page) = self.pages.find(|page| seen.is_new(&page.url)) {
                return Ok(Some(RawInput::from(page.url.as_str())));
            }
            let opened = match self.left.pop() {
                None => return Ok(self.nothing()),
                Some(Ok(map)) => self.open(&map)?,
                Some(Err(unread)) => Some(unread),
            };
            if let Some(unread) = opened {
                self.any = true;
                return Ok(Some(unread));
            }
        }
    }

    /// Opens a map; what is wrong with it, if it is not the first.
    fn open(&mut self, map: &Url) -> Result<Option<RawInput>, Failure> {
        if !self.opened.insert(map.clone()) {
            return Ok(None);
        }
        if self.opened.len() > MOST_MAPS {
            let title = self.maps.title();
            let message = format!("there are more than {MOST_MAPS} maps below {title}");
            return Err(Failure::permanent(SITEMAP, message));
        }
        match self.maps.read(map) {
            Err(failure) if self.opened.len() == 1 => return Err(first(map, failure)),
            Err(failure) => return Ok(Some(unread(map.as_str(), failure))),
            Ok(Sitemap::Pages(pages)) => {
                self.any |= !pages.is_empty();
                self.pages = pages.into_iter();
            }
            // The last is taken first.
            Ok(Sitemap::Nested(maps)) => {
                let nested = maps.iter().rev().map(|link| nested(map, link));
                self.left.extend(nested);
            }
        }
        Ok(None)
    }

    /// What stands for a site whose maps list nothing at all: that nothing was checked is no success.
    fn nothing(&mut self) -> Option<RawInput> {
        let told = std::mem::replace(&mut self.any, true);
        let message = "it lists no pages, so that none was checked";
        (!told).then(|| {
            let failure = Failure::permanent(SITEMAP, message);
            unread(self.maps.first.as_str(), failure)
        })
    }
}

/// A map that another one leads to.
fn nested(map: &Url, link: &Link) -> Result<Url, RawInput> {
    map.join(&link.url).map_err(|error| {
        let (line, shown) = (link.line, redact(map.as_str()));
        let message = format!("line {line} of {shown} leads to it, and it is no URL: {error}");
        unread(&link.url, Failure::permanent(SITEMAP, message))
    })
}

fn unread(name: &str, failure: Failure) -> RawInput {
    RawInput::unread(name.as_bytes(), failure)
}

/// The message of a request begins with its URL, which whoever shows this says as well.
fn unfetched(map: &Url, mut failure: Failure) -> Failure {
    let prefix = format!("{}: ", redact(map.as_str()));
    let message = failure.message.strip_prefix(&prefix);
    let message = message.unwrap_or(&failure.message);
    failure.message = format!("the sitemap cannot be fetched: {message}");
    failure
}

/// What ends the inputs is told by its message alone, which is to name the map and the kind, as an outcome does.
fn first(map: &Url, mut failure: Failure) -> Failure {
    let shown = redact(map.as_str());
    failure.message = format!("{shown}: {failure}");
    failure
}
