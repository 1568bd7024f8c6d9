//! The sections of `docs/reliability.md` that do not belong to the fault campaign: `fuzz --report` and `floods` write
//! one each, and do not change the rest of the page.

use std::process::Stdio;

use anyhow::{Context, Result};

use crate::process;

/// Writes a section below the text of the fault campaign, replacing the one with this title.
pub(crate) fn write(title: &str, content: &str) -> Result<()> {
    let path = crate::top().join("docs/reliability.md");
    let page = std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    std::fs::write(&path, with_section(&page, title, content))
        .with_context(|| format!("writing {}", path.display()))?;
    println!("    Written: {}", path.display());
    Ok(())
}

/// A section ends at the next heading of any level.
fn with_section(page: &str, title: &str, content: &str) -> String {
    let section = format!("## {title}\n\n{}\n", content.trim());
    let lines: Vec<&str> = page.lines().collect();
    let Some(begin) = lines.iter().position(|line| *line == format!("## {title}")) else {
        return format!("{}\n\n{section}", page.trim_end());
    };
    let is_heading = |line: &&str| line.starts_with("## ") || line.starts_with("### ");
    let end = lines[begin + 1..].iter().position(is_heading).map_or(lines.len(), |length| begin + 1 + length);
    let (before, after) = (lines[..begin].join("\n"), lines[end..].join("\n"));
    let space = if after.is_empty() { "" } else { "\n" };
    let end_of_page = if after.is_empty() { "" } else { "\n" };
    format!("{}\n\n{section}{space}{after}{end_of_page}", before.trim_end())
}

/// The computer, the day and the commit, for figures that depend on them: `AMD EPYC 7763, 2 cores, 2026-11-30, commit 0123456789`.
pub(crate) fn measured() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let said = |program: &str, words: &[&str]| {
        let output = process::quietly(process::program(program).args(words).stdin(Stdio::null()));
        output.map(|output| output.trim().to_owned()).filter(|output| !output.is_empty())
    };
    let cpus = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let mut parts = vec![processor(&cpus).unwrap_or(std::env::consts::ARCH).to_owned(), format!("{cores} cores")];
    parts.extend(said("date", &["-u", "+%F"]));
    if let Some(commit) = said("git", &["rev-parse", "--short=10", "HEAD"]) {
        let code = ["status", "--porcelain", "--untracked-files=no", "--", "crates", "tests/src", "fuzz", "Cargo.lock"];
        let changes = if said("git", &code).is_some() { " with changes that were not committed" } else { "" };
        parts.push(format!("commit {commit}{changes}"));
    }
    parts.join(", ")
}

/// The processor's name on Linux.
fn processor(cpus: &str) -> Option<&str> {
    let line = cpus.lines().find(|line| line.starts_with("model name"))?;
    line.split_once(':').map(|(_, name)| name.trim())
}

#[cfg(test)]
mod tests {
    use super::{measured, processor, with_section};

    #[test]
    fn figures_name_their_computer() {
        assert_eq!(processor("vendor_id\t: x\nmodel name\t: AMD EPYC 7763\nflags\t: a\n"), Some("AMD EPYC 7763"));
        assert_eq!(processor(""), None);
        assert!(measured().contains(" cores, "), "{}", measured());
    }

    #[test]
    fn a_section_replaces_its_earlier_version_and_nothing_else() {
        let page = "# Page\n\nText.\n\n## Floods\n\nOld.\n\n### Names\n\nKept.\n\n## Last\n\nKept too.\n";
        let expected = page.replace("Old.", "New.\nMore.");
        assert_eq!(with_section(page, "Floods", "New.\nMore.\n"), expected);
        assert_eq!(with_section(&expected, "Floods", "New.\nMore."), expected);
        assert_eq!(with_section(page, "Last", "New."), page.replace("Kept too.", "New."));
        assert_eq!(with_section(page, "Fuzzing", "First."), format!("{page}\n## Fuzzing\n\nFirst.\n"));
    }
}
