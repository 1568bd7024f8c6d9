//! Devices as a CSV file, with names, tags and notes: read line by line, with the line number of each problem, and
//! written so that no spreadsheet treats a cell as a formula.
//!
//! The fleet applies the lines.

mod read;
mod write;

pub use read::device_column;
pub(crate) use read::{Line, Lines, WrongLine};
pub(crate) use write::Writer;

use crate::{api::ImportColumnKind, history_writer};

/// The columns of a file that is written, in this order.
const COLUMNS: [(&str, ImportColumnKind); 4] = [
    ("device", ImportColumnKind::Device),
    ("name", ImportColumnKind::Name),
    ("tags", ImportColumnKind::Tags),
    ("note", ImportColumnKind::Note),
];

/// A text behind the apostrophes that keep it from being a formula.
fn is_formula(text: &str) -> bool {
    text.trim_start_matches('\'').starts_with(history_writer::FORMULA)
}
