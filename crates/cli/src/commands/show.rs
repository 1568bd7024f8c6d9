//! Prints one command of the catalogue.

use std::process::ExitCode;

use wilco_dialect::json;
use wilco_engine::api::{CatalogueEntry, CommandDefinition};

use super::{Row, named};
use crate::{
    base::Base,
    options::Listing,
    output::{Output, clean, visible_name},
    problem::Problem,
};

/// Prints it.
pub(super) async fn run(base: &Base, name: &str, listing: Listing) -> Result<ExitCode, Problem> {
    let entries = named(base, name).await?;
    let mut output = if listing == Listing::Json { Output::data() } else { Output::text() };
    for entry in &entries {
        match listing {
            Listing::Json => output.json(&Row::from(entry))?,
            Listing::Text => lines(entry).iter().try_for_each(|line| output.line(line))?,
        }
    }
    output.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn lines(entry: &CatalogueEntry) -> Vec<String> {
    let CommandDefinition {
        name,
        title,
        schema,
        topic,
        payload,
        plain,
        timeout_ms,
        ttl_ms,
        safe_to_repeat,
        dangerous,
        answer_expected,
        ..
    } = &entry.definition;
    let mut lines = vec![format!("{} ({})", visible_name(name), clean(title))];
    let mut line = |what: &str, value: &str| lines.push(format!("  {what:<12} {value}"));
    line("topic", &topic.as_deref().map_or("set by the dialect".into(), clean));
    let form = if *plain { "plain text" } else { "JSON" };
    line("payload", &payload.as_deref().map_or("set by the dialect".into(), |text| format!("{form}: {}", clean(text))));
    line("timeout", &span(*timeout_ms));
    line("time to live", &span(*ttl_ms));
    let facts = [
        (*dangerous, "needs confirmation"),
        (*safe_to_repeat, "safe to repeat"),
        (!answer_expected, "no answer expected"),
        (entry.built_in, "built in"),
    ];
    let facts: Vec<_> = facts.into_iter().filter_map(|(is, fact)| is.then_some(fact)).collect();
    if !facts.is_empty() {
        line("it is", &facts.join(", "));
    }
    lines.push("  takes".to_owned());
    lines.extend(json::indented(schema.as_str(), 0).lines().map(|line| format!("    {}", clean(line))));
    lines
}

fn span(milliseconds: u64) -> String {
    if milliseconds.is_multiple_of(1_000) {
        format!("{} s", milliseconds / 1_000)
    } else {
        format!("{milliseconds} ms")
    }
}
