//! Imports and exports devices as CSV.

use std::{
    io::{self, BufWriter},
    path::PathBuf,
};

use tokio::sync::mpsc::UnboundedSender;
use wilco_ledger::DeviceId;

use super::{Handle, beyond, blocking, devices::AT_ONCE};
use crate::{
    api::{DeviceExport, DeviceImport, DeviceQuery, Failure, FileToWrite, ImportError, NewDevice},
    controller::{SharedConnection, SharedFleet},
    device_file::{Line, Lines, Writer, WrongLine},
    fleet::{AnnotationChange, Search},
    output_file::{OutputFile, refused},
    paths::whole,
    store::Annotation,
};
use wilco_atomic_file::Readers;

/// Wrong lines that are named.
const NAMED: usize = 100;
/// Devices that are shown as they would be imported.
const EXAMPLES: usize = 5;

impl Handle {
    /// Reads a CSV file of devices and returns the changes that importing it would make; reports progress to `tell`.
    ///
    /// # Errors
    /// [`FailureCode::File`](crate::api::FailureCode) for a file that cannot be read or is no CSV file, `Invalid` for
    /// columns that cannot be used, `NotFound` for the connection.
    pub async fn read_device_file(
        &self,
        connection: &str,
        path: PathBuf,
        tell: UnboundedSender<DeviceImport>,
    ) -> Result<DeviceImport, Failure> {
        self.take_device_file(connection, path, false, tell).await
    }

    /// Imports a CSV file of devices. Valid lines are imported even if others are invalid. Empty cells change nothing.
    /// Only one import runs at a time: a second one waits for the first.
    ///
    /// # Errors
    /// As [`Handle::read_device_file`]; `Store`, and then what was read before is imported.
    pub async fn import_devices(
        &self,
        connection: &str,
        path: PathBuf,
        tell: UnboundedSender<DeviceImport>,
    ) -> Result<DeviceImport, Failure> {
        self.take_device_file(connection, path, true, tell).await
    }

    /// Stops the current reading or import, and those that wait for it.
    ///
    /// # Errors
    /// None.
    pub async fn stop_device_import(&self) -> Result<(), Failure> {
        self.device_import.stop.notify_waiters();
        Ok(())
    }

    /// Writes the devices that match to a CSV file, with their annotations.
    ///
    /// # Errors
    /// [`FailureCode::File`](crate::api::FailureCode) if it cannot be written, `Exists` if the file exists and must not
    /// be replaced, `Invalid` for the search, `NotFound` for the connection.
    pub async fn export_devices(&self, query: DeviceQuery, to: FileToWrite) -> Result<DeviceExport, Failure> {
        Search::read(&query.search)?;
        let devices = self.matching(&query.connection, &query.search).await?;
        self.of_fleet(&query.connection, move |fleet| write_file(&fleet, &devices, &to)).await?
    }

    async fn take_device_file(
        &self,
        connection: &str,
        path: PathBuf,
        imports: bool,
        tell: UnboundedSender<DeviceImport>,
    ) -> Result<DeviceImport, Failure> {
        let mut stopped = std::pin::pin!(self.device_import.stop.notified());
        let shared = self.shared(connection).await?;
        let path = whole(&path)?;
        let mut view = DeviceImport::default();
        let _turn = tokio::select! {
            biased;
            () = &mut stopped => return Ok(DeviceImport { stopped: true, ..view }),
            pending_batch = self.device_import.pending_batch.lock() => pending_batch,
        };
        let mut lines = blocking(move || Lines::open(&path)).await?;
        lines.columns().clone_into(&mut view.columns);
        loop {
            let (shared, seen) = (shared.clone(), view);
            let read = blocking(move || Ok(some(lines, &shared, seen)));
            let (back, changes, so_far, ended) = read.await?;
            (lines, view) = (back, so_far);
            if imports && !changes.is_empty() {
                self.annotate(connection, changes).await?;
            }
            if ended {
                return Ok(view);
            }
            // The caller may have gone; the import continues.
            let _ = tell.send(view.clone());
            let is_stopped = tokio::select! {
                biased;
                () = &mut stopped => true,
                () = std::future::ready(()) => false,
            };
            if is_stopped {
                return Ok(DeviceImport { stopped: true, ..view });
            }
        }
    }
}

type Read = (Lines, Vec<(DeviceId, AnnotationChange)>, DeviceImport, bool);

/// Reads some lines and returns their changes.
fn some(mut lines: Lines, shared: &SharedConnection, mut view: DeviceImport) -> Read {
    // The file first: the engine's loop waits for whoever holds the fleet, and a disk may be slow.
    let read: Vec<_> = std::iter::from_fn(|| lines.next()).take(AT_ONCE).collect();
    let ended = read.len() < AT_ONCE;
    let mut changes = Vec::with_capacity(read.len());
    let fleet = super::fleet::read(&shared.fleet);
    for line in read {
        view.lines += 1;
        let line = line.and_then(|line| match beyond(&shared.named, std::iter::once(line.device.as_str())) {
            Some(refusal) => Err(WrongLine { number: line.number, message: refusal.message }),
            None => Ok(line),
        });
        match line {
            Ok(Line { device, change, .. }) => {
                let before = fleet.annotation(&device);
                let after = change.apply(before.as_ref().unwrap_or(&Annotation::default()));
                match (&before, after) {
                    (None, _) => view.new += 1,
                    (Some(before), Ok(after)) if *before == after => {
                        view.same += 1;
                        continue;
                    }
                    _ => view.changed += 1,
                }
                if view.examples.len() < EXAMPLES {
                    view.examples.push(example(&device, &change));
                }
                changes.push((device, change));
            }
            Err(WrongLine { number, message }) => {
                view.refused += 1;
                if view.errors.len() < NAMED {
                    view.errors.push(ImportError { line: number, message });
                }
            }
        }
    }
    (view.bytes, view.total_bytes) = lines.progress();
    drop(fleet);
    (lines, changes, view, ended)
}

fn example(device: &DeviceId, change: &AnnotationChange) -> NewDevice {
    let Annotation { name, tags, note } = change.apply(&Annotation::default()).unwrap_or_default();
    NewDevice { device: device.as_str().to_owned(), name, tags, note }
}

fn write_file(fleet: &SharedFleet, devices: &[DeviceId], to: &FileToWrite) -> Result<DeviceExport, Failure> {
    let file = OutputFile::begin(to, Readers::Owner)?;
    let path = file.path().to_owned();
    let write = || -> io::Result<OutputFile> {
        let mut writer = Writer::begin(BufWriter::new(file))?;
        // In parts, so that a slow disk does not block the fleet.
        for ids in devices.chunks(AT_ONCE) {
            let known: Vec<_> = {
                let fleet = super::fleet::read(fleet);
                ids.iter().filter_map(|id| fleet.get(id)).map(|one| (one.id.clone(), one.annotation.clone())).collect()
            };
            for (id, annotation) in known {
                writer.add(id.as_str(), annotation.as_deref())?;
            }
        }
        writer.finish()?.into_inner().map_err(io::IntoInnerError::into_error)
    };
    let written = write().map_err(|error| refused(&path, &error))?;
    let devices = u32::try_from(devices.len()).unwrap_or(u32::MAX);
    Ok(DeviceExport { path: written.finish()?, devices })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

    use std::{fmt::Write as _, fs};

    use tokio::sync::mpsc::unbounded_channel;

    use crate::{
        api::{DeviceQuery, FailureCode, FileToWrite},
        console::fixture::{engine, plant},
    };

    #[tokio::test]
    async fn a_file_is_previewed_imported_exported_and_imported_again() {
        let (data, _engine, handle) = engine().await;
        let plant = plant(&handle).await;
        let path = data.path().join("devices.csv");
        let mut content = String::from("device;name;tags;colour\n");
        for number in 0..5_000 {
            writeln!(content, "pump-{number};Pump {number};north;red").unwrap();
        }
        content.push_str("pump-7;twice;;\na/b;;;\n");
        fs::write(&path, content).unwrap();
        let (tell, mut told) = unbounded_channel();
        let preview = handle.read_device_file(&plant, path.clone(), tell.clone()).await.unwrap();
        assert_eq!((preview.lines, preview.new, preview.changed, preview.refused), (5_002, 5_000, 0, 2));
        assert_eq!(preview.errors[0].line, 5_002);
        assert_eq!(preview.errors[0].message, "'pump-7' is already on line 9.");
        assert_eq!((preview.examples.len(), preview.bytes), (5, preview.total_bytes));
        let names: Vec<_> =
            preview.columns.iter().map(|column| (column.name.as_str(), column.kind.is_some())).collect();
        assert_eq!(names, [("device", true), ("name", true), ("tags", true), ("colour", false)]);
        assert_eq!(told.recv().await.unwrap().lines, 2_000);
        let all = DeviceQuery { connection: plant.clone(), ..DeviceQuery::default() };
        assert_eq!(handle.devices(all.clone(), 0, 0).await.unwrap().total, 0, "only read");

        let imported = handle.import_devices(&plant, path.clone(), tell.clone()).await.unwrap();
        assert_eq!((imported.new, imported.refused), (5_000, 2));
        let found = DeviceQuery { search: "tag:north name:\"pump 4999\"".into(), ..all.clone() };
        assert_eq!(handle.devices(found, 0, 10).await.unwrap().rows[0].device, "pump-4999");

        let to = FileToWrite::from(data.path().join("export.csv"));
        let exported = handle.export_devices(all.clone(), to.clone()).await.unwrap();
        assert_eq!(exported.devices, 5_000);
        assert_eq!(handle.export_devices(all, to).await.unwrap_err().code, FailureCode::Exists);
        let again = handle.import_devices(&plant, exported.path, tell).await.unwrap();
        assert_eq!((again.same, again.new, again.changed, again.refused), (5_000, 0, 0, 0));
    }

    #[tokio::test]
    async fn an_import_can_be_stopped() {
        let (data, _engine, handle) = engine().await;
        let plant = plant(&handle).await;
        let path = data.path().join("devices.csv");
        let lines: Vec<_> = (0..50_000).map(|number| format!("pump-{number}")).collect();
        fs::write(&path, format!("device\n{}\n", lines.join("\n"))).unwrap();
        let (tell, mut told) = unbounded_channel();
        let stop = async {
            told.recv().await.unwrap();
            handle.stop_device_import().await.unwrap();
        };
        let (imported, ()) = tokio::join!(handle.import_devices(&plant, path, tell), stop);
        let imported = imported.unwrap();
        assert!(imported.stopped && imported.lines < 50_000, "{imported:?}");
        let all = DeviceQuery { connection: plant, ..DeviceQuery::default() };
        assert_eq!(handle.devices(all, 0, 0).await.unwrap().total, imported.new, "what was read is there");
    }
}
