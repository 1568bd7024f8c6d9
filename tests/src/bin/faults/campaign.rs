//! The finished runs of a campaign for the report, in a file: a campaign that was interrupted continues with what is missing.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::plan::Scenario;
use crate::run::Outcome;

/// What runs: the version, and the commit where this is a Git checkout.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Version {
    /// Of Wilco, `0.1.0`.
    pub(crate) number: String,
    /// The commit's short name.
    pub(crate) commit: Option<String>,
    /// The code differs from the commit's.
    pub(crate) is_changed: bool,
}

/// A line of the file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct FinishedRun {
    pub(crate) scenario: Scenario,
    pub(crate) seed: u64,
    pub(crate) version: Version,
    pub(crate) outcome: Outcome,
}

/// The runs of a campaign that have finished.
pub(crate) struct Campaign {
    /// Where they are kept; `None` when they are not.
    file: Option<File>,
    version: Version,
    runs: HashMap<(Scenario, u64), FinishedRun>,
}

impl Campaign {
    /// One that nothing is kept of.
    pub(crate) fn unkept() -> Campaign {
        Campaign { file: None, version: Version::of_checkout(), runs: HashMap::new() }
    }

    /// Continues with the runs in the file, if there is one: those of this commit and of commits before it. A run of an
    /// earlier commit that has failed does not count, and is repeated.
    pub(crate) fn continued(path: &Path) -> Result<Campaign> {
        let version = Version::of_checkout();
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let mut are_before: HashMap<Version, bool> = HashMap::new();
        let mut is_before = |of: &Version| *are_before.entry(of.clone()).or_insert_with(|| of.is_before(&version));
        let runs = finished(&text, |of| *of == version, &mut is_before);
        let mut file = None;
        if version.is_changed {
            println!("The code has changes that are not committed, so these runs are not kept for a later campaign.");
        } else {
            if let Some(directory) = path.parent() {
                std::fs::create_dir_all(directory)?;
            }
            let opened = OpenOptions::new().create(true).append(true).open(path);
            let mut opened = opened.with_context(|| format!("opening {}", path.display()))?;
            // The last line of a campaign that was killed may be cut off.
            if !text.is_empty() && !text.ends_with('\n') {
                opened.write_all(b"\n")?;
            }
            file = Some(opened);
        }
        Ok(Campaign { file, version, runs })
    }

    /// It has finished before.
    pub(crate) fn has(&self, scenario: Scenario, seed: u64) -> bool {
        self.runs.contains_key(&(scenario, seed))
    }

    /// A run has finished. It is in the file when this returns.
    pub(crate) fn add(&mut self, scenario: Scenario, seed: u64, outcome: Outcome) -> Result<()> {
        let run = FinishedRun { scenario, seed, version: self.version.clone(), outcome };
        if let Some(file) = &mut self.file {
            let mut line = serde_json::to_vec(&run)?;
            line.push(b'\n');
            file.write_all(&line).context("keeping a finished run")?;
        }
        self.runs.insert((scenario, seed), run);
        Ok(())
    }

    pub(crate) fn runs(&self) -> impl Iterator<Item = &FinishedRun> {
        self.runs.values()
    }
}

/// The runs that count. Of two with the same scenario and seed, the later one does.
fn finished(
    text: &str,
    is_now: impl Fn(&Version) -> bool,
    mut is_before: impl FnMut(&Version) -> bool,
) -> HashMap<(Scenario, u64), FinishedRun> {
    let mut runs = HashMap::new();
    for run in text.lines().filter_map(|line| serde_json::from_str::<FinishedRun>(line).ok()) {
        let counts = is_now(&run.version) || (is_before(&run.version) && run.outcome.findings.is_empty());
        if counts {
            runs.insert((run.scenario, run.seed), run);
        }
    }
    runs
}

impl Version {
    fn of_checkout() -> Version {
        let commit = git(&["rev-parse", "--short=10", "HEAD"]).map(|name| name.trim().to_owned());
        // What a run is made of. The report and the list of kept seeds are written by the campaign itself.
        let code = ["status", "--porcelain", "--untracked-files=no", "--", ":/crates", ":/tests/src", ":/Cargo.lock"];
        let is_changed = git(&code).is_some_and(|changes| !changes.trim().is_empty());
        Version { number: env!("CARGO_PKG_VERSION").to_owned(), commit, is_changed }
    }

    /// Its commit is one that the other one's is built on.
    fn is_before(&self, other: &Version) -> bool {
        match (&self.commit, &other.commit) {
            (Some(commit), Some(later)) if !self.is_changed => {
                git(&["merge-base", "--is-ancestor", commit, later]).is_some()
            }
            _ => false,
        }
    }
}

/// Git's output; none without Git or a checkout, or where it says no.
fn git(arguments: &[&str]) -> Option<String> {
    let mut command = Command::new("git");
    command.arg("-C").arg(env!("CARGO_MANIFEST_DIR")).args(arguments).stdin(Stdio::null()).stderr(Stdio::null());
    let output = command.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use wilco_engine::api::CommandState;

    use super::{Campaign, FinishedRun, Version, finished};
    use crate::oracle::{Finding, Wrong};
    use crate::plan::Scenario;
    use crate::run::Outcome;

    fn version(commit: &str) -> Version {
        Version { number: "0.1.0".to_owned(), commit: Some(commit.to_owned()), is_changed: false }
    }

    fn line(seed: u64, commit: &str, has_failed: bool) -> String {
        let finding = Finding { wrong: Wrong::Lost, what: "it is gone".to_owned() };
        let findings = if has_failed { vec![finding] } else { Vec::new() };
        let outcome = Outcome { findings, states: [(CommandState::Succeeded, 300)].into(), ..Outcome::default() };
        let run = FinishedRun { scenario: Scenario::Disk, seed, version: version(commit), outcome };
        serde_json::to_string(&run).expect("written") + "\n"
    }

    #[test]
    fn runs_of_this_commit_and_of_earlier_ones_count_and_failures_of_earlier_ones_are_repeated() {
        let text = [
            line(1, "before", false),
            line(2, "before", true),
            line(3, "elsewhere", false),
            line(4, "now", true),
            line(5, "before", true),
            line(5, "now", false),
            line(6, "now", false).split_at(40).0.to_owned(),
        ];
        let runs = finished(&text.concat(), |of| *of == version("now"), |of| *of == version("before"));
        let mut counted: Vec<_> = runs.values().map(|run| (run.seed, run.outcome.findings.len())).collect();
        counted.sort_unstable();
        assert_eq!(counted, [(1, 0), (4, 1), (5, 0)]);
        assert_eq!(runs[&(Scenario::Disk, 1)].outcome.states, [(CommandState::Succeeded, 300)].into());
    }

    #[test]
    fn a_campaign_continues_after_a_line_that_was_cut_off() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("campaign.jsonl");
        std::fs::write(&path, &line(1, "nowhere", false)[..20]).expect("written");
        let mut campaign = Campaign::continued(&path).expect("opened");
        campaign.version.is_changed = false;
        assert!(!campaign.has(Scenario::Disk, 1));
        campaign.add(Scenario::Disk, 1, Outcome::default()).expect("kept");
        assert!(campaign.has(Scenario::Disk, 1) && !campaign.has(Scenario::Clock, 1));
        assert_eq!(campaign.runs().count(), 1);
    }
}
