//! Which pages were listed already, in little memory and for so many.

use std::{
    collections::HashSet,
    hash::{BuildHasher, RandomState},
};

use triway_tasks::http::Url;

/// How many pages are remembered. A page that is listed twice only after so many others is checked twice.
const MOST: usize = 1 << 20;

/// Digests of the pages that were seen: 16 bytes each, so that two pages have the same one practically never.
#[derive(Default)]
pub(super) struct Seen {
    keys: [RandomState; 2],
    digests: HashSet<[u64; 2]>,
}

impl Seen {
    /// Whether this page was not there yet. The fragment of a URL is no part of what is asked for, nor does it matter how
    /// the URL is written.
    pub(super) fn is_new(&mut self, page: &str) -> bool {
        let digest = match Url::parse(page) {
            Ok(mut url) => {
                url.set_fragment(None);
                self.digest(url.as_str())
            }
            Err(_) => self.digest(page),
        };
        if self.digests.len() < MOST {
            self.digests.insert(digest)
        } else {
            !self.digests.contains(&digest)
        }
    }

    fn digest(&self, page: &str) -> [u64; 2] {
        [self.keys[0].hash_one(page), self.keys[1].hash_one(page)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_new_once_however_it_is_written() {
        let mut seen = Seen::default();
        for (page, new) in [
            ("http://h/a", true),
            ("http://h/b", true),
            ("http://h/a", false),
            ("HTTP://h:80/a#part", false),
            ("http://h/a?q", true),
            ("no url", true),
            ("no url", false),
        ] {
            assert_eq!(seen.is_new(page), new, "{page}");
        }
    }
}
