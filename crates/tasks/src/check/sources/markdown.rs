//! The links of a Markdown document, as CommonMark and GitHub read it.

use pulldown_cmark::{Event, LinkType, OffsetIter, Options, Parser, Tag, TagEnd};
use url::Url;

use super::{
    html,
    lines::Lines,
    links::{Collector, Links},
};

/// The links of a document: inline ones, those by reference, autolinks, images, bare URLs, and what stands in its HTML.
/// Relative ones are resolved against `base`, the document's address. What stands in code is none.
///
/// A link by reference stands where its reference is defined: that is the line to mend. A reference that nothing refers
/// to is no link.
#[must_use]
pub fn links(document: &str, base: Option<&Url>) -> Links {
    let mut found = Reading::default().read(document);
    // Definitions stand behind what refers to them.
    found.sort_by_key(|(offset, _)| *offset);
    let lines = Lines::of(document);
    let mut collector = Collector::new(base);
    for (offset, link) in found {
        collector.add(&link, lines.at(offset));
    }
    collector.links()
}

/// What has been read of a document.
#[derive(Default)]
struct Reading {
    /// Links as they are written, and at which byte each stands.
    found: Vec<(usize, String)>,
    /// Text in which bare URLs may stand, and where it began. It comes in pieces that may end amid a URL.
    text: Option<(usize, String)>,
    /// How many elements are open in which a URL is no link of its own.
    closed_to_text: usize,
}

impl Reading {
    fn read(mut self, document: &str) -> Vec<(usize, String)> {
        let options = Options::ENABLE_TABLES
            | Options::ENABLE_FOOTNOTES
            | Options::ENABLE_STRIKETHROUGH
            | Options::ENABLE_HEADING_ATTRIBUTES
            | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS
            | Options::ENABLE_PLUSES_DELIMITED_METADATA_BLOCKS;
        let mut events = Parser::new_ext(document, options).into_offset_iter();
        while let Some((event, range)) = events.next() {
            if let Event::Text(piece) = &event {
                if self.closed_to_text == 0 {
                    let (_, text) = self.text.get_or_insert((range.start, String::new()));
                    text.push_str(piece);
                }
                continue;
            }
            self.end_text();
            match event {
                // As a whole, because its events are lines, and an element may have several.
                Event::Start(Tag::HtmlBlock) | Event::InlineHtml(_) => {
                    self.read_html(&document[range.clone()], range.start);
                }
                Event::Start(tag) => self.open(&tag, range.start, &events),
                Event::End(tag) => self.closed_to_text -= usize::from(is_closed_to_text(tag)),
                _ => {}
            }
        }
        self.end_text();
        self.found
    }

    fn open(&mut self, tag: &Tag<'_>, at: usize, events: &OffsetIter<'_>) {
        self.closed_to_text += usize::from(is_closed_to_text(tag.to_end()));
        let (Tag::Link {
            link_type,
            dest_url,
            id,
            ..
        }
        | Tag::Image {
            link_type,
            dest_url,
            id,
            ..
        }) = tag
        else {
            return;
        };
        let link = match link_type {
            LinkType::Email => format!("mailto:{dest_url}"),
            _ => dest_url.to_string(),
        };
        let definition = match link_type {
            LinkType::Reference | LinkType::Collapsed | LinkType::Shortcut => {
                events.reference_definitions().get(id)
            }
            _ => None,
        };
        let at = definition.map_or(at, |definition| definition.span.start);
        self.found.push((at, link));
    }

    fn read_html(&mut self, html: &str, began: usize) {
        let links = html::written(html).links.into_iter();
        self.found
            .extend(links.map(|(at, link)| (began + at, link)));
    }

    fn end_text(&mut self) {
        if let Some((began, text)) = self.text.take() {
            let urls = bare(&text).map(|url| (began, url.to_owned()));
            self.found.extend(urls);
        }
    }
}

/// Whether the text in an element is not searched for bare URLs.
fn is_closed_to_text(tag: TagEnd) -> bool {
    matches!(
        tag,
        TagEnd::Link | TagEnd::Image | TagEnd::CodeBlock | TagEnd::MetadataBlock(_)
    )
}

/// URLs that stand in a text as they are, ended as <https://github.github.com/gfm/#autolinks-extension-> ends them.
fn bare(text: &str) -> impl Iterator<Item = &str> {
    let mut done = 0;
    text.match_indices("http").filter_map(move |(at, _)| {
        let (before, from) = text.split_at(at);
        let address = from
            .strip_prefix("http://")
            .or_else(|| from.strip_prefix("https://"))?;
        let begins = at >= done && !before.ends_with(char::is_alphanumeric);
        if !begins || !address.starts_with(char::is_alphanumeric) {
            return None;
        }
        let end = from.find(|c: char| c.is_whitespace() || c == '<');
        let word = &from[..end.unwrap_or(from.len())];
        done = at + word.len();
        Some(without_end(word))
    })
}

/// A URL without the punctuation of the sentence around it. A closing parenthesis belongs to it if it has the opening one.
fn without_end(word: &str) -> &str {
    let opening = word.matches('(').count();
    let mut closing = word.matches(')').count();
    let mut url = word;
    loop {
        url = url.trim_end_matches(['?', '!', '.', ',', ':', ';', '*', '_', '~', '\'', '"']);
        match url.strip_suffix(')') {
            Some(inner) if closing > opening => url = inner,
            _ => return url,
        }
        closing -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const README: &str = r#"---
homepage: http://h/not-in-metadata
---
# A [title](http://h/title) {#id}

See [inline](http://h/inline "title"), [by reference][ref], [collapsed][], and
[Shortcut]; <http://h/auto>, <me@example.com>, bare https://h/bare_url_(x)/a.b?q=1, or
*https://h/emphasised*. ![image](pictures/i.png) [![badge](http://h/badge.svg)](http://h/ci)

    http://h/not-in-a-block

`http://h/not-in-code`, [relative](../up.md#part), [here](#here), [`code`](http://h/of-code)

| a | b |
|---|---|
| [cell](http://h/cell) | http://h/bare-cell |

```sh
curl http://h/not-in-a-fence
```

> A quote [with two
> lines](http://h/two-lines) and a note[^1].

<p align="center">
  <img alt="logo"
    src="http://h/logo.png"
    srcset="http://h/logo2.png 2x">
</p>

Inline <a href="http://h/html">HTML</a> &amp; [undefined][nowhere]. Again: http://h/inline.

- item http://h/item

[^1]: A footnote with http://h/footnote.

[ref]: http://h/ref
[collapsed]: <http://h/collapsed> "title"
[shortcut]:
  http://h/shortcut
[unused]: http://h/unused
"#;

    fn shown(links: &Links) -> Vec<String> {
        let show = |link: &super::super::Link| format!("{}:{}", link.line, link.url);
        links.links.iter().map(show).collect()
    }

    #[test]
    fn every_way_to_write_a_link_is_read_with_its_line() {
        let expected = [
            "4:http://h/title",
            "6:http://h/inline",
            "7:http://h/auto",
            "7:https://h/bare_url_(x)/a.b?q=1",
            "8:https://h/emphasised",
            "8:http://h/ci",
            "8:http://h/badge.svg",
            "12:http://h/of-code",
            "16:http://h/cell",
            "16:http://h/bare-cell",
            "22:http://h/two-lines",
            "27:http://h/logo.png",
            "28:http://h/logo2.png",
            "31:http://h/html",
            "33:http://h/item",
            "35:http://h/footnote",
            "37:http://h/ref",
            "38:http://h/collapsed",
            "39:http://h/shortcut",
        ];
        let found = links(README, None);
        assert_eq!(shown(&found), expected);
        assert_eq!((found.relative, found.other), (2, 1));
        let carriages = README.replace('\n', "\r\n");
        assert_eq!(shown(&links(&carriages, None)), expected);
    }

    #[test]
    fn relative_links_are_relative_to_the_document() {
        let base = Url::parse("https://h/docs/guide/README.md").unwrap();
        let found = links(
            "[a](../up.md#part) ![b](i.png) <img src=/j.png>",
            Some(&base),
        );
        let expected = [
            "1:https://h/docs/up.md",
            "1:https://h/docs/guide/i.png",
            "1:https://h/j.png",
        ];
        assert_eq!(shown(&found), expected);
        assert_eq!(found.relative, 0);
    }

    #[test]
    fn bare_urls_end_where_their_sentence_goes_on() {
        for (text, expected) in [
            ("http://h/a.", &["http://h/a"][..]),
            ("(see http://h/a)", &["http://h/a"]),
            ("(see http://h/a_(b)).", &["http://h/a_(b)"]),
            ("\"https://h\", 'http://i'", &["https://h", "http://i"]),
            ("http://h/?to=http://i/", &["http://h/?to=http://i/"]),
            ("xhttp://h/ shttps://i httphttp://j", &[]),
            ("http:// https://. http", &[]),
            ("http://h<http://i", &["http://h", "http://i"]),
            ("größe,http://h/ä", &["http://h/ä"]),
        ] {
            assert_eq!(bare(text).collect::<Vec<_>>(), expected, "{text}");
        }
    }

    #[test]
    fn no_cut_makes_it_panic() {
        for end in (0..README.len()).filter(|end| README.is_char_boundary(*end)) {
            let _cut = links(&README[..end], None);
        }
        for piece in ["[", "> ", "http", "http://h)", "<a href=", "![", "*http://"] {
            let _long = links(&piece.repeat(10_000), None);
        }
        let _parentheses = links(&format!("http://h/{}", ")".repeat(1_000_000)), None);
    }
}
