//! Parses a search. An invalid text gives an error with its position.

use wilco_ledger::State;

use super::{Relation, Search, Term};
use crate::api::{DesiredState, Presence, SearchPartKind, excerpt};

/// Parentheses in parentheses, at most.
const DEPTH: usize = 32;
/// The units of time and their lengths in milliseconds, the longest first.
pub(super) const DURATIONS: [(&str, u64); 5] =
    [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// The signs before a value, each before those that it begins with.
pub(super) const SIGNS: [(&str, Relation); 5] = [
    ("<=", Relation::AtMost),
    (">=", Relation::AtLeast),
    ("<", Relation::Below),
    (">", Relation::Above),
    ("=", Relation::Is),
];

/// Why a search cannot be understood; the places are in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ParseError {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) message: String,
    pub(super) hint: String,
}

/// The parts of the text, with their positions in bytes.
pub(super) type Part = (SearchPartKind, usize, usize);

/// Parses a search, and returns its parts as far as it is valid.
pub(super) fn parse(text: &str) -> (Result<Search, ParseError>, Vec<Part>) {
    let mut parser = Parser { text, at: 0, depth: 0, parts: Vec::new() };
    let search = parser.any().and_then(|search| match parser.rest().is_empty() {
        true => Ok(search),
        // Only a parenthesis ends a search before its end.
        false => {
            let at = parser.at;
            Err(misread(
                (at, at + 1),
                "this closing parenthesis has no opening one.",
                "Remove it, or put the text in quotes.",
            ))
        }
    });
    (search, parser.parts)
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    parts: Vec<Part>,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn skip_space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    /// Alternatives, up to the end or a closing parenthesis.
    fn any(&mut self) -> Result<Search, ParseError> {
        let mut some = vec![self.every()?];
        while let Some(length) = self.or() {
            let or = (self.at, self.at + length);
            self.parts.push((SearchPartKind::Operator, or.0, or.1));
            self.at = or.1;
            let next = self.every()?;
            if is_empty(&next) || some.last().is_some_and(is_empty) {
                let hint = "Write a condition on both sides, or put 'or' in quotes to search for that text.";
                return Err(misread(or, "'or' needs a condition on both sides.", hint));
            }
            some.push(next);
        }
        Ok(if some.len() == 1 { some.remove(0) } else { Search::Any(some) })
    }

    /// Conditions that must all be met.
    fn every(&mut self) -> Result<Search, ParseError> {
        let mut all = Vec::new();
        loop {
            self.skip_space();
            if self.rest().is_empty() || self.rest().starts_with(')') || self.or().is_some() {
                break;
            }
            all.push(self.one()?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Search::Every(all) })
    }

    /// The length of an `or` at this position.
    fn or(&self) -> Option<usize> {
        let word = &self.rest()[..self.bare(self.at) - self.at];
        word.eq_ignore_ascii_case("or").then_some(word.len())
    }

    fn one(&mut self) -> Result<Search, ParseError> {
        let start = self.at;
        if let Some(negated) = self.rest().strip_prefix('-')
            && (negated.starts_with(['(', '"']) || self.name(start + 1).is_some())
        {
            self.at += 1;
            let search = self.positive(start)?;
            return Ok(Search::Not(Box::new(search)));
        }
        self.positive(start)
    }

    fn positive(&mut self, start: usize) -> Result<Search, ParseError> {
        if self.rest().starts_with('(') {
            return self.parenthesis();
        }
        let (kind, term) = if self.rest().starts_with('"') {
            (SearchPartKind::Word, Term::Word(self.quoted()?.to_lowercase()))
        } else if let Some(colon) = self.name(self.at) {
            (SearchPartKind::Field, self.field(colon)?)
        } else {
            let end = self.bare(self.at);
            let word = &self.text[self.at..end];
            self.unknown_field(word)?;
            self.at = end;
            (SearchPartKind::Word, Term::Word(word.to_lowercase()))
        };
        self.parts.push((kind, start, self.at));
        Ok(Search::Term(term))
    }

    fn parenthesis(&mut self) -> Result<Search, ParseError> {
        let open = (self.at, self.at + 1);
        if self.depth == DEPTH {
            return Err(misread(open, "too many parentheses are open.", "Use fewer."));
        }
        self.parts.push((SearchPartKind::Operator, open.0, open.1));
        self.at += 1;
        self.depth += 1;
        let search = self.any()?;
        self.depth -= 1;
        if !self.rest().starts_with(')') {
            return Err(misread(open, "this parenthesis is not closed.", "Add ) where it ends."));
        }
        if is_empty(&search) {
            return Err(misread((open.0, self.at + 1), "the parentheses are empty.", "Remove them."));
        }
        self.parts.push((SearchPartKind::Operator, self.at, self.at + 1));
        self.at += 1;
        Ok(search)
    }

    /// The end of a bare word at this position.
    fn bare(&self, from: usize) -> usize {
        let rest = &self.text[from..];
        let ends = |char: char| char.is_whitespace() || (char == ')' && self.depth > 0);
        from + rest.find(ends).unwrap_or(rest.len())
    }

    /// A quoted text at this position.
    fn quoted(&mut self) -> Result<String, ParseError> {
        let start = self.at;
        let mut text = String::new();
        let mut chars = self.rest().char_indices().skip(1);
        while let Some((place, char)) = chars.next() {
            match char {
                '"' => {
                    self.at = start + place + 1;
                    return Ok(text);
                }
                '\\' => text.extend(chars.next().map(|(_, escaped)| escaped)),
                _ => text.push(char),
            }
        }
        Err(misread((start, self.text.len()), "this quote is not closed.", "Add \" where the text ends."))
    }

    /// The position of the colon of a field that starts here.
    fn name(&self, from: usize) -> Option<usize> {
        let rest = &self.text[from..];
        if let Some((prefix, key)) = rest.split_once('.')
            && ["config", "telemetry"].iter().any(|name| prefix.eq_ignore_ascii_case(name))
            && key.starts_with('"')
        {
            let mut parser = Parser { text: self.text, at: from + prefix.len() + 1, depth: 0, parts: Vec::new() };
            parser.quoted().ok()?;
            return parser.rest().starts_with(':').then_some(parser.at);
        }
        let word = &self.text[from..self.bare(from)];
        let (name, _) = word.split_once(':')?;
        let lower = name.to_ascii_lowercase();
        let has_key = lower.starts_with("config.") || lower.starts_with("telemetry.");
        (has_key || FIELDS.iter().any(|(field, _)| *field == lower)).then_some(from + name.len())
    }

    /// Refuses a word that looks like an unknown field.
    fn unknown_field(&self, word: &str) -> Result<(), ParseError> {
        let Some((name, _)) = word.split_once(':') else { return Ok(()) };
        // Ids have colons in them, too.
        let is_name = name.len() > 2 && name.bytes().all(|byte| byte.is_ascii_alphabetic() || b"._".contains(&byte));
        if !is_name {
            return Ok(());
        }
        let place = (self.at, self.at + name.len() + 1);
        Err(misread(
            place,
            format!("there is no field '{}'.", excerpt(name)),
            format!("{} To search for it in device IDs, put it in quotes.", fields()),
        ))
    }

    fn field(&mut self, colon: usize) -> Result<Term, ParseError> {
        let start = self.at;
        let name = &self.text[start..colon];
        self.at = colon + 1;
        let sign = SIGNS.into_iter().find(|(sign, _)| self.rest().starts_with(sign));
        self.at += sign.map_or(0, |(sign, _)| sign.len());
        let is_quoted = self.rest().starts_with('"');
        let value = if is_quoted {
            self.quoted()?
        } else {
            let end = self.bare(self.at);
            let value = self.text[self.at..end].to_owned();
            self.at = end;
            value
        };
        let relation = sign.map_or(Relation::Begins, |(_, relation)| relation);
        let is_any = value == "*" && !is_quoted && sign.is_none();
        let is_missing = value.is_empty() && !is_quoted;
        let field = Field { place: (start, self.at), name: name.to_owned(), value, relation, is_any, is_missing };
        if field.value.starts_with('(') && !is_quoted {
            return Err(field.wrong(
                "a field has one value, without parentheses.",
                "Repeat the field: tag:a or tag:b. Put a value that begins with a parenthesis in quotes.",
            ));
        }
        let lower = name.to_ascii_lowercase();
        match lower.split_once('.') {
            Some(("config", _)) => field.config(key(&name["config.".len()..])),
            Some(("telemetry", _)) => field.measured(key(&name["telemetry.".len()..])),
            _ => match lower.as_str() {
                "is" => field.presence(),
                "led" => field.led(),
                "state" => field.state(),
                "desired" => field.desired(),
                "firmware" => field.firmware(),
                "name" => field.device_name(),
                "seen" => field.ago("seen").map(Term::Seen),
                "restarted" => field.ago("restarted").map(Term::Restarted),
                _ => field.tag(),
            },
        }
    }
}

/// A key of the configuration or a series, which may be in quotes.
pub(super) fn key(text: &str) -> String {
    let mut parser = Parser { text, at: 0, depth: 0, parts: Vec::new() };
    if text.starts_with('"') { parser.quoted().unwrap_or_default() } else { text.to_owned() }
}

/// The fields that there are, and what each means.
pub(super) const FIELDS: [(&str, &str); 9] = [
    ("tag", "Tag"),
    ("name", "Name"),
    ("is", "Presence: online, offline, unknown; or disagrees with its answer"),
    ("state", "State of the last command"),
    ("firmware", "Firmware version: 2.1, <2.1, >=2.1-rc1; a pre-release comes before its release"),
    ("led", "LED: on, off, unknown"),
    ("seen", "Last seen: <10m, >1h"),
    ("restarted", "Last restart: <1h, >7d"),
    ("desired", "Desired configuration: as_wanted, differs, unknown"),
];
/// Presence, or a disagreement between answer and report.
pub(super) const IS: [&str; 4] = ["online", "offline", "unknown", "disagrees"];
pub(super) const DESIRED: [&str; 3] = ["as_wanted", "differs", "unknown"];
pub(super) const LEDS: [&str; 3] = ["on", "off", "unknown"];

fn fields() -> String {
    let names: Vec<_> = FIELDS.iter().map(|(name, _)| format!("{name}:")).collect();
    format!("Fields: {}, config.KEY: and telemetry.SERIES:.", names.join(", "))
}

/// A field as it was read.
struct Field {
    place: (usize, usize),
    /// As it was typed, with its key.
    name: String,
    value: String,
    relation: Relation,
    is_any: bool,
    /// Nothing follows the colon, not even an empty text in quotes.
    is_missing: bool,
}

impl Field {
    fn wrong(&self, message: impl Into<String>, hint: impl Into<String>) -> ParseError {
        misread(self.place, message, hint)
    }

    fn no_value(&self, hint: &str) -> ParseError {
        self.wrong(format!("{}: has no value.", excerpt(&self.name)), hint)
    }

    /// One of several values, without an operator.
    fn one_of(&self, name: &str, values: &[&str]) -> Result<usize, ParseError> {
        let value = self.value.to_lowercase().replace([' ', '-'], "_");
        let place = values.iter().position(|known| *known == value && self.relation == Relation::Begins);
        place.ok_or_else(|| {
            let listed: Vec<_> = values.iter().map(|value| format!("{name}:{value}")).collect();
            let message = match self.value.as_str() {
                "" => format!("{name}: has no value."),
                value => format!("`{name}:` has no value `{}`.", excerpt(value)),
            };
            self.wrong(message, format!("Possible values: {}.", listed.join(", ")))
        })
    }

    fn presence(&self) -> Result<Term, ParseError> {
        let presences = [Presence::Online, Presence::Offline, Presence::Unknown].map(Term::Presence);
        let terms = presences.into_iter().chain([Term::Disagrees]).collect::<Vec<_>>();
        Ok(terms[self.one_of("is", &IS)?].clone())
    }

    fn led(&self) -> Result<Term, ParseError> {
        Ok(Term::Led([Some(true), Some(false), None][self.one_of("led", &LEDS)?]))
    }

    fn state(&self) -> Result<Term, ParseError> {
        if self.is_any {
            return Ok(Term::State(None));
        }
        Ok(Term::State(Some(State::ALL[self.one_of("state", &State::ALL.map(State::as_str))?])))
    }

    fn desired(&self) -> Result<Term, ParseError> {
        if self.is_any {
            return Ok(Term::Desired(None));
        }
        let states = [DesiredState::AsWanted, DesiredState::Differs, DesiredState::Unknown];
        Ok(Term::Desired(Some(states[self.one_of("desired", &DESIRED)?])))
    }

    fn tag(self) -> Result<Term, ParseError> {
        if self.is_any {
            return Ok(Term::Tag(None));
        }
        if self.relation != Relation::Begins {
            return Err(self.wrong("tags cannot be compared.", "Write the tag directly after the colon."));
        }
        if self.value.is_empty() {
            return Err(self.wrong("tag: has no value.", "Write a tag after the colon, or * for any."));
        }
        Ok(Term::Tag(Some(self.value)))
    }

    fn device_name(self) -> Result<Term, ParseError> {
        if self.is_any {
            return Ok(Term::Name(None));
        }
        if self.relation != Relation::Begins {
            return Err(self.wrong("names have no order.", "Write a part of the name right after the colon."));
        }
        if self.value.is_empty() {
            return Err(self.wrong("name: has no value.", "Write a part of the name after the colon, or * for any."));
        }
        Ok(Term::Name(Some(self.value.to_lowercase())))
    }

    fn firmware(self) -> Result<Term, ParseError> {
        if self.is_any {
            return Ok(Term::Firmware(None));
        }
        if self.value.is_empty() {
            let hint = "Write a version after it: firmware:2.3, firmware:<2.1; or * for any.";
            return Err(self.wrong("firmware: has no version.", hint));
        }
        Ok(Term::Firmware(Some((self.relation, self.value))))
    }

    /// A time ago, milliseconds; `None` for any time.
    fn ago(&self, name: &str) -> Result<Option<(Relation, u64)>, ParseError> {
        if self.is_any {
            return Ok(None);
        }
        let hint = format!("Write how long ago, with s, m, h or d: {name}:<10m, {name}:>1h; or * for any time.");
        let digits = self.value.find(|char: char| !char.is_ascii_digit()).unwrap_or(self.value.len());
        let (count, unit) = self.value.split_at(digits);
        let length = DURATIONS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit)).map(|(_, length)| *length);
        let ago = count.parse::<u64>().ok().zip(length).and_then(|(count, length)| count.checked_mul(length));
        let Some(ago) = ago else {
            return Err(self.wrong(format!("'{}' is not a duration.", excerpt(&self.value)), hint));
        };
        // Without a sign it is about what happened within that time.
        let relation = if self.relation == Relation::Begins { Relation::Below } else { self.relation };
        Ok(Some((relation, ago)))
    }

    /// Without an operator, the value itself.
    fn relation(&self) -> Relation {
        if self.relation == Relation::Begins { Relation::Is } else { self.relation }
    }

    fn config(self, key: String) -> Result<Term, ParseError> {
        if key.is_empty() {
            let hint = "Write a key of the running configuration: config.report_interval_s:>30.";
            return Err(self.wrong("config. has no key.", hint));
        }
        if self.is_any {
            return Ok(Term::Config(key, None));
        }
        if self.is_missing {
            return Err(
                self.no_value("Write a value after it, such as 30 or >30; * for any, or \"\" for an empty text.")
            );
        }
        let relation = self.relation();
        Ok(Term::Config(key, Some((relation, self.value))))
    }

    fn measured(self, series: String) -> Result<Term, ParseError> {
        if series.is_empty() {
            let hint = "Write the name of a measurement: telemetry.temperature:>8.";
            return Err(self.wrong("telemetry. has no series.", hint));
        }
        if self.is_any {
            return Ok(Term::Measured(series, None));
        }
        if self.is_missing {
            return Err(self.no_value("Write a number after it, such as 8 or >8; or * for any."));
        }
        match self.value.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(Term::Measured(series, Some((self.relation(), value)))),
            _ => Err(self.wrong(
                format!("'{}' is not a number.", excerpt(&self.value)),
                "Measurements are compared with numbers: telemetry.temperature:>8; or * for any.",
            )),
        }
    }
}

fn is_empty(search: &Search) -> bool {
    matches!(search, Search::Every(all) if all.is_empty())
}

fn misread((from, to): (usize, usize), message: impl Into<String>, hint: impl Into<String>) -> ParseError {
    ParseError { from, to, message: message.into(), hint: hint.into() }
}
