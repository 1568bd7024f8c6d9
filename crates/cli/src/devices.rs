//! `wilco devices`: lists devices, and edits their names, tags and notes.

mod changes;
mod files;
mod forget;
mod password;

use std::{path::Path, process::ExitCode, time::Duration};

use wilco_engine::api::{Client, ConnectionView, DeviceQuery, DeviceRow, Presence};
use wilco_ledger::grouped;

use crate::{
    base::Base,
    input,
    interrupt::Interrupt,
    learn, link,
    options::{DeviceListOptions, DeviceOptions, DeviceTask, DevicesOptions, Listing},
    output::{Output, Table, clean, local_time, state_name, state_style, visible_name},
    problem::{Problem, note},
};

/// Rows of one page.
const PAGE: u32 = 1_000;
/// The retained statuses have come when nothing has changed for this long.
const QUIET: Duration = Duration::from_secs(1);

/// Does it.
pub(crate) async fn run(options: DeviceOptions, data_dir: Option<&Path>) -> Result<ExitCode, Problem> {
    let DeviceOptions { task, list } = options;
    let Some(task) = task.or(list.map(DeviceTask::List)) else {
        return Err(Problem::new("No connection was given.", "Use wilco devices -c NAME."));
    };
    let mut interrupt = Interrupt::listen()?;
    let base = Base::open(data_dir).await?;
    let imports = matches!(&task, DeviceTask::Import(options) if !options.dry_run);
    let outcome = tokio::select! {
        outcome = perform(&base, task) => outcome,
        () = interrupt.received() => {
            if imports {
                files::print_interrupted(&base);
            }
            Err(Problem::Interrupted)
        }
    };
    base.close().await;
    outcome
}

async fn perform(base: &Base, task: DeviceTask) -> Result<ExitCode, Problem> {
    match task {
        DeviceTask::List(options) => print(base, options).await,
        DeviceTask::Add(options) => changes::add(base, options).await,
        DeviceTask::Name(options) => changes::name_one(base, options).await,
        DeviceTask::Tag(options) => changes::tag(base, options).await,
        DeviceTask::Untag(options) => changes::untag(base, options).await,
        DeviceTask::Note(options) => changes::note(base, options).await,
        DeviceTask::Password(options) => password::set(base, options).await,
        DeviceTask::Forget(options) => forget::run(base, options).await,
        DeviceTask::Import(options) => files::import(base, options).await,
        DeviceTask::Export(options) => files::export(base, options).await,
    }
}

async fn print(base: &Base, options: DeviceListOptions) -> Result<ExitCode, Problem> {
    let DeviceListOptions { connection, search, output: listing } = options;
    let connection = base.connection(&connection).await?;
    let current = if base.is_own() { wait(base, &connection).await } else { Ok(()) };
    let rows = all(base.console(), &connection.id, &search).await?;
    match listing {
        Listing::Json => {
            let mut output = Output::data();
            rows.iter().try_for_each(|row| output.json(row))?;
            output.flush()?;
        }
        Listing::Text if rows.is_empty() => {
            let mut output = Output::text();
            output.line(&nobody(&connection.name, &search))?;
            output.flush()?;
        }
        Listing::Text => table(&rows).print(&mut Output::text())?,
    }
    if listing == Listing::Text {
        learn::print_offers(&connection);
        print_unlisted(base, &connection).await?;
    }
    // Facts from earlier are shown anyway, but not as current.
    current?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) async fn wait(base: &Base, connection: &ConnectionView) -> Result<(), Problem> {
    let mut batches = base.console().listen().await?;
    link::online(base.console(), &mut batches, connection, link::CONNECT_TIMEOUT).await?;
    Ok(link::settled(base.console(), &connection.id, QUIET, link::CONNECT_TIMEOUT).await?)
}

/// The devices that are named, listed or looked for, with their connection.
async fn chosen(base: &Base, which: DevicesOptions) -> Result<(ConnectionView, Vec<String>), Problem> {
    let DevicesOptions { connection, named, search } = which;
    let connection = base.connection(&connection).await?;
    let Some(search) = search else {
        let devices = input::devices(&named)?;
        return Ok((connection, devices));
    };
    // Presence is known only once the retained statuses have arrived.
    if base.is_own() && search.contains("is:") {
        wait(base, &connection).await?;
    }
    let rows = all(base.console(), &connection.id, &search).await?;
    if rows.is_empty() {
        return Err(Problem::new(nobody(&connection.name, &search), "List the devices with wilco devices."));
    }
    Ok((connection, rows.into_iter().map(|row| row.device).collect()))
}

/// Every device that matches.
pub(crate) async fn all(console: &Client, connection: &str, search: &str) -> Result<Vec<DeviceRow>, Problem> {
    let query = DeviceQuery { connection: connection.to_owned(), search: search.to_owned(), ..DeviceQuery::default() };
    let mut rows = Vec::new();
    loop {
        let from = u32::try_from(rows.len()).unwrap_or(u32::MAX);
        let page = console.devices(query.clone(), from, PAGE).await?;
        let last = page.rows.is_empty();
        rows.extend(page.rows);
        if last || rows.len() >= page.matching as usize {
            return Ok(rows);
        }
    }
}

/// Says how many device IDs are not listed, because too many new ones came at once.
async fn print_unlisted(base: &Base, connection: &ConnectionView) -> Result<(), Problem> {
    let connections = base.console().connections().await?;
    let unlisted = connections.iter().find(|view| view.id == connection.id).map_or(0, |view| view.unlisted);
    if unlisted > 0 {
        note(&format!(
            "{} new device IDs are not listed, because too many arrived at once. Check which program publishes under \
             these IDs.",
            grouped(unlisted)
        ));
    }
    Ok(())
}

/// The presence of a device as text.
pub(crate) fn presence(presence: Presence) -> &'static str {
    match presence {
        Presence::Online => "online",
        Presence::Offline => "offline",
        Presence::Unknown => "unknown",
    }
}

/// The text instead of a table without rows.
fn nobody(connection: &str, search: &str) -> String {
    let connection = visible_name(connection);
    if search.trim().is_empty() {
        format!("{connection} has no devices yet.")
    } else {
        format!("No device of {connection} matches {}.", clean(search.trim()))
    }
}

fn table(rows: &[DeviceRow]) -> Table {
    let mut columns = vec!["DEVICE", "NAME", "PRESENCE", "LED", "FIRMWARE", "SEEN", "LAST COMMAND", "STATE", "TAGS"];
    // Only where there is anything to say.
    let described = rows.iter().any(|row| row.dialect.is_some());
    if described {
        columns.splice(2..2, ["DIALECT", "MODEL"]);
    }
    let disagree = rows.iter().any(|row| row.disagrees.is_some());
    if disagree {
        let tags = columns.len() - 1;
        columns.insert(tags, "REPORTS");
    }
    let mut table = Table::new(columns);
    for row in rows {
        let last = row.last_command.as_ref();
        let state = last.map(|last| (state_name(last.state), state_style(last.state)));
        let mut cells = vec![
            visible_name(&row.device).into_owned().into(),
            visible_name(row.name.as_deref().unwrap_or_default()).into_owned().into(),
        ];
        if described {
            let parts = [&row.dialect, &row.model];
            cells.extend(parts.map(|part| clean(part.as_deref().unwrap_or_default()).into_owned().into()));
        }
        cells.extend([
            presence(row.presence).into(),
            row.led.map_or("", |on| if on { "on" } else { "off" }).into(),
            clean(row.firmware.as_deref().unwrap_or_default()).into_owned().into(),
            row.seen_at.map(local_time).unwrap_or_default().into(),
            last.map(|last| clean(&last.command).into_owned()).unwrap_or_default().into(),
            state.unwrap_or_default().into(),
        ]);
        if disagree {
            let text = row.disagrees.as_ref().map(|of| clean(&of.text).into_owned());
            cells.push(text.unwrap_or_default().into());
        }
        cells.push(tags(row).into());
        table.row(cells);
    }
    table
}

/// The tags that a device reports, then those that were set here, with a + before each.
fn tags(row: &DeviceRow) -> String {
    let set = row.added_tags.iter().map(|tag| format!("+{}", visible_name(tag)));
    row.tags.iter().map(|tag| visible_name(tag).into_owned()).chain(set).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::nobody;

    #[test]
    fn an_empty_list_says_what_it_is_empty_of() {
        assert_eq!(nobody("plant", " "), "plant has no devices yet.");
        assert_eq!(nobody("plant", "is:online"), "No device of plant matches is:online.");
    }
}
