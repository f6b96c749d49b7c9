//! Taking credentials and other secrets out of URLs before anybody sees them.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use url::{Position, Url};

/// What stands where the credentials stood.
const MASK: &str = "***";

/// What stands where the value of a secret parameter stood.
const ELLIPSIS: &str = "…";

/// Parameters whose values are secrets, in lower case and without anything between words.
const SECRETS: [&str; 27] = [
    "accesskey",
    "accesstoken",
    "apikey",
    "apitoken",
    "auth",
    "authorization",
    "authtoken",
    "clientsecret",
    "idtoken",
    "jwt",
    "key",
    "passwd",
    "password",
    "privatetoken",
    "pwd",
    "refreshtoken",
    "secret",
    "secretkey",
    "sessionid",
    "sig",
    "signature",
    "token",
    "xamzsecuritytoken",
    "xamzsignature",
    "xapikey",
    "xauthtoken",
    "xgoogsignature",
];

/// How deep URLs in the parameters of URLs are looked into. What lies deeper is not shown if it may hold a secret.
const DEPTH: u32 = 4;

/// The text of an input as it may be shown: with `***` for a user name and password and `…` for the value of a parameter
/// that is known to be secret, such as `token`, and otherwise unchanged. URLs in parameters are treated likewise.
///
/// Texts that are no valid URL are searched for the same.
#[must_use]
pub fn redact(text: &str) -> Cow<'_, str> {
    if !text.contains(['@', '=', '%']) {
        return Cow::Borrowed(text);
    }
    text_at(text, DEPTH).map_or(Cow::Borrowed(text), Cow::Owned)
}

/// A URL as it may be shown.
pub(super) fn redacted(url: &Url) -> String {
    url_at(url, DEPTH).unwrap_or_else(|| url.as_str().to_owned())
}

/// The text without its secrets; `None` if it has none. So do all functions below.
fn text_at(text: &str, depth: u32) -> Option<String> {
    match Url::parse(text.trim()) {
        Ok(url) if has_credentials(&url) || matches!(url.scheme(), "http" | "https") => {
            url_at(&url, depth)
        }
        _ => unparsed(text, depth),
    }
}

fn url_at(url: &Url, depth: u32) -> Option<String> {
    let query = url.query().and_then(|query| parameters(query, depth));
    let fragment = url.fragment().and_then(|text| parameters(text, depth));
    if !has_credentials(url) && query.is_none() && fragment.is_none() {
        return None;
    }
    let mut shown = url.clone();
    // Neither can fail for a URL that has credentials; if one did, showing nothing would be right.
    if has_credentials(url)
        && (shown.set_username(MASK).is_err() || shown.set_password(None).is_err())
    {
        return Some(MASK.to_owned());
    }
    // Put together as text, because the URL itself would encode the ellipsis.
    let query = query.unwrap_or_else(|| shown.query().unwrap_or_default().to_owned());
    let mut text = format!("{}{query}", &shown[..Position::BeforeQuery]);
    if let Some(whole) = shown.fragment() {
        text.push('#');
        text.push_str(fragment.as_deref().unwrap_or(whole));
    }
    Some(text)
}

fn has_credentials(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

/// Where no parser says which part is which, everything up to the last `@` may be a secret.
fn unparsed(text: &str, depth: u32) -> Option<String> {
    let start = text.find("//").map_or(0, |slashes| slashes + 2);
    let bare = text[start..]
        .rfind('@')
        .map(|at| format!("{}{MASK}{}", &text[..start], &text[start + at..]));
    let searched = bare.as_deref().unwrap_or(text);
    let without = searched.find(['?', '#']).and_then(|at| {
        let (path, query) = searched.split_at(at + 1);
        let parts: Vec<_> = query.split('#').collect();
        let shown: Vec<_> = parts.iter().map(|part| parameters(part, depth)).collect();
        shown.iter().any(Option::is_some).then(|| {
            let shown = shown.into_iter().zip(parts);
            let shown: Vec<_> = shown
                .map(|(shown, part)| shown.unwrap_or_else(|| part.to_owned()))
                .collect();
            format!("{path}{}", shown.join("#"))
        })
    });
    without.or(bare)
}

fn parameters(query: &str, depth: u32) -> Option<String> {
    let shown: Vec<_> = query.split('&').map(|one| parameter(one, depth)).collect();
    if shown.iter().all(Option::is_none) {
        return None;
    }
    let shown = shown.into_iter().zip(query.split('&'));
    let shown: Vec<_> = shown
        .map(|(shown, whole)| shown.map_or(Cow::Borrowed(whole), Cow::Owned))
        .collect();
    Some(shown.join("&"))
}

fn parameter(whole: &str, depth: u32) -> Option<String> {
    let named = whole.split_once('=').and_then(|(name, value)| {
        let meant = percent_decode_str(name).decode_utf8_lossy();
        // What has a colon is a URL without a name, in which the sign belongs to something else.
        (!meant.contains(':')).then_some((name, is_secret(&meant), value))
    });
    match named {
        None => value_at(whole, depth),
        Some((_, _, "")) => None,
        Some((name, true, _)) => Some(format!("{name}={ELLIPSIS}")),
        Some((name, false, value)) => Some(format!("{name}={}", value_at(value, depth)?)),
    }
}

fn is_secret(name: &str) -> bool {
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    let name: String = letters.map(|c| c.to_ascii_lowercase()).collect();
    SECRETS.contains(&&*name)
}

/// What a parameter stands for, if that is a URL, or the rest of one, with secrets in it.
fn value_at(value: &str, depth: u32) -> Option<String> {
    let decoded = percent_decode_str(value).decode_utf8_lossy();
    let Some(depth) = depth.checked_sub(1) else {
        let suspect = decoded.contains(['@', '=', '%']);
        return suspect.then(|| ELLIPSIS.to_owned());
    };
    let shown = match Url::parse(&decoded) {
        Ok(url) if url.cannot_be_a_base() => None,
        Ok(url) => url_at(&url, depth),
        // An address in a parameter is no secret; credentials have a host that slashes introduce.
        Err(_) if decoded.contains("//") || decoded.contains('?') => {
            let (before, rest) = decoded.split_at(decoded.find("//").unwrap_or(0));
            unparsed(rest, depth).map(|rest| format!("{before}{rest}"))
        }
        Err(_) => None,
    };
    match shown {
        Some(shown) => Some(encoded(&shown)),
        None if decoded != value => value_at(&decoded, depth),
        None => None,
    }
}

/// The text as it can stand in a parameter.
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => encoded.push_str("%26"),
            '#' => encoded.push_str("%23"),
            c if c.is_control() || c.is_whitespace() => encoded.push('+'),
            c => encoded.push(c),
        }
    }
    encoded
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

    #[test]
    fn a_url_in_a_parameter_has_no_credentials_either() {
        for (text, shown) in [
            (
                "http://h/?next=http://u:p@b/",
                "http://h/?next=http://***@b/",
            ),
            (
                "http://u:p@h/?a=1&next=http%3A%2F%2Fu%3Ap%40b%2F&b=2#x",
                "http://***@h/?a=1&next=http://***@b/&b=2#x",
            ),
            (
                "http://h/?next=http%253A%252F%252Fu%253Ap%2540b%252F",
                "http://h/?next=http://***@b/",
            ),
            ("http://h/?http://u:p=q@b/", "http://h/?http://***@b/"),
            ("http://h/?http%3A//u:p@b/=", "http://h/?http://***@b/="),
            ("http://h/?next=//u:p@b/", "http://h/?next=//***@b/"),
            ("http://h/?db=pg://u:p@b/x", "http://h/?db=pg://***@b/x"),
            ("http://h/?to=mailto:a@b", "http://h/?to=mailto:a@b"),
            ("http://h/?q=50%25&r=a@b", "http://h/?q=50%25&r=a@b"),
        ] {
            assert_eq!(redact(text), shown, "{text}");
        }
    }

    #[test]
    fn secret_parameters_keep_their_names_alone() {
        for (text, shown) in [
            ("http://h/?token=s&page=2", "http://h/?token=…&page=2"),
            ("http://h/?Access-Token=s", "http://h/?Access-Token=…"),
            ("http://h/?api%5Fkey=s", "http://h/?api%5Fkey=…"),
            ("http://h/?a=1&sig=s#top", "http://h/?a=1&sig=…#top"),
            ("http://h/#access_token=s", "http://h/#access_token=…"),
            ("http://h/?token=", "http://h/?token="),
            ("http://h/?monkey=s", "http://h/?monkey=s"),
            ("http://h/?accessToken=s", "http://h/?accessToken=…"),
            ("http://h/?token[]=s", "http://h/?token[]=…"),
            (
                "http://h:99999/?a=1#access_token=s",
                "http://h:99999/?a=1#access_token=…",
            ),
            (
                "http://h:99999/#access_token=s",
                "http://h:99999/#access_token=…",
            ),
            (
                "http://h/?next=/login%3Ftoken%3Ds%26x%3D1",
                "http://h/?next=/login?token=…%26x=1",
            ),
            ("http://h:99999/?key=s", "http://h:99999/?key=…"),
            ("h/x?password=s", "h/x?password=…"),
        ] {
            assert_eq!(redact(text), shown, "{text}");
        }
    }

    #[test]
    fn depth_ends_in_silence_and_not_in_the_stack() {
        let deep = "http://h/?a=".repeat(100_000);
        let shown = redact(&deep);
        assert!(shown.ends_with("?a=…") && shown.len() < 100, "{shown}");
    }
}
