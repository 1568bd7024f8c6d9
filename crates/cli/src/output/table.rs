//! A table of aligned columns.

use anstyle::Style;

use super::{Output, paint};
use crate::problem::Problem;

/// A longer value does not widen its column, in characters: the columns after it in its row move.
const WIDEST: usize = 48;

/// Rows that are aligned once all of them are known.
pub(crate) struct Table {
    rows: Vec<Vec<Cell>>,
}

/// A text and how it is painted.
pub(crate) struct Cell {
    text: String,
    style: Style,
}

impl From<String> for Cell {
    fn from(text: String) -> Cell {
        Cell { text, style: Style::new() }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Cell {
        text.to_owned().into()
    }
}

impl From<(String, Style)> for Cell {
    fn from((text, style): (String, Style)) -> Cell {
        Cell { text, style }
    }
}

impl Table {
    /// A table with its headings.
    pub(crate) fn new<'a>(headings: impl IntoIterator<Item = &'a str>) -> Table {
        let heading = |text: &str| Cell { text: text.to_owned(), style: Style::new().bold() };
        Table { rows: vec![headings.into_iter().map(heading).collect()] }
    }

    /// One row more.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Prints it.
    pub(crate) fn print(self, output: &mut Output) -> Result<(), Problem> {
        for line in self.lines() {
            output.line(&line)?;
        }
        output.flush()
    }

    fn lines(self) -> impl Iterator<Item = String> {
        let columns = self.rows.first().map_or(0, Vec::len);
        let width = |column: usize| {
            self.rows.iter().map(|row| width_of(&row[column].text)).filter(|width| *width <= WIDEST).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        self.rows.into_iter().map(move |row| {
            let mut line = String::new();
            let mut owed = 0;
            for (cell, width) in row.into_iter().zip(&widths) {
                // Padding is written only before something, so that no line ends in spaces.
                if !cell.text.is_empty() {
                    line.extend(std::iter::repeat_n(' ', owed));
                    line.push_str(&paint(&cell.text, cell.style));
                    owed = 0;
                }
                owed += width.saturating_sub(width_of(&cell.text)) + 2;
            }
            line
        })
    }
}

fn width_of(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::Table;

    #[test]
    fn one_long_text_makes_no_other_row_long() {
        let mut table = Table::new(["DEVICE", "STATE"]);
        let long = "x".repeat(199);
        table.row([long.clone().into(), "online".into()]);
        table.row(["a".into(), "offline".into()]);
        let lines: Vec<String> = table.lines().map(|line| anstream::adapter::strip_str(&line).to_string()).collect();
        assert_eq!(lines, ["DEVICE  STATE".to_owned(), format!("{long}  online"), "a       offline".to_owned()]);
    }

    #[test]
    fn columns_are_aligned() {
        let mut table = Table::new(["DEVICE", "STATE", "MESSAGE"]);
        table.row(["a".into(), "succeeded".into(), "".into()]);
        table.row(["dock-12".into(), "".into(), "jammed".into()]);
        let lines: Vec<String> = table.lines().map(|line| anstream::adapter::strip_str(&line).to_string()).collect();
        assert_eq!(lines, ["DEVICE   STATE      MESSAGE", "a        succeeded", "dock-12             jammed"]);
    }
}
