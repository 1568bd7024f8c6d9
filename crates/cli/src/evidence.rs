//! `wilco evidence`: how much space evidence uses, and what was not kept. [`file`] saves and verifies evidence files.

mod file;

use std::{path::Path, process::ExitCode};

use wilco_engine::api::EvidenceUse;

use crate::{
    base::Base,
    options::{EvidenceOptions, Listing},
    output::{Output, several, size, visible_name},
    problem::Problem,
};

/// Does it.
pub(crate) async fn run(options: EvidenceOptions, data_dir: Option<&Path>) -> Result<ExitCode, Problem> {
    if let Some(task) = options.task {
        return file::run(task, data_dir).await;
    }
    let base = Base::open(data_dir).await?;
    let outcome = print(&base, options.connection.as_deref(), options.output).await;
    base.close().await;
    outcome
}

async fn print(base: &Base, connection: Option<&str>, listing: Listing) -> Result<ExitCode, Problem> {
    let console = base.console();
    let only = match connection {
        Some(name) => Some(base.connection(name).await?.id),
        None => None,
    };
    let used = console.evidence_use(only).await?;
    match listing {
        Listing::Json => {
            let mut output = Output::data();
            output.json(&used)?;
            output.flush()?;
        }
        Listing::Text => {
            let connections = console.connections().await?;
            let connection = |id: &str| connections.iter().find(|one| one.id == id).map(|one| one.name.as_str());
            let mut output = Output::text();
            lines(&used, connection).iter().try_for_each(|line| output.line(line))?;
            output.flush()?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn lines<'a>(used: &EvidenceUse, connection: impl Fn(&str) -> Option<&'a str>) -> Vec<String> {
    let mut lines = vec![format!("Evidence: {} of {}", size(used.bytes), size(used.quota))];
    if used.discarded > 0 {
        let messages = several(usize::try_from(used.discarded).unwrap_or(usize::MAX), "message");
        lines.push(format!("Not kept: {messages}"));
    }
    for of in &used.devices {
        let messages = several(usize::try_from(of.messages).unwrap_or(usize::MAX), "message");
        let connection = visible_name(connection(&of.connection).unwrap_or(&of.connection)).into_owned();
        lines.push(format!("  {} on {connection}: {messages}", visible_name(&of.device)));
    }
    lines
}

#[cfg(test)]
mod tests {
    use wilco_engine::api::{DiscardedOfDevice, EvidenceUse};

    use super::lines;

    #[test]
    fn discarded_messages_are_mentioned_only_if_there_are_any() {
        let mut used = EvidenceUse { bytes: 210_000_000, quota: 1_000_000_000, discarded: 0, devices: Vec::new() };
        assert_eq!(lines(&used, |_| Some("plant")), ["Evidence: 210.0 MB of 1.0 GB"]);
        used.discarded = 12_400;
        used.devices =
            vec![DiscardedOfDevice { connection: "1".into(), device: "dev-7".into(), messages: used.discarded }];
        let expected =
            ["Evidence: 210.0 MB of 1.0 GB", "Not kept: 12,400 messages", "  dev-7 on plant: 12,400 messages"];
        assert_eq!(lines(&used, |_| Some("plant")), expected);
    }
}
