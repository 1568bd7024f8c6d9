//! What is typed into the search field.

use std::cmp::Ordering;

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
