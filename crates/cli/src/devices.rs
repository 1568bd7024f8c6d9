//! `wilco devices`: who is there.

use std::{path::Path, process::ExitCode, time::Duration};

use wilco_engine::{
    api::{ConnectionView, DeviceQuery, DeviceRow, Presence},
    attach::Console,
    unknown_tokens,
};

use crate::{
    base::Base,
    interrupt::Interrupt,
    link,
    options::{DeviceOptions, Listing},
    output::{Output, Table, clean, local_time, state_name, state_style},
    problem::{self, Problem},
};

/// Rows of one page.
const PAGE: u32 = 1_000;
/// The retained statuses have come when nothing has changed for this long.
const QUIET: Duration = Duration::from_secs(1);

/// Does it.
pub(crate) async fn run(options: DeviceOptions, data_dir: Option<&Path>) -> Result<ExitCode, Problem> {
    let mut interrupt = Interrupt::hear()?;
    let base = Base::open(data_dir).await?;
    let outcome = tokio::select! {
        outcome = print(&base, options) => outcome,
        () = interrupt.heard() => Err(Problem::Interrupted),
    };
    base.close().await;
    outcome
}

async fn print(base: &Base, options: DeviceOptions) -> Result<ExitCode, Problem> {
    let DeviceOptions { connection, search, output: listing } = options;
    let connection = base.connection(&connection).await?;
    for (token, known) in unknown_tokens(&search) {
        problem::warn(&format!("No device can have {}: there are {known}.", clean(token)), None);
    }
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
    // What is known from earlier is shown all the same, but not as if it were so now.
    current?;
    Ok(ExitCode::SUCCESS)
}

async fn wait(base: &Base, connection: &ConnectionView) -> Result<(), Problem> {
    let mut batches = base.console().listen().await?;
    link::online(&mut batches, connection, link::PATIENCE).await?;
    Ok(link::settled(base.console(), &connection.id, QUIET, link::PATIENCE).await?)
}

/// Every device that matches.
pub(crate) async fn all(console: &Console, connection: &str, search: &str) -> Result<Vec<DeviceRow>, Problem> {
    let query = DeviceQuery {
        connection: connection.to_owned(),
        search: search.to_owned(),
        sort: Default::default(),
        order: Default::default(),
    };
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

/// A device's presence as it is said.
pub(crate) fn presence(presence: Presence) -> &'static str {
    match presence {
        Presence::Online => "online",
        Presence::Offline => "offline",
        Presence::Unknown => "unknown",
    }
}

/// What is said instead of a table without rows.
fn nobody(connection: &str, search: &str) -> String {
    let connection = clean(connection);
    if search.trim().is_empty() {
        format!("No device has been heard on {connection} yet.")
    } else {
        format!("No device of {connection} matches {}.", clean(search.trim()))
    }
}

fn table(rows: &[DeviceRow]) -> Table {
    let mut table = Table::new(["DEVICE", "PRESENCE", "LED", "FIRMWARE", "SEEN", "LAST COMMAND", "STATE", "TAGS"]);
    for row in rows {
        let last = row.last_command.as_ref();
        let state = last.map(|last| (state_name(&last.state), state_style(&last.state)));
        table.row([
            clean(&row.device).into_owned().into(),
            presence(row.presence).into(),
            row.led.map_or("", |on| if on { "on" } else { "off" }).into(),
            clean(row.firmware.as_deref().unwrap_or_default()).into_owned().into(),
            row.seen_at.map(local_time).unwrap_or_default().into(),
            last.map(|last| clean(&last.command).into_owned()).unwrap_or_default().into(),
            state.unwrap_or_default().into(),
            clean(&row.tags.join(" ")).into_owned().into(),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::nobody;

    #[test]
    fn an_empty_list_says_what_it_is_empty_of() {
        assert_eq!(nobody("plant", " "), "No device has been heard on plant yet.");
        assert_eq!(nobody("plant", "is:online"), "No device of plant matches is:online.");
    }
}
