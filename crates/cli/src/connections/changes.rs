//! Adds, edits, renews, moves and removes connections.

use std::process::ExitCode;

use wilco_engine::api::{
    Client, ConnectionEntry, ConnectionView, Failure, FailureCode, FileToRead, RolloutState, Trust,
};

use super::{ConnectionInput, files};
use crate::{
    base::Base,
    input::{confirmed, secret_line},
    options::{BrokerOptions, EditOptions, IdentityOptions, Switch},
    output::{Output, clean, count, local_time, visible_name},
    problem::{Problem, warn},
};

/// Adds one.
pub(super) async fn add(base: &Base, entry: ConnectionEntry, described: ConnectionInput) -> Result<ExitCode, Problem> {
    let entry = described.over(base.console(), entry).await?;
    let added = save(base.console(), entry).await?;
    warn_of_overlaps(&added);
    let mut lines = vec![format!("Added {} ({}).", visible_name(&added.name), added.url)];
    lines.extend(certificate(&added));
    say(&lines)
}

/// Warns of dialects that read the same messages.
fn warn_of_overlaps(connection: &ConnectionView) {
    connection.overlaps.iter().for_each(|overlap| warn(&clean(overlap), None));
}

/// The change.
pub(super) struct Edit {
    options: EditOptions,
    described: ConnectionInput,
}

impl Edit {
    pub(super) fn read(mut options: EditOptions) -> Result<Edit, Problem> {
        let is_same_place = options.rename.is_none() && options.url.is_none();
        let is_same_use = options.mode.is_none() && options.send_operator.is_none() && options.approval.is_none();
        let is_kept = !(options.no_password || options.no_certificates || options.no_proxy);
        if is_same_place && is_same_use && is_kept && options.broker == BrokerOptions::default() {
            return Err(Problem::new(
                "Nothing to change: no options were given.",
                "Use at least one, such as --url or --rename. `wilco connections edit --help` lists them all.",
            ));
        }
        let described = ConnectionInput::read(std::mem::take(&mut options.broker))?;
        Ok(Edit { options, described })
    }

    pub(super) async fn make(self, base: &Base) -> Result<ExitCode, Problem> {
        let Edit { options, described } = self;
        let before = base.connection(&options.name).await?;
        let mut entry = ConnectionEntry::from(&before);
        entry.name = options.rename.unwrap_or(entry.name);
        entry.url = options.url.unwrap_or(entry.url);
        let settings = &mut entry.settings;
        settings.mode = options.mode.unwrap_or(settings.mode);
        settings.send_operator = options.send_operator.map_or(settings.send_operator, |switch| switch == Switch::On);
        settings.needs_approval = options.approval.map_or(settings.needs_approval, |switch| switch == Switch::On);
        if options.no_password {
            entry.password = Some(String::new());
        }
        if options.no_certificates {
            entry.without_certificates = true;
            entry.settings.trust = Trust::Platform;
        }
        if options.no_proxy {
            entry.settings.proxy = None;
        }
        let after = save(base.console(), described.over(base.console(), entry).await?).await?;
        warn_of_overlaps(&after);
        let mut lines = vec![format!("Changed {} ({}).", visible_name(&after.name), after.url)];
        if after.certificate_expires_at != before.certificate_expires_at {
            lines.extend(certificate(&after));
        }
        say(&lines)
    }
}

/// Another client certificate for a connection.
pub(super) struct Renewal {
    options: IdentityOptions,
    files: Vec<FileToRead>,
    passphrase: Option<String>,
}

impl Renewal {
    pub(super) fn read(options: IdentityOptions) -> Result<Renewal, Problem> {
        let files = files::of_identity(&options)?;
        if files.is_empty() {
            return Err(Problem::new(
                "No certificate files were given.",
                "Give the new certificate and its private key: --cert FILE --key FILE, --pkcs12 FILE or --kit ZIP.",
            ));
        }
        let passphrase =
            options.passphrase_stdin.then(|| secret_line("passphrase", "--passphrase-stdin")).transpose()?;
        Ok(Renewal { options, files, passphrase })
    }

    pub(super) async fn make(self, base: &Base, name: &str) -> Result<ExitCode, Problem> {
        let console = base.console();
        let before = base.connection(name).await?;
        let brought = files::bring(console, self.files, self.passphrase, &self.options).await?;
        let Some(kit) = brought else { return Err(nothing_new()) };
        let renewed = match &kit.certificate {
            Some(new) => console.renew_certificate(&before.id, &kit.id).await.map(|_| new).map_err(without_keyring),
            None => Err(nothing_new()),
        };
        let new = match renewed {
            Ok(new) => new,
            Err(problem) => {
                console.forget_kit(&kit.id).await?;
                return Err(problem);
            }
        };
        let old = match (&before.certificate_subject, before.certificate_expires_at) {
            (Some(subject), Some(until)) => format!("{}, valid until {}", clean(subject), local_time(until)),
            _ => "none".to_owned(),
        };
        say(&[
            format!("Replaced the client certificate of {}.", visible_name(&before.name)),
            format!("  before  {old}"),
            format!(
                "  now     {}, valid from {} until {}",
                clean(&new.subject),
                local_time(new.not_before),
                local_time(new.not_after)
            ),
        ])
    }
}

/// Adds one like it.
pub(super) async fn duplicate(base: &Base, name: &str) -> Result<ExitCode, Problem> {
    let original = base.connection(name).await?;
    let added = base.console().duplicate_connection(&original.id).await.map_err(without_keyring)?;
    say(&[format!(
        "Added {}, a copy of {} with a new client ID.",
        visible_name(&added.name),
        visible_name(&original.name)
    )])
}

/// Puts it at another place, counted from 1; beyond the end means last.
pub(super) async fn relocate(base: &Base, name: &str, to: u32) -> Result<ExitCode, Problem> {
    let moved = base.connection(name).await?;
    let all = base.console().connections().await?;
    let ids: Vec<String> = all.into_iter().map(|connection| connection.id).collect();
    let ids = placed(ids, &moved.id, usize::try_from(to).unwrap_or(usize::MAX));
    base.console().order_connections(&ids).await?;
    let place = ids.iter().position(|id| *id == moved.id).unwrap_or_default() + 1;
    say(&[format!("Moved {} to position {} of {}.", visible_name(&moved.name), count(place), count(ids.len()))])
}

fn placed(mut ids: Vec<String>, moved: &str, to: usize) -> Vec<String> {
    ids.retain(|id| id != moved);
    ids.insert(to.saturating_sub(1).min(ids.len()), moved.to_owned());
    ids
}

/// Removes it with all that belongs to it.
pub(super) async fn remove(base: &Base, name: &str, yes: bool) -> Result<ExitCode, Problem> {
    let connection = base.connection(name).await?;
    let shown = visible_name(&connection.name).into_owned();
    let unfinished = unfinished_rollouts(base, &connection).await?;
    let question = format!(
        "Remove {shown}, its secrets, {} devices and {} commands in its history?{}",
        count(connection.devices as usize),
        count(connection.counts.kept as usize),
        unfinished.as_ref().map(|rollouts| format!(" {rollouts} not ended.")).unwrap_or_default()
    );
    if !yes && !confirmed(&question, &format!("Removing {shown} also removes its history"))? {
        return Err(Problem::new(format!("{shown} was not removed."), "Answer y, or use --yes."));
    }
    base.console().remove_connection(&connection.id).await?;
    let mut lines = vec![format!("Removed {shown}.")];
    lines.extend(unfinished.map(|rollouts| {
        format!(
            "{rollouts} not ended: the command is sent to no more devices, and devices that already received it may \
             carry it out."
        )
    }));
    say(&lines)
}

/// `Rollout 3 has`, `Rollouts 3, 4 have`: those of the connection that are removed with it before they have ended.
async fn unfinished_rollouts(base: &Base, connection: &ConnectionView) -> Result<Option<String>, Problem> {
    let mut all = base.console().rollouts().await?;
    all.retain(|view| {
        let has_ended = matches!(view.state, RolloutState::Stopped | RolloutState::Finished);
        view.spec.connection == connection.id && !has_ended
    });
    let numbers: Vec<_> = all.iter().rev().map(|view| view.id.as_str()).collect();
    Ok(match numbers.as_slice() {
        [] => None,
        [one] => Some(format!("Rollout {one} has")),
        many => Some(format!("Rollouts {} have", many.join(", "))),
    })
}

/// Saves it; its staged files are discarded in any case.
async fn save(console: &Client, entry: ConnectionEntry) -> Result<ConnectionView, Problem> {
    let kit = entry.kit.clone();
    let saved = console.save_connection(entry).await;
    if let (Err(_), Some(kit)) = (&saved, kit) {
        console.forget_kit(&kit).await?;
    }
    saved.map_err(without_keyring)
}

fn certificate(connection: &ConnectionView) -> Option<String> {
    let (subject, expires) = connection.certificate_subject.as_ref().zip(connection.certificate_expires_at)?;
    Some(format!("Its certificate, {}, is valid until {}.", clean(subject), local_time(expires)))
}

fn without_keyring(failure: Failure) -> Problem {
    if failure.code != FailureCode::Keyring {
        return failure.into();
    }
    let hint = failure.hint.map(|hint| hint + " ").unwrap_or_default();
    Problem::new(failure.message, hint + "`wilco send --url …` needs no keyring.")
}

fn nothing_new() -> Problem {
    Problem::new("These files contain no client certificate.", "Give the new certificate and its private key.")
}

fn say(lines: &[String]) -> Result<ExitCode, Problem> {
    let mut output = Output::text();
    lines.iter().try_for_each(|line| output.line(line))?;
    output.flush()?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::placed;

    #[test]
    fn a_connection_is_put_at_its_place() {
        let check = |moved: &str, to: usize, expected: &str| {
            let ids = ["a", "b", "c"].map(str::to_owned).to_vec();
            assert_eq!(placed(ids, moved, to).concat(), expected, "{moved} to {to}");
        };
        check("a", 1, "abc");
        check("a", 2, "bac");
        check("a", 3, "bca");
        check("a", 9, "bca");
        check("c", 1, "cab");
    }
}
