//! As much of a text as fits a line for people, and nothing in it that a terminal would obey.

use std::{borrow::Cow, fmt};

use serde::{
    Deserializer as _,
    de::{IgnoredAny, MapAccess, Visitor},
};
use serde_json::Value;

/// The text with control characters shown as what they are, cut after `characters`.
pub(crate) fn excerpt(text: &str, characters: usize) -> Cow<'_, str> {
    let tame = |c: char| !c.is_control() && !is_invisible(c);
    if text.len() <= characters && text.chars().all(tame) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::new();
    for (n, c) in text.chars().enumerate() {
        if n == characters {
            shown.push('…');
            break;
        }
        if tame(c) {
            shown.push(c);
        } else {
            shown.extend(c.escape_default());
        }
    }
    Cow::Owned(shown)
}

/// The text with line ends between words, so that no line is wider than `columns` but for a word that is.
pub(crate) fn wrapped(text: &str, columns: usize) -> String {
    let mut lines = String::new();
    let mut width = 0;
    for word in text.split(' ') {
        let wide = word.chars().count();
        if width > 0 {
            let fits = width + 1 + wide <= columns;
            lines.push(if fits { ' ' } else { '\n' });
            width = if fits { width + 1 } else { 0 };
        }
        lines.push_str(word);
        width += wide;
    }
    lines
}

/// The top of an output, such as `status 200, bytes 1024`. Times and what is null are left out: the line has its own
/// time.
pub(crate) fn brief(json: &str) -> String {
    let mut reader = serde_json::Deserializer::from_str(json);
    reader
        .deserialize_map(Top)
        .unwrap_or_else(|_| json.to_owned())
}

/// Characters that turn the direction of a text or hide in it.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

struct Top;

impl<'de> Visitor<'de> for Top {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<String, A::Error> {
        let mut top = Vec::new();
        while let Some(name) = fields.next_key::<Cow<'de, str>>()? {
            if name.ends_with("_s") {
                fields.next_value::<IgnoredAny>()?;
                continue;
            }
            match fields.next_value()? {
                Value::Null => {}
                Value::String(text) => top.push(format!("{name} {text}")),
                other => top.push(format!("{name} {other}")),
            }
        }
        Ok(top.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_obeys_nothing_in_it() {
        for (text, expected) in [
            ("plain", "plain"),
            ("\x1b[31mred", "\\u{1b}[31mred"),
            ("a\r\nb\0", "a\\r\\nb\\u{0}"),
            ("\u{202e}gpj", "\\u{202e}gpj"),
            ("0123456789x", "0123456789…"),
            ("ääääääääää", "ääääääääää"),
        ] {
            assert_eq!(excerpt(text, 10), expected, "{text:?}");
        }
    }

    #[test]
    fn long_sentences_break_between_words() {
        for (text, expected) in [
            ("a bc def", "a bc\ndef"),
            ("abcdef gh", "abcdef\ngh"),
            ("ä ö ü", "ä ö ü"),
            ("", ""),
        ] {
            assert_eq!(wrapped(text, 5), expected);
        }
    }

    #[test]
    fn an_output_is_told_in_its_own_order_without_times() {
        for (json, expected) in [
            (
                r#"{"status":200,"bytes":3,"url":null,"dns_s":0.1}"#,
                "status 200, bytes 3",
            ),
            (r#"{"sum":1.5}"#, "sum 1.5"),
            (r#"{"name":"x"}"#, "name x"),
            ("[1,2]", "[1,2]"),
        ] {
            assert_eq!(brief(json), expected);
        }
    }
}
