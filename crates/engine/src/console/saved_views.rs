//! Saved views of devices, and the values of their columns.

use serde_json::json;
use uuid::Uuid;

use super::{Handle, desired::refuse_desired, not_found};
use crate::{
    api::{
        AuditKind, CountedView, DeviceCells, DeviceQuery, Failure, JsonText, SavedView, TelemetryQuery, ViewColumn,
        invalid,
    },
    fleet::{Desired, Search, annotations},
    profile::device_id,
};

/// Views of one connection, at most.
const VIEWS: usize = 100;
/// Columns of one view, at most.
const COLUMNS: usize = 40;
/// The maximum number of devices per request.
const ROWS: usize = 200;
/// So long ago measurements of a column begin, milliseconds.
const LATELY: i64 = 600_000;
/// Values of one measurement, at most.
const POINTS: u32 = 30;

impl Handle {
    /// A connection's saved views, each with the number of devices that currently match.
    ///
    /// # Errors
    /// [`FailureCode::NotFound`](crate::api::FailureCode) for the connection, `Store`.
    pub async fn views(&self, connection: &str) -> Result<Vec<CountedView>, Failure> {
        self.shared(connection).await?;
        let mut counted = Vec::new();
        for view in self.store.views(connection).await? {
            let query = DeviceQuery {
                connection: connection.to_owned(),
                search: view.search.clone(),
                ..DeviceQuery::default()
            };
            let matching = self.devices(query, 0, 0).await.map_or(0, |page| page.matching);
            counted.push(CountedView { view, matching });
        }
        Ok(counted)
    }

    /// Saves a view under its name, or changes the one with the given ID. A removed view can be saved again unchanged.
    ///
    /// # Errors
    /// [`FailureCode::Invalid`](crate::api::FailureCode) for a name that is in use, too long or empty, an invalid
    /// search, and too many views or columns; `NotFound` for the connection; `Store`.
    pub async fn save_view(&self, view: SavedView) -> Result<SavedView, Failure> {
        self.shared(&view.connection).await?;
        Search::read(&view.search)?;
        let name = annotations::name(&view.name)?
            .ok_or_else(|| invalid("The view has no name.".into(), "Enter a name, for example Cold stores."))?;
        if view.columns.len() > COLUMNS {
            return Err(invalid(format!("A view can have at most {COLUMNS} columns."), "Remove some of them."));
        }
        if !view.id.is_empty() && self.store.has_desired_view(&view.id).await? {
            refuse_desired(&view)?;
        }
        let known = self.store.views(&view.connection).await?;
        if known.len() >= VIEWS && !known.iter().any(|other| other.id == view.id) {
            return Err(invalid(format!("A connection can have at most {VIEWS} views."), "Delete one of them first."));
        }
        let id = if view.id.is_empty() { Uuid::new_v4().simple().to_string() } else { view.id.clone() };
        let view = SavedView { id, name, ..view };
        let entry = self.entry_on(&view.connection, AuditKind::View, format!("Saved view {}", view.name));
        if !self.store.audited(entry.with(&json!(view))).save_view(view.clone()).await? {
            return Err(invalid(format!("A view named '{}' already exists.", view.name), "Choose another name."));
        }
        Ok(view)
    }

    /// Removes a saved view.
    ///
    /// # Errors
    /// [`FailureCode::NotFound`](crate::api::FailureCode); `Invalid` where a configuration is wanted of its devices;
    /// `Store`.
    pub async fn remove_view(&self, id: &str) -> Result<(), Failure> {
        if self.store.has_desired_view(id).await? {
            return Err(invalid(
                "This view has a desired configuration.".into(),
                "Clear it first. Without the view, it would apply to no device.",
            ));
        }
        let mut removed = None;
        for profile in self.store.connections().await? {
            let views = self.store.views(profile.id.as_str()).await?;
            removed = removed.or(views.into_iter().find(|view| view.id == id));
        }
        let view = removed.ok_or_else(|| not_found("view", id))?;
        let entry = self.entry_on(&view.connection, AuditKind::View, format!("Removed view {}", view.name));
        let entry = entry.with(&json!({ "id": id }));
        if self.store.audited(entry).remove_view(id).await? { Ok(()) } else { Err(not_found("view", id)) }
    }

    /// Values of devices, at most 200, for these columns. Unknown devices are omitted.
    ///
    /// # Errors
    /// [`FailureCode::NotFound`](crate::api::FailureCode) for the connection, `Store`.
    pub async fn device_cells(
        &self,
        connection: &str,
        devices: Vec<String>,
        columns: Vec<ViewColumn>,
    ) -> Result<Vec<DeviceCells>, Failure> {
        let shared = self.shared(connection).await?;
        let asks = columns.contains(&ViewColumn::Desired);
        let desired = if asks { self.wanted(connection).await? } else { Desired::default() };
        let facts = self.facts_of(connection, &Search::default(), desired);
        let measures = columns.iter().any(|column| matches!(column, ViewColumn::Telemetry { .. }));
        let mut cells = Vec::new();
        for device in devices.into_iter().take(ROWS) {
            let id = device_id(&device)?;
            let known = super::fleet::read(&shared.fleet).get(&id).map(|known| {
                let value = |column: &ViewColumn| match column {
                    ViewColumn::Config { key } => known.running(key).map(JsonText::of),
                    _ => None,
                };
                let config: Vec<_> = columns.iter().map(value).collect();
                (config, facts.desired.of(known, &facts))
            });
            let Some((config, desired)) = known else { continue };
            let measured = if measures { self.lately(connection, &device, &columns).await? } else { Vec::new() };
            cells.push(DeviceCells { device, config, measured, desired });
        }
        Ok(cells)
    }

    /// The latest measurements of a device, for each column.
    async fn lately(&self, connection: &str, device: &str, columns: &[ViewColumn]) -> Result<Vec<Vec<f64>>, Failure> {
        let query = TelemetryQuery {
            connection: connection.to_owned(),
            device: device.to_owned(),
            from: Some(self.clock.now().0 - LATELY),
            to: None,
            points: POINTS,
        };
        let view = self.telemetry(query).await?;
        let values = |column: &ViewColumn| match column {
            ViewColumn::Telemetry { series } => {
                let series = view.series.iter().find(|one| one.name == *series);
                series.map(|series| series.means.iter().flatten().copied().collect()).unwrap_or_default()
            }
            _ => Vec::new(),
        };
        Ok(columns.iter().map(values).collect())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

    use crate::{
        api::{DeviceOrder, FailureCode, GroupBy, NewDevice, SavedView, SortBy, ViewColumn},
        console::fixture::{engine, plant},
    };

    #[tokio::test]
    async fn a_view_is_saved_counted_renamed_removed_and_saved_again() {
        let (_data, _engine, handle) = engine().await;
        let plant = plant(&handle).await;
        let new = |device: &str, tags: &[&str]| NewDevice {
            device: device.into(),
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            ..NewDevice::default()
        };
        handle.add_devices(&plant, vec![new("a", &["north"]), new("b", &["north"]), new("c", &[])]).await.unwrap();
        let view = SavedView {
            connection: plant.clone(),
            name: "North".into(),
            search: "tag:north".into(),
            sort: SortBy::Seen,
            order: DeviceOrder::Descending,
            group: Some(GroupBy::Firmware),
            columns: vec![ViewColumn::Name, ViewColumn::Config { key: "interval".into() }],
            ..SavedView::default()
        };
        let saved = handle.save_view(view.clone()).await.unwrap();
        assert_eq!(saved, SavedView { id: saved.id.clone(), name: "North".into(), ..view.clone() });
        let counted = handle.views(&plant).await.unwrap();
        assert_eq!((counted.len(), &counted[0].view, counted[0].matching), (1, &saved, 2));
        let taken = handle.save_view(SavedView { name: "North".into(), ..view.clone() }).await.unwrap_err();
        assert_eq!(taken.message, "A view named 'North' already exists.");
        let renamed = handle.save_view(SavedView { name: "Nord".into(), ..saved.clone() }).await.unwrap();
        handle.remove_view(&renamed.id).await.unwrap();
        assert_eq!(handle.remove_view(&renamed.id).await.unwrap_err().code, FailureCode::NotFound);
        assert_eq!(handle.save_view(renamed.clone()).await.unwrap(), renamed);
        let wrong = SavedView { search: "is:sideways".into(), name: "x".into(), ..view.clone() };
        assert_eq!(handle.save_view(wrong).await.unwrap_err().code, FailureCode::Invalid);
        handle.remove_connection(&plant).await.unwrap();
        assert_eq!(handle.store.views(&plant).await.unwrap(), []);
    }
}
