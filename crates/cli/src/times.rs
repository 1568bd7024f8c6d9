//! `wilco times`: answer times of devices.

use std::{path::Path, process::ExitCode};

use wilco_engine::api::{ConnectionView, TimesBy, TimesQuery, TimesView};

use crate::{
    base::Base,
    options::{Listing, TimesOptions},
    output::{Output, Table, count, entered, visible_name},
    problem::Problem,
};

/// Does it.
pub(crate) async fn run(options: TimesOptions, data_dir: Option<&Path>) -> Result<ExitCode, Problem> {
    let base = Base::open(data_dir).await?;
    let outcome = print(&base, options).await;
    base.close().await;
    outcome
}

async fn print(base: &Base, options: TimesOptions) -> Result<ExitCode, Problem> {
    let TimesOptions { connection, device, by, limit, output: listing } = options;
    let connection = base.connection(&connection).await?;
    let query = TimesQuery { connection: connection.id, device, by };
    let mut times = base.console().answer_times(query).await?;
    times.truncate(limit as usize);
    match listing {
        Listing::Json => {
            let mut output = Output::data();
            times.iter().try_for_each(|times| output.json(times))?;
            output.flush()?;
        }
        Listing::Text if times.is_empty() => {
            let mut output = Output::text();
            output.line(&format!("No device of {} has answered a command yet.", visible_name(&connection.name)))?;
            output.flush()?;
        }
        Listing::Text => {
            let mut output = Output::text();
            table(by, &times).print(&mut output)?;
            if by == TimesBy::Command && times.iter().any(|times| times.suggested_timeout_ms.is_some()) {
                output.line(
                    "To use a suggested timeout, pass --timeout suggested to wilco send or wilco rollout start.",
                )?;
                output.flush()?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The timeout that the latest answers to a command suggest, milliseconds.
pub(crate) async fn suggested(
    base: &Base,
    connection: &ConnectionView,
    device: Option<String>,
    command: &str,
) -> Result<u64, Problem> {
    let suggested = base.console().suggested_timeout(&connection.id, device, command).await?;
    suggested.map(|suggested| suggested.timeout_ms).ok_or_else(|| {
        Problem::new(
            format!("There are too few answers to {} to suggest a timeout: at least 20 are needed.", entered(command)),
            "Enter a time, such as --timeout 10s, or omit the option.",
        )
    })
}

fn table(by: TimesBy, times: &[TimesView]) -> Table {
    let heading = match by {
        TimesBy::Command => "COMMAND",
        TimesBy::Device => "DEVICE",
        TimesBy::Firmware => "FIRMWARE",
    };
    let mut headings = vec![heading, "ANSWERS", "P50", "P95", "P99", "SLOWEST"];
    // One timeout of a command serves all devices.
    let suggests = by == TimesBy::Command;
    if suggests {
        headings.push("SUGGESTED TIMEOUT");
    }
    let mut table = Table::new(headings);
    for one in times {
        let mut cells = vec![
            one.name.as_deref().map_or_else(|| "unknown".to_owned(), |text| visible_name(text).into_owned()).into(),
            count(one.count as usize).into(),
            span(one.p50_ms).into(),
            span(one.p95_ms).into(),
            span(one.p99_ms).into(),
            span(one.max_ms).into(),
        ];
        if suggests {
            let timeout = one.suggested_timeout_ms.map(|ms| format!("{}s", ms / 1_000));
            cells.push(timeout.unwrap_or_default().into());
        }
        table.row(cells);
    }
    table
}

/// `240 ms`, `12.3 s`
fn span(ms: f64) -> String {
    if ms < 9_999.5 { format!("{ms:.0} ms") } else { format!("{:.1} s", ms / 1_000.0) }
}

#[cfg(test)]
mod tests {
    use super::span;

    #[test]
    fn a_length_of_time_is_short() {
        let check = |ms: f64, expected: &str| assert_eq!(span(ms), expected);
        check(0.4, "0 ms");
        check(9_999.0, "9999 ms");
        check(12_340.0, "12.3 s");
    }
}
