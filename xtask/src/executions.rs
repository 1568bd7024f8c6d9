//! How often the code of each fuzz target has been executed: a line for each run in `fuzz/corpus/executions`, beside what the
//! runs have found. Runs add up over any number of evenings, as long as the code is the same.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::process;

/// All runs that have finished.
#[derive(Debug, Default)]
pub(crate) struct Executions(Vec<Run>);

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Run {
    target: String,
    /// The code that was executed: see [`code`].
    code: String,
    executions: u64,
}

impl Executions {
    pub(crate) fn read() -> Executions {
        Executions::parse(&std::fs::read_to_string(path()).unwrap_or_default())
    }

    /// A line that a killed run has left half written is passed over.
    fn parse(text: &str) -> Executions {
        let run = |line: &str| {
            let mut words = line.split(' ');
            let (target, code) = (words.next()?.to_owned(), words.next()?.to_owned());
            let executions = words.next()?.parse().ok()?;
            // The last word, so that a number was not cut off.
            (words.next() == Some("executions")).then_some(Run { target, code, executions })
        };
        Executions(text.lines().filter_map(run).collect())
    }

    /// Notes a run. It is in the file when this returns.
    pub(crate) fn add(&mut self, target: &str, code: &str, executions: u64) -> Result<()> {
        let run = Run { target: target.to_owned(), code: code.to_owned(), executions };
        let mut line = String::from("\n");
        // A line begins by itself: the one before it may be cut off.
        let _ = writeln!(line, "{target} {code} {executions} executions");
        let path = path();
        if let Some(directory) = path.parent() {
            std::fs::create_dir_all(directory).with_context(|| format!("creating {}", directory.display()))?;
        }
        let file = OpenOptions::new().create(true).append(true).open(&path);
        let mut file = file.with_context(|| format!("opening {}", path.display()))?;
        file.write_all(line.as_bytes()).with_context(|| format!("writing {}", path.display()))?;
        self.0.push(run);
        Ok(())
    }

    /// How often this code of a target was executed.
    pub(crate) fn of(&self, target: &str, code: &str) -> u64 {
        self.sum(|run| run.target == target && run.code == code)
    }

    /// The same of all its code: what was found before is in the corpus.
    pub(crate) fn of_any(&self, target: &str) -> u64 {
        self.sum(|run| run.target == target)
    }

    fn sum(&self, is_it: impl Fn(&Run) -> bool) -> u64 {
        self.0.iter().filter(|run| is_it(run)).map(|run| run.executions).sum()
    }
}

/// Names the code of a target as it is committed: Git's names of the directories with its decoders, and of its own file.
/// `None` where the code differs from the commit, or this is no checkout.
pub(crate) fn code(target: &str, directories: &[&str]) -> Option<String> {
    let own = format!("fuzz/fuzz_targets/{target}.rs");
    let places = || directories.iter().copied().chain([own.as_str(), "fuzz/lib.rs", "fuzz/Cargo.lock"]);
    let git = |words: Vec<String>| process::quietly(process::program("git").args(words));
    let status = ["status", "--porcelain", "--"].into_iter().chain(places()).map(str::to_owned).collect();
    if !git(status)?.trim().is_empty() {
        return None;
    }
    let names = git(std::iter::once("rev-parse".to_owned()).chain(places().map(|at| format!("HEAD:{at}"))).collect())?;
    Some(names.lines().map(|name| name.get(..10).unwrap_or(name)).collect::<Vec<_>>().join("-"))
}

fn path() -> PathBuf {
    crate::top().join("fuzz/corpus/executions")
}

#[cfg(test)]
mod tests {
    use super::{Executions, code};

    #[test]
    fn runs_of_the_same_code_add_up_and_a_line_that_was_cut_off_counts_nothing() {
        let text = "\npkcs12 a-b 1000 executions\n\nnetwork a-b 7 executions\n\npkcs12 a-b 500 executions\n\
                    \npkcs12 c 20 executions\n\npkcs12 a-b 99";
        let executions = Executions::parse(text);
        assert_eq!((executions.of("pkcs12", "a-b"), executions.of("pkcs12", "c")), (1_500, 20));
        assert_eq!((executions.of_any("pkcs12"), executions.of_any("files")), (1_520, 0));
    }

    #[test]
    fn code_that_is_nowhere_has_no_name() {
        assert_eq!(code("none", &["crates/none"]), None);
    }
}
