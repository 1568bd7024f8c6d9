//! Topics and texts with placeholders, for example `{base}/{device}/set`: filled in, and matched backwards.
//!
//! A place is a part of one topic level. `{rest...}` spans several levels, and so does `{device}` where a known device has
//! such a name; `{number#}` is digits. Reading backwards tries at most [`MOST_STEPS`] possibilities, whatever the pattern and the text.

use std::{borrow::Cow, cell::Cell, fmt};

use wilco_ledger::grouped;

/// The longest pattern, bytes.
pub(crate) const LONGEST: usize = 1_024;
/// The most places in one pattern.
const MOST_PLACES: usize = 16;
/// How many possibilities are tried when a text is read backwards.
const MOST_STEPS: u32 = 4_000;
/// The most levels that one place can span.
const MOST_LEVELS: usize = 16;

/// A text with places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    /// Literal text.
    Text(Box<str>),
    /// A placeholder: its name, and what it matches.
    Place(Box<str>, Span),
}

/// What may stand in a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Span {
    /// Part of a level.
    Part,
    /// Several levels.
    Levels,
    /// ASCII digits.
    Digits,
}

/// What a pattern reads: a topic and a command's name have levels, a text has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Topic,
    Text,
    /// A command name, ignoring case.
    AnyCase,
}

/// The known values for matching.
pub(crate) struct Known<'a, 's> {
    /// The value that a place must have.
    pub(crate) bound: &'a dyn Fn(&str) -> Option<Cow<'s, str>>,
    /// Whether a device is known by this name, which may have several levels.
    pub(crate) is_device: &'a dyn Fn(&str) -> bool,
}

/// The captured values of a pattern's placeholders, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Captures<'t>(Vec<(Box<str>, &'t str)>);

impl<'t> Captures<'t> {
    pub(crate) fn get(&self, name: &str) -> Option<&'t str> {
        self.0.iter().find(|(known, _)| **known == *name).map(|(_, text)| *text)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &'t str)> {
        self.0.iter().map(|(name, text)| (&**name, *text))
    }
}

impl Pattern {
    /// Reads a pattern. Braces around anything but a name are text.
    ///
    /// # Errors
    /// A part of a sentence: what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Pattern, String> {
        if text.len() > LONGEST {
            return Err(format!("it has {} bytes; the limit is {}", grouped(text.len()), grouped(LONGEST)));
        }
        let mut parts = Vec::new();
        let mut rest = text;
        let mut plain = String::new();
        while !rest.is_empty() {
            if let Some((name, span, length)) = place_at_start(rest) {
                if !plain.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut plain).into()));
                }
                parts.push(Part::Place(name.into(), span));
                rest = &rest[length..];
                continue;
            }
            let first = rest.chars().next().map_or(1, char::len_utf8);
            plain.push_str(&rest[..first]);
            rest = &rest[first..];
        }
        if !plain.is_empty() {
            parts.push(Part::Text(plain.into()));
        }
        let pattern = Pattern { parts };
        if pattern.places().count() > MOST_PLACES {
            return Err(format!("it has more than {MOST_PLACES} placeholders"));
        }
        let side_by_side = pattern.parts.windows(2).any(|two| matches!(two, [Part::Place(..), Part::Place(..)]));
        if side_by_side {
            return Err("two placeholders are adjacent, so their boundary is unknown".to_owned());
        }
        Ok(pattern)
    }

    /// The names of its places, in their order.
    pub(crate) fn places(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Place(name, _) => Some(&**name),
            Part::Text(_) => None,
        })
    }

    pub(crate) fn names(&self, name: &str) -> bool {
        self.places().any(|place| place == name)
    }

    /// The same pattern, where a place spans several levels if it does so in one of these.
    pub(crate) fn spanning_as_in(mut self, others: &[Pattern]) -> Pattern {
        for part in &mut self.parts {
            let Part::Place(name, span @ Span::Part) = part else { continue };
            let spans = |other: &Part| matches!(other, Part::Place(other, Span::Levels) if other == name);
            if others.iter().any(|other| other.parts.iter().any(spans)) {
                *span = Span::Levels;
            }
        }
        self
    }

    /// The text outside its places.
    pub(crate) fn plain(&self) -> String {
        let text = |part: &Part| match part {
            Part::Text(text) => Some(text.to_string()),
            Part::Place(..) => None,
        };
        self.parts.iter().filter_map(text).collect()
    }

    /// Fills it in. The error is the name of the first place for which there is no value.
    pub(crate) fn fill<'v>(&self, value: &dyn Fn(&str) -> Option<Cow<'v, str>>) -> Result<String, Box<str>> {
        let mut filled = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => filled.push_str(text),
                Part::Place(name, _) => filled.push_str(&value(name).ok_or_else(|| name.clone())?),
            }
        }
        Ok(filled)
    }

    /// The captured values, if the text matches.
    pub(crate) fn read<'t>(&self, text: &'t str, kind: Kind, known: &Known<'_, '_>) -> Option<Captures<'t>> {
        let mut reading = Reading { text, kind, known, captures: Vec::new(), steps: Cell::new(0) };
        reading.go(&self.parts, 0).then_some(Captures(reading.captures))
    }

    /// The filter that matches every topic of the pattern. Placeholders with a value are filled in.
    pub(crate) fn filter<'v>(&self, value: &dyn Fn(&str) -> Option<Cow<'v, str>>) -> String {
        let mut filled = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => filled.push_str(text),
                Part::Place(name, span) => match value(name) {
                    Some(value) => filled.push_str(&value),
                    None => filled.push(if *span == Span::Levels { '\u{2}' } else { '\u{1}' }),
                },
            }
        }
        let mut levels = Vec::new();
        for level in filled.split('/') {
            if level.contains('\u{2}') {
                levels.push("#");
                break;
            }
            levels.push(if level.contains('\u{1}') { "+" } else { level });
        }
        levels.join("/")
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts.iter().try_for_each(|part| match part {
            Part::Text(text) => f.write_str(text),
            Part::Place(name, Span::Levels) => write!(f, "{{{name}...}}"),
            Part::Place(name, Span::Digits) => write!(f, "{{{name}#}}"),
            Part::Place(name, Span::Part) => write!(f, "{{{name}}}"),
        })
    }
}

struct Reading<'k, 'a, 's, 't> {
    text: &'t str,
    kind: Kind,
    known: &'k Known<'a, 's>,
    captures: Vec<(Box<str>, &'t str)>,
    steps: Cell<u32>,
}

impl<'t> Reading<'_, '_, '_, 't> {
    fn go(&mut self, parts: &[Part], at: usize) -> bool {
        self.steps.set(self.steps.get() + 1);
        if self.steps.get() > MOST_STEPS {
            return false;
        }
        let [part, rest @ ..] = parts else { return at == self.text.len() };
        let ahead = &self.text[at..];
        match part {
            Part::Text(text) => self.begins(ahead, text) && self.go(rest, at + text.len()),
            Part::Place(name, span) => {
                let captured = self.captures.iter().find(|(known, _)| known == name).map(|(_, text)| text.len());
                if let Some(length) = captured {
                    let same = self.captures.iter().any(|(known, text)| known == name && ahead.starts_with(text));
                    return same && self.go(rest, at + length);
                }
                if let Some(value) = (self.known.bound)(name) {
                    if !ahead.starts_with(&*value) {
                        return false;
                    }
                    let length = value.len();
                    self.captures.push((name.clone(), &self.text[at..at + length]));
                    if self.go(rest, at + length) {
                        return true;
                    }
                    self.captures.pop();
                    return false;
                }
                self.ends(name, *span, ahead).into_iter().any(|length| {
                    self.captures.push((name.clone(), &self.text[at..at + length]));
                    let fits = self.go(rest, at + length);
                    if !fits {
                        self.captures.pop();
                    }
                    fits
                })
            }
        }
    }

    fn begins(&self, ahead: &str, text: &str) -> bool {
        match self.kind {
            Kind::Topic | Kind::Text => ahead.starts_with(text),
            Kind::AnyCase => ahead.get(..text.len()).is_some_and(|start| start.eq_ignore_ascii_case(text)),
        }
    }

    /// The possible lengths of a placeholder's value, the most likely first.
    fn ends(&self, name: &str, span: Span, ahead: &str) -> Vec<usize> {
        let many = span == Span::Levels;
        if span == Span::Digits {
            return (1..=ahead.bytes().take_while(u8::is_ascii_digit).take(512).count()).rev().collect();
        }
        if self.kind == Kind::Text {
            let ends = ahead.char_indices().map(|(at, c)| at + c.len_utf8());
            return if many { ends.rev().take(2_000).collect() } else { ends.take(2_000).collect() };
        }
        // MQTT 5 section 4.7.2, and the attributes of Homie: no place takes in what begins with '$'.
        if ahead.starts_with('$') {
            return Vec::new();
        }
        let mut levels: Vec<usize> = ahead.match_indices('/').map(|(at, _)| at).take(MOST_LEVELS).collect();
        if levels.len() < MOST_LEVELS {
            levels.push(ahead.len());
        }
        let level = levels.first().copied().unwrap_or(ahead.len());
        let whole = levels.iter().rev().copied().filter(|end| *end > 0 && !ahead[..*end].contains("/$"));
        if many {
            return whole.collect();
        }
        let mut ends = Vec::new();
        if name == "device" {
            ends.extend(whole.filter(|end| *end > level && (self.known.is_device)(&ahead[..*end])));
        }
        let inside = ahead[..level].char_indices().map(|(at, c)| at + c.len_utf8());
        ends.extend(inside.rev().take(512));
        ends
    }
}

/// The place that a text begins with: its name, what it may be, and its length in bytes.
fn place_at_start(text: &str) -> Option<(&str, Span, usize)> {
    let (inside, _) = text.strip_prefix('{')?.split_once('}')?;
    let (name, span) = match (inside.strip_suffix("..."), inside.strip_suffix('#')) {
        (Some(name), _) => (name, Span::Levels),
        (None, Some(name)) => (name, Span::Digits),
        (None, None) => (inside, Span::Part),
    };
    is_name(name).then_some((name, span, inside.len() + 2))
}

/// Whether a text can be the name of a place.
pub(crate) fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    name.len() <= 64 && name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::{Kind, Known, Pattern};

    fn read(pattern: &str, kind: Kind, text: &str) -> Option<String> {
        let bound = |name: &str| (name == "base").then_some(Cow::Borrowed("home"));
        let known = Known { bound: &bound, is_device: &|name| matches!(name, "kitchen/lamp" | "kitchen") };
        let captures = Pattern::parse(pattern).expect("a pattern").read(text, kind, &known)?;
        let shown = captures.iter().filter(|(name, _)| *name != "base");
        Some(shown.map(|(name, text)| format!("{name}={text}")).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn a_topic_is_read_backwards() {
        let check = |pattern: &str, topic: &str, expected: Option<&str>| {
            assert_eq!(read(pattern, Kind::Topic, topic).as_deref(), expected, "{pattern} {topic}");
        };
        check("{base}/{device}", "home/lamp", Some("device=lamp"));
        check("{base}/{device}", "home/kitchen/lamp", Some("device=kitchen/lamp"));
        check("{base}/{device}", "home/hall/lamp", None);
        check("{base}/{device}/{attribute}", "home/kitchen/lamp/state", Some("device=kitchen/lamp attribute=state"));
        check("{base}/{device}/{attribute}", "home/kitchen/lamp", Some("device=kitchen attribute=lamp"));
        check("{base}/{device}/{attribute...}", "home/a/b/c", Some("device=a attribute=b/c"));
        check("{base}/{device}", "away/lamp", None);
        check("{base}/{device}", "home/", None);
        check("{base}/{device}", "home/$state", None);
        check("{base}/{device}/{rest...}", "home/a/b/$target", None);
        check("{base}/{device}/$state", "home/a/$state", Some("device=a"));
        check("x/STATUS{n}", "x/STATUS11", Some("n=11"));
        check("x/request_id={id}", "x/request_id=7", Some("id=7"));
        check("c///s/{id}/{status}", "c///s/1/200", Some("id=1 status=200"));
        check("{device}/{device}", "kitchen/kitchen", Some("device=kitchen"));
        check("{device}/{device}", "a/b", None);
        check("{device}", "💡", Some("device=💡"));
        check("Shutter{n#}", "Shutter12", Some("n=12"));
        check("Shutter{n#}", "ShutterTilt1", None);
        check("Shutter{n#}", "Shutter", None);
        check("{a#}.{b#}", "1.22", Some("a=1 b=22"));
    }

    #[test]
    fn capitals_of_a_commands_name_do_not_matter_where_they_do_not_to_the_device() {
        assert_eq!(read("Power{n#}", Kind::AnyCase, "POWER2").as_deref(), Some("n=2"));
        assert_eq!(read("Power{n#}", Kind::AnyCase, "pow"), None);
        assert_eq!(read("Power{n#}", Kind::AnyCase, "💡💡2"), None);
        assert_eq!(read("Power{n#}", Kind::Topic, "POWER2"), None);
    }

    #[test]
    fn a_text_is_read_backwards() {
        let check = |pattern: &str, text: &str, expected: Option<&str>| {
            assert_eq!(read(pattern, Kind::Text, text).as_deref(), expected, "{pattern} {text}");
        };
        check(
            "No '{what}' on '{device}': {why...}",
            "No 'x/y' on 'my lamp': (1)",
            Some("what=x/y device=my lamp why=(1)"),
        );
        check("Entity '{device}' is unknown", "Entity 'a' is unknown", Some("device=a"));
        check("Entity '{device}' is unknown", "Entity 'a' is known", None);
    }

    #[test]
    fn work_is_bounded() {
        let pattern = "{a}x{b}x{c}x{d}x{e}x{f}x{g}x{h}y";
        assert_eq!(read(pattern, Kind::Topic, &"x".repeat(60_000)), None);
        assert_eq!(read("{a...}/{b...}/{c...}/z", Kind::Topic, &"a/".repeat(30_000)), None);
        assert!(Pattern::parse("{a}{b}").is_err());
        assert!(Pattern::parse(&"{a}/".repeat(17)).is_err());
        assert!(Pattern::parse(&"a".repeat(1_025)).is_err());
    }

    #[test]
    fn a_filter_matches_any_value_of_its_placeholders() {
        let check = |pattern: &str, expected: &str| {
            let base = |name: &str| (name == "base").then_some(Cow::Borrowed("a/b"));
            assert_eq!(Pattern::parse(pattern).expect("a pattern").filter(&base), expected);
        };
        check("{base}/{device}/set", "a/b/+/set");
        check("{base}/bridge/response/{x...}", "a/b/bridge/response/#");
        check("stat/{device}/STATUS{n}", "stat/+/+");
        check("{x...}/state", "#");
    }
}
