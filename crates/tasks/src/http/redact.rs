//! Taking credentials out of URLs before anybody sees them.

use std::borrow::Cow;

use url::Url;

/// What stands where the credentials stood.
const MASK: &str = "***";

/// The text of an input as it may be shown: with `***` for a user name and password, and otherwise unchanged.
///
/// Texts that are no valid URL are searched for credentials as well.
#[must_use]
pub fn redact(text: &str) -> Cow<'_, str> {
    if !text.contains('@') {
        return Cow::Borrowed(text);
    }
    match Url::parse(text.trim()) {
        Ok(url) if has_credentials(&url) => Cow::Owned(redacted(&url)),
        Ok(url) if matches!(url.scheme(), "http" | "https") => Cow::Borrowed(text),
        _ => redact_unparsed(text),
    }
}

/// A URL as it may be shown.
pub(super) fn redacted(url: &Url) -> String {
    if !has_credentials(url) {
        return url.as_str().to_owned();
    }
    let mut shown = url.clone();
    // Neither can fail for a URL that has credentials; if one did, showing nothing would be right.
    if shown.set_username(MASK).is_err() || shown.set_password(None).is_err() {
        return MASK.to_owned();
    }
    shown.into()
}

fn has_credentials(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

/// Where no parser says which part is which, everything up to the last `@` may be a secret.
fn redact_unparsed(text: &str) -> Cow<'_, str> {
    let start = text.find("//").map_or(0, |slashes| slashes + 2);
    match text[start..].rfind('@') {
        Some(at) => Cow::Owned(format!("{}{MASK}{}", &text[..start], &text[start + at..])),
        None => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_never_shown() {
        for (text, shown) in [
            ("http://host/a@b", "http://host/a@b"),
            ("http://host/?q=a@b", "http://host/?q=a@b"),
            ("no url", "no url"),
            ("http://user:secret@host/x", "http://***@host/x"),
            ("http://user@host/", "http://***@host/"),
            ("http://:secret@host/", "http://***@host/"),
            ("http:user:secret@host/", "http://***@host/"),
            ("http://u:se@cret@host:99999/x", "http://***@host:99999/x"),
            ("http://u:se/cret@host/x", "http://***@host/x"),
            ("user:secret@host/x", "***@host/x"),
        ] {
            assert_eq!(redact(text), shown, "{text}");
        }
    }
}
