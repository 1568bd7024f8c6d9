//! Counts the results of the test runners.

/// The numbers of tests that passed and failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// The number that passed.
    pub(crate) passed: u64,
    /// The number that failed.
    pub(crate) failed: u64,
}

impl Tally {
    /// Sums the result lines of `cargo test` or Vitest. A runner that failed without naming a failed test (for example
    /// because it did not compile or crashed) counts as one failure.
    pub(crate) fn read(lines: &[String], ended_well: bool) -> Self {
        let mut tally = Self::default();
        for line in lines {
            let line = plain(line);
            let line = line.trim();
            if line.starts_with("test result:") || line.starts_with("Tests ") {
                tally.passed += number_before(line, "passed");
                tally.failed += number_before(line, "failed");
            }
        }
        if !ended_well && tally.failed == 0 {
            tally.failed = 1;
        }
        tally
    }
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} passed, {} failed", self.passed, self.failed)
    }
}

fn number_before(line: &str, word: &str) -> u64 {
    let words: Vec<&str> = line.split_whitespace().map(|word| word.trim_end_matches([';', ',', '.'])).collect();
    words.windows(2).find(|pair| pair[1] == word).and_then(|pair| pair[0].parse().ok()).unwrap_or(0)
}

/// The line without its colours.
fn plain(line: &str) -> String {
    let mut text = String::new();
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\u{1b}' => while letters.next().is_some_and(|inside| !inside.is_ascii_alphabetic()) {},
            _ => text.push(letter),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(lines: &[&str], ended_well: bool, passed: u64, failed: u64) {
        let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        assert_eq!(Tally::read(&lines, ended_well), Tally { passed, failed });
    }

    #[test]
    fn both_runners_are_read() {
        check(
            &[
                "test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s",
                "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s",
            ],
            false,
            15,
            2,
        );
        check(&["\u{1b}[2m      Tests \u{1b}[22m \u{1b}[1m\u{1b}[32m7 passed\u{1b}[39m\u{1b}[22m (7)"], true, 7, 0);
        check(&["      Tests  1 failed | 6 passed (7)"], false, 6, 1);
    }

    #[test]
    fn a_runner_that_ends_badly_without_a_word_counts_as_failed() {
        check(&["error: could not compile"], false, 0, 1);
    }
}
