//! Links that stand in a document, a page or a README.

use std::{
    fs::File,
    io::{self, Read as _},
    path::Path,
};

use triway_tasks::{
    check::sources::{Links, html, markdown},
    http::Url,
};

/// The largest document whose links are read.
const MOST_BYTES: u64 = 64 << 20;

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
