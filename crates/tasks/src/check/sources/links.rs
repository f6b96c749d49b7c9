//! The links of one document: which of them can be checked, each once.

use std::collections::HashSet;

use url::{ParseError, Url};

/// A URL, and where it stands in its document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The URL.
    pub url: String,
    /// The line on which it stands, from 1.
    pub line: u64,
}

/// The links of a document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Links {
    /// The URLs of schemes http and https, in the order of the document, each once and without its fragment.
    ///
    /// One that is no valid URL (`http://[::1/`) is among them as it was written: it is broken, and the check of it says
    /// why.
    pub links: Vec<Link>,
    /// How many links were left out because they are relative, and nobody said what to.
    pub relative: u64,
    /// How many links were left out because they lead to something else, such as `mailto:` or `data:`.
    pub other: u64,
}

/// Takes the links of a document as they are written.
pub(super) struct Collector<'a> {
    base: Option<&'a Url>,
    seen: HashSet<String>,
    found: Links,
}

impl<'a> Collector<'a> {
    /// Relative links are relative to `base`.
    pub(super) fn new(base: Option<&'a Url>) -> Self {
        Self {
            base,
            seen: HashSet::new(),
            found: Links::default(),
        }
    }

    pub(super) fn add(&mut self, written: &str, line: u64) {
        let written = written.trim();
        // A link to a place in the document itself.
        if written.is_empty() || written.starts_with('#') {
            return;
        }
        let url = match Url::options().base_url(self.base).parse(written) {
            Ok(mut url) if is_http(url.scheme()) => {
                url.set_fragment(None);
                String::from(url)
            }
            Ok(_) => {
                self.found.other += 1;
                return;
            }
            Err(
                ParseError::RelativeUrlWithoutBase | ParseError::RelativeUrlWithCannotBeABaseBase,
            ) => {
                self.found.relative += 1;
                return;
            }
            Err(_) if scheme(written).is_some_and(|scheme| !is_http(scheme)) => {
                self.found.other += 1;
                return;
            }
            // A URL in several lines is read as if they were one.
            Err(_) => written.replace(['\n', '\r', '\t'], ""),
        };
        if self.seen.insert(url.clone()) {
            self.found.links.push(Link { url, line });
        }
    }

    pub(super) fn links(self) -> Links {
        self.found
    }
}

pub(super) fn is_http(scheme: &str) -> bool {
    ["http", "https"]
        .iter()
        .any(|http| scheme.eq_ignore_ascii_case(http))
}

/// What a text begins with, if that reads as the scheme of a URL.
fn scheme(text: &str) -> Option<&str> {
    let (scheme, _) = text.split_once(':')?;
    let inside = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    (scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && scheme.chars().all(inside))
        .then_some(scheme)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collected(base: Option<&str>, written: &str) -> (Vec<String>, u64, u64) {
        let base = base.map(|base| Url::parse(base).unwrap());
        let mut collector = Collector::new(base.as_ref());
        for (line, link) in (1..).zip(written.split(' ')) {
            collector.add(link, line);
        }
        let Links {
            links,
            relative,
            other,
        } = collector.links();
        let show = |link: &Link| format!("{}:{}", link.line, link.url);
        (links.iter().map(show).collect(), relative, other)
    }

    #[test]
    fn only_what_can_be_asked_by_http_is_given_and_the_rest_is_counted() {
        let base = Some("https://h/docs/a.html");
        for (base, written, links, relative, other) in [
            (
                None,
                "http://h https://h/x",
                &["1:http://h/", "2:https://h/x"][..],
                0,
                0,
            ),
            (None, "HTTP://H/%7ea", &["1:http://h/%7ea"], 0, 0),
            (None, "a.html /b //h/c ?q", &[], 4, 0),
            (
                base,
                "b.html /c //i/d ?q",
                &[
                    "1:https://h/docs/b.html",
                    "2:https://h/c",
                    "3:https://i/d",
                    "4:https://h/docs/a.html?q",
                ],
                0,
                0,
            ),
            (
                base,
                "mailto:a@b javascript:void(0) data:,x tel:1 ftp://h/",
                &[],
                0,
                5,
            ),
            (base, "#here", &[], 0, 0),
            (
                None,
                "http://h/a#1 http://h/b http://h/a#2",
                &["1:http://h/a", "2:http://h/b"],
                0,
                0,
            ),
            (
                None,
                "http://[::1 http://[::1 foo://[",
                &["1:http://[::1"],
                0,
                1,
            ),
            (Some("mailto:a@b"), "x", &[], 1, 0),
        ] {
            let expected: Vec<String> = links.iter().map(ToString::to_string).collect();
            assert_eq!(
                collected(base, written),
                (expected, relative, other),
                "{written}"
            );
        }
    }
}
