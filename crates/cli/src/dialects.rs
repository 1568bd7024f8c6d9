//! `wilco dialects`: lists, shows, checks and tests dialect files.

use std::{fs, io::Read, path::Path, process::ExitCode};

use serde::Serialize;
use wilco_dialect::{
    DialectFile, DialectSet, Exchange, Expected, LARGEST_FILE, ReaderKind, Topics, shipped, shipped_text,
};
use wilco_ledger::grouped;

use crate::{
    learn,
    options::{DialectTask, Listing},
    output::{Output, Table, clean, entered, several, visible_name},
    problem::{NOT_DONE, Problem, warn},
};

/// The largest file of exchanges, bytes.
const LARGEST: u64 = 64 * 1024 * 1024;

/// Runs it. Only `find` and `learn` need a broker and a data directory.
pub(crate) async fn run(task: DialectTask, data_dir: Option<&Path>) -> Result<ExitCode, Problem> {
    match task {
        DialectTask::List { output } => list(output),
        DialectTask::Show { name } => show(&name),
        DialectTask::Check { file } => check(&file),
        DialectTask::Test { file, with } => test(&file, &with),
        DialectTask::Find { connection } => learn::find(&connection, data_dir).await,
        DialectTask::Learn { connection, filter, time, name } => {
            learn::run(&connection, &filter, time, &name, data_dir).await
        }
    }
}

/// A dialect in a list.
#[derive(Serialize)]
struct DialectLine<'a> {
    name: &'a str,
    title: &'a str,
    about: &'a str,
    finds_devices: bool,
    on_request: bool,
}

fn list(listing: Listing) -> Result<ExitCode, Problem> {
    if listing == Listing::Json {
        let mut output = Output::data();
        for file in shipped() {
            output.json(&DialectLine {
                name: file.name(),
                title: file.title(),
                about: file.about(),
                finds_devices: file.reader().is_some(),
                on_request: file.is_on_request(),
            })?;
        }
        output.flush()?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = Table::new(["NAME", "TITLE", "FINDS DEVICES", "ENABLED"]);
    for file in shipped() {
        table.row([
            file.name().into(),
            file.title().into(),
            if file.reader().is_some() { "yes" } else { "" }.into(),
            if file.is_on_request() { "on request" } else { "" }.into(),
        ]);
    }
    table.print(&mut Output::text())?;
    Ok(ExitCode::SUCCESS)
}

fn show(name: &str) -> Result<ExitCode, Problem> {
    let text = shipped_text(name).ok_or_else(|| {
        let message = format!("There is no dialect named '{}'.", entered(name));
        Problem::new(message, "List the dialects with wilco dialects list.")
    })?;
    let mut output = Output::data();
    text.lines().try_for_each(|line| output.line(line))?;
    output.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// A file's text, if it is not larger than that.
fn text_of(path: &Path, largest: u64) -> Result<String, Problem> {
    let cannot = |why: String| {
        Problem::new(
            format!("Could not read {}: {why}.", path.display()),
            "Check the file name and the permissions \
                                                                            of the file.",
        )
    };
    let bytes = fs::metadata(path).map_err(|error| cannot(error.to_string()))?.len();
    if bytes > largest {
        return Err(cannot(format!("it has {} bytes; the limit is {}", grouped(bytes), grouped(largest))));
    }
    // What has no size, such as a pipe, ends at the limit too.
    let file = fs::File::open(path).map_err(|error| cannot(error.to_string()))?;
    let mut text = String::new();
    let read = file.take(largest + 1).read_to_string(&mut text).map_err(|error| cannot(error.to_string()))?;
    if read as u64 > largest {
        return Err(cannot(format!("it has more than {} bytes", grouped(largest))));
    }
    Ok(text)
}

/// A dialect file's text, with the name of what it describes.
pub(crate) fn file(path: &Path) -> Result<(String, String), Problem> {
    let text = text_of(path, LARGEST_FILE as u64)?;
    match DialectFile::parse(&text) {
        Ok(file) => Ok((file.name().to_owned(), text)),
        Err(problems) => {
            let first =
                problems.first().map(|problem| format!("{}:{}: {}", path.display(), problem.line, problem.what));
            Err(Problem::new(
                first.unwrap_or_default(),
                format!("List all problems: wilco dialects check {}.", path.display()),
            ))
        }
    }
}

/// The name of the dialect that a file describes.
pub(crate) fn name_of(text: &str) -> Option<String> {
    DialectFile::parse(text).ok().map(|file| file.name().to_owned())
}

/// The dialect in a file, or all that is wrong with it by line.
fn read(path: &Path) -> Result<Result<DialectFile, Vec<String>>, Problem> {
    let text = text_of(path, LARGEST_FILE as u64)?;
    Ok(DialectFile::parse(&text).map_err(|problems| {
        problems.iter().map(|problem| format!("{}:{}: {}", path.display(), problem.line, problem.what)).collect()
    }))
}

fn check(path: &Path) -> Result<ExitCode, Problem> {
    let mut output = Output::text();
    let file = match read(path)? {
        Ok(file) => file,
        Err(problems) => {
            problems.iter().try_for_each(|problem| output.line(&clean(problem)))?;
            output.line(&format!("{} in {}.", several(problems.len(), "problem"), path.display()))?;
            output.flush()?;
            return Ok(ExitCode::from(NOT_DONE));
        }
    };
    let (requests, hears) = file.size();
    output.line(&format!(
        "{} ({}) is valid: {}, {}{}.",
        visible_name(file.name()),
        clean(file.title()),
        several(requests, "request"),
        format_args!("{} for received messages", several(hears, "rule")),
        file.reader().map_or(String::new(), |reader| format!(", devices found by {}", reader_name(reader))),
    ))?;
    output.flush()?;
    for other in shipped().iter().filter(|other| other.name() != file.name()) {
        let set = DialectSet::new([file.clone(), other.clone()], &Topics::default());
        for overlap in set.overlaps() {
            warn(&overlap, None);
        }
    }
    if shipped().iter().any(|other| other.name() == file.name()) {
        warn("A built-in dialect has the same name.", Some("Choose another name, so that both can be enabled."));
    }
    Ok(ExitCode::SUCCESS)
}

fn reader_name(reader: ReaderKind) -> &'static str {
    match reader {
        ReaderKind::HomeAssistant => "Home Assistant discovery",
        ReaderKind::Zigbee2Mqtt => "Zigbee2MQTT's list of devices",
        ReaderKind::Tasmota => "Tasmota's discovery",
        ReaderKind::Shelly => "Shelly announcements",
        ReaderKind::ShellyGen1 => "announcements of first-generation Shellies",
        ReaderKind::Homie5 => "Homie 5 descriptions",
        ReaderKind::Homie4 => "Homie 4 attributes",
        ReaderKind::ThingsBoardGateway => "ThingsBoard gateway connections",
    }
}

fn test(path: &Path, with: &[std::path::PathBuf]) -> Result<ExitCode, Problem> {
    let mut dialects: Vec<DialectFile> = Vec::new();
    for path in with {
        let file = read(path)?.map_err(|problems| {
            let message = problems.first().cloned().unwrap_or_default();
            Problem::new(message, format!("List all problems: wilco dialects check {}.", path.display()))
        })?;
        dialects.push(file);
    }
    // A file of the user's own replaces a built-in one of the same name.
    dialects.extend(shipped().iter().cloned());
    let text = text_of(path, LARGEST)?;
    let mut output = Output::text();
    let (mut right, mut all) = (0, 0);
    for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
        all += 1;
        let (name, outcome) = played(line, number, &dialects);
        let line = match outcome {
            Ok(read) => {
                right += 1;
                format!("passed  {name}: {read}")
            }
            Err(why) => format!("failed  {name}: {why}"),
        };
        output.line(&clean(&line))?;
    }
    output.line(&format!("{right} of {all} passed"))?;
    output.flush()?;
    Ok(if right == all { ExitCode::SUCCESS } else { ExitCode::from(NOT_DONE) })
}

/// The name of an exchange, and its outcome or the differences from the expected one.
fn played(line: &str, number: usize, dialects: &[DialectFile]) -> (String, Result<String, String>) {
    let exchange: Exchange = match serde_json::from_str(line) {
        Ok(exchange) => exchange,
        Err(error) => return (format!("line {number}"), Err(format!("This is not a recorded exchange: {error}."))),
    };
    let name = format!("{}: {}", exchange.dialect, exchange.name);
    let outcome = match exchange.play(dialects) {
        Ok(played) if played.wrong.is_empty() => Ok(shown(&played.read)),
        Ok(played) => Err(format!("{} (read: {})", played.wrong.join(" "), shown(&played.read))),
        Err(why) => Err(why),
    };
    (name, outcome)
}

fn shown(read: &Expected) -> String {
    let id = read.id.map_or(String::new(), |id| format!(", {}", id.as_str()));
    let message = read.message.as_ref().map_or(String::new(), |message| format!(", {message:?}"));
    format!("{}{id}{message}", read.state)
}
