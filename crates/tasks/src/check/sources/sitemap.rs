//! Sitemaps as <https://www.sitemaps.org/protocol.html> has them: XML or a URL a line, compressed or not, of pages or
//! of further sitemaps.

use std::io::{self, Read as _};

use flate2::bufread::MultiGzDecoder;
use quick_xml::{
    NsReader,
    escape::resolve_xml_entity,
    events::{BytesRef, Event},
    name::ResolveResult,
};

use super::{
    lines::Lines,
    links::{Link, is_http},
};

/// How many bytes a compressed sitemap may have when it is decoded: what the standard allows.
pub const MOST_DECODED_BYTES: u64 = 50 << 20;

/// What compressed data begins with.
const GZIP: &[u8] = &[0x1f, 0x8b];

/// What a sitemap lists. URLs are as they are written, with white space around them taken away: the check of one that
/// is none says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sitemap {
    /// Pages.
    Pages(Vec<Link>),
    /// Further sitemaps.
    Nested(Vec<Link>),
}

/// Why a document cannot be read as a sitemap, and where that shows.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SitemapError {
    /// It begins like gzip data, and goes on otherwise.
    #[error("its gzip data cannot be decoded beyond byte {byte}: {cause}")]
    Gzip {
        /// How much of it was taken.
        byte: usize,
        /// What is wrong.
        cause: io::Error,
    },
    /// It is larger than a sitemap may be.
    #[error("it decodes to more than {most} bytes, which no sitemap may have")]
    TooLarge {
        /// How large it may be.
        most: u64,
    },
    /// It is text in another encoding, or no text at all.
    #[error("line {line}: byte {byte} is not UTF-8, which a sitemap must be in")]
    NotUtf8 {
        /// The line.
        line: u64,
        /// How many bytes of the document stand before it.
        byte: usize,
    },
    /// It is no well-formed XML.
    #[error("line {line}: {cause}")]
    Xml {
        /// The line.
        line: u64,
        /// What is wrong.
        cause: quick_xml::Error,
    },
    /// It refers to an entity that it would have to define itself.
    #[error("line {line}: the entity `&{name};` is none of XML's own, and no others are expanded")]
    Entity {
        /// The line.
        line: u64,
        /// Its name.
        name: String,
    },
    /// It is another kind of document.
    #[error("line {line}: the document is a <{name}>; a sitemap is a <urlset> or a <sitemapindex>")]
    OtherRoot {
        /// The line.
        line: u64,
        /// The name of its root element.
        name: String,
    },
    /// It is another kind of text.
    #[error("line {line} begins neither like XML nor with http:// or https://, as a sitemap does")]
    OtherText {
        /// The line.
        line: u64,
    },
    /// Something comes after its end.
    #[error("line {line}: another element begins after the end of the document")]
    SecondRoot {
        /// The line.
        line: u64,
    },
    /// It breaks off.
    #[error("line {line}: the document breaks off before its end")]
    Cut {
        /// The last line.
        line: u64,
    },
    /// There is nothing in it.
    #[error("it is empty")]
    Empty,
}

/// Reads a sitemap. More URLs than the standard's 50 000 are accepted.
///
/// Entities of the document's own are not expanded, and nothing outside it is fetched.
///
/// # Errors
/// It is no sitemap, or a broken one, or decodes to more than [`MOST_DECODED_BYTES`].
pub fn read(document: &[u8]) -> Result<Sitemap, SitemapError> {
    read_within(document, MOST_DECODED_BYTES)
}

fn read_within(document: &[u8], most: u64) -> Result<Sitemap, SitemapError> {
    if document.starts_with(GZIP) {
        let decoded = decoded(document, most)?;
        return read_text(text(&decoded)?);
    }
    read_text(text(document)?)
}

fn decoded(document: &[u8], most: u64) -> Result<Vec<u8>, SitemapError> {
    let mut decoder = MultiGzDecoder::new(document).take(most.saturating_add(1));
    let mut decoded = Vec::new();
    let read = decoder.read_to_end(&mut decoded);
    read.map_err(|cause| SitemapError::Gzip {
        byte: document.len() - decoder.get_ref().get_ref().len(),
        cause,
    })?;
    if decoded.len() as u64 > most {
        return Err(SitemapError::TooLarge { most });
    }
    Ok(decoded)
}

fn text(document: &[u8]) -> Result<&str, SitemapError> {
    str::from_utf8(document).map_err(|error| {
        let byte = error.valid_up_to();
        let ends = document[..byte].iter().filter(|byte| **byte == b'\n');
        SitemapError::NotUtf8 {
            line: ends.count() as u64 + 1,
            byte,
        }
    })
}

fn read_text(text: &str) -> Result<Sitemap, SitemapError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim_start().starts_with('<') {
        Reading::new(text).read()
    } else {
        read_lines(text)
    }
}

/// A URL a line. That the first is one tells such a sitemap from any other text; the others speak for themselves.
fn read_lines(text: &str) -> Result<Sitemap, SitemapError> {
    let lines = (1..).zip(text.lines().map(str::trim));
    let links = lines.filter(|(_, url)| !url.is_empty());
    let links = links.map(|(line, url)| Link {
        url: url.to_owned(),
        line,
    });
    let links: Vec<Link> = links.collect();
    let first = links.first().ok_or(SitemapError::Empty)?;
    match first.url.split_once("://") {
        Some((scheme, _)) if is_http(scheme) => Ok(Sitemap::Pages(links)),
        _ => Err(SitemapError::OtherText { line: first.line }),
    }
}

/// What the root element says that a sitemap lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Pages,
    Nested,
}

impl Kind {
    fn of_root(name: &str) -> Option<Self> {
        match name {
            "urlset" => Some(Self::Pages),
            "sitemapindex" => Some(Self::Nested),
            _ => None,
        }
    }

    /// The name of an entry.
    fn entry(self) -> &'static str {
        match self {
            Self::Pages => "url",
            Self::Nested => "sitemap",
        }
    }
}

/// An XML sitemap that is being read.
struct Reading<'a> {
    text: &'a str,
    lines: Lines,
    /// What it lists, and the namespace of its root. Extensions (images, news) have others, and `loc`s of their own.
    root: Option<(Kind, String)>,
    /// How many elements are open.
    depth: usize,
    /// Whether the second of these is an entry.
    in_entry: bool,
    /// The URL of the open `loc`, as far as it was read.
    open: Option<Link>,
    links: Vec<Link>,
}

impl<'a> Reading<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            text,
            lines: Lines::of(text),
            root: None,
            depth: 0,
            in_entry: false,
            open: None,
            links: Vec::new(),
        }
    }

    fn read(mut self) -> Result<Sitemap, SitemapError> {
        let mut reader = NsReader::from_str(self.text);
        reader.config_mut().expand_empty_elements = true;
        loop {
            let began = offset(reader.buffer_position());
            let (namespace, event) = match reader.read_resolved_event() {
                Ok((resolved, event)) => (name(resolved), event),
                Err(cause) => {
                    let line = self.lines.at(offset(reader.error_position()));
                    return Err(SitemapError::Xml { line, cause });
                }
            };
            let line = self.lines.at(began);
            match event {
                Event::Start(tag) => self.begin(tag.local_name().as_ref(), namespace, line)?,
                Event::End(_) => self.end(),
                Event::Text(text) => self.put(&text.xml10_content()),
                Event::CData(text) => self.put(&text.xml10_content()),
                Event::GeneralRef(entity) => self.refer(&entity, line)?,
                Event::Eof => break,
                _ => {}
            }
        }
        if self.depth > 0 {
            let line = self.lines.at(self.text.trim_end().len());
            return Err(SitemapError::Cut { line });
        }
        match self.root {
            Some((Kind::Pages, _)) => Ok(Sitemap::Pages(self.links)),
            Some((Kind::Nested, _)) => Ok(Sitemap::Nested(self.links)),
            None => Err(SitemapError::Empty),
        }
    }

    fn begin(&mut self, name: &str, namespace: String, line: u64) -> Result<(), SitemapError> {
        match &self.root {
            None => {
                let kind = Kind::of_root(name).ok_or_else(|| SitemapError::OtherRoot {
                    line,
                    name: name.to_owned(),
                })?;
                self.root = Some((kind, namespace));
            }
            Some(_) if self.depth == 0 => return Err(SitemapError::SecondRoot { line }),
            Some((kind, own)) => {
                let own = *own == namespace;
                if self.depth == 1 {
                    self.in_entry = own && name == kind.entry();
                } else if self.depth == 2 && self.in_entry && own && name == "loc" {
                    let url = String::new();
                    self.open = Some(Link { url, line });
                }
            }
        }
        self.depth += 1;
        Ok(())
    }

    fn end(&mut self) {
        self.depth -= 1;
        if self.depth == 2
            && let Some(Link { url, line }) = self.open.take()
        {
            let url = url.trim().to_owned();
            self.links.push(Link { url, line });
        }
    }

    fn put(&mut self, text: &str) {
        if let Some(link) = &mut self.open {
            link.url.push_str(text);
        }
    }

    fn refer(&mut self, entity: &BytesRef<'_>, line: u64) -> Result<(), SitemapError> {
        let character = entity
            .resolve_char_ref()
            .map_err(|cause| SitemapError::Xml { line, cause })?;
        if let Some(character) = character {
            self.put(character.encode_utf8(&mut [0; 4]));
            return Ok(());
        }
        let name = entity.xml10_content();
        match resolve_xml_entity(&name) {
            Some(text) => self.put(text),
            None if self.open.is_none() => {}
            None => {
                let name = name.into_owned();
                return Err(SitemapError::Entity { line, name });
            }
        }
        Ok(())
    }
}

fn offset(position: u64) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX)
}

/// A namespace by name; a prefix that was never bound to one stands for itself.
fn name(resolved: ResolveResult<'_>) -> String {
    match resolved {
        ResolveResult::Bound(namespace) => namespace.as_ref().to_owned(),
        ResolveResult::Unbound => String::new(),
        ResolveResult::Unknown(prefix) => prefix,
    }
}

#[cfg(test)]
mod tests;
