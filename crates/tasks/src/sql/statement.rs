//! A statement with named parameters, such as `insert into users(name) values (:name)`.
//!
//! One scan finds the parameters and leaves alone what only looks like one: in quotes, in comments, and the `::` of a
//! cast. Each database then gets the statement with the marks that it knows.

use std::{error::Error, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A statement as it was written but for what ends it, and where its parameters stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    text: String,
    /// Each parameter once, in the order in which they first stand there.
    names: Vec<String>,
    /// Where each mark begins and ends, and which parameter it is.
    marks: Vec<(usize, usize, usize)>,
    /// Whether its words are those of one that reads.
    reads: bool,
}

/// The first words of statements that only read, as far as one can see without asking a database.
const READING: [&str; 4] = ["select", "show", "table", "values"];
/// What tells that one beginning with `with` changes something. Who names a column so is taken for one that changes it.
const CHANGING: [&str; 4] = ["delete", "insert", "merge", "update"];
/// What follows `for` where rows that are read are locked.
const LOCKING: [&str; 4] = ["key", "no", "share", "update"];

/// The first words of statements that cannot be executed for each input, and why not.
const REFUSED: [(&[&str], &str); 2] = [
    (
        &[
            "abort",
            "begin",
            "commit",
            "end",
            "release",
            "rollback",
            "savepoint",
            "start",
        ],
        "a transaction begins and ends for each input by itself",
    ),
    (
        &["attach", "detach"],
        "what is attached is so for one connection, and nothing else is executed there",
    ),
];

/// Why a text is no statement that could be executed for each input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementError {
    /// The line, from 1.
    pub line: usize,
    /// The character of the line, from 1.
    pub column: usize,
    /// What is wrong there.
    pub cause: &'static str,
}

impl Statement {
    /// The statement as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its parameters, each once.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Whether it only reads, by its words; the functions that it calls may do anything.
    #[must_use]
    pub fn reads(&self) -> bool {
        self.reads
    }

    /// Whether it locks the rows that it reads, by its words.
    pub(super) fn locks(&self) -> bool {
        let words = self.words();
        let pairs = words.iter().zip(words.iter().skip(1));
        let mut pairs = pairs.map(|((first, _), (second, _))| (first.as_str(), second.as_str()));
        pairs.any(|(first, second)| first == "for" && LOCKING.contains(&second))
    }

    /// The names in it: of tables and columns, and the language's own; lower case unless they are quoted. With each,
    /// whether something of it is named, as in `users.name`.
    pub(super) fn words(&self) -> Vec<(String, bool)> {
        words(&self.text)
    }

    /// The statement with numbered parameters after this sign, counted from 1 in the order of [`Statement::names`].
    #[must_use]
    pub fn numbered(&self, sign: char) -> String {
        let mut numbered = String::with_capacity(self.text.len());
        let mut from = 0;
        for (start, end, name) in &self.marks {
            numbered.push_str(&self.text[from..*start]);
            numbered.push(sign);
            numbered.push_str(&(name + 1).to_string());
            from = *end;
        }
        numbered + &self.text[from..]
    }

    /// Where in the statement as it was written this byte of the numbered one stands, as line and column from 1.
    #[must_use]
    pub fn place(&self, numbered_at: usize) -> (usize, usize) {
        // By how much the numbered text is longer up to there.
        let mut shift = 0_isize;
        for (start, end, name) in &self.marks {
            let numbered = 1 + (name + 1).to_string().len();
            let behind = (start + numbered).cast_signed() + shift;
            if numbered_at.cast_signed() < behind {
                break;
            }
            shift += numbered.cast_signed() - (end - start).cast_signed();
        }
        let at = numbered_at.cast_signed().saturating_sub(shift);
        line_and_column(&self.text, at.max(0).cast_unsigned())
    }
}

/// The words of a text that may be names, in lower case where they are not quoted, and whether each qualifies what follows
/// it; as far as the text can be read.
pub(super) fn words(text: &str) -> Vec<(String, bool)> {
    let mut words: Vec<(String, bool)> = Vec::new();
    let mut behind_name = false;
    for part in parts(text) {
        let name = match part.chars().next() {
            Some('"' | '`') => part[1..part.len() - 1].to_owned(),
            Some(first) if is_name(first) => part.to_lowercase(),
            _ => {
                if let Some((_, qualifies)) = words.last_mut() {
                    *qualifies |= behind_name && part == ".";
                }
                behind_name = false;
                continue;
            }
        };
        words.push((name, false));
        behind_name = true;
    }
    words
}

/// The same, and those within texts and between dollars: what a function does, or the name of a sequence.
pub(super) fn all_words(text: &str) -> Vec<(String, bool)> {
    let mut all = words(text);
    for part in parts(text) {
        let quote = match part.chars().next() {
            Some('\'') => 1,
            // From its dollar to the next one.
            Some('$') if part.len() > 1 => name_length(&part[1..]) + 2,
            _ => continue,
        };
        all.extend(all_words(&part[quote..part.len() - quote]));
    }
    all
}

/// What belongs to the statements of a text, without space, comments and parameters, as far as it can be read.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    let mut scan = Scan { text, at: 0 };
    std::iter::from_fn(move || {
        loop {
            match scan.next() {
                Ok(Found::End) => return None,
                Ok(Found::Other(at)) => return Some(&text[at..scan.at]),
                Ok(_) => {}
                // What opens nothing, as an apostrophe in the middle of a text, hides nothing either.
                Err((at, _)) => scan.at = at + 1,
            }
        }
    })
}

fn reads(words: &[(String, bool)]) -> bool {
    let among = |some: &[&str]| words.iter().any(|(word, _)| some.contains(&word.as_str()));
    let first = words.first().map_or("", |(word, _)| word.as_str());
    let reads = READING.contains(&first) || first == "with" && !among(&CHANGING);
    // `select … into` makes a table.
    reads && !among(&["into"])
}

/// Where in a text this byte stands, from 1.
pub(super) fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let before = &text.as_bytes()[..at.min(text.len())];
    let begin = memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
    let line = memchr::memchr_iter(b'\n', before).count() + 1;
    let column = String::from_utf8_lossy(&before[begin..]).chars().count() + 1;
    (line, column)
}

impl FromStr for Statement {
    type Err = StatementError;

    fn from_str(text: &str) -> Result<Self, StatementError> {
        let mut statement = Self {
            text: text.to_owned(),
            names: Vec::new(),
            marks: Vec::new(),
            reads: false,
        };
        let error = |at, cause| {
            let (line, column) = line_and_column(text, at);
            StatementError {
                line,
                column,
                cause,
            }
        };
        let mut scan = Scan { text, at: 0 };
        let (mut any, mut ended) = (false, false);
        loop {
            let found = scan.next().map_err(|(at, cause)| error(at, cause))?;
            match found {
                Found::End => break,
                Found::Space => {}
                Found::Semicolon if any && !ended => {
                    ended = true;
                    statement.text.truncate(scan.at - 1);
                }
                Found::Semicolon => {}
                Found::Other(at) | Found::Parameter(at, _) if ended => {
                    return Err(error(
                        at,
                        "a second statement begins here; one is executed for each input (put the others into a --setup \
                         file)",
                    ));
                }
                Found::Other(at) => {
                    if !any {
                        let is = |known: &&str| text[at..scan.at].eq_ignore_ascii_case(known);
                        if let Some((_, cause)) =
                            REFUSED.iter().find(|(words, _)| words.iter().any(is))
                        {
                            return Err(error(at, cause));
                        }
                    }
                    any = true;
                }
                Found::Parameter(start, end) => {
                    any = true;
                    statement.mark(start, end);
                }
            }
        }
        if any {
            statement.reads = reads(&statement.words());
            Ok(statement)
        } else {
            Err(error(0, "there is no statement"))
        }
    }
}

impl Statement {
    fn mark(&mut self, start: usize, end: usize) {
        let name = &self.text[start + 1..end];
        let known = self.names.iter().position(|known| known == name);
        let place = known.unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.names.len() - 1
        });
        self.marks.push((start, end, place));
    }
}

/// What the scan comes upon.
enum Found {
    Space,
    Semicolon,
    /// From its colon to behind its name.
    Parameter(usize, usize),
    /// Anything else that belongs to a statement, and where.
    Other(usize),
    End,
}

struct Scan<'a> {
    text: &'a str,
    at: usize,
}

impl Scan<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn next(&mut self) -> Result<Found, (usize, &'static str)> {
        let start = self.at;
        let rest = self.rest();
        let Some(first) = rest.chars().next() else {
            return Ok(Found::End);
        };
        match first {
            c if c.is_whitespace() => self.at += c.len_utf8(),
            '-' if rest.starts_with("--") => {
                self.at += rest.find('\n').unwrap_or(rest.len());
            }
            '/' if rest.starts_with("/*") => {
                let end = rest.find("*/");
                let end = end.ok_or((start, "this comment is never closed"))?;
                self.at += end + 2;
            }
            ';' => {
                self.at += 1;
                return Ok(Found::Semicolon);
            }
            ':' if rest.starts_with("::") => {
                self.at += 2;
                return Ok(Found::Other(start));
            }
            ':' => {
                let name = name_length(&rest[1..]);
                self.at += 1 + name;
                return Ok(match name {
                    0 => Found::Other(start),
                    _ => Found::Parameter(start, self.at),
                });
            }
            quote @ ('\'' | '"' | '`') => {
                let end = rest[1..].find(quote);
                let end = end.ok_or((start, "this quote is never closed"))?;
                self.at += end + 2;
                return Ok(Found::Other(start));
            }
            '$' => {
                self.dollar(start)?;
                return Ok(Found::Other(start));
            }
            c if is_name(c) => {
                // Names and numbers as a whole, so that a dollar in one opens nothing.
                let others = |c: char| !is_name(c) && c != '$';
                self.at += rest.find(others).unwrap_or(rest.len());
                return Ok(Found::Other(start));
            }
            c => {
                self.at += c.len_utf8();
                return Ok(Found::Other(start));
            }
        }
        Ok(Found::Space)
    }

    /// PostgreSQL's `$tag$ … $tag$`; a dollar that opens none is passed over.
    fn dollar(&mut self, start: usize) -> Result<(), (usize, &'static str)> {
        let rest = self.rest();
        let tag = name_length(&rest[1..]);
        if !rest[1 + tag..].starts_with('$') {
            self.at += 1;
            return Ok(());
        }
        let (tag, body) = rest.split_at(tag + 2);
        let end = body
            .find(tag)
            .ok_or((start, "this dollar quote is never closed"))?;
        self.at += 2 * tag.len() + end;
        Ok(())
    }
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// How long the name at the beginning is; it does not begin with a digit.
fn name_length(text: &str) -> usize {
    if text.starts_with(|c: char| c.is_numeric()) {
        return 0;
    }
    text.find(|c| !is_name(c)).unwrap_or(text.len())
}

impl fmt::Display for StatementError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            line,
            column,
            cause,
        } = self;
        write!(f, "line {line}, character {column}: {cause}")
    }
}

impl Error for StatementError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_found_and_nothing_else() {
        for (text, numbered, names) in [
            ("select 1", "select 1", &[][..]),
            ("select :a", "select ?1", &["a"]),
            ("values (:a, :b, :a)", "values (?1, ?2, ?1)", &["a", "b"]),
            ("select :a::int", "select ?1::int", &["a"]),
            ("select x[1:2]", "select x[1:2]", &[]),
            (
                "select ':a', \":b\", `:c`",
                "select ':a', \":b\", `:c`",
                &[],
            ),
            ("select 'it''s :a', :b", "select 'it''s :a', ?1", &["b"]),
            ("select 1 -- :a\n, :b", "select 1 -- :a\n, ?1", &["b"]),
            ("select /* :a ' */ :b;", "select /* :a ' */ ?1", &["b"]),
            (
                "select $$:a$$, $q$ :b $$ $q$, :c",
                "select $$:a$$, $q$ :b $$ $q$, ?1",
                &["c"],
            ),
            ("select a$b$ :c", "select a$b$ ?1", &["c"]),
            ("select :größe_2, : a", "select ?1, : a", &["größe_2"]),
            ("select 1 ; -- done\n ;", "select 1 ", &[]),
        ] {
            let statement: Statement = text.parse().unwrap();
            assert_eq!(statement.numbered('?'), numbered);
            assert_eq!(statement.names(), names, "{text}");
        }
    }

    #[test]
    fn words_are_names_and_not_values() {
        let statement: Statement =
            "insert into Main.\"Users\"(Name, x) values (:y, 'z', 'a' || w) -- v"
                .parse()
                .unwrap();
        let words = statement.words();
        let names: Vec<&str> = words.iter().map(|(name, _)| &**name).collect();
        assert_eq!(
            names,
            [
                "insert", "into", "main", "Users", "name", "x", "values", "w"
            ]
        );
        let qualifiers = words.iter().filter(|(_, qualifies)| *qualifies);
        assert_eq!(
            qualifiers.map(|(name, _)| &**name).collect::<Vec<_>>(),
            ["main"]
        );
    }

    #[test]
    fn words_are_found_wherever_they_hide() {
        for (text, qualifiers) in [
            ("public . t", &["public"][..]),
            ("public /* . */\n.t, :a.b, x 'y'.z", &["public"]),
            ("nextval('public.s'), 'it''s $a$'", &["public"]),
            ("do $a$ it's 'main.t' $$ x.y $$ $a$, $1", &["main", "x"]),
        ] {
            let words = all_words(text);
            let found = words.iter().filter(|(_, qualifies)| *qualifies);
            let found: Vec<&str> = found.map(|(word, _)| &**word).collect();
            assert_eq!(found, qualifiers, "{text}");
        }
    }

    #[test]
    fn what_reads_is_known_by_its_words() {
        for (text, reads, locks) in [
            ("select a from t", true, false),
            ("select a from t for no key update", true, true),
            ("select substring(a for 3) from t", true, false),
            ("select a into b from t", false, false),
            ("with b as (select 1) select * from b", true, false),
            ("with b as (delete from t) select 1", false, false),
            ("insert into t select 1", false, false),
            ("(select 1)", true, false),
        ] {
            let statement: Statement = text.parse().unwrap();
            assert_eq!(
                (statement.reads(), statement.locks()),
                (reads, locks),
                "{text}"
            );
        }
    }

    #[test]
    fn errors_say_where_they_are() {
        for (text, error) in [
            ("", "line 1, character 1: there is no statement"),
            (" -- a\n;", "line 1, character 1: there is no statement"),
            (
                "select 'a",
                "line 1, character 8: this quote is never closed",
            ),
            (
                "select\n  /* a",
                "line 2, character 3: this comment is never closed",
            ),
            (
                "select $a$ $b$",
                "line 1, character 8: this dollar quote is never closed",
            ),
            (
                "select 1;\nselect 2",
                "line 2, character 1: a second statement begins here",
            ),
            (
                "attach 'x' as y",
                "line 1, character 1: what is attached is so for one connection",
            ),
            (
                " -- now\nCommit",
                "line 2, character 1: a transaction begins and ends for each input by itself",
            ),
        ] {
            let found = text.parse::<Statement>().unwrap_err().to_string();
            assert!(found.starts_with(error), "{text}: {found}");
        }
    }

    #[test]
    fn places_are_those_of_the_text_as_written() {
        let statement: Statement = "select :first,\n  :second, wrong".parse().unwrap();
        let numbered = statement.numbered('?');
        for word in ["select", "wrong"] {
            let at = numbered.find(word).unwrap();
            let (line, column) = statement.place(at);
            let written = statement.text().lines().nth(line - 1).unwrap();
            assert!(
                written[column - 1..].starts_with(word),
                "{word}: {line} {column}"
            );
        }
    }
}
