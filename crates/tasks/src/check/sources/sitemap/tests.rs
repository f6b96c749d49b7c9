//! Sitemaps as they are found, and as nobody should write them.

use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};

use super::*;

const PAGES: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<?xml-stylesheet type="text/xsl" href="http://h/not-a-page.xsl"?>
<!-- <url><loc>http://h/not-in-a-comment</loc></url> -->
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"
        xmlns:image="http://www.google.com/schemas/sitemap-image/1.1"
        xmlns:xhtml="http://www.w3.org/1999/xhtml">
  <url>
    <loc>https://example.com/</loc>
    <lastmod>2024-05-01</lastmod>
    <xhtml:link rel="alternate" hreflang="de" href="https://example.com/de"/>
    <image:image><image:loc>https://example.com/i.png</image:loc></image:image>
    <image:loc>https://example.com/j.png</image:loc>
  </url>
  <url><loc>https://example.com/?a=1&amp;b=2&#38;c=&#x33;</loc></url>
  <url><loc><![CDATA[https://example.com/?x=1&y=2]]></loc></url>
  <url>
    <loc>
      https://example.com/a<!-- split -->b
    </loc>
  </url>
  <url/>
  <url><loc/></url>
  <loc>https://example.com/not-in-an-entry</loc>
</urlset>
"#;

const INDEX: &str = r#"<s:sitemapindex xmlns:s="http://www.sitemaps.org/schemas/sitemap/0.9">
<s:sitemap><s:loc>https://example.com/a.xml.gz</s:loc></s:sitemap>
<s:sitemap><s:loc>https://example.com/b.xml</s:loc><s:lastmod>2024</s:lastmod></s:sitemap>
</s:sitemapindex>"#;

/// The kind and `LINE:URL` of each, or what is wrong.
fn shown(document: &[u8]) -> Result<(&'static str, Vec<String>), String> {
    let sitemap = read_within(document, 4096).map_err(|error| error.to_string())?;
    let (kind, links) = match sitemap {
        Sitemap::Pages(links) => ("pages", links),
        Sitemap::Nested(links) => ("nested", links),
    };
    let show = |link: &Link| format!("{}:{}", link.line, link.url);
    Ok((kind, links.iter().map(show).collect()))
}

fn compressed(document: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(document).unwrap();
    encoder.finish().unwrap()
}

#[track_caller]
fn check(document: &[u8], kind: &'static str, links: &[&str]) {
    let links = links.iter().map(ToString::to_string).collect();
    let expected = Ok((kind, links));
    assert_eq!(shown(document), expected);
    assert_eq!(shown(&compressed(document)), expected, "compressed");
}

#[track_caller]
fn fails(document: &[u8], says: &str) {
    let error = shown(document).unwrap_err();
    assert!(error.contains(says), "{error}");
}

#[test]
fn pages_are_what_the_entries_name() {
    check(
        PAGES.as_bytes(),
        "pages",
        &[
            "8:https://example.com/",
            "14:https://example.com/?a=1&b=2&c=3",
            "15:https://example.com/?x=1&y=2",
            "17:https://example.com/ab",
            "22:",
        ],
    );
    let marked = format!(
        "\u{feff}\n{}",
        "<urlset><url><loc>http://h/</loc></url></urlset>"
    );
    check(marked.as_bytes(), "pages", &["2:http://h/"]);
    check(b"<urlset/>", "pages", &[]);
}

#[test]
fn an_index_names_further_sitemaps() {
    let links = [
        "2:https://example.com/a.xml.gz",
        "3:https://example.com/b.xml",
    ];
    check(INDEX.as_bytes(), "nested", &links);
}

#[test]
fn a_text_is_a_url_a_line() {
    let text = "\u{feff}\r\nhttps://example.com/a\r\n\r\n  HTTP://h/b \nnonsense";
    let links = ["2:https://example.com/a", "4:HTTP://h/b", "5:nonsense"];
    check(text.as_bytes(), "pages", &links);
}

#[test]
fn several_compressed_parts_are_one_sitemap() {
    let (one, other) = INDEX.as_bytes().split_at(100);
    let both = [compressed(one), compressed(other)].concat();
    assert_eq!(shown(&both).unwrap().1.len(), 2);
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    for (document, says) in [
        ("", "it is empty"),
        (" \n\n", "it is empty"),
        ("<!-- nothing -->", "it is empty"),
        ("{\n}", "line 1 begins neither"),
        ("\n# Readme", "line 2 begins neither"),
        (
            "<!DOCTYPE html>\n<html><p>404",
            "line 2: the document is a <html>",
        ),
        ("<rss version='2.0'/>", "line 1: the document is a <rss>"),
        ("<urlset>\n<url>\n</urlset>", "line 3: "),
        (
            "<urlset>\n<url><loc>http://h/a",
            "line 2: the document breaks off",
        ),
        ("<urlset>\n<url><loc", "line 2: "),
        ("<urlset/>\n<urlset/>", "line 2: another element"),
        (
            "<urlset><url>\n<loc>http://h/&nbsp;</loc>",
            "line 2: the entity `&nbsp;`",
        ),
        ("<urlset><url>\n<loc>http://h/&#xD800;</loc>", "line 2: "),
        ("<urlset><url>\n<loc>http://h/?a&b</loc>", "line 2: "),
    ] {
        fails(document.as_bytes(), says);
    }
    fails(
        b"<urlset>\n<url><loc>http://h/\xe4",
        "line 2: byte 28 is not UTF-8",
    );
    fails(
        "<".encode_utf16()
            .flat_map(u16::to_le_bytes)
            .chain([0xff])
            .collect::<Vec<_>>()
            .as_slice(),
        "byte 2 is not UTF-8",
    );
}

#[test]
fn broken_gzip_data_is_told_from_a_broken_sitemap() {
    let whole = compressed(PAGES.as_bytes());
    let cut = &whole[..whole.len() / 2];
    fails(cut, &format!("beyond byte {}: ", cut.len()));
    let mut wrong = whole.clone();
    let middle = wrong.len() / 2;
    wrong[middle] ^= 0x55;
    fails(&wrong, "gzip data");
    fails(GZIP, "gzip data");
}

#[test]
fn neither_bombs_nor_entities_grow() {
    let bomb = compressed(&vec![b' '; 1 << 20]);
    assert!(bomb.len() < 8192);
    fails(&bomb, "more than 4096 bytes");
    // What lies behind the limit is not even decoded.
    let armed = [&bomb, &b"no gzip"[..]].concat();
    fails(&armed, "more than 4096 bytes");
    let laughs = r#"<!DOCTYPE urlset [
<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;"> <!ENTITY d SYSTEM "file:///etc/passwd">
]>
<urlset><lastmod>&c;</lastmod><url><loc>http://h/"#;
    for entity in ["c", "d"] {
        let document = format!("{laughs}&{entity};</loc></url></urlset>");
        fails(
            document.as_bytes(),
            &format!("line 5: the entity `&{entity};`"),
        );
    }
    fails("<urlset>".repeat(100_000).as_bytes(), "line 1: ");
}

#[test]
fn more_urls_than_the_standard_allows_are_read() {
    let entry = "<url><loc>https://example.com/</loc></url>\n";
    let document = format!("<urlset>{}</urlset>", entry.repeat(60_000));
    let Sitemap::Pages(links) = read(document.as_bytes()).unwrap() else {
        panic!("it lists pages");
    };
    assert_eq!((links.len(), links[59_999].line), (60_000, 60_000));
}
