//! What is typed into the search field.

use std::cmp::Ordering;

use wilco_ledger::State;

use super::{Device, order::natural};
use crate::api::Presence;

/// Words and tokens that a device must all satisfy.
pub(super) struct Search {
    terms: Vec<Term>,
}

enum Term {
    Word(String),
    Presence(Presence),
    Led(bool),
    Tag(String),
    State(String),
    Firmware(Relation, String),
}

#[derive(Clone, Copy)]
enum Relation {
    Begins,
    Below,
    AtMost,
    Above,
    AtLeast,
}

impl Search {
    /// Reads words and tokens. What is no token that we know is a word.
    pub(super) fn parse(text: &str) -> Search {
        Search { terms: text.split_whitespace().map(term).collect() }
    }

    pub(super) fn matches(&self, device: &Device) -> bool {
        self.terms.iter().all(|term| term.matches(device))
    }
}

impl Term {
    fn matches(&self, device: &Device) -> bool {
        match self {
            Term::Word(word) => device.id.as_str().to_lowercase().contains(word.as_str()),
            Term::Presence(presence) => device.presence == *presence,
            Term::Led(on) => device.led == Some(*on),
            Term::Tag(tag) => device.tags.iter().any(|own| own.eq_ignore_ascii_case(tag)),
            Term::State(state) => device.last_command.as_ref().is_some_and(|last| last.command.state.as_str() == state),
            Term::Firmware(relation, version) => {
                device.firmware.as_ref().is_some_and(|own| relation.holds(own, version))
            }
        }
    }
}

impl Relation {
    fn holds(self, own: &str, version: &str) -> bool {
        let ordering = natural(own, version);
        match self {
            Relation::Begins => own.starts_with(version),
            Relation::Below => ordering == Ordering::Less,
            Relation::AtMost => ordering != Ordering::Greater,
            Relation::Above => ordering == Ordering::Greater,
            Relation::AtLeast => ordering != Ordering::Less,
        }
    }
}

/// The tokens of a search that no device can fit, each with the values that there are: they are looked for as words.
#[must_use]
pub fn unknown_tokens(search: &str) -> Vec<(&str, String)> {
    let listed = |name: &str, values: &[&str]| {
        values.iter().map(|value| format!("{name}:{value}")).collect::<Vec<_>>().join(", ")
    };
    let unknown = |token: &str| {
        let lower = token.to_lowercase();
        match (lower.split_once(':')?, term(token)) {
            (("is", _), Term::Word(_)) => Some(listed("is", &["online", "offline", "unknown"])),
            (("led", _), Term::Word(_)) => Some(listed("led", &["on", "off"])),
            (("state", _), Term::State(state)) if State::parse(&state).is_none() => {
                Some(listed("state", &State::ALL.map(State::as_str)))
            }
            _ => None,
        }
    };
    search.split_whitespace().filter_map(|token| Some((token, unknown(token)?))).collect()
}

fn term(text: &str) -> Term {
    let lower = text.to_lowercase();
    let term = match lower.split_once(':') {
        Some(("is", "online")) => Some(Term::Presence(Presence::Online)),
        Some(("is", "offline")) => Some(Term::Presence(Presence::Offline)),
        Some(("is", "unknown")) => Some(Term::Presence(Presence::Unknown)),
        Some(("led", "on")) => Some(Term::Led(true)),
        Some(("led", "off")) => Some(Term::Led(false)),
        Some(("tag", tag)) => Some(Term::Tag(tag.to_owned())),
        Some(("state", state)) => Some(Term::State(state.replace([' ', '-'], "_"))),
        Some(("firmware", version)) => Some(firmware(version)),
        _ => None,
    };
    term.unwrap_or(Term::Word(lower))
}

fn firmware(text: &str) -> Term {
    for (sign, relation) in
        [("<=", Relation::AtMost), (">=", Relation::AtLeast), ("<", Relation::Below), (">", Relation::Above)]
    {
        if let Some(version) = text.strip_prefix(sign) {
            return Term::Firmware(relation, version.to_owned());
        }
    }
    Term::Firmware(Relation::Begins, text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::unknown_tokens;

    #[test]
    fn a_token_that_no_device_can_fit_is_known() {
        let check = |search: &str, expected: &[(&str, &str)]| {
            let unknown = unknown_tokens(search);
            let unknown: Vec<_> =
                unknown.iter().map(|(token, known)| (*token, &known[..known.len().min(20)])).collect();
            assert_eq!(unknown, expected, "{search}");
        };
        check("pump is:online led:on state:timed-out tag:x firmware:<2 a:b", &[]);
        check("is:sideways pump", &[("is:sideways", "is:online, is:offlin")]);
        check("LED:red state:done", &[("LED:red", "led:on, led:off"), ("state:done", "state:queued, state:")]);
    }
}
