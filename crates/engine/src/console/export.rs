//! Exports the history to a file.

use std::{
    io::{self, BufWriter},
    path::PathBuf,
};

use tokio::sync::{Mutex, Notify, mpsc::UnboundedSender};

use super::{Handle, blocking};
use crate::{
    api::{CommandView, ExportFormat, ExportView, Failure, FileToWrite, HistoryQuery},
    history_writer::HistoryWriter,
    output_file::{OutputFile, refused},
};
use wilco_atomic_file::Readers;

/// Rows of one page, between which an export can be stopped.
const PAGE: u32 = 1_000;

/// The export or import that is in progress, if one is.
#[derive(Default)]
pub(super) struct Export {
    pub(super) stop: Notify,
    pub(super) pending_batch: Mutex<()>,
}

/// The rows on their way to a file.
struct Rows {
    history_writer: HistoryWriter<BufWriter<OutputFile>>,
    path: PathBuf,
}

impl Handle {
    /// Writes all matching commands to a file, ignoring the query's page, and reports progress to `tell`. An existing
    /// file is replaced completely or not at all. Only one export runs at a time: a second one waits for the first.
    ///
    /// # Errors
    /// [`FailureCode::File`](crate::api::FailureCode) if it cannot be written, `Exists` if the file exists and must not
    /// be replaced, `Invalid` and `Store` as in [`Handle::history`].
    pub async fn export_history(
        &self,
        query: HistoryQuery,
        to: FileToWrite,
        format: ExportFormat,
        tell: UnboundedSender<ExportView>,
    ) -> Result<ExportView, Failure> {
        // From here on: whoever stops it means this one, too, while it waits.
        let mut stopped = std::pin::pin!(self.export.stop.notified());
        let mut view = ExportView::default();
        let _turn = tokio::select! {
            biased;
            () = &mut stopped => return Ok(ExportView { stopped: true, ..view }),
            pending_batch = self.export.pending_batch.lock() => pending_batch,
        };
        let mut rows = blocking(move || Rows::begin(&to, format)).await?;
        let mut query = HistoryQuery { cursor: None, limit: PAGE, ..query };
        loop {
            let page = tokio::select! {
                biased;
                () = &mut stopped => return Ok(ExportView { stopped: true, ..view }),
                page = self.history(query.clone()) => page?,
            };
            view.written += u32::try_from(page.commands.len()).unwrap_or(u32::MAX);
            view.matching = view.matching.or(page.matching);
            rows = blocking(move || rows.with(&page.commands)).await?;
            query.cursor = page.next;
            if query.cursor.is_none() {
                break;
            }
            // The caller may have gone; the file is written anyway.
            let _ = tell.send(view.clone());
        }
        view.path = Some(blocking(move || rows.finish()).await?);
        Ok(view)
    }

    /// Stops the current export, and those that wait for it.
    ///
    /// # Errors
    /// None.
    pub async fn stop_export(&self) -> Result<(), Failure> {
        self.export.stop.notify_waiters();
        Ok(())
    }
}

impl Rows {
    fn begin(to: &FileToWrite, format: ExportFormat) -> Result<Rows, Failure> {
        let file = OutputFile::begin(to, Readers::Owner)?;
        let path = file.path().to_owned();
        let history_writer =
            HistoryWriter::begin(format, BufWriter::new(file)).map_err(|error| refused(&path, &error))?;
        Ok(Rows { history_writer, path })
    }

    fn with(mut self, commands: &[CommandView]) -> Result<Rows, Failure> {
        let written: io::Result<()> = commands.iter().try_for_each(|command| self.history_writer.add(command));
        written.map_err(|error| refused(&self.path, &error))?;
        Ok(self)
    }

    fn finish(self) -> Result<PathBuf, Failure> {
        let Rows { history_writer, path } = self;
        let written =
            history_writer.finish().and_then(|file| file.into_inner().map_err(io::IntoInnerError::into_error));
        written.map_err(|error| refused(&path, &error))?.finish()
    }
}

#[cfg(test)]
mod tests;
