//! Reads a predicate: conditions joined by `and`.

use std::str::FromStr;

use super::{
    lexer::{Token, Word, error, words},
    term::{Condition, Literal, Predicate, PredicateError, Term},
};

impl FromStr for Predicate {
    type Err = PredicateError;

    fn from_str(text: &str) -> Result<Self, PredicateError> {
        parse(text)
    }
}

/// The conditions of a text.
fn parse(text: &str) -> Result<Predicate, PredicateError> {
    let mut parser = Parser {
        text,
        words: words(text)?,
        next: 0,
    };
    let mut terms = vec![parser.term()?];
    while !parser.is_at_end() {
        parser.expect_name("and", "`and` before a further condition")?;
        terms.push(parser.term()?);
    }
    Ok(Predicate { terms })
}

struct Parser<'a> {
    text: &'a str,
    words: Vec<Token>,
    next: usize,
}

impl Parser<'_> {
    fn term(&mut self) -> Result<Term, PredicateError> {
        let column = self.column()?;
        let condition = if self.take_name("is") {
            let missing = !self.take_name("not");
            self.expect_name("null", "`null`, as in `is null` or `is not null`")?;
            Condition::Missing(missing)
        } else {
            self.comparison()?
        };
        Ok(Term { column, condition })
    }

    fn column(&mut self) -> Result<String, PredicateError> {
        let name = match &self.peek().word {
            Word::Name(name) if !is_reserved(name) => name.clone(),
            Word::Quoted(name) => name.clone(),
            Word::Literal(_) => {
                return Err(self.error("a condition begins with a column, such as `x > 50`"));
            }
            _ => return Err(self.error("a column is expected here, such as x in `x > 50`")),
        };
        self.next += 1;
        Ok(name)
    }

    fn comparison(&mut self) -> Result<Condition, PredicateError> {
        let Word::Operator(operator) = self.peek().word else {
            return Err(
                self.error("one of == != < <= > >=, `is null` or `is not null` is expected here")
            );
        };
        self.next += 1;
        let literal = match &self.peek().word {
            Word::Literal(literal) => literal.clone(),
            Word::Name(name) if is(name, "true") => Literal::Boolean(true),
            Word::Name(name) if is(name, "false") => Literal::Boolean(false),
            Word::Name(name) if is(name, "null") => {
                return Err(self.error("nothing compares with null: write `is null`"));
            }
            Word::Name(_) | Word::Quoted(_) => {
                return Err(self.error(
                    "a value is expected here; texts stand in quotes, and columns are not compared with each other",
                ));
            }
            _ => return Err(self.error("a value is expected here, such as 50 or \"a\"")),
        };
        self.next += 1;
        Ok(Condition::Compare(operator, literal))
    }

    fn peek(&self) -> &Token {
        &self.words[self.next]
    }

    fn is_at_end(&self) -> bool {
        self.peek().word == Word::End
    }

    fn take_name(&mut self, name: &str) -> bool {
        let found = matches!(&self.peek().word, Word::Name(found) if is(found, name));
        self.next += usize::from(found);
        found
    }

    fn expect_name(&mut self, name: &str, expected: &str) -> Result<(), PredicateError> {
        match self.take_name(name) {
            true => Ok(()),
            false => Err(self.error(format!("{expected} is expected here"))),
        }
    }

    fn error(&self, cause: impl Into<String>) -> PredicateError {
        error(self.text, self.peek().at, cause)
    }
}

fn is(found: &str, name: &str) -> bool {
    found.eq_ignore_ascii_case(name)
}

/// A column of such a name is written in backquotes.
fn is_reserved(name: &str) -> bool {
    ["and", "or", "is", "not", "null"]
        .iter()
        .any(|reserved| is(name, reserved))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::columns::predicate::term::Operator;

    fn terms(text: &str) -> Vec<Term> {
        parse(text).unwrap().terms
    }

    #[test]
    fn conditions_read_as_people_write_them() {
        let term = |column: &str, operator, literal| Term {
            column: column.to_owned(),
            condition: Condition::Compare(operator, literal),
        };
        let text = |text: &str| Literal::Text(text.to_owned());
        for (written, read) in [
            ("x > 50", term("x", Operator::Greater, Literal::Integer(50))),
            (
                "x>=-5",
                term("x", Operator::GreaterOrEqual, Literal::Integer(-5)),
            ),
            ("x<2.5e1", term("x", Operator::Less, Literal::Float(25.0))),
            ("x = .5", term("x", Operator::Equal, Literal::Float(0.5))),
            ("kind == \"a\"", term("kind", Operator::Equal, text("a"))),
            (
                "kind != 'it''s'",
                term("kind", Operator::Unequal, text("it's")),
            ),
            (
                "`my and` <= 'x y'",
                term("my and", Operator::LessOrEqual, text("x y")),
            ),
            (
                "ok == TRUE",
                term("ok", Operator::Equal, Literal::Boolean(true)),
            ),
            ("größe == 'ä'", term("größe", Operator::Equal, text("ä"))),
        ] {
            assert_eq!(terms(written), [read], "{written}");
        }
        let many =
            terms("a is null AND b Is Not Null and c < 2026-01-31 and d >= 2026-01-31T12:00:00Z");
        assert_eq!(many.len(), 4);
        assert_eq!(many[0].condition, Condition::Missing(true));
        assert_eq!(many[1].condition, Condition::Missing(false));
        for term in &many[2..] {
            assert!(matches!(
                term.condition,
                Condition::Compare(_, Literal::Instant(_))
            ));
        }
    }

    #[test]
    fn errors_say_where_they_are() {
        for (written, place, cause) in [
            ("", 1, "a column is expected"),
            ("x", 2, "one of =="),
            ("x >", 4, "a value is expected"),
            ("x > y", 5, "texts stand in quotes"),
            ("x > 5 y < 3", 7, "`and` before"),
            ("x > 5 and", 10, "a column is expected"),
            ("x > 5 or y < 3", 7, "`and` before"),
            ("x > 5 && y < 3", 7, "the word `and`"),
            ("(x > 5)", 1, "no brackets"),
            ("x > 5a", 5, "`5a` is no number"),
            ("x > 1e999", 5, "is no number"),
            ("x > 2026-02-30", 5, "no date"),
            ("ä == 'a", 6, "never closed"),
            ("x == null", 6, "write `is null`"),
            ("x is 5", 6, "`null`"),
            ("5 > x", 1, "begins with a column"),
            ("x > 5 and ;", 11, "means nothing"),
        ] {
            let error = parse(written).unwrap_err();
            assert_eq!(error.place, place, "{written}: {error}");
            assert!(error.cause.contains(cause), "{written}: {error}");
        }
        let shown = parse("ä == 'a").unwrap_err().to_string();
        assert!(shown.ends_with("\n  ä == 'a\n       ^"), "{shown}");
    }
}
