//! The search language: its meaning, and its canonical text.
//!
//! ```text
//! search = all ("or" all)*          all = one+          one = "-"? ("(" search ")" | field | text)
//! field  = name ":" value           value = ("<" | "<=" | ">" | ">=" | "=")? text
//! ```
//! A text without a field matches parts of the device ID or of the name. `-` negates a field, a quoted text or a
//! parenthesis; before a bare word it belongs to the word, because IDs contain it.

mod complete;
mod parse;
#[cfg(test)]
mod tests;

use std::{
    cmp::Ordering,
    collections::{BTreeSet, HashMap},
    fmt,
    sync::Arc,
};

pub(crate) use complete::read_search;
use parse::DURATIONS;
use wilco_ledger::{Decimal, DeviceId, State, Timestamp};

use super::{Desired, Device, listing::Aspects, order::natural, summary::shown, version};
use crate::api::{DesiredState, Failure, Presence, excerpt, invalid};

/// The facts for a search besides the devices.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    pub(crate) now: Timestamp,
    /// The latest measurements of each device, by series.
    pub(crate) measured: HashMap<String, HashMap<DeviceId, f64>>,
    /// The desired configurations.
    pub(crate) desired: Arc<Desired>,
}

/// Which devices are meant.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Search {
    /// Devices that match all of these; every device if empty.
    Every(Vec<Search>),
    /// Devices that match one of these; there are at least two.
    Any(Vec<Search>),
    /// Devices that do not match.
    Not(Box<Search>),
    /// Devices that match a single condition.
    Term(Term),
}

/// A single condition. Where a value can be omitted, `*` matches any.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Term {
    /// A text in the ID or the name, in lower case.
    Word(String),
    Presence(Presence),
    /// It answered that it succeeded, but reports other values.
    Disagrees,
    Led(Option<bool>),
    Tag(Option<String>),
    /// A text in the name that is shown, in lower case.
    Name(Option<String>),
    Firmware(Option<(Relation, String)>),
    State(Option<State>),
    /// The time since the last message, milliseconds.
    Seen(Option<(Relation, u64)>),
    /// The time since its last restart, if known, milliseconds.
    Restarted(Option<(Relation, u64)>),
    Config(String, Option<(Relation, String)>),
    /// Its state in comparison with its desired configuration.
    Desired(Option<DesiredState>),
    Measured(String, Option<(Relation, f64)>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Relation {
    /// The version begins with this; its pre-releases do not match.
    Begins,
    Is,
    Below,
    AtMost,
    Above,
    AtLeast,
}

impl Default for Search {
    fn default() -> Search {
        Search::Every(Vec::new())
    }
}

/// The search for the devices with a tag, whatever characters it has.
#[must_use]
pub fn tag_search(tag: &str) -> String {
    Search::of_tag(tag)
}

impl Search {
    /// Reads a search.
    ///
    /// # Errors
    /// [`crate::api::FailureCode::Invalid`], naming the word that cannot be understood and what is possible there.
    pub(crate) fn read(text: &str) -> Result<Search, Failure> {
        parse::parse(text).0.map_err(|error| {
            let word = text.get(error.from..error.to).unwrap_or_default();
            let place = if word.trim().is_empty() { String::new() } else { format!(" at '{}'", excerpt(word)) };
            invalid(format!("This search is not valid{place}: {}", error.message), &error.hint)
        })
    }

    /// The search for a tag.
    pub(crate) fn of_tag(tag: &str) -> String {
        Search::Term(Term::Tag(Some(tag.to_owned()))).to_string()
    }

    /// The search for a firmware, and for those whose version only has more parts.
    pub(crate) fn of_firmware(version: &str) -> String {
        Search::Term(Term::Firmware(Some((Relation::Begins, version.to_owned())))).to_string()
    }

    /// The search for a firmware, and for no other version.
    pub(crate) fn of_exact_firmware(version: &str) -> String {
        Search::Term(Term::Firmware(Some((Relation::Is, version.to_owned())))).to_string()
    }

    /// The search for a value of the running configuration.
    pub(crate) fn of_config(key: &str, value: &str) -> String {
        Search::Term(Term::Config(key.to_owned(), Some((Relation::Is, value.to_owned())))).to_string()
    }

    /// The search for devices that restarted less than that long ago, milliseconds.
    pub(crate) fn of_restart(within: u64) -> String {
        Search::Term(Term::Restarted(Some((Relation::Below, within)))).to_string()
    }

    pub(crate) fn matches(&self, device: &Device, facts: &Facts) -> bool {
        match self {
            Search::Every(all) => all.iter().all(|search| search.matches(device, facts)),
            Search::Any(some) => some.iter().any(|search| search.matches(device, facts)),
            Search::Not(search) => !search.matches(device, facts),
            Search::Term(term) => term.matches(device, facts),
        }
    }

    /// The series whose last values it must be given.
    pub(crate) fn series(&self) -> BTreeSet<&str> {
        match self {
            Search::Every(some) | Search::Any(some) => some.iter().flat_map(Search::series).collect(),
            Search::Not(search) => search.series(),
            Search::Term(Term::Measured(series, _)) => BTreeSet::from([series.as_str()]),
            Search::Term(_) => BTreeSet::new(),
        }
    }

    /// Whether it depends on desired configurations.
    pub(crate) fn is_about_desired(&self) -> bool {
        match self {
            Search::Every(some) | Search::Any(some) => some.iter().any(Search::is_about_desired),
            Search::Not(search) => search.is_about_desired(),
            Search::Term(term) => matches!(term, Term::Desired(_)),
        }
    }

    pub(super) fn depends_on(&self) -> Aspects {
        match self {
            Search::Every(some) | Search::Any(some) => {
                some.iter().fold(Aspects::default(), |all, search| all.and(search.depends_on()))
            }
            Search::Not(search) => search.depends_on(),
            Search::Term(term) => match term {
                Term::Word(_) | Term::Name(_) => Aspects::MEMBERS.and(Aspects::NAME),
                Term::Presence(_) => Aspects::PRESENCE,
                Term::Led(_) => Aspects::LED,
                Term::Tag(_) | Term::Firmware(_) => Aspects::DESCRIPTION,
                Term::State(_) => Aspects::COMMAND,
                Term::Seen(_) => Aspects::SEEN.and(Aspects::ELSEWHERE),
                Term::Restarted(_) => Aspects::DESCRIPTION.and(Aspects::ELSEWHERE),
                Term::Config(..) | Term::Disagrees => Aspects::REPORT,
                // Desired configurations are stored elsewhere, and their searches may depend on anything.
                Term::Measured(..) | Term::Desired(_) => Aspects::ELSEWHERE,
            },
        }
    }
}

impl Term {
    fn matches(&self, device: &Device, facts: &Facts) -> bool {
        match self {
            Term::Word(word) => {
                contains(device.id.as_str(), word) || device.shown_name().is_some_and(|name| contains(name, word))
            }
            Term::Presence(presence) => device.presence == *presence,
            Term::Disagrees => device.disagreement.is_some(),
            Term::Led(led) => device.led == *led,
            Term::Tag(None) => device.all_tags().next().is_some(),
            Term::Tag(Some(tag)) => device.all_tags().any(|own| same(own, tag)),
            Term::Name(None) => device.shown_name().is_some(),
            Term::Name(Some(text)) => device.shown_name().is_some_and(|name| contains(name, text)),
            Term::Firmware(test) => device.firmware.as_ref().is_some_and(|own| {
                test.as_ref().is_none_or(|(relation, than)| match relation {
                    Relation::Begins => version::begins(own, than),
                    Relation::Is => own == than,
                    _ => relation.holds(version::compare(own, than)),
                })
            }),
            Term::State(state) => {
                device.last_command.as_ref().is_some_and(|last| state.is_none_or(|state| last.command.state == state))
            }
            Term::Seen(test) => is_ago(device.seen_at, test.as_ref(), facts.now),
            Term::Restarted(test) => is_ago(device.restart.map(|restart| restart.at), test.as_ref(), facts.now),
            Term::Config(key, test) => device
                .running(key)
                .is_some_and(|own| test.as_ref().is_none_or(|(relation, value)| relation.holds_of(own, value))),
            Term::Desired(wanted) => {
                let state = facts.desired.state(device, facts);
                state.is_some_and(|state| wanted.is_none_or(|wanted| wanted == state))
            }
            Term::Measured(series, test) => {
                let own = facts.measured.get(series).and_then(|devices| devices.get(&device.id));
                own.is_some_and(|own| {
                    test.is_none_or(|(relation, value)| own.partial_cmp(&value).is_some_and(|is| relation.holds(is)))
                })
            }
        }
    }
}

impl Relation {
    fn holds(self, ordering: Ordering) -> bool {
        match self {
            Relation::Begins | Relation::Is => ordering == Ordering::Equal,
            Relation::Below => ordering == Ordering::Less,
            Relation::AtMost => ordering != Ordering::Greater,
            Relation::Above => ordering == Ordering::Greater,
            Relation::AtLeast => ordering != Ordering::Less,
        }
    }

    /// Numbers are compared as numbers, all else as text.
    fn holds_of(self, own: &str, value: &str) -> bool {
        // A JSON number, and not a text, which stands in quotes.
        if let (Ok(number), Ok(than)) = (own.parse::<f64>(), value.parse::<f64>()) {
            // Floats that differ are in the order of their numbers; long numbers that differ may be the same float.
            let to_the_last_digit =
                || Decimal::parse(own).zip(Decimal::parse(value)).map(|(number, than)| number.cmp(&than));
            let ordering = number.partial_cmp(&than).map(|nearly| match nearly {
                Ordering::Equal => to_the_last_digit().unwrap_or(nearly),
                _ => nearly,
            });
            return ordering.is_some_and(|ordering| self.holds(ordering));
        }
        let own = shown(own);
        if self == Relation::Is { same(&own, value) } else { self.holds(natural(&own, value)) }
    }

    fn sign(self) -> &'static str {
        match self {
            Relation::Begins => "",
            Relation::Is => "=",
            Relation::Below => "<",
            Relation::AtMost => "<=",
            Relation::Above => ">",
            Relation::AtLeast => ">=",
        }
    }
}

/// Whether something happened that long ago; `None` for any time.
fn is_ago(at: Option<Timestamp>, test: Option<&(Relation, u64)>, now: Timestamp) -> bool {
    at.is_some_and(|at| test.is_none_or(|(relation, ago)| relation.holds(now.since(at).0.cmp(ago))))
}

fn contains(id: &str, word: &str) -> bool {
    if id.is_ascii() && !id.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return id.contains(word);
    }
    id.to_lowercase().contains(word)
}

fn same(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b) || a.to_lowercase() == b.to_lowercase()
}

impl fmt::Display for Search {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joined = |out: &mut fmt::Formatter<'_>, some: &[Search], between: &str| {
            some.iter().enumerate().try_for_each(|(place, search)| {
                if place > 0 {
                    out.write_str(between)?;
                }
                match search {
                    Search::Every(_) | Search::Any(_) => write!(out, "({search})"),
                    Search::Not(_) | Search::Term(_) => write!(out, "{search}"),
                }
            })
        };
        match self {
            Search::Every(all) => joined(out, all, " "),
            Search::Any(some) => joined(out, some, " or "),
            Search::Not(search) => match &**search {
                Search::Term(Term::Word(word)) => write!(out, "-{}", quoted(word)),
                Search::Term(_) => write!(out, "-{search}"),
                _ => write!(out, "-({search})"),
            },
            Search::Term(term) => write!(out, "{term}"),
        }
    }
}

impl fmt::Display for Term {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Term::Word(word) => out.write_str(&bare(word)),
            Term::Presence(Presence::Online) => out.write_str("is:online"),
            Term::Presence(Presence::Offline) => out.write_str("is:offline"),
            Term::Presence(Presence::Unknown) => out.write_str("is:unknown"),
            Term::Disagrees => out.write_str("is:disagrees"),
            Term::Led(Some(true)) => out.write_str("led:on"),
            Term::Led(Some(false)) => out.write_str("led:off"),
            Term::Led(None) => out.write_str("led:unknown"),
            Term::Tag(None) => out.write_str("tag:*"),
            Term::Tag(Some(tag)) => write!(out, "tag:{}", bare(tag)),
            Term::Name(None) => out.write_str("name:*"),
            Term::Name(Some(text)) => write!(out, "name:{}", bare(text)),
            Term::Firmware(None) => out.write_str("firmware:*"),
            Term::Firmware(Some((relation, version))) => {
                write!(out, "firmware:{}{}", relation.sign(), bare(version))
            }
            Term::State(None) => out.write_str("state:*"),
            Term::State(Some(state)) => write!(out, "state:{}", state.as_str()),
            Term::Seen(None) => out.write_str("seen:*"),
            Term::Seen(Some((relation, ago))) => write!(out, "seen:{}{}", relation.sign(), duration(*ago)),
            Term::Restarted(None) => out.write_str("restarted:*"),
            Term::Restarted(Some((relation, ago))) => write!(out, "restarted:{}{}", relation.sign(), duration(*ago)),
            Term::Config(key, None) => write!(out, "config.{}:*", bare(key)),
            Term::Config(key, Some((relation, value))) => {
                let sign = if *relation == Relation::Is { "" } else { relation.sign() };
                write!(out, "config.{}:{sign}{}", bare(key), bare(value))
            }
            Term::Desired(None) => out.write_str("desired:*"),
            Term::Desired(Some(DesiredState::AsWanted)) => out.write_str("desired:as_wanted"),
            Term::Desired(Some(DesiredState::Differs)) => out.write_str("desired:differs"),
            Term::Desired(Some(DesiredState::Unknown)) => out.write_str("desired:unknown"),
            Term::Measured(series, None) => write!(out, "telemetry.{}:*", bare(series)),
            Term::Measured(series, Some((relation, value))) => {
                let sign = if *relation == Relation::Is { "" } else { relation.sign() };
                write!(out, "telemetry.{}:{sign}{value}", bare(series))
            }
        }
    }
}

/// A length of time in the largest unit of which it is a multiple: `10m`.
fn duration(length: u64) -> String {
    let (unit, one) = DURATIONS.into_iter().find(|(_, one)| length.is_multiple_of(*one)).unwrap_or(("ms", 1));
    format!("{}{unit}", length / one)
}

/// A text unchanged if it is unambiguous; in quotes otherwise.
fn bare(text: &str) -> String {
    let is_plain = |char: char| char.is_alphanumeric() || "_-./@#+".contains(char);
    if !text.is_empty() && text.chars().all(is_plain) && !text.eq_ignore_ascii_case("or") {
        text.to_owned()
    } else {
        quoted(text)
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
