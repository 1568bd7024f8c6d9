//! Checks that the stored data is unaltered: the structure of the file, each event against its checksum, and each
//! listed command against its events.
//!
//! It reads in short steps, so that it can be stopped, and continues after unreadable parts.

use rusqlite::{Connection, Row, types::ValueRef};

use super::{
    Gap, Store, StoreError,
    checksum::EventChecksum,
    mark,
    table::{commands, events, meta, removed},
};

/// Events of one step.
const STEP: u32 = 1_000;
/// Commands of one step.
const COMMANDS: u32 = 200;
/// Damaged events that are named, at most, and commands that are listed wrongly.
const NAMED: usize = 20;
/// Faults of the file's structure that are listed, at most.
const FAULTS: u32 = 20;

/// The result of a check.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checked {
    /// The number of unaltered events.
    pub sound: u64,
    /// The number of altered events.
    pub damaged: u64,
    /// The first of them.
    pub named: Vec<DamagedEvent>,
    /// The number of commands whose row does not match their events.
    pub wrongly_listed: u64,
    /// The first of them.
    pub wrongly_listed_commands: Vec<DamagedEvent>,
    /// The file cannot be read between events at these times, Unix milliseconds; `None` for its beginning or end.
    pub unreadable: Option<(Option<i64>, Option<i64>)>,
    /// Problems of the file's structure, as SQLite reports them.
    pub faults: Vec<String>,
}

/// An altered event, or a command whose row does not match its events, as far as it is readable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DamagedEvent {
    /// Its connection's id.
    pub connection: String,
    /// Its device.
    pub device: String,
    /// Its command, where it belongs to one.
    pub command: Option<String>,
    /// The time of the event, or of the command's last event, Unix milliseconds.
    pub at: i64,
}

impl Store {
    /// The gaps found when this database was opened, now or earlier, oldest first: the latest 20.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn gaps(&self) -> Result<Vec<Gap>, StoreError> {
        self.readers.read(mark::gaps).await
    }

    /// Compares the newest events with their checksums, or all events if no number is given. With `structure`, it also
    /// checks the structure of the whole file, and compares every command with its events.
    ///
    /// # Errors
    /// See [`StoreError`]: when nothing can be read at all.
    pub async fn check(&self, newest: Option<u64>, structure: bool) -> Result<Checked, StoreError> {
        let mut checked = Checked::default();
        if structure {
            // FTS5 checks its index by the structure that the connection read for its last search, which may be out of date.
            checked.faults = self.readers.read_afresh(faults).await?;
            if let Err(error) = self.compare_commands(&mut checked).await {
                // What cannot be read is found below.
                tracing::warn!(%error, "the commands could not be compared with their events");
            }
        }
        let last = self.readers.read(events::last_row).await.unwrap_or(0);
        let newest = newest.and_then(|newest| i64::try_from(newest).ok());
        let mut place = Place { row: newest.map_or(i64::MIN, |newest| last.saturating_sub(newest)), at: None };
        loop {
            let from = place;
            let step = self.readers.read(move |connection| Ok(Step::after(connection, from))).await?;
            checked.add(&step);
            let begun_at = place;
            place = step.last;
            if step.blocked {
                let behind = self.readers.read(move |connection| Ok(Step::behind(connection, begun_at))).await?;
                checked.add(&behind);
                checked.unreadable = Some((place.at, behind.last.at));
                return Ok(checked);
            }
            if step.ended {
                return Ok(checked);
            }
        }
    }
}

impl Store {
    async fn compare_commands(&self, checked: &mut Checked) -> Result<(), StoreError> {
        let mut after = Some(i64::MIN);
        while let Some(row) = after {
            let (last, wrong) = self.read(move |connection| wrongly_listed(connection, row)).await?;
            checked.wrongly_listed += wrong.len() as u64;
            let room = NAMED - checked.wrongly_listed_commands.len();
            checked.wrongly_listed_commands.extend(wrong.into_iter().take(room));
            after = last;
        }
        Ok(())
    }
}

/// Of the next commands after that row, those that are not listed as their events say. Also returns the last row that was
/// looked at, if there may be more.
fn wrongly_listed(connection: &Connection, after: i64) -> rusqlite::Result<(Option<i64>, Vec<DamagedEvent>)> {
    // Commands to which something happened later may not be up to date.
    let shown = meta::shown_up_to(connection)?.unwrap_or(i64::MAX);
    let rows = commands::rows_after(connection, after, COMMANDS)?;
    let mut wrong = Vec::new();
    for row in &rows {
        match is_listed_right(connection, *row, shown) {
            Ok(true) => {}
            // A value that is none of those that are written there.
            Err(error) if error.sqlite_error().is_some() => return Err(error),
            Ok(false) | Err(_) => wrong.push(as_far_as_readable(connection, *row)?),
        }
    }
    Ok((rows.last().copied().filter(|_| rows.len() == COMMANDS as usize), wrong))
}

fn is_listed_right(connection: &Connection, row: i64, shown: i64) -> rusqlite::Result<bool> {
    let (of, listed) = commands::at(connection, row)?;
    let (device, id) = (listed.device(), listed.id());
    // Its events are being deleted, some after the others.
    if removed::has(connection, &of)? || events::last_row_of(connection, &of, device, id)? > shown {
        return Ok(true);
    }
    // Events that cannot be read are damaged, and counted as such.
    let Ok(happened) = events::of_command(connection, &of, device, id) else { return Ok(true) };
    Ok(events::replay_events(&happened).is_none_or(|replayed| replayed == listed))
}

fn as_far_as_readable(connection: &Connection, row: i64) -> rusqlite::Result<DamagedEvent> {
    let mut statement =
        connection.prepare_cached("SELECT connection, device, id, changed_at FROM commands WHERE row = ?1")?;
    statement.query_row([row], |row| {
        Ok(DamagedEvent {
            connection: text(row.get_ref(0)?).unwrap_or_default(),
            device: text(row.get_ref(1)?).unwrap_or_default(),
            command: text(row.get_ref(2)?),
            at: row.get_ref(3)?.as_i64().unwrap_or_default(),
        })
    })
}

impl Checked {
    /// Whether no problems were found.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.damaged == 0 && self.wrongly_listed == 0 && self.unreadable.is_none() && self.faults.is_empty()
    }

    fn add(&mut self, step: &Step) {
        self.sound += step.sound;
        self.damaged += step.damaged;
        self.named.extend(step.named.iter().take(NAMED - self.named.len().min(NAMED)).cloned());
    }
}

fn faults(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare(&format!("PRAGMA quick_check({FAULTS})"))?;
    let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
    let mut faults = Vec::new();
    for row in rows {
        match row {
            Ok(said) if said == "ok" => {}
            Ok(said) => faults.push(said),
            Err(error) => {
                faults.push(error.to_string());
                break;
            }
        }
    }
    Ok(faults)
}

/// An event, by its row and its time.
#[derive(Debug, Clone, Copy)]
struct Place {
    row: i64,
    at: Option<i64>,
}

/// The events of one step.
struct Step {
    sound: u64,
    damaged: u64,
    named: Vec<DamagedEvent>,
    /// The last event that was read.
    last: Place,
    /// When the newest of these events happened.
    newest: Option<i64>,
    /// The file cannot be read any further from here.
    blocked: bool,
    /// There are no more.
    ended: bool,
}

const COLUMNS: &str = "row, connection, device, command, at, fact, payload, sum";

impl Step {
    fn new(last: Place) -> Step {
        Step { sound: 0, damaged: 0, named: Vec::new(), last, newest: None, blocked: false, ended: false }
    }

    fn read_events(&self) -> u64 {
        self.sound + self.damaged
    }

    /// The events after that one.
    fn after(connection: &Connection, from: Place) -> Step {
        let query = format!("SELECT {COLUMNS} FROM events WHERE row > ?1 ORDER BY row LIMIT {STEP}");
        let mut step = Step::new(from);
        match step.read(connection, &query, from) {
            Ok(count) => step.ended = count < u64::from(STEP),
            Err(_) => step.blocked = true,
        }
        step
    }

    /// The events from the end back to the unreadable part; empty if the end is unreadable.
    fn behind(connection: &Connection, from: Place) -> Step {
        let query = format!("SELECT {COLUMNS} FROM events WHERE row > ?1 ORDER BY row DESC");
        let mut step = Step::new(Place { row: i64::MAX, at: None });
        // It comes to an error in the end: that is where the other side began.
        let _ = step.read(connection, &query, from);
        step
    }

    fn read(&mut self, connection: &Connection, query: &str, from: Place) -> rusqlite::Result<u64> {
        let mut statement = connection.prepare(query)?;
        let mut rows = statement.query([from.row])?;
        let mut count = 0;
        while let Some(row) = rows.next()? {
            count += 1;
            self.look_at(row)?;
        }
        Ok(count)
    }

    fn look_at(&mut self, row: &Row<'_>) -> rusqlite::Result<()> {
        let at = row.get_ref(4)?.as_i64().ok();
        self.last = Place { row: row.get(0)?, at };
        self.newest = self.newest.max(at);
        match row.get_ref(7)? {
            ValueRef::Integer(sum) if sum == sum_of(row)? => self.sound += 1,
            _ => {
                self.damaged += 1;
                if self.named.len() < NAMED {
                    self.named.push(DamagedEvent {
                        connection: text(row.get_ref(1)?).unwrap_or_default(),
                        device: text(row.get_ref(2)?).unwrap_or_default(),
                        command: text(row.get_ref(3)?),
                        at: at.unwrap_or_default(),
                    });
                }
            }
        }
        Ok(())
    }
}

fn text(value: ValueRef<'_>) -> Option<String> {
    match value {
        ValueRef::Text(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        _ => None,
    }
}

/// The checksum of an event as it lies in the table: of connection, device, command, time, fact and payload.
fn sum_of(row: &Row<'_>) -> rusqlite::Result<i64> {
    let mut sum = EventChecksum::default();
    for column in 1..=6 {
        match row.get_ref(column)? {
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) => sum.bytes(Some(bytes)),
            ValueRef::Integer(number) => sum.bytes(Some(&number.to_le_bytes())),
            ValueRef::Real(number) => sum.bytes(Some(&number.to_le_bytes())),
            ValueRef::Null => sum.bytes(None),
        }
    }
    Ok(sum.value())
}

/// An event is as it was written. `sum`: the column that holds it.
pub(super) fn is_as_written(row: &Row<'_>, sum: usize) -> bool {
    match row.get_ref(sum) {
        Ok(ValueRef::Integer(sum)) => sum_of(row).is_ok_and(|of| of == sum),
        _ => false,
    }
}

/// How many events can be read from both ends, and when the newest of them happened, Unix milliseconds.
pub(super) fn readable(connection: &Connection) -> (u64, Option<i64>) {
    let mut place = Place { row: i64::MIN, at: None };
    let (mut events, mut newest) = (0, None);
    loop {
        let step = Step::after(connection, place);
        events += step.read_events();
        newest = newest.max(step.last.at);
        if step.blocked {
            let behind = Step::behind(connection, step.last);
            return (events + behind.read_events(), newest.max(behind.newest));
        }
        if step.ended {
            return (events, newest);
        }
        place = step.last;
    }
}

/// A time as text, in UTC, so that it is the same everywhere.
pub(super) fn time(at: i64) -> String {
    let time = jiff::Timestamp::from_millisecond(at);
    time.map_or_else(|_| "an unknown time".to_owned(), |at| at.strftime("%F %T UTC").to_string())
}
