use std::{
    borrow::Cow,
    io::{self, Write},
};

use super::{COLUMNS, is_formula};
use crate::{history_writer::plain, store::Annotation};

/// Devices on their way to a file.
pub(crate) struct Writer<W: Write>(csv::Writer<W>);

impl<W: Write> Writer<W> {
    /// Begins with the names of the columns.
    ///
    /// # Errors
    /// Errors of the writer.
    pub(crate) fn begin(to: W) -> io::Result<Writer<W>> {
        let mut writer = csv::Writer::from_writer(to);
        writer.write_record(COLUMNS.map(|(name, _)| name)).map_err(plain)?;
        Ok(Writer(writer))
    }

    /// Adds a device.
    ///
    /// # Errors
    /// Errors of the writer.
    pub(crate) fn add(&mut self, device: &str, set: Option<&Annotation>) -> io::Result<()> {
        let name = set.and_then(|set| set.name.as_deref()).unwrap_or_default();
        let tags = set.map(|set| set.tags.join("; ")).unwrap_or_default();
        let note = set.and_then(|set| set.note.as_deref()).unwrap_or_default();
        let cells = [device, name, &tags, note].map(harmless);
        self.0.write_record(cells.iter().map(|cell| cell.as_bytes())).map_err(plain)
    }

    /// Hands back what it was written to, all of it written.
    ///
    /// # Errors
    /// Errors of the writer.
    pub(crate) fn finish(self) -> io::Result<W> {
        self.0.into_inner().map_err(csv::IntoInnerError::into_error)
    }
}

/// No cell is a formula; reading takes the apostrophe away again.
fn harmless(cell: &str) -> Cow<'_, str> {
    if is_formula(cell) { Cow::Owned(format!("'{cell}")) } else { Cow::Borrowed(cell) }
}
