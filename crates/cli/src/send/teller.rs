//! Tells how commands get on.

use crate::{
    options::Listing,
    output::{Output, clean, count, paint, state_name, state_style},
    problem::Problem,
};

use super::ladder::Step;

/// Prints each step, for as long as somebody reads it.
pub(super) struct Teller {
    listing: Listing,
    output: Output,
    width: usize,
    many: bool,
    unread: bool,
}

impl Teller {
    pub(super) fn new(listing: Listing, devices: &[String]) -> Teller {
        Teller {
            listing,
            output: match listing {
                Listing::Text => Output::text(),
                Listing::Json => Output::data(),
            },
            width: devices.iter().map(|device| device.chars().count()).max().unwrap_or(0).min(40),
            many: devices.len() > 1,
            unread: false,
        }
    }

    /// Prints what is to be seen. When nobody reads any more the devices are waited for all the same: how it ends is
    /// also the program's exit code.
    pub(super) fn tell(&mut self, steps: &[Step]) -> Result<(), Problem> {
        let (width, listing) = (self.width, self.listing);
        self.print(|output| {
            for step in steps {
                match (listing, step) {
                    (Listing::Json, Step::Change(line)) => output.json(line)?,
                    (Listing::Json, Step::Progress(_) | Step::LeftOut(..)) => {}
                    (Listing::Text, Step::Change(line) | Step::Progress(line)) => output.line(&line.text(width))?,
                    (Listing::Text, Step::LeftOut(device, left_out)) => output.line(&gap(device, *left_out, width))?,
                }
            }
            Ok(())
        })
    }

    /// Lets what was told be seen.
    pub(super) fn flush(&mut self) -> Result<(), Problem> {
        self.print(Output::flush)
    }

    /// The numbers by state, where there is more than one command.
    pub(super) fn summary<'a>(&mut self, states: impl IntoIterator<Item = &'a str>) -> Result<(), Problem> {
        if !self.many || self.listing == Listing::Json {
            return Ok(());
        }
        let summary = summary(states);
        self.print(|output| {
            output.line(&summary)?;
            output.flush()
        })
    }

    fn print(&mut self, print: impl FnOnce(&mut Output) -> Result<(), Problem>) -> Result<(), Problem> {
        if self.unread {
            return Ok(());
        }
        match print(&mut self.output) {
            Err(Problem::Unread) => {
                self.unread = true;
                Ok(())
            }
            outcome => outcome,
        }
    }
}

/// `press-1  … 1,234 more answers that it is running`
fn gap(device: &str, left_out: u32, width: usize) -> String {
    let answers = if left_out == 1 { "answer" } else { "answers" };
    format!("{:<width$}  … {} more {answers} that it is running", clean(device), count(left_out as usize))
}

/// `9,998 succeeded, 2 timed out`, the most frequent first.
fn summary<'a>(states: impl IntoIterator<Item = &'a str>) -> String {
    let mut counted: Vec<(&str, usize)> = Vec::new();
    for state in states {
        match counted.iter_mut().find(|(known, _)| *known == state) {
            Some((_, number)) => *number += 1,
            None => counted.push((state, 1)),
        }
    }
    counted.sort_by(|(one, fewer), (other, more)| more.cmp(fewer).then(one.cmp(other)));
    let parts: Vec<String> = counted
        .into_iter()
        .map(|(state, number)| paint(&format!("{} {}", count(number), state_name(state)), state_style(state)))
        .collect();
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::{gap, summary};

    #[test]
    fn what_is_left_out_is_a_line_of_its_device() {
        assert_eq!(gap("press-1", 1_234, 8), "press-1   … 1,234 more answers that it is running");
        assert_eq!(gap("press-1", 1, 0), "press-1  … 1 more answer that it is running");
    }

    #[test]
    fn the_summary_counts_by_state() {
        let states = std::iter::repeat_n("succeeded", 9_998).chain(["timed_out", "timed_out", "failed"]);
        let text = anstream::adapter::strip_str(&summary(states)).to_string();
        assert_eq!(text, "9,998 succeeded, 2 timed out, 1 failed");
    }
}
