//! `wilco audit`: lists, verifies, seals and annotates the audit.

use std::{path::Path, process::ExitCode};

use wilco_engine::api::{AuditEntry, AuditQuery, AuditRange, AuditSeal, AuditVerification, Client};

use crate::{
    base::Base,
    options::{AuditListOptions, AuditTask, Listing},
    output::{Output, Table, clean, count, local_time, visible_name},
    problem::{self, NOT_DONE, Problem},
};

/// Entries of one page.
const PAGE: u32 = 1_000;

/// Does it.
pub(crate) async fn run(task: AuditTask, data_dir: Option<&Path>) -> Result<ExitCode, Problem> {
    let base = Base::open(data_dir).await?;
    let outcome = match task {
        AuditTask::List(options) => list(base.console(), options).await,
        AuditTask::Verify { output } => match base.console().verify_audit().await {
            Ok(found) => print_verification(&found, output),
            Err(failure) => Err(failure.into()),
        },
        AuditTask::Reseal { note } => match base.console().reseal_audit(&note).await {
            Ok(found) => print_verification(&found, Listing::Text),
            Err(failure) => Err(failure.into()),
        },
        AuditTask::Note { number, note } => write_note(base.console(), number, &note).await,
    };
    base.close().await;
    outcome
}

async fn list(console: &Client, options: AuditListOptions) -> Result<ExitCode, Problem> {
    let AuditListOptions { since, until, kind, limit, output: listing } = options;
    let mut query = AuditQuery { since, until, kinds: kind, before: None, limit: 0 };
    let (mut output, mut table) = (Output::data(), Table::new(["ENTRY", "TIME", "WHO", "CONNECTION", "WHAT", "WHY"]));
    let mut left = limit;
    while left > 0 {
        query.limit = left.min(PAGE);
        let page = console.audit(query.clone()).await?;
        left = left.saturating_sub(u32::try_from(page.entries.len()).unwrap_or(u32::MAX));
        for entry in &page.entries {
            match listing {
                Listing::Json => output.json(entry)?,
                Listing::Text => table.row([
                    count(entry.number as usize).into(),
                    local_time(entry.at).into(),
                    clean(&who(entry)).into_owned().into(),
                    visible_name(entry.connection_name.as_deref().unwrap_or_default()).into_owned().into(),
                    clean(&entry.what).into_owned().into(),
                    clean(entry.note.as_deref().unwrap_or_default()).into_owned().into(),
                ]),
            }
        }
        query.before = page.next;
        if page.next.is_none() {
            break;
        }
    }
    match listing {
        Listing::Json => output.flush()?,
        Listing::Text => table.print(&mut Output::text())?,
    }
    Ok(ExitCode::SUCCESS)
}

fn print_verification(found: &AuditVerification, listing: Listing) -> Result<ExitCode, Problem> {
    match listing {
        Listing::Json => {
            let mut output = Output::data();
            output.json(found)?;
            output.flush()?;
        }
        Listing::Text => {
            let mut output = Output::text();
            lines(found).iter().try_for_each(|line| output.line(&clean(line)))?;
            output.flush()?;
        }
    }
    Ok(if found.holds() { ExitCode::SUCCESS } else { ExitCode::from(NOT_DONE) })
}

async fn write_note(console: &Client, number: u32, note: &str) -> Result<ExitCode, Problem> {
    let entry = console.note_audit_entry(number, note).await?;
    problem::note(&format!("Wrote a note on entry {number}. It is entry {}.", entry.number));
    Ok(ExitCode::SUCCESS)
}

/// `Ana (ana on desk-3)`, or without the operator name `ana on desk-3`.
fn who(entry: &AuditEntry) -> String {
    let account = format!("{} on {}", entry.os_user, entry.machine);
    match &entry.operator {
        Some(operator) => format!("{operator} ({account})"),
        None => account,
    }
}

fn lines(found: &AuditVerification) -> Vec<String> {
    let mut lines = Vec::new();
    match (found.range, found.holds()) {
        (None, true) => lines.push("The audit has no entries yet.".to_owned()),
        (None, false) => lines.push("The audit has no entries.".to_owned()),
        (Some(range), true) => lines.push(format!("{} unaltered.", ranges(&[range], ["is", "are"]))),
        (Some(_), false) => {}
    }
    lines.extend(found.problems.iter().map(|problem| format!("Problem: {}", problem.text)));
    if !found.holds() && !found.intact.is_empty() {
        lines.push(format!("{} unaltered.", ranges(&found.intact, ["is", "are"])));
    }
    if found.deleted > 0 {
        lines.push(format!("The retention deleted the entries up to {}.", count(found.deleted as usize)));
    }
    if !found.unsealed.is_empty() {
        let unsealed = ranges(&found.unsealed, ["was", "were"]);
        lines.push(format!(
            "{unsealed} not sealed when Wilco started: Wilco exited before sealing them, or another program added them."
        ));
    }
    lines.push(match &found.seal {
        AuditSeal::Sealed { number, at, fingerprint } => {
            format!("Sealed up to entry {} at {}. Key: {fingerprint}", count(*number as usize), local_time(*at))
        }
        AuditSeal::NotYet => "Not sealed yet.".to_owned(),
        AuditSeal::NoKeyring { why } => format!(
            "Not sealed: {why}. This check cannot detect that the newest entries were removed, or that an old copy of \
             the database was restored."
        ),
    });
    lines
}

/// `Entry 7 is`, `Entries 1 to 7 and 9 are`.
fn ranges(ranges: &[AuditRange], [is, are]: [&str; 2]) -> String {
    let one = |range: &AuditRange| match *range {
        AuditRange { from, to } if from == to => count(from as usize),
        AuditRange { from, to } => format!("{} to {}", count(from as usize), count(to as usize)),
    };
    let texts: Vec<_> = ranges.iter().map(one).collect();
    match (ranges, texts.split_last()) {
        ([AuditRange { from, to }], Some((only, _))) if from == to => format!("Entry {only} {is}"),
        (_, Some((last, []))) => format!("Entries {last} {are}"),
        (_, Some((last, others))) => format!("Entries {} and {last} {are}", others.join(", ")),
        (_, None) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use wilco_engine::api::{AuditProblem, AuditProblemKind, AuditRange, AuditSeal, AuditVerification};

    use super::lines;

    #[test]
    fn it_says_what_is_wrong_and_what_still_holds() {
        let range = |from, to| AuditRange { from, to };
        let whole = AuditVerification {
            entries: 9,
            range: Some(range(1, 9)),
            deleted: 0,
            problems: Vec::new(),
            intact: vec![range(1, 9)],
            unsealed: Vec::new(),
            seal: AuditSeal::NotYet,
        };
        assert_eq!(lines(&whole), ["Entries 1 to 9 are unaltered.", "Not sealed yet."]);
        let altered = AuditProblem {
            kind: AuditProblemKind::Altered,
            entries: Some(range(4, 4)),
            text: "Entry 4 was altered.".to_owned(),
        };
        let broken =
            AuditVerification { problems: vec![altered], intact: vec![range(1, 3), range(5, 5), range(7, 9)], ..whole };
        let expected =
            ["Problem: Entry 4 was altered.", "Entries 1 to 3, 5 and 7 to 9 are unaltered.", "Not sealed yet."];
        assert_eq!(lines(&broken), expected);
        let unsealed = AuditVerification { problems: Vec::new(), unsealed: vec![range(7, 7), range(9, 9)], ..broken };
        let expected = "Entries 7 and 9 were not sealed when Wilco started: Wilco exited before sealing them, or \
                        another program added them.";
        assert_eq!(lines(&unsealed)[1], expected);
    }
}
