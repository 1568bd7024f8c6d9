//! Output: for users, with colours if the terminal supports them, or for programs.

mod command;
mod place;
mod table;
mod terminal;
mod text;

use std::io::{self, BufWriter, IsTerminal, Write};

use serde::Serialize;

pub(crate) use command::CommandLine;
pub(crate) use place::file_to_write;
pub(crate) use table::{Cell, Table};
use terminal::Escaping;
pub(crate) use text::{
    clean, count, entered, folded, local_time, paint, several, size, state_name, state_style, time_of_day, visible_name,
};

use crate::problem::Problem;

/// Standard output.
pub(crate) struct Output(BufWriter<Box<dyn Write + Send>>);

impl Output {
    /// For people: what is painted stays so only on a terminal that shows colours, and where `NO_COLOR` is not set.
    pub(crate) fn text() -> Output {
        Output(BufWriter::new(Box::new(anstream::stdout())))
    }

    /// For programs: every byte unchanged. On a terminal, control characters are escaped.
    pub(crate) fn data() -> Output {
        let stdout = io::stdout();
        Output(BufWriter::new(if stdout.is_terminal() { Box::new(Escaping::new(stdout)) } else { Box::new(stdout) }))
    }

    /// One line of JSON.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> Result<(), Problem> {
        serde_json::to_writer(&mut self.0, value)?;
        Ok(self.0.write_all(b"\n")?)
    }

    /// One line of text.
    pub(crate) fn line(&mut self, line: &str) -> Result<(), Problem> {
        Ok(writeln!(self.0, "{line}")?)
    }

    /// Lets what was written be seen.
    pub(crate) fn flush(&mut self) -> Result<(), Problem> {
        Ok(self.0.flush()?)
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
