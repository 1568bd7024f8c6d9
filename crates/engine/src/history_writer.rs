//! Writes the history as rows for other programs: the window's export and the command line's output are the same.
//!
//! The caller provides the rows and the destination.

use std::{
    borrow::Cow,
    io::{self, Write},
};

use jiff::Timestamp;
use serde::Serialize;

use crate::api::{
    AnswerMatch, CommandState, CommandView, ExportFormat, HistoryCause, JsonText, Outcome, SentBy, UnreadableView,
};

/// Writes rows, one for each command.
pub enum HistoryWriter<W: Write> {
    /// One JSON object per line: the members of `wilco send`'s lines, and all others.
    Json(W),
    /// Comma-separated values, with column names in the first line.
    Csv(Box<csv::Writer<W>>),
}

impl<W: Write> HistoryWriter<W> {
    /// Starts a file.
    ///
    /// # Errors
    /// Errors of the writer.
    pub fn begin(format: ExportFormat, to: W) -> io::Result<HistoryWriter<W>> {
        Ok(match format {
            ExportFormat::Json => HistoryWriter::Json(to),
            ExportFormat::Csv => {
                let mut writer = csv::Writer::from_writer(to);
                writer.write_record(COLUMNS).map_err(plain)?;
                HistoryWriter::Csv(Box::new(writer))
            }
        })
    }

    /// Adds a command.
    ///
    /// # Errors
    /// Errors of the writer.
    pub fn add(&mut self, command: &CommandView) -> io::Result<()> {
        match self {
            HistoryWriter::Json(to) => {
                serde_json::to_writer(&mut *to, &Row::of(command))?;
                to.write_all(b"\n")
            }
            HistoryWriter::Csv(writer) => {
                let cells = cells(command);
                writer.write_record(cells.iter().map(|cell| harmless(cell).into_owned())).map_err(plain)
            }
        }
    }

    /// Returns the inner writer, flushed.
    ///
    /// # Errors
    /// Errors of the writer.
    pub fn finish(self) -> io::Result<W> {
        match self {
            HistoryWriter::Json(mut to) => to.flush().map(|()| to),
            HistoryWriter::Csv(writer) => {
                let mut to = writer.into_inner().map_err(csv::IntoInnerError::into_error)?;
                to.flush().map(|()| to)
            }
        }
    }
}

/// Writes causes of failures as CSV with a header, and returns the inner writer.
///
/// # Errors
/// Errors of the writer.
pub fn write_causes<W: Write>(causes: &[HistoryCause], to: W) -> io::Result<W> {
    let mut writer = csv::Writer::from_writer(to);
    writer.write_record(["count", "state", "latest_at", "message"]).map_err(plain)?;
    for HistoryCause { state, message, count, latest_at, .. } in causes {
        let (count, latest_at) = (count.to_string(), exact_time(*latest_at));
        writer.write_record([count.as_str(), state.as_str(), &latest_at, &harmless(message)]).map_err(plain)?;
    }
    writer.into_inner().map_err(csv::IntoInnerError::into_error)
}

/// A command as a row of JSON: what [`CommandView`] has, with its values as values.
#[derive(Serialize)]
struct Row<'a> {
    at: i64,
    connection: &'a str,
    device: &'a str,
    id: &'a str,
    command: &'a str,
    #[serde(serialize_with = "JsonText::embedded")]
    args: &'a JsonText,
    by: SentBy,
    operator: &'a Option<String>,
    state: CommandState,
    #[serde(rename = "final")]
    is_final: bool,
    queued_at: i64,
    sent_at: Option<i64>,
    at_broker_at: Option<i64>,
    accepted_at: Option<i64>,
    finished_at: Option<i64>,
    deadline: Option<i64>,
    changed_at: i64,
    attempts: u32,
    progress: Option<u8>,
    message: &'a Option<String>,
    #[serde(serialize_with = "JsonText::embedded_if_any")]
    result: &'a Option<JsonText>,
    #[serde(rename = "match")]
    matched: Option<AnswerMatch>,
    unreadable: &'a Option<UnreadableView>,
    late: bool,
    duplicates: u32,
    conflict: bool,
    contradicted: Option<Outcome>,
    nobody_listening: bool,
    again_of: &'a Option<String>,
}

impl<'a> Row<'a> {
    fn of(command: &'a CommandView) -> Row<'a> {
        Row {
            at: command.changed_at,
            connection: &command.connection,
            device: &command.device,
            id: &command.id,
            command: &command.command,
            args: &command.args,
            by: command.by,
            operator: &command.operator,
            state: command.state,
            is_final: command.is_final,
            queued_at: command.queued_at,
            sent_at: command.sent_at,
            at_broker_at: command.at_broker_at,
            accepted_at: command.accepted_at,
            finished_at: command.finished_at,
            deadline: command.deadline,
            changed_at: command.changed_at,
            attempts: command.attempts,
            progress: command.progress,
            message: &command.message,
            result: &command.result,
            matched: command.matched,
            unreadable: &command.unreadable,
            late: command.late,
            duplicates: command.duplicates,
            conflict: command.conflict,
            contradicted: command.contradicted,
            nobody_listening: command.nobody_listening,
            again_of: &command.again_of,
        }
    }
}

const COLUMNS: [&str; 22] = [
    "id",
    "device",
    "command",
    "args",
    "by",
    "state",
    "queued_at",
    "sent_at",
    "at_broker_at",
    "accepted_at",
    "finished_at",
    "attempts",
    "match",
    "late",
    "duplicates",
    "conflict",
    "contradicted",
    "again_of",
    "message",
    "result",
    "connection",
    "operator",
];

fn cells(command: &CommandView) -> [String; COLUMNS.len()] {
    let time = |at: Option<i64>| at.map(exact_time).unwrap_or_default();
    [
        command.id.clone(),
        command.device.clone(),
        command.command.clone(),
        command.args.to_string(),
        command.by.to_string(),
        command.state.to_string(),
        exact_time(command.queued_at),
        time(command.sent_at),
        time(command.at_broker_at),
        time(command.accepted_at),
        time(command.finished_at),
        command.attempts.to_string(),
        command.matched.map(AnswerMatch::as_str).unwrap_or_default().to_owned(),
        command.late.to_string(),
        command.duplicates.to_string(),
        command.conflict.to_string(),
        command.contradicted.map(Outcome::as_str).unwrap_or_default().to_owned(),
        command.again_of.clone().unwrap_or_default(),
        command.message.clone().unwrap_or_default(),
        command.result.as_ref().map(ToString::to_string).unwrap_or_default(),
        command.connection.clone(),
        command.operator.clone().unwrap_or_default(),
    ]
}

/// The characters with which a formula begins in a spreadsheet.
pub(crate) const FORMULA: [char; 7] = ['=', '+', '-', '@', '\t', '\r', '\n'];

/// Messages of devices are text: a spreadsheet would execute a formula in them.
pub(crate) fn harmless(cell: &str) -> Cow<'_, str> {
    if cell.starts_with(FORMULA) {
        return Cow::Owned(format!("'{cell}"));
    }
    Cow::Borrowed(cell)
}

/// The original I/O error; the library's own conversion keeps only its text.
pub(crate) fn plain(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

/// RFC 3339, in UTC, to the millisecond.
pub(crate) fn exact_time(at: i64) -> String {
    Timestamp::from_millisecond(at).map_or_else(|_| at.to_string(), |time| format!("{time:.3}"))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

    use std::io::{self, Write};

    use serde_json::{Value, json};

    use super::{COLUMNS, HistoryWriter, exact_time, harmless, write_causes};
    use crate::api::{CommandState, CommandView, ExportFormat, HistoryCause};

    fn command(message: &str) -> CommandView {
        serde_json::from_value(json!({
            "connection": "demo", "device": "pump-7", "id": "a", "command": "led", "args": "{\"on\":true,\"n\":1e10}", "by": "you",
            "state": "failed", "final": true, "queued_at": 1_795_438_800_120_i64, "changed_at": 1_795_438_800_520_i64,
            "attempts": 1, "late": false, "duplicates": 0, "conflict": false, "nobody_listening": false,
            "message": message,
        }))
        .unwrap()
    }

    fn written(format: ExportFormat, commands: &[CommandView]) -> String {
        let mut history_writer = HistoryWriter::begin(format, Vec::new()).unwrap();
        commands.iter().for_each(|command| history_writer.add(command).unwrap());
        String::from_utf8(history_writer.finish().unwrap()).unwrap()
    }

    #[test]
    fn causes_are_rows_that_a_spreadsheet_reads_as_text() {
        let cause = |message: &str| HistoryCause {
            state: CommandState::Failed,
            message: message.into(),
            count: 41,
            latest_at: 1_795_438_800_120,
            search: String::new(),
        };
        let written = write_causes(&[cause("supply voltage, too \"low\""), cause("=1+1")], Vec::new()).unwrap();
        let mut reader = csv::Reader::from_reader(written.as_slice());
        assert_eq!(reader.headers().unwrap(), vec!["count", "state", "latest_at", "message"]);
        let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        assert_eq!(rows[0], vec!["41", "failed", "2026-11-23T13:00:00.120Z", "supply voltage, too \"low\""]);
        assert_eq!(&rows[1][3], "'=1+1");
    }

    #[test]
    fn a_csv_file_says_what_its_columns_are_and_keeps_text_as_it_came() {
        let text = "jammed, \"twice\"\nand again";
        let written = written(ExportFormat::Csv, &[command(text), command("")]);
        let mut reader = csv::Reader::from_reader(written.as_bytes());
        assert_eq!(reader.headers().unwrap(), COLUMNS.as_slice());
        let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        let column = |name: &str| COLUMNS.iter().position(|column| *column == name).unwrap();
        assert_eq!(rows.len(), 2);
        assert_eq!(&rows[0][column("message")], text);
        assert_eq!(&rows[0][column("args")], r#"{"on":true,"n":1e10}"#);
        assert_eq!(&rows[0][column("queued_at")], "2026-11-23T13:00:00.120Z");
        assert_eq!(&rows[0][column("finished_at")], "");
    }

    #[test]
    fn json_is_an_object_a_line() {
        let written = written(ExportFormat::Json, &[command("two\nlines"), command("=1+1")]);
        let rows: Vec<Value> = written.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(rows.len(), 2);
        assert!(written.contains(r#","args":{"on":true,"n":1e10},"#), "{written}");
        assert_eq!((&rows[0]["at"], &rows[0]["state"]), (&json!(1_795_438_800_520_i64), &json!("failed")));
        // It is not a figure to calculate with, so it is written as received.
        assert_eq!(rows[1]["message"], "=1+1");
    }

    #[test]
    fn no_cell_is_a_formula() {
        let check = |cell: &str, expected: &str| assert_eq!(harmless(cell), expected);
        check("", "");
        check("jammed", "jammed");
        check("a=b", "a=b");
        check("=HYPERLINK(\"http://evil\")", "'=HYPERLINK(\"http://evil\")");
        check("+1", "'+1");
        check("-1+1", "'-1+1");
        check("@SUM(A1)", "'@SUM(A1)");
        check("\t=1", "'\t=1");
        check("\r=1", "'\r=1");
        assert!(written(ExportFormat::Csv, &[command("=1+1")]).contains(",'=1+1,"));
    }

    /// A disk with room for so many bytes.
    struct Small(usize);

    impl Write for Small {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::StorageFull)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_full_disk_is_told_as_such() {
        let check = |format: ExportFormat, message: &str| {
            let written = HistoryWriter::begin(format, Small(1_000)).and_then(|mut history_writer| {
                history_writer.add(&command(message))?;
                history_writer.finish()
            });
            assert_eq!(written.err().map(|error| error.kind()), Some(io::ErrorKind::StorageFull), "{format:?}");
        };
        // At the end, when the rest is written, and in the middle of it.
        for length in [2_000, 200_000] {
            check(ExportFormat::Csv, &"x".repeat(length));
            check(ExportFormat::Json, &"x".repeat(length));
        }
    }

    #[test]
    fn times_are_exact() {
        let check = |at: i64, expected: &str| assert_eq!(exact_time(at), expected);
        check(0, "1970-01-01T00:00:00.000Z");
        check(1_795_438_800_120, "2026-11-23T13:00:00.120Z");
        // Further away than a calendar goes.
        check(i64::MAX, "9223372036854775807");
    }
}
