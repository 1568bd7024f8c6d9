//! Lists the connections.

use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use jiff::Timestamp;
use wilco_engine::api::{ConnectionMode, ConnectionView, LinkState, MqttVersion};

use crate::{
    base::Base,
    options::Listing,
    output::{Output, Table, count, local_time, visible_name},
    problem::Problem,
};

/// A certificate that expires within this many days gets a remark.
const SOON: i64 = 30;
const DAY: i64 = 24 * 60 * 60 * 1_000;

/// Prints it.
pub(super) async fn run(base: &Base, listing: Listing) -> Result<ExitCode, Problem> {
    let connections = base.console().connections().await?;
    if listing == Listing::Json {
        let mut output = Output::data();
        connections.iter().try_for_each(|connection| output.json(connection))?;
        output.flush()?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut output = Output::text();
    if connections.is_empty() {
        output.line("No connections yet. Add one: wilco connections add NAME --url mqtts://HOST")?;
        output.flush()?;
        return Ok(ExitCode::SUCCESS);
    }
    let now = Timestamp::now().as_millisecond();
    let mut table =
        Table::new(["NAME", "MODE", "URL", "MQTT", "CLIENT ID", "PREFIX", "CERTIFICATE EXPIRES", "DEVICES", "LINK"]);
    for connection in &connections {
        table.row([
            visible_name(&connection.name).into_owned().into(),
            mode(connection).into(),
            connection.url.clone().into(),
            version(connection).into(),
            visible_name(&connection.client_id).into_owned().into(),
            visible_name(&connection.settings.prefix).into_owned().into(),
            connection.certificate_expires_at.map(|end| until(end, now)).unwrap_or_default().into(),
            count(connection.devices as usize).into(),
            // Our own engine has only just begun to connect, which says nothing.
            if base.is_own() { "" } else { link(&connection.link) }.into(),
        ]);
    }
    table.print(&mut output)?;
    Ok(ExitCode::SUCCESS)
}

/// The end of a certificate, and whether that is near.
fn until(end: i64, now: i64) -> (String, Style) {
    let at = local_time(end);
    if end <= now {
        return (format!("{at} (expired)"), AnsiColor::Red.on_default());
    }
    let near = AnsiColor::Yellow.on_default();
    match (end - now) / DAY {
        0 => (format!("{at} (less than a day left)"), near),
        1 => (format!("{at} (1 day left)"), near),
        days @ ..SOON => (format!("{at} ({days} days left)"), near),
        _ => (at, Style::new()),
    }
}

fn mode(connection: &ConnectionView) -> &'static str {
    match (connection.settings.mode, connection.settings.needs_approval) {
        (ConnectionMode::Normal, false) => "normal",
        (ConnectionMode::Normal, true) => "approval",
        (ConnectionMode::ReadOnly, _) => "read-only",
        (ConnectionMode::Protected, false) => "protected",
        (ConnectionMode::Protected, true) => "protected, approval",
    }
}

fn version(connection: &ConnectionView) -> &'static str {
    match connection.settings.mqtt {
        MqttVersion::V5 => "5",
        MqttVersion::V311 => "3.1.1",
    }
}

fn link(link: &LinkState) -> &'static str {
    match link {
        LinkState::Loading => "loading",
        LinkState::Connecting => "connecting",
        LinkState::Subscribing => "subscribing",
        LinkState::Online { .. } => "online",
        LinkState::Waiting { .. } => "waiting",
        LinkState::Stopped { .. } => "stopped",
    }
}

#[cfg(test)]
mod tests {
    use super::{DAY, until};

    #[test]
    fn the_end_of_a_certificate_is_marked_in_time() {
        let now = 1_795_438_800_000;
        let check = |end: i64, expected: &str| {
            let (text, _) = until(end, now);
            let mark = text.split_once(" (").map(|(_, mark)| mark.trim_end_matches(')')).unwrap_or_default();
            assert_eq!(mark, expected, "{text}");
        };
        check(now - 1, "expired");
        check(now, "expired");
        check(now + 1, "less than a day left");
        check(now + DAY, "1 day left");
        check(now + 30 * DAY - 1, "29 days left");
        check(now + 30 * DAY, "");
        check(now + 3_650 * DAY, "");
    }
}
