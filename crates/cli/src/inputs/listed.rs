//! URLs that stand in documents: the links of a page or a README, and what a site's maps list.

use std::{
    collections::HashSet,
    fs::File,
    io::{self, Read as _},
    path::Path,
    time::{Duration, Instant},
    vec,
};

use triway_core::Failure;
use triway_tasks::{
    check::sources::{
        Link, Links, html, markdown,
        sitemap::{self, Sitemap},
    },
    http::{Http, Policy, Url},
};

/// The largest document whose links are read.
const MOST_BYTES: u64 = 64 << 20;

/// How many maps one map may lead to; beyond it something leads in circles.
const MOST_MAPS: usize = 50_000;

/// How long fetching one map may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// The maps of a site, fetched one after the other while their pages are asked for.
#[derive(Debug)]
pub(super) struct Maps {
    http: Http,
    first: Url,
}

/// Pages as the maps list them.
pub(super) struct Pages {
    maps: Maps,
    left: Vec<Url>,
    seen: HashSet<Url>,
    pages: vec::IntoIter<Link>,
}

/// The links of a document, by the kind that its name says it is; relative ones start from `base`.
pub(super) fn links(path: &Path, base: Option<&Url>) -> io::Result<Links> {
    let text = read(path)?;
    let markdown = path.extension().is_some_and(|extension| {
        ["md", "markdown", "mdown"].contains(&&*extension.to_string_lossy().to_lowercase())
    });
    Ok(match markdown {
        true => markdown::links(&text, base),
        false => html::links(&text, base),
    })
}

fn read(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?
        .take(MOST_BYTES + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST_BYTES {
        let message = format!("the document is larger than {MOST_BYTES} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    // A link is ASCII; what is no UTF-8 stands elsewhere.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

impl Maps {
    /// The maps that `first` begins with, requested under this policy.
    pub(super) fn new(first: Url, policy: &Policy) -> Self {
        let mut policy = policy.clone();
        policy.max_body_bytes = policy.max_body_bytes.max(sitemap::MOST_DECODED_BYTES);
        Self {
            http: Http::new(policy),
            first,
        }
    }

    pub(super) fn title(&self) -> String {
        triway_tasks::http::redact(self.first.as_str()).into_owned()
    }

    pub(super) fn pages(self) -> Pages {
        Pages {
            left: vec![self.first.clone()],
            seen: HashSet::new(),
            pages: Vec::new().into_iter(),
            maps: self,
        }
    }
}

impl Pages {
    /// The next page; fetches the next map where that is needed, which blocks.
    pub(super) fn next(&mut self) -> Result<Option<String>, Failure> {
        loop {
            if let Some(page) = self.pages.next() {
                return Ok(Some(page.url));
            }
            let Some(map) = self.left.pop() else {
                return Ok(None);
            };
            if self.seen.insert(map.clone()) {
                self.open(&map)?;
            }
        }
    }

    fn open(&mut self, map: &Url) -> Result<(), Failure> {
        if self.seen.len() > MOST_MAPS {
            let message = format!(
                "there are more than {MOST_MAPS} maps below {}",
                self.maps.title()
            );
            return Err(Failure::bad_input(message));
        }
        let document = self
            .maps
            .http
            .download(map, Instant::now() + PATIENCE)
            .map_err(unfetched)?;
        let wrong = |what: String| {
            let shown = triway_tasks::http::redact(map.as_str()).into_owned();
            Failure::bad_input(format!("the sitemap {shown}: {what}"))
        };
        match sitemap::read(&document).map_err(|error| wrong(error.to_string()))? {
            Sitemap::Pages(pages) => self.pages = pages.into_iter(),
            Sitemap::Nested(maps) => {
                // The last is taken first.
                for link in maps.into_iter().rev() {
                    let url = map.join(&link.url);
                    self.left
                        .push(url.map_err(|error| wrong(format!("line {}: {error}", link.line)))?);
                }
            }
        }
        Ok(())
    }
}

/// What ends the inputs is told by its message alone, which is to name the kind too, as the outcome of a page does.
fn unfetched(mut failure: Failure) -> Failure {
    let Failure { kind, message, .. } = &failure;
    failure.message = format!("a sitemap cannot be fetched ({kind}): {message}");
    failure
}
