//! Imports and exports commands and buttons.

use std::{path::Path, process::ExitCode};

use wilco_engine::{
    api::{ImportChange, ImportKind, ImportLine},
    shell_word,
};

use super::named;
use crate::{
    base::Base,
    output::{Output, clean, count, file_to_write, visible_name},
    problem::{self, NOT_DONE, Problem},
};

/// Writes commands and their buttons to a file.
pub(super) async fn export(base: &Base, names: &[String], to: &Path, force: bool) -> Result<ExitCode, Problem> {
    let to = file_to_write(to, force)?;
    let mut ids = Vec::new();
    for name in names {
        let found = named(base, name).await?;
        if found.iter().all(|entry| entry.built_in) {
            return Err(Problem::new(
                format!("'{name}' is a built-in command."),
                "Every installation of Wilco includes it.",
            ));
        }
        ids.extend(found.into_iter().map(|entry| entry.id));
    }
    let path = base.console().export_catalogue(&ids, to).await?;
    let mut output = Output::text();
    output.line(&format!("Wrote {}.", path.display()))?;
    output.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// Imports the commands and buttons of a file, or lists what would be imported.
pub(super) async fn import(base: &Base, file: &Path, replace: &[String], dry_run: bool) -> Result<ExitCode, Problem> {
    let path = std::path::absolute(file)?;
    let lines = base.console().read_catalogue(path.clone()).await?;
    if let Some(unknown) = replace.iter().find(|name| !lines.iter().any(|line| line.name == **name)) {
        return Err(Problem::new(
            format!("{1} has no command or button '{0}'.", clean(unknown), path.display()),
            "Nothing was imported. List the contents of the file with --dry-run.",
        ));
    }
    if !dry_run {
        base.console().import_catalogue(path, replace).await?;
    }
    let mut output = Output::text();
    if lines.is_empty() {
        output.line("The file contains no commands and no buttons.")?;
    }
    let (refused, fitting): (Vec<_>, Vec<_>) = lines.iter().partition(|line| line.change == ImportChange::Refused);
    for line in fitting {
        output.line(&said(line, replace.contains(&line.name), dry_run))?;
    }
    output.flush()?;
    for line in &refused {
        problem::warn(&said(line, false, dry_run), None);
    }
    if refused.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    problem::warn(&format!("{} of {} refused.", count(refused.len()), count(lines.len())), None);
    Ok(ExitCode::from(NOT_DONE))
}

fn said(line: &ImportLine, replaced: bool, dry_run: bool) -> String {
    let own = visible_name(&line.name);
    let name = match line.kind {
        ImportKind::Command => own.to_string(),
        ImportKind::Button => format!("the button '{own}'"),
    };
    let name = match &line.connection {
        Some(connection) => format!("{name} (for {})", visible_name(connection)),
        None => name,
    };
    match (line.change, replaced, dry_run) {
        (ImportChange::New, _, false) => format!("Added {name}."),
        (ImportChange::New, _, true) => format!("New: {name}."),
        (ImportChange::Changed, true, false) => format!("Replaced {name}."),
        (ImportChange::Changed, true, true) => format!("Would replace {name}."),
        (ImportChange::Changed, false, _) => {
            let own = shell_word(&own);
            format!("Kept: {name}, which differs from the file. To replace it: --replace {own}")
        }
        (ImportChange::Same, ..) => format!("Unchanged: {name}."),
        (ImportChange::Refused, ..) => {
            format!("Refused: {name}. {}", line.why.as_deref().map(clean).unwrap_or_default())
        }
    }
}

#[cfg(test)]
mod tests {
    use wilco_engine::api::{ImportChange, ImportKind, ImportLine};

    use super::said;

    #[test]
    fn each_command_of_a_file_has_its_sentence() {
        let check = |change: ImportChange, why: Option<&str>, replaced: bool, expected: &str| {
            let (name, title, why) = ("flush\u{7}".to_owned(), String::new(), why.map(str::to_owned));
            let kind = ImportKind::Command;
            let line = ImportLine { kind, name, title, connection: Some("plant".into()), change, why };
            assert_eq!(said(&line, replaced, false), expected);
        };
        check(ImportChange::New, None, false, "Added flush\\u{7} (for plant).");
        check(ImportChange::Changed, None, true, "Replaced flush\\u{7} (for plant).");
        check(
            ImportChange::Changed,
            None,
            false,
            "Kept: flush\\u{7} (for plant), which differs from the file. To replace it: --replace 'flush\\u{7}'",
        );
        check(ImportChange::Same, None, false, "Unchanged: flush\\u{7} (for plant).");
        check(ImportChange::Refused, Some("It is odd."), false, "Refused: flush\\u{7} (for plant). It is odd.");
    }

    #[test]
    fn a_button_is_shown_as_a_button() {
        let line = |change| ImportLine {
            kind: ImportKind::Button,
            name: "Level 3".into(),
            title: "calibrate".into(),
            connection: None,
            change,
            why: None,
        };
        assert_eq!(said(&line(ImportChange::New), false, false), "Added the button 'Level 3'.");
        assert_eq!(
            said(&line(ImportChange::Changed), false, false),
            "Kept: the button 'Level 3', which differs from the file. To replace it: --replace 'Level 3'"
        );
    }
}
