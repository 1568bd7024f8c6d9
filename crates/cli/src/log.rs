//! `wilco log`: fetches a device's log, assembles it and verifies its checksum.

use std::{
    io::{IsTerminal, Write, stdout},
    path::Path,
    process::ExitCode,
    time::Duration,
};

use serde_json::{Map, Value};
use tokio::time::{Instant, sleep};
use wilco_engine::api::{
    Client, CommandState, CommandView, Confirmed, Failure, FailureCode, FileToWrite, LogPart, LogState, LogView,
    NewCommand,
};

use crate::{
    away,
    base::Base,
    input,
    interrupt::Interrupt,
    link,
    options::LogOptions,
    output::{Output, clean, file_to_write, state_name, visible_name},
    problem::{self, NOT_DONE, Problem},
};

/// The command that requests a log.
const LOG_GET: &str = "log.get";
/// How often is looked whether more has come.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// A piece that is overtaken by the end of its command comes within this, or not at all.
const LATE_PIECES: Duration = Duration::from_secs(3);
/// The hint when a device did not send its log.
const NOT_SENT: &str = "Check with wilco devices that the device is online, and that its firmware supports log.get.";

/// The remark about a request to an offline device.
const HELD: &str = "Wilco waits as long as the broker may hold the request. Press Ctrl-C to stop.";

/// The device and the part of its log to fetch.
struct LogRequest {
    connection: String,
    device: String,
    lines: Option<u32>,
    /// The confirmation.
    confirmed: Confirmed,
}

/// Does it.
pub(crate) async fn run(options: LogOptions, data_dir: Option<&Path>) -> Result<ExitCode, Problem> {
    let mut interrupt = Interrupt::listen()?;
    let mut base = Base::open(data_dir).await?;
    let outcome = tokio::select! {
        outcome = fetch(&mut base, options) => outcome,
        () = interrupt.received() => Err(Problem::Interrupted),
    };
    base.close().await;
    outcome
}

async fn fetch(base: &mut Base, options: LogOptions) -> Result<ExitCode, Problem> {
    let LogOptions { connection, device, lines, to, force, follow, every, confirm } = options;
    // Checked before the log is requested, so that it can be written.
    let to = to.map(|to| file_to_write(&to, force)).transpose()?;
    let connection = base.connection(&connection).await?;
    let mut batches = base.console().listen().await?;
    link::online(base.console(), &mut batches, &connection, link::CONNECT_TIMEOUT).await?;
    drop(batches);
    away::say(&away::of(base, &connection, std::slice::from_ref(&device)).await?, HELD);
    let mut asked = LogRequest { connection: connection.id, device, lines, confirmed: Confirmed::No };
    let needed = base.console().check_command(asked.command(None)).await?.confirmation;
    let what = format!("{LOG_GET} to {}", visible_name(&asked.device));
    // Once for all that a log that is followed takes.
    asked.confirmed = input::confirmation(needed, &connection.name, &what, &confirm).await?;
    if follow {
        return asked.follow(base, every).await;
    }
    let id = asked.ask(base.console(), None).await?;
    asked.take(base.console(), &id, to).await.map_err(|problem| asked.unclear(problem))
}

impl LogRequest {
    /// Waits for the requested log, and prints or writes it.
    async fn take(&self, console: &Client, id: &str, to: Option<FileToWrite>) -> Result<ExitCode, Problem> {
        let log = match self.wait(console, id).await? {
            Ok(log) => log,
            Err(message) => return Err(Problem::NotDone { message, hint: Some(NOT_SENT.to_owned()) }),
        };
        match to {
            Some(to) => {
                console.save_log(&self.connection, &self.device, &log.id, to).await?;
            }
            None => print(&text_of(&log.parts))?,
        }
        warn_of(&log);
        let whole = log.standing == LogState::Whole;
        Ok(if whole { ExitCode::SUCCESS } else { ExitCode::from(NOT_DONE) })
    }

    /// A problem after the log was requested: the request was sent, or may have been.
    fn unclear(&self, problem: Problem) -> Problem {
        match problem {
            Problem::Message { message, hint } | Problem::Unclear { message, hint } => Problem::Unclear {
                message: format!(
                    "{message} The log of {} was requested, or may have been.",
                    visible_name(&self.device)
                ),
                hint,
            },
            other => other,
        }
    }

    /// Requests the log, replacing the one of another command, and returns the command.
    async fn ask(&self, console: &Client, again_of: Option<String>) -> Result<String, Failure> {
        Ok(console.send(self.command(again_of)).await?.ids.remove(0))
    }

    fn command(&self, again_of: Option<String>) -> NewCommand {
        let args = self.lines.map(|lines| ("lines".to_owned(), Value::from(lines)));
        NewCommand {
            connection: self.connection.clone(),
            devices: vec![self.device.clone()],
            command: LOG_GET.to_owned(),
            args: Value::Object(Map::from_iter(args)).into(),
            automatic: again_of.is_some(),
            again_of,
            confirmed: self.confirmed.clone(),
            ..NewCommand::default()
        }
    }

    /// Waits until the log has been received as far as possible. Returns an error if it was not received.
    async fn wait(&self, console: &Client, id: &str) -> Result<Result<LogView, String>, Failure> {
        let command = loop {
            let command = console.command(&self.connection, &self.device, id).await?.command;
            if command.is_final {
                break command;
            }
            sleep(LOOK_EVERY).await;
        };
        if command.state != CommandState::Succeeded {
            return Ok(Err(not_sent(&command)));
        }
        let give_up = Instant::now() + LATE_PIECES;
        loop {
            let log = console.log(&self.connection, &self.device, id, true).await?;
            if log.standing != LogState::Gaps || Instant::now() >= give_up {
                return Ok(Ok(log));
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// Requests it repeatedly, and prints new lines. Continues after any answer, and when the app in use is closed.
    /// Keeps only the latest fetched log of the device.
    async fn follow(&self, base: &mut Base, every: Duration) -> Result<ExitCode, Problem> {
        let mut before: Option<String> = None;
        let mut fetched = Vec::new();
        loop {
            match self.round(base.console(), &mut fetched).await {
                Ok(Ok(log)) => {
                    // Otherwise all of the next one would be new.
                    if log.have > 0 {
                        let text = text_of(&log.parts);
                        let fresh = before.as_deref().map_or(text.as_str(), |before| fresh(before, &text));
                        print(fresh).map_err(|problem| self.unclear(problem))?;
                        before = Some(text);
                        self.forget_all_but_last(base.console(), &mut fetched).await;
                    }
                    warn_of(&log);
                }
                Ok(Err(why)) => problem::warn(&why, Some("Wilco requests it again until Ctrl-C.")),
                // The next engine is asked.
                Err(failure) if failure.code == FailureCode::Unanswered => {}
                // Something has been sent in an earlier round or in this one.
                Err(failure) if !fetched.is_empty() => return Err(self.unclear(failure.into())),
                Err(failure) => return Err(failure.into()),
            }
            sleep(every).await;
        }
    }

    /// Requests the log, records that, and waits for it.
    async fn round(&self, console: &Client, fetched: &mut Vec<String>) -> Result<Result<LogView, String>, Failure> {
        // The last that came: of those after it nothing is kept.
        let id = self.ask(console, fetched.first().cloned()).await?;
        fetched.push(id.clone());
        self.wait(console, &id).await
    }

    async fn forget_all_but_last(&self, console: &Client, fetched: &mut Vec<String>) {
        for id in fetched.drain(..fetched.len().saturating_sub(1)) {
            // Where the request was not answered there is nothing to forget.
            let _ = console.forget_log(&self.connection, &self.device, &id).await;
        }
    }
}

/// Prints the state of an incomplete log.
fn warn_of(log: &LogView) {
    if log.standing != LogState::Whole {
        problem::warn(&log.sentence, (log.standing == LogState::Gaps).then_some("Fetch the log again."));
    }
}

/// Why there is no log.
fn not_sent(command: &CommandView) -> String {
    let said = command.message.as_deref().map(|said| format!(": {said}")).unwrap_or_else(|| ".".to_owned());
    format!("{} did not send its log: the command {}{said}", visible_name(&command.device), ended(command.state))
}

fn ended(state: CommandState) -> String {
    match state {
        CommandState::Failed | CommandState::Succeeded | CommandState::TimedOut => state_name(state),
        _ => format!("was {}", state_name(state)),
    }
}

/// The text, with a line for each gap.
fn text_of(parts: &[LogPart]) -> String {
    wilco_engine::logs::plain(parts)
}

fn print(text: &str) -> Result<(), Problem> {
    if !stdout().is_terminal() {
        let mut output = Output::data();
        output.write_all(text.as_bytes())?;
        return output.flush();
    }
    let mut output = Output::text();
    text.lines().try_for_each(|line| output.line(&clean(line)))?;
    output.flush()
}

/// The part of a log that the previous one did not have: everything after the last common line. All of it if they have
/// nothing in common, for example after a rotation.
fn fresh<'a>(before: &str, now: &'a str) -> &'a str {
    let known: Vec<&str> = before.split_inclusive('\n').collect();
    let lines: Vec<&str> = now.split_inclusive('\n').collect();
    let follows_on = |end: usize| lines[..end].iter().rev().zip(known.iter().rev()).all(|(one, other)| one == other);
    let end = (1..=lines.len()).rev().find(|end| follows_on(*end)).unwrap_or(0);
    let start: usize = if known.is_empty() { 0 } else { lines[..end].iter().map(|line| line.len()).sum() };
    &now[start..]
}

#[cfg(test)]
mod tests {
    use super::fresh;

    #[test]
    fn only_what_is_new_is_printed() {
        let check = |before: &str, now: &str, expected: &str| assert_eq!(fresh(before, now), expected, "{before:?}");
        check("", "a\n", "a\n");
        check("a\nb\n", "a\nb\nc\n", "c\n");
        check("a\nb\n", "b\nc\nd\n", "c\nd\n");
        check("a\nb\n", "a\nb\n", "");
        check("a\nb\n", "x\ny\n", "x\ny\n");
        check("a\na\n", "a\na\na\nb\n", "b\n");
        check("a\nb\n", "", "");
    }
}
