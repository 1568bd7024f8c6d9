//! Starts other programs, prints what runs and how long it took, and reports failures as sentences.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

/// A program that starts in the root directory of the checkout.
pub(crate) fn program(name: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(name);
    command.current_dir(crate::top()).stdin(Stdio::null());
    command
}

/// The cargo that runs this task, so that a toolchain chosen with `cargo +name` applies to everything below it.
pub(crate) fn cargo() -> Command {
    program(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Runs `command` and shows its output. `what` describes the purpose, as in "Building the window".
pub(crate) fn run(what: &str, command: &mut Command) -> Result<()> {
    let started = announce(what, command);
    let status = command.status().with_context(|| not_started(command))?;
    if !status.success() {
        bail!("{} failed ({status}); its output is above.", lower(what));
    }
    println!("    {what}: done in {}", elapsed(started));
    Ok(())
}

/// Runs `command`, shows its output, and returns every line of its standard output and whether it succeeded.
pub(crate) fn run_and_read(what: &str, command: &mut Command) -> Result<(bool, Vec<String>)> {
    let started = announce(what, command);
    let mut child = command.stdout(Stdio::piped()).spawn().with_context(|| not_started(command))?;
    let lines = child.stdout.take().map(echo).unwrap_or_default();
    let status = child.wait().with_context(|| format!("waiting for {}", shown(command)))?;
    println!("    {what}: ended after {}", elapsed(started));
    Ok((status.success(), lines))
}

/// The same for its standard error.
pub(crate) fn run_and_read_errors(what: &str, command: &mut Command) -> Result<(bool, Vec<String>)> {
    let started = announce(what, command);
    let mut child = command.stderr(Stdio::piped()).spawn().with_context(|| not_started(command))?;
    let lines = child.stderr.take().map(echo).unwrap_or_default();
    let status = child.wait().with_context(|| format!("waiting for {}", shown(command)))?;
    println!("    {what}: ended after {}", elapsed(started));
    Ok((status.success(), lines))
}

/// Returns the output of `command` without showing it; none if it cannot be started or fails.
pub(crate) fn quietly(command: &mut Command) -> Option<String> {
    let output = command.stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether a program with this name is on the path.
pub(crate) fn on_path(name: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|directory| directory.join(name).is_file()))
}

/// The time since then, for people.
pub(crate) fn elapsed(since: Instant) -> String {
    let seconds = since.elapsed().as_secs_f64();
    if seconds < 60.0 {
        format!("{seconds:.1} s")
    } else {
        format!("{} min {:02} s", seconds as u64 / 60, seconds as u64 % 60)
    }
}

fn announce(what: &str, command: &Command) -> Instant {
    println!("\n==> {what}\n    {}", shown(command));
    Instant::now()
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| shortened(&word.to_string_lossy())).collect::<Vec<_>>().join(" ")
}

fn shortened(word: &str) -> String {
    let top = format!("{}/", crate::top().display());
    match word.strip_prefix(&top) {
        Some(below) => below.to_owned(),
        None if word.ends_with("/cargo") => "cargo".to_owned(),
        None => word.to_owned(),
    }
}

fn not_started(command: &Command) -> String {
    format!(
        "`{}` could not be started. Check that it is installed and on the PATH.",
        command.get_program().to_string_lossy()
    )
}

fn lower(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters.next().map(|first| first.to_lowercase().collect::<String>() + letters.as_str()).unwrap_or_default()
}

/// Copies lines to our standard output as they arrive, and returns them.
fn echo(output: impl Read) -> Vec<String> {
    let mut kept = Vec::new();
    let mut reader = BufReader::new(output);
    let mut line = Vec::new();
    while matches!(reader.read_until(b'\n', &mut line), Ok(count) if count > 0) {
        let mut screen = std::io::stdout().lock();
        if screen.write_all(&line).and_then(|()| screen.flush()).is_err() {
            break;
        }
        kept.push(String::from_utf8_lossy(&line).trim_end().to_owned());
        line.clear();
    }
    kept
}
