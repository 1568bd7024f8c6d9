//! The result of a check of the stored history, with a sentence and a hint for each problem.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::grouped;

/// The result of a check of the stored history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct HistoryCheck {
    /// Stored events that are missing, oldest first, at most 20.
    pub gaps: Vec<HistoryGap>,
    /// The number of events read.
    #[ts(type = "number")]
    pub checked: u64,
    /// The number of altered events.
    #[ts(type = "number")]
    pub damaged: u64,
    /// The first of these, at most 20.
    pub damaged_events: Vec<DamagedEvent>,
    /// The number of commands whose listing does not match their events.
    #[serde(default)]
    #[ts(type = "number")]
    pub wrongly_listed: u64,
    /// The first of these, at most 20.
    #[serde(default)]
    pub wrongly_listed_commands: Vec<DamagedEvent>,
    /// The file cannot be read between events at these times, Unix milliseconds; `None` for its beginning or end.
    #[ts(type = "[number | null, number | null] | null")]
    pub unreadable: Option<(Option<i64>, Option<i64>)>,
    /// Problems of the file's structure, at most 20 messages of the database.
    pub faults: Vec<String>,
    /// All events and the whole file were checked.
    pub all: bool,
}

/// Stored events that are missing but were not deleted by Wilco.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct HistoryGap {
    /// The number of events, at least.
    #[ts(type = "number")]
    pub events: u64,
    /// When the last event before them happened, Unix milliseconds.
    #[ts(type = "number | null")]
    pub after: Option<i64>,
    /// When the last of them happened, Unix milliseconds.
    #[ts(type = "number | null")]
    pub until: Option<i64>,
    /// Another database was found in place of the one that contained them.
    pub replaced: bool,
}

/// An altered event, or a command whose listing does not match its events, as far as it is readable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct DamagedEvent {
    /// The connection ID.
    pub connection: String,
    /// Its device.
    pub device: String,
    /// Its command, if it belongs to one.
    pub command: Option<String>,
    /// The time of the event, or of the command's last event, Unix milliseconds.
    #[ts(type = "number")]
    pub at: i64,
}

impl HistoryCheck {
    /// Nothing that was checked is missing or damaged.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.gaps.is_empty()
            && self.damaged == 0
            && self.wrongly_listed == 0
            && self.unreadable.is_none()
            && self.faults.is_empty()
    }

    /// The problems, each with a hint.
    #[must_use]
    pub fn sentences(&self) -> Vec<(String, String)> {
        let gaps = self.gaps.iter().map(HistoryGap::sentence);
        let damage = self.damaged_sentence().into_iter().chain(self.wrongly_listed_sentence());
        gaps.chain(self.unreadable_sentence()).chain(damage).chain(self.faults_sentence()).collect()
    }

    fn wrongly_listed_sentence(&self) -> Option<(String, String)> {
        let first = self.wrongly_listed_commands.first()?;
        let number = self.wrongly_listed;
        let (commands, are, their) = match number {
            1 => ("1 command".to_owned(), "is", "its"),
            _ => (format!("{} commands", grouped(number)), "are", "their"),
        };
        let first = format!("{}{}", first.device, of_command(first.command.as_deref()));
        Some((
            format!("{commands} in the history {are} not listed as {their} events require: {first}{}.", others(number)),
            "The file changed on the disk. Check the disk. wilco check --recover DIR rebuilds the list from the \
             events in a new data directory."
                .to_owned(),
        ))
    }

    fn damaged_sentence(&self) -> Option<(String, String)> {
        let first = self.damaged_events.first()?;
        let number = self.damaged;
        let (events, are) =
            if number == 1 { ("1 event".to_owned(), "is") } else { (format!("{} events", grouped(number)), "are") };
        let first = format!("{}{}, {}", first.device, of_command(first.command.as_deref()), time(first.at));
        Some((
            format!("{events} in the history {are} not as Wilco stored {}: {first}{}.", it(number), others(number)),
            "The file changed on the disk. Check the disk, and restore a backup if you need that evidence. Everything \
             else can be read."
                .to_owned(),
        ))
    }

    fn unreadable_sentence(&self) -> Option<(String, String)> {
        let (from, to) = self.unreadable?;
        let part = match (from.map(time), to.map(time)) {
            (None, None) => "The history cannot be read".to_owned(),
            (Some(from), None) => format!("The history after {from} cannot be read"),
            (None, Some(to)) => format!("The history before {to} cannot be read"),
            (Some(from), Some(to)) => format!("The history between {from} and {to} cannot be read"),
        };
        Some((
            format!("{part}: the file is damaged there."),
            "Everything else can be read. Check the disk, and restore a backup if you need that evidence.".to_owned(),
        ))
    }

    fn faults_sentence(&self) -> Option<(String, String)> {
        let first = self.faults.first()?;
        Some((
            format!("The structure of the database is damaged: {first}."),
            "Export the history that you need, and restore a backup. Check the disk.".to_owned(),
        ))
    }
}

impl HistoryGap {
    fn sentence(&self) -> (String, String) {
        let events = if self.events == 1 { "1 event".to_owned() } else { format!("{} events", grouped(self.events)) };
        let until = self.until.map(|until| format!(" until {}", time(until))).unwrap_or_default();
        if self.replaced {
            return (
                format!("The database is not the one that Wilco wrote{until}. It lacks {events}."),
                "If you did not replace the file, restore it from a backup.".to_owned(),
            );
        }
        let after = self.after.map_or("from the beginning".to_owned(), |after| format!("after {}", time(after)));
        (
            format!("The history lacks at least {events} {after}{until}, which Wilco had stored."),
            "The log of the database (wilco.sqlite3-wal) was deleted, or an older copy of the file was restored. \
             Commands from that period may have been carried out. Everything else can be read."
                .to_owned(),
        )
    }
}

/// UTC, so that it reads the same wherever it is read.
fn time(at: i64) -> String {
    Timestamp::from_millisecond(at)
        .map_or_else(|_| "an unknown time".to_owned(), |at| at.strftime("%F %T UTC").to_string())
}

fn of_command(command: Option<&str>) -> String {
    command.map(|command| format!(", command {command}")).unwrap_or_default()
}

fn it(number: u64) -> &'static str {
    if number == 1 { "it" } else { "them" }
}

fn others(number: u64) -> String {
    match number {
        0 | 1 => String::new(),
        2 => " and 1 other".to_owned(),
        more => format!(" and {} others", grouped(more - 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::{DamagedEvent, HistoryCheck, HistoryGap};

    fn sound() -> HistoryCheck {
        HistoryCheck {
            gaps: Vec::new(),
            checked: 10,
            damaged: 0,
            damaged_events: Vec::new(),
            wrongly_listed: 0,
            wrongly_listed_commands: Vec::new(),
            unreadable: None,
            faults: Vec::new(),
            all: true,
        }
    }

    fn check(found: &HistoryCheck, expected: &str) {
        let sentences = found.sentences();
        assert!(!found.is_sound());
        assert_eq!(sentences.iter().map(|(message, _)| message.as_str()).collect::<Vec<_>>(), [expected]);
    }

    #[test]
    fn missing_and_damaged_events_are_described_in_sentences() {
        assert!(sound().is_sound() && sound().sentences().is_empty());
        let gap = HistoryGap { events: 1_200, after: Some(0), until: Some(60_000), replaced: false };
        check(
            &HistoryCheck { gaps: vec![gap.clone()], ..sound() },
            "The history lacks at least 1,200 events after 1970-01-01 00:00:00 UTC until 1970-01-01 00:01:00 UTC, \
             which Wilco had stored.",
        );
        check(
            &HistoryCheck { gaps: vec![HistoryGap { replaced: true, events: 1, ..gap }], ..sound() },
            "The database is not the one that Wilco wrote until 1970-01-01 00:01:00 UTC. It lacks 1 \
             event.",
        );
        let event =
            DamagedEvent { connection: "1".into(), device: "pump-7".into(), command: Some("c1".into()), at: 60_000 };
        check(
            &HistoryCheck { wrongly_listed: 2, wrongly_listed_commands: vec![event.clone()], ..sound() },
            "2 commands in the history are not listed as their events require: pump-7, command c1 and 1 other.",
        );
        check(
            &HistoryCheck { damaged: 3, damaged_events: vec![event], ..sound() },
            "3 events in the history are not as Wilco stored them: pump-7, command c1, 1970-01-01 00:01:00 UTC and 2 \
             others.",
        );
        check(
            &HistoryCheck { unreadable: Some((Some(0), None)), ..sound() },
            "The history after 1970-01-01 00:00:00 UTC cannot be read: the file is damaged there.",
        );
        check(
            &HistoryCheck { faults: vec!["Tree 7 page 9: out of order".into()], ..sound() },
            "The structure of the database is damaged: Tree 7 page 9: out of order.",
        );
    }
}
