//! Prints the progress of a command.

use crate::{
    options::Listing,
    output::{Output, count, visible_name},
    problem::Problem,
};

use super::progress::Step;

/// Prints each step, as long as the output has a reader.
pub(super) struct StepPrinter {
    listing: Listing,
    output: Output,
    width: usize,
    unread: bool,
}

impl StepPrinter {
    pub(super) fn new(listing: Listing, device: &str) -> StepPrinter {
        StepPrinter {
            listing,
            output: match listing {
                Listing::Text => Output::text(),
                Listing::Json => Output::data(),
            },
            width: device.chars().count().min(40),
            unread: false,
        }
    }

    /// Prints steps. If the reader of the output has gone, the command is still followed, because its end is the
    /// program's exit code.
    pub(super) fn print_steps(&mut self, steps: &[Step]) -> Result<(), Problem> {
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

    /// Flushes the output.
    pub(super) fn flush(&mut self) -> Result<(), Problem> {
        self.print(Output::flush)
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

/// `press-1  … 1,234 more 'running' answers`
fn gap(device: &str, left_out: u32, width: usize) -> String {
    let answers = if left_out == 1 { "answer" } else { "answers" };
    format!("{:<width$}  … {} more 'running' {answers}", visible_name(device), count(left_out as usize))
}

#[cfg(test)]
mod tests {
    use super::gap;

    #[test]
    fn omitted_announcements_are_listed_by_device() {
        assert_eq!(gap("press-1", 1_234, 8), "press-1   … 1,234 more 'running' answers");
        assert_eq!(gap("press-1", 1, 0), "press-1  … 1 more 'running' answer");
    }
}
