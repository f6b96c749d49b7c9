//! The words of a predicate.

use super::term::{Literal, Operator, PredicateError};
use crate::columns::instant::Instant;

/// A word and where it begins, in bytes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) at: usize,
    pub(super) word: Word,
}

/// What a word is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Word {
    /// A column, or `and`, `is`, `not`, `null`, `true`, `false`.
    Name(String),
    /// A column in backquotes, whatever it is called.
    Quoted(String),
    Operator(Operator),
    Literal(Literal),
    End,
}

/// All words of a text, the last of which is [`Word::End`].
pub(super) fn words(text: &str) -> Result<Vec<Token>, PredicateError> {
    let mut lexer = Lexer { text, at: 0 };
    let mut tokens = Vec::new();
    loop {
        let token = lexer.next()?;
        let ended = token.word == Word::End;
        tokens.push(token);
        if ended {
            return Ok(tokens);
        }
    }
}

/// An error at this byte of a text.
pub(super) fn error(text: &str, at: usize, cause: impl Into<String>) -> PredicateError {
    PredicateError {
        text: text.to_owned(),
        place: text[..at].chars().count() + 1,
        cause: cause.into(),
    }
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl Lexer<'_> {
    fn next(&mut self) -> Result<Token, PredicateError> {
        self.skip(char::is_whitespace);
        let at = self.at;
        let word = match self.rest().chars().next() {
            None => Word::End,
            Some(quote @ ('"' | '\'')) => Word::Literal(Literal::Text(self.quoted(quote)?)),
            Some('`') => Word::Quoted(self.quoted('`')?),
            Some(c) if c.is_alphabetic() || c == '_' => {
                self.skip(|c| c.is_alphanumeric() || c == '_' || c == '.');
                Word::Name(self.text[at..self.at].to_owned())
            }
            Some(c) if c.is_ascii_digit() || "+-.".contains(c) => Word::Literal(self.number()?),
            Some(c) => self.operator(c)?,
        };
        Ok(Token { at, word })
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn skip(&mut self, belongs: impl Fn(char) -> bool) {
        let rest = self.rest();
        let end = rest.find(|c| !belongs(c)).unwrap_or(rest.len());
        self.at += end;
    }

    /// What stands in quotes; the quote itself is written twice in it.
    fn quoted(&mut self, quote: char) -> Result<String, PredicateError> {
        let began = self.at;
        let mut text = String::new();
        self.at += 1;
        loop {
            let Some(end) = self.rest().find(quote) else {
                let cause = format!("this {quote} is never closed");
                return Err(error(self.text, began, cause));
            };
            text.push_str(&self.rest()[..end]);
            self.at += end + 1;
            if !self.rest().starts_with(quote) {
                return Ok(text);
            }
            text.push(quote);
            self.at += 1;
        }
    }

    /// A number, a date or a point in time: they begin alike.
    fn number(&mut self) -> Result<Literal, PredicateError> {
        let began = self.at;
        self.skip(|c| c.is_alphanumeric() || "+-.:_".contains(c));
        let text = &self.text[began..self.at];
        if let Some(instant) = Instant::parse(text.as_bytes()) {
            return Ok(Literal::Instant(instant));
        }
        if let Ok(integer) = text.parse() {
            return Ok(Literal::Integer(integer));
        }
        match text.parse::<f64>() {
            Ok(float) if float.is_finite() => Ok(Literal::Float(float)),
            _ => {
                let cause = format!(
                    "`{text}` is no number, and no date such as 2026-01-31; texts stand in quotes"
                );
                Err(error(self.text, began, cause))
            }
        }
    }

    fn operator(&mut self, first: char) -> Result<Word, PredicateError> {
        let found = [
            ("==", Operator::Equal),
            ("!=", Operator::Unequal),
            ("<=", Operator::LessOrEqual),
            (">=", Operator::GreaterOrEqual),
            ("<>", Operator::Unequal),
            ("=", Operator::Equal),
            ("<", Operator::Less),
            (">", Operator::Greater),
        ]
        .into_iter()
        .find(|(sign, _)| self.rest().starts_with(sign));
        let Some((sign, operator)) = found else {
            let cause = match first {
                '(' | ')' => "there are no brackets here: conditions are joined by `and` alone",
                '&' => "conditions are joined by the word `and`",
                '|' => "there is no `or`: conditions are joined by `and`",
                _ => "this sign means nothing here",
            };
            return Err(error(self.text, self.at, cause));
        };
        self.at += sign.len();
        Ok(Word::Operator(operator))
    }
}
