//! Rules as text, as administrators write them.

use std::fmt;
use std::str::FromStr;

use super::attribute::Attribute;
use super::date::{DateExpression, DateSpec};
use super::rule::{AttributeExpression, BooleanOp, Comparison, ComparisonType, Expression, Rule};
use super::value::Interval;
use crate::{Error, Result};

const WOULD_DO: &str = "as in: not_defined pingd or pingd lte 0; #uname eq maitre; \
    date in_range 2026-01-01 to 2026-06-30; date-spec hours=8-17 weekdays=1-5; \
    resource ocf:heartbeat:IPaddr2; op monitor interval=10s; joined by and, or, ( and )";

/// Expressions nested deeper are not read.
const DEEPEST: usize = 32;

/// Reads an expression as crmsh and pcs write rules: `defined A`, `not_defined A`, `A lte 0` (or
/// `lt`, `gt`, `gte`, `eq`, `ne`; a type may come before the value), `date gt D`, `date lt D`,
/// `date in_range D to D`, `date-spec hours=8-17`, `resource ocf:heartbeat:IPaddr2`,
/// `op monitor interval=10s`; joined by `and`, `or` and parentheses. A text with blanks is quoted.
///
/// A whole number is compared as a number, unless a type is given.
///
/// # Example
/// ```
/// use ha_core::config::Expression;
/// let cut_off: Expression = "not_defined pingd or pingd lte 0".parse()?;
/// assert_eq!(cut_off, Expression::not_defined("pingd").or(Expression::at_most("pingd", 0)));
/// assert!("pingd is low".parse::<Expression>().is_err());
/// # Ok::<(), ha_core::Error>(())
/// ```
impl FromStr for Expression {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        parse(text).map_err(|error| error.with_hint(WOULD_DO))
    }
}

fn parse(text: &str) -> Result<Expression> {
    let mut parser = Parser {
        words: words(text)?,
        next: 0,
        depth: 0,
    };
    let expression = parser.any()?;
    match parser.take() {
        None => Ok(expression),
        Some(word) => Err(Error::invalid(format!("{word} is too much"))),
    }
}

#[derive(Clone, PartialEq)]
struct Word {
    text: String,
    quoted: bool,
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.text)
    }
}

fn words(text: &str) -> Result<Vec<Word>> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (word, quoted, after) = match first {
            '(' | ')' => (&rest[..1], false, &rest[1..]),
            '"' | '\'' => {
                let inside = &rest[1..];
                let end = inside
                    .find(first)
                    .ok_or_else(|| Error::invalid(format!("{rest:?} has no second {first}")))?;
                (&inside[..end], true, &inside[end + 1..])
            }
            _ => {
                let ends = |c: char| c.is_whitespace() || c == '(' || c == ')';
                let end = rest.find(ends).unwrap_or(rest.len());
                (&rest[..end], false, &rest[end..])
            }
        };
        words.push(Word {
            text: word.to_owned(),
            quoted,
        });
        rest = after.trim_start();
    }
    Ok(words)
}

struct Parser {
    words: Vec<Word>,
    next: usize,
    depth: usize,
}

impl Parser {
    fn take(&mut self) -> Option<Word> {
        let word = self.words.get(self.next).cloned();
        self.next += 1;
        word
    }

    fn is_next(&self, word: &str) -> bool {
        let next = self.words.get(self.next);
        next.is_some_and(|next| next.text == word && !next.quoted)
    }

    fn skip(&mut self, word: &str) -> bool {
        let is = self.is_next(word);
        self.next += usize::from(is);
        is
    }

    fn want(&mut self, what: &str) -> Result<String> {
        match self.take() {
            Some(word) => Ok(word.text),
            None => Err(Error::invalid(format!("{what} is missing at the end"))),
        }
    }

    fn any(&mut self) -> Result<Expression> {
        self.joined("or", BooleanOp::Or, Self::all)
    }

    fn all(&mut self) -> Result<Expression> {
        self.joined("and", BooleanOp::And, Self::single)
    }

    fn joined(
        &mut self,
        word: &str,
        op: BooleanOp,
        part: impl Fn(&mut Self) -> Result<Expression>,
    ) -> Result<Expression> {
        let mut expressions = vec![part(self)?];
        while self.skip(word) {
            expressions.push(part(self)?);
        }
        match expressions.pop() {
            Some(only) if expressions.is_empty() => Ok(only),
            last => {
                expressions.extend(last);
                Ok(Expression::Rule(Rule {
                    boolean_op: Some(op),
                    expressions,
                    ..Rule::default()
                }))
            }
        }
    }

    fn single(&mut self) -> Result<Expression> {
        if self.skip("(") {
            self.depth += 1;
            if self.depth > DEEPEST {
                return Err(Error::invalid("it is nested too deep"));
            }
            let inside = self.any()?;
            self.depth -= 1;
            return if self.skip(")") {
                Ok(inside)
            } else {
                Err(Error::invalid("a closing parenthesis is missing"))
            };
        }
        for (word, make) in [
            ("defined", Expression::defined as fn(&str) -> Expression),
            ("not_defined", Expression::not_defined),
        ] {
            if self.skip(word) {
                return Ok(make(&self.want("an attribute")?));
            }
        }
        if self.skip("date") {
            return self.date();
        }
        if self.skip("date-spec") {
            return self.date_spec();
        }
        if self.skip("resource") {
            return self.agent();
        }
        if self.skip("op") {
            let name = self.want("the name of an operation")?;
            let interval = self.settings()?;
            let interval: Option<Interval> = match &interval[..] {
                [] => None,
                [(name, value)] if name == "interval" => Some(value.parse()?),
                [(name, _), ..] => return Err(Error::invalid(format!("op knows no {name}"))),
            };
            return Ok(Expression::operation(&name, interval));
        }
        let attribute = self.want("an expression")?;
        if ["and", "or", ")"].contains(&&*attribute) {
            return Err(Error::invalid(format!(
                "an expression is missing before {attribute:?}"
            )));
        }
        self.comparison(&attribute)
    }

    fn comparison(&mut self, attribute: &str) -> Result<Expression> {
        let word = self.want("a comparison")?;
        let operation = Comparison::read(&word)
            .filter(|op| !matches!(op, Comparison::Defined | Comparison::NotDefined))
            .ok_or_else(|| Error::invalid(format!("{word:?} is no comparison")))?;
        let mut value = self.take();
        let mut comparison_type = value
            .as_ref()
            .filter(|word| !word.quoted && self.words.get(self.next).is_some_and(is_value))
            .and_then(|word| ComparisonType::read(&word.text));
        if comparison_type.is_some() {
            value = self.take();
        }
        let value = value.ok_or_else(|| Error::invalid("a value is missing at the end"))?;
        let number = !value.quoted && value.text.parse::<i64>().is_ok();
        if comparison_type.is_none() && number {
            comparison_type = Some(ComparisonType::Number);
        }
        Ok(AttributeExpression::with(attribute, operation, value.text, comparison_type).into())
    }

    fn date(&mut self) -> Result<Expression> {
        let word = self.want("gt, lt or in_range")?;
        let first = self.want("a date")?;
        match &*word {
            "gt" => Ok(Expression::after(&first)),
            "lt" => Ok(Expression::before(&first)),
            "in_range" => {
                if !self.skip("to") {
                    return Err(Error::invalid("\"to\" is missing after the first date"));
                }
                Ok(Expression::between(&first, &self.want("a date")?))
            }
            _ => Err(Error::invalid(format!("date knows no {word:?}"))),
        }
    }

    fn date_spec(&mut self) -> Result<Expression> {
        let mut spec = DateSpec::default();
        let settings = self.settings()?;
        if settings.is_empty() {
            return Err(Error::invalid(
                "date-spec needs something such as hours=8-17",
            ));
        }
        for (name, value) in settings {
            let (_, field) = spec
                .fields_mut()
                .into_iter()
                .find(|(known, _)| *known == name)
                .ok_or_else(|| Error::invalid(format!("date-spec knows no {name}")))?;
            *field = Some(value);
        }
        Ok(Expression::matches(spec))
    }

    fn agent(&mut self) -> Result<Expression> {
        let agent = self.want("an agent")?;
        let parts: Vec<&str> = agent.split(':').collect();
        let (standard, provider, kind) = match parts[..] {
            [standard, kind] => (standard, "", kind),
            [standard, provider, kind] => (standard, provider, kind),
            _ => {
                return Err(Error::invalid(format!(
                    "{agent:?} is not as in ocf:heartbeat:IPaddr2 or systemd:"
                )));
            }
        };
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let (standard, provider, kind) = (some(standard), some(provider), some(kind));
        Ok(Expression::agent(
            standard.as_deref(),
            provider.as_deref(),
            kind.as_deref(),
        ))
    }

    /// The words `name=value` that come next.
    fn settings(&mut self) -> Result<Vec<(String, String)>> {
        let mut settings = Vec::new();
        while let Some(word) = self.words.get(self.next)
            && is_value(word)
        {
            let (name, value) = word
                .text
                .split_once('=')
                .ok_or_else(|| Error::invalid(format!("{word} is not as in name=value")))?;
            settings.push((name.to_owned(), value.to_owned()));
            self.next += 1;
        }
        Ok(settings)
    }
}

/// Tells whether a word is not one that joins expressions.
fn is_value(word: &Word) -> bool {
    word.quoted || !["and", "or", "(", ")"].contains(&&*word.text)
}

/// The text that [`Expression::from_str`] reads, for what that text can say.
impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Attribute(expression) => expression.fmt(f),
            Self::Date(expression) => expression.fmt(f),
            Self::Resource(agent) => {
                let part = |part: &Option<String>| part.clone().unwrap_or_default();
                let (standard, kind) = (part(&agent.standard), part(&agent.kind));
                write!(f, "resource {standard}:{}:{kind}", part(&agent.provider))
            }
            Self::Operation(operation) => {
                write!(f, "op {}", quoted(&operation.name))?;
                match &operation.interval {
                    Some(interval) => write!(f, " interval={interval}"),
                    None => Ok(()),
                }
            }
            Self::Rule(rule) => write!(f, "({rule})"),
        }
    }
}

/// Its expressions; see [`Expression`].
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let op = self.boolean_op.unwrap_or(BooleanOp::And);
        for (i, expression) in self.expressions.iter().enumerate() {
            if i > 0 {
                write!(f, " {op} ")?;
            }
            expression.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for AttributeExpression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let attribute = quoted(&self.attribute);
        let Some(value) = &self.value else {
            return write!(f, "{} {attribute}", self.operation);
        };
        write!(f, "{attribute} {}", self.operation)?;
        let number = value.parse::<i64>().is_ok();
        match self.comparison_type {
            Some(ComparisonType::Number) if number => write!(f, " {value}"),
            Some(kind) => write!(f, " {kind} {}", quoted(value)),
            None if number => write!(f, " \"{value}\""),
            None => write!(f, " {}", quoted(value)),
        }
    }
}

impl fmt::Display for DateExpression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(spec) = &self.spec {
            f.write_str("date-spec")?;
            let mut spec = spec.clone();
            for (name, value) in spec.fields_mut() {
                if let Some(value) = value {
                    write!(f, " {name}={value}")?;
                }
            }
            return Ok(());
        }
        write!(f, "date {}", self.operation)?;
        if let Some(start) = &self.start {
            write!(f, " {}", quoted(start))?;
        }
        if let Some(end) = &self.end {
            let to = if self.start.is_some() { " to" } else { "" };
            write!(f, "{to} {}", quoted(end))?;
        }
        Ok(())
    }
}

/// Quotes what would not be read as one plain word.
fn quoted(text: &str) -> String {
    const MEANING: [&str; 8] = [
        "and",
        "or",
        "defined",
        "not_defined",
        "date",
        "date-spec",
        "resource",
        "op",
    ];
    let special = |c: char| c.is_whitespace() || "()\"'".contains(c);
    if !text.is_empty() && !text.contains(special) && !MEANING.contains(&text) {
        text.to_owned()
    } else if text.contains('"') {
        format!("'{text}'")
    } else {
        format!("\"{text}\"")
    }
}
