//! The links of an HTML document, however malformed: what its elements lead to or load.

use std::collections::BTreeMap;

use html5gum::{
    DefaultEmitter, HtmlString, Spanned, StartTag, State, Token, Tokenizer, naive_next_state,
};
use url::Url;

use super::{
    lines::Lines,
    links::{Collector, Links, is_http},
};

/// Attributes that hold one URL, on whatever element.
const LINKING: [&[u8]; 3] = [b"href", b"src", b"poster"];

/// Attributes that hold several.
const SETS: [&[u8]; 2] = [b"srcset", b"imagesrcset"];

/// Relations of a `link` that name a server to get ready for, not a document on it.
const HINTS: [&str; 2] = ["preconnect", "dns-prefetch"];

/// What a document says of its links, as it is written.
#[derive(Default)]
pub(super) struct Written {
    /// What relative links are relative to.
    base: Option<String>,
    /// Links, and at which byte each stands.
    pub(super) links: Vec<(usize, String)>,
}

/// The links of a document: `href`, `src`, `srcset` and the like of its elements. Relative ones are resolved against
/// the document's own `<base href>`, and that and what is without it against `base`, the document's address. The line of
/// a link is that of its attribute.
///
/// Where a script would have put an element into the document, that element is not seen.
#[must_use]
pub fn links(document: &str, base: Option<&Url>) -> Links {
    let written = written(document);
    let named = written.base.and_then(|href| {
        let url = Url::options().base_url(base).parse(&href).ok()?;
        is_http(url.scheme()).then_some(url)
    });
    let lines = Lines::of(document);
    let mut collector = Collector::new(named.as_ref().or(base));
    for (offset, link) in &written.links {
        collector.add(link, lines.at(*offset));
    }
    collector.links()
}

/// The links as they are written, in their order.
pub(super) fn written(document: &str) -> Written {
    let mut written = Written::default();
    let mut tokenizer =
        Tokenizer::new_with_emitter(document, DefaultEmitter::<usize>::new_with_span());
    while let Some(Ok(token)) = tokenizer.next() {
        let Token::StartTag(tag) = token else {
            continue;
        };
        // Nobody runs scripts here, so what stands in a `noscript` is part of the document.
        if let Some(state) = next_state(&tag) {
            tokenizer.set_state(state);
        }
        written.read(tag);
    }
    written
}

/// How the content of an element is to be read if it is not markup.
fn next_state(tag: &StartTag<usize>) -> Option<State> {
    let name: &[u8] = &tag.name;
    (name != b"noscript")
        .then(|| naive_next_state(name))
        .flatten()
}

impl Written {
    fn read(&mut self, tag: StartTag<usize>) {
        let name: &[u8] = &tag.name;
        if name == b"base" {
            // The first one counts.
            let href = text(&tag.attributes, b"href");
            self.base = self.base.take().or(href);
            return;
        }
        if name == b"link" && is_hint(&tag.attributes) {
            return;
        }
        let object = name == b"object";
        let mut found = Vec::new();
        for (attribute, value) in tag.attributes {
            let attribute: &[u8] = &attribute;
            let at = value.span.start;
            if LINKING.contains(&attribute) || (object && attribute == b"data") {
                found.push((at, lossy(&value)));
            } else if SETS.contains(&attribute) {
                let set = lossy(&value);
                found.extend(candidates(&set).map(|url| (at, url.to_owned())));
            }
        }
        // The attributes came in the order of their names.
        found.sort_by_key(|(at, _)| *at);
        self.links.append(&mut found);
    }
}

fn is_hint(attributes: &BTreeMap<HtmlString, Spanned<HtmlString, usize>>) -> bool {
    let relations = text(attributes, b"rel").unwrap_or_default();
    relations
        .split_ascii_whitespace()
        .any(|relation| HINTS.iter().any(|hint| relation.eq_ignore_ascii_case(hint)))
}

fn text(
    attributes: &BTreeMap<HtmlString, Spanned<HtmlString, usize>>,
    name: &[u8],
) -> Option<String> {
    attributes.get(name).map(lossy)
}

fn lossy(value: &Spanned<HtmlString, usize>) -> String {
    String::from_utf8_lossy(value).into_owned()
}

/// The URLs of a `srcset`, as <https://html.spec.whatwg.org/#parse-a-srcset-attribute> reads them: a comma ends a
/// candidate only at the end of its URL or after it, because a URL may contain one.
fn candidates(set: &str) -> impl Iterator<Item = &str> {
    let mut rest = set;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == ',');
        let end = rest.find(|c: char| c.is_ascii_whitespace());
        let (word, after) = rest.split_at(end.unwrap_or(rest.len()));
        let url = word.trim_end_matches(',');
        rest = if url.len() < word.len() {
            after
        } else {
            after_descriptors(after)
        };
        (!url.is_empty()).then_some(url)
    })
}

/// What follows the descriptors of a candidate, such as ` 2x`. A comma in parentheses does not end them.
fn after_descriptors(text: &str) -> &str {
    let mut inside = false;
    let end = text.find(|c| {
        match c {
            '(' => inside = true,
            ')' => inside = false,
            _ => {}
        }
        c == ',' && !inside
    });
    end.map_or("", |end| &text[end..])
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = r##"<!DOCTYPE html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <title>A <a href="http://h/not-in-a-title"></title>
  <link rel="stylesheet" href="/style.css?a=1&amp;b=2">
  <link rel="preconnect" href="https://fonts.example">
  <script src="app.js"></script>
  <script>document.write('<a href="http://h/not-in-a-script">');</script>
  <style>a { background: url(http://h/not-in-a-style) }</style>
</head>
<body>
  <!-- <a href="http://h/not-in-a-comment"> -->
  <A HREF='https://example.com/up#part'>Up</A> <a href=unquoted.html>x</a>
  <img
     alt="größer > kleiner"
     src="i.png"
     srcset="i.png 1x, /w_1,h_2/i2.png 2x">
  <a href="#top">top</a> <a href="mailto:a@b">mail</a> <a name="x">no link</a>
  <noscript><iframe src="https://frames.example/"></iframe></noscript>
  <picture><source srcset="s.webp"><video poster="p.jpg" src="v.mp4"></video></picture>
  <map><area href="area"></map><object data="o.pdf"></object><embed src="e.swf">
</body>
</html>
"##;

    fn shown(links: &Links) -> Vec<String> {
        let show = |link: &super::super::Link| format!("{}:{}", link.line, link.url);
        links.links.iter().map(show).collect()
    }

    #[test]
    fn a_page_leads_to_what_its_elements_name() {
        let base = Url::parse("http://h/d/index.html").unwrap();
        let expected = [
            "6:http://h/style.css?a=1&b=2",
            "8:http://h/d/app.js",
            "14:https://example.com/up",
            "14:http://h/d/unquoted.html",
            "17:http://h/d/i.png",
            "18:http://h/w_1,h_2/i2.png",
            "20:https://frames.example/",
            "21:http://h/d/s.webp",
            "21:http://h/d/p.jpg",
            "21:http://h/d/v.mp4",
            "22:http://h/d/area",
            "22:http://h/d/o.pdf",
            "22:http://h/d/e.swf",
        ];
        let with_base = links(PAGE, Some(&base));
        assert_eq!(shown(&with_base), expected);
        assert_eq!((with_base.relative, with_base.other), (0, 1));
        let carriages = PAGE.replace('\n', "\r\n");
        assert_eq!(shown(&links(&carriages, Some(&base))), expected);
        let alone = links(PAGE, None);
        let absolute = ["14:https://example.com/up", "20:https://frames.example/"];
        assert_eq!(shown(&alone), absolute);
        assert_eq!((alone.relative, alone.other), (12, 1));
    }

    #[test]
    fn the_first_base_counts_for_the_whole_document() {
        let page =
            "<a href=before><base target=_top><base href='/b/'><base href='/c/'><a href=after>";
        let url = Url::parse("http://h/d/").unwrap();
        let expected = ["1:http://h/b/before", "1:http://h/b/after"];
        assert_eq!(shown(&links(page, Some(&url))), expected);
        assert_eq!(links(page, None).relative, 2);
        let absolute = page.replace("'/b/'", "http://i/b/");
        let expected = ["1:http://i/b/before", "1:http://i/b/after"];
        assert_eq!(shown(&links(&absolute, None)), expected);
        let script = page.replace("'/b/'", "javascript:x");
        let expected = ["1:http://h/d/before", "1:http://h/d/after"];
        assert_eq!(shown(&links(&script, Some(&url))), expected);
    }

    #[test]
    fn malformed_pages_are_read_as_far_as_they_go() {
        for (page, expected) in [
            ("<a href=\"http://h/a", &[][..]),
            ("<a href=http://h/a", &[]),
            ("<a href=http://h/a>", &["1:http://h/a"]),
            ("<a href='http://h/a' href='http://h/b'>", &["1:http://h/a"]),
            ("<a href = \"http://h/a\"b=c>", &["1:http://h/a"]),
            ("</a href=http://h/a><p>", &[]),
            ("<a\nhref\n=\nhttp://h/a>", &["2:http://h/a"]),
            ("<a href='\n http://h/a\n b '>", &["1:http://h/a%20b"]),
            ("<<a href=http://h/a>>", &["1:http://h/a"]),
            (
                "<a href=http://h/&#0;&#xD800;&bogus;>",
                &["1:http://h/%EF%BF%BD%EF%BF%BD&bogus;"],
            ),
            ("<script><a href=http://h/a>", &[]),
            (
                "<textarea><a href=http://h/a></textarea><a href=http://h/b>",
                &["1:http://h/b"],
            ),
            ("<![CDATA[<a href=http://h/a>]]>", &[]),
            ("\u{feff}<a href=http://h/\u{e4}>", &["1:http://h/%C3%A4"]),
            ("", &[]),
        ] {
            assert_eq!(shown(&links(page, None)), expected, "{page}");
        }
    }

    #[test]
    fn no_cut_and_no_stray_byte_makes_it_panic() {
        for end in 0..PAGE.len() {
            let Some(cut) = PAGE.get(..end) else { continue };
            let _cut = links(cut, None);
            let _mixed = links(&format!("{cut}\0<!-\"'>{}", &PAGE[PAGE.len() - 40..]), None);
        }
    }

    #[test]
    fn source_sets_may_have_commas_in_their_urls() {
        for (set, expected) in [
            ("a.png", &["a.png"][..]),
            ("a.png 1x, b.png 2x", &["a.png", "b.png"]),
            ("a.png,b.png 2x", &["a.png,b.png"]),
            ("a.png, b.png", &["a.png", "b.png"]),
            (
                " ,, a,b.png 100w , c.png 2x(1,2),d ",
                &["a,b.png", "c.png", "d"],
            ),
            (
                "data:image/png;base64,AA== 1x,\n/b 2x",
                &["data:image/png;base64,AA==", "/b"],
            ),
            (",", &[]),
            ("", &[]),
        ] {
            let found: Vec<_> = candidates(set).collect();
            assert_eq!(found, expected, "{set}");
        }
    }
}
