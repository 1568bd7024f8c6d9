//! Lists and summarises the devices of a connection.

use parking_lot::{RwLockReadGuard, RwLockWriteGuard};
use tokio::task::spawn_blocking;
use wilco_ledger::DeviceId;

use super::{Handle, defect};
use crate::{
    api::{DeviceColumns, DevicePage, DeviceQuery, DeviceRow, DeviceSummary, Failure, SearchReading},
    controller::SharedFleet,
    fleet::{Fleet, Search, read_search},
    store::ConnectionId,
};

impl Handle {
    /// A range of a connection's devices. With `count` 0, only their number.
    ///
    /// # Errors
    /// [`FailureCode::NotFound`](crate::api::FailureCode::NotFound) for the connection,
    /// [`FailureCode::Invalid`](crate::api::FailureCode::Invalid) for an invalid search.
    pub async fn devices(&self, query: DeviceQuery, from: u32, count: u32) -> Result<DevicePage, Failure> {
        let search = Search::read(&query.search)?;
        let facts = self.facts_of_list(&query, &search).await?;
        self.of_fleet(&query.connection.clone(), move |fleet| write(&fleet).page(&query, &search, &facts, from, count))
            .await
    }

    /// The whole list as columns; with IDs only if its revision is not `known`, and with the latest values of `series`
    /// if one is given.
    ///
    /// # Errors
    /// As [`Handle::devices`].
    pub async fn device_columns(
        &self,
        query: DeviceQuery,
        known: Option<u64>,
        series: Option<String>,
    ) -> Result<DeviceColumns, Failure> {
        let search = Search::read(&query.search)?;
        let facts = self.facts_of_list(&query, &search).await?;
        let values =
            series.map(|series| self.telemetry.latest(&ConnectionId::from(query.connection.as_str()), &series));
        self.of_fleet(&query.connection.clone(), move |fleet| {
            write(&fleet).columns(&query, &search, &facts, known, values.as_ref())
        })
        .await
    }

    /// Rows of devices by their IDs, in that order, at most 1,000. Unknown devices are omitted.
    ///
    /// # Errors
    /// [`FailureCode::NotFound`](crate::api::FailureCode::NotFound) for the connection.
    pub async fn device_rows(&self, connection: &str, devices: &[String]) -> Result<Vec<DeviceRow>, Failure> {
        let fleet = self.shared(connection).await?.fleet;
        Ok(read(&fleet).rows(connection, &ids(devices)))
    }

    /// The common values and the differences of devices. Unknown devices are omitted.
    ///
    /// # Errors
    /// [`FailureCode::NotFound`](crate::api::FailureCode::NotFound) for the connection.
    pub async fn compare_devices(&self, connection: &str, devices: Vec<String>) -> Result<DeviceSummary, Failure> {
        self.of_fleet(connection, move |fleet| read(&fleet).summary(&ids(&devices))).await
    }

    /// How a search is parsed, and completions at `caret`, which counts UTF-16 units.
    ///
    /// # Errors
    /// [`FailureCode::NotFound`](crate::api::FailureCode::NotFound) for the connection.
    pub async fn read_search(&self, connection: &str, text: &str, caret: u32) -> Result<SearchReading, Failure> {
        let fleet = self.shared(connection).await?.fleet;
        let series = self.telemetry.series(&ConnectionId::from(connection));
        Ok(read_search(&read(&fleet), text, caret, &series))
    }

    /// Every device that matches a search, by id.
    pub(super) async fn matching(&self, connection: &str, search: &str) -> Result<Vec<DeviceId>, Failure> {
        let query =
            DeviceQuery { connection: connection.to_owned(), search: search.to_owned(), ..DeviceQuery::default() };
        let search = Search::read(&query.search)?;
        let facts = self.facts(connection, &search).await?;
        self.of_fleet(connection, move |fleet| write(&fleet).matching(&query, &search, &facts)).await
    }

    /// Asks a fleet for something that takes its time with a hundred thousand devices, which a task of the runtime must
    /// not.
    pub(super) async fn of_fleet<T: Send + 'static>(
        &self,
        connection: &str,
        ask: impl FnOnce(SharedFleet) -> T + Send + 'static,
    ) -> Result<T, Failure> {
        let fleet = self.shared(connection).await?.fleet;
        spawn_blocking(move || ask(fleet)).await.map_err(defect)
    }
}

/// An invalid device ID matches no device.
fn ids(devices: &[String]) -> Vec<DeviceId> {
    devices.iter().filter_map(|id| DeviceId::new(id).ok()).collect()
}

pub(super) fn read(fleet: &SharedFleet) -> RwLockReadGuard<'_, Fleet> {
    fleet.read()
}

pub(super) fn write(fleet: &SharedFleet) -> RwLockWriteGuard<'_, Fleet> {
    fleet.write()
}
