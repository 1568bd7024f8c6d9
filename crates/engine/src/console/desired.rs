//! Desired configurations of devices with a tag or in a saved view.

use std::{collections::HashMap, sync::Arc};

use serde_json::json;
use wilco_dialect::json as values_of;

use super::{Handle, fleet, not_found};
use crate::{
    api::{
        AuditKind, DesiredConfig, DesiredFor, DesiredView, DeviceQuery, Failure, JsonText, ReportedKey, SavedView,
        SortBy, grouped, invalid,
    },
    audit::plain,
    fleet::{Desired, Facts, OutOfLine, Search, Wanted, annotations},
    store::{ConnectionId, DesiredTarget, StoredDesired},
};

/// Desired configurations of one connection, at most.
const MOST: usize = 100;
/// Keys of one, at most.
const KEYS: usize = 100;
/// The longest configuration, in bytes.
const LONGEST: usize = 65_536;

impl Handle {
    /// The desired configurations of a connection's devices, in the order in which they apply, each with the state of
    /// its devices.
    ///
    /// # Errors
    /// [`FailureCode::NotFound`](crate::api::FailureCode) for the connection, `Store`.
    pub async fn desired(&self, connection: &str) -> Result<Vec<DesiredView>, Failure> {
        self.shared(connection).await?;
        let known = self.known_desired(connection).await?;
        let facts = self.facts_of(connection, &Search::default(), wanted(&known)?);
        let counts = self.of_fleet(connection, move |of| fleet::read(&of).desired_counts(&facts)).await?;
        let views = (0..).zip(known).zip(counts).map(|((place, one), counts)| DesiredView {
            desired: DesiredConfig {
                connection: connection.to_owned(),
                target: shown(one.stored.target),
                values: JsonText::from(one.stored.values),
                place: Some(place),
            },
            name: one.name,
            search: one.search,
            as_wanted: counts.as_wanted,
            differs: counts.differs,
            unknown: counts.unknown,
            overruled: counts.overruled,
        });
        Ok(views.collect())
    }

    /// Saves the desired configuration of devices with a tag or of a view, replacing an earlier one. It moves to the
    /// given position; without one, it keeps its position, or is appended if it is new.
    ///
    /// # Errors
    /// [`FailureCode::Invalid`](crate::api::FailureCode) for an invalid tag, a view that searches for what is wanted,
    /// and values that are not a JSON object, empty, or too many; `NotFound` for the connection and the view; `Store`.
    pub async fn save_desired(&self, desired: DesiredConfig) -> Result<DesiredView, Failure> {
        self.shared(&desired.connection).await?;
        let values = values(desired.values.as_str())?;
        let target = match &desired.target {
            DesiredFor::Tag { tag } => DesiredTarget::Tag(annotations::tag(tag)?),
            DesiredFor::View { view } => {
                let views = self.store.views(&desired.connection).await?;
                let known = views.into_iter().find(|known| known.id == *view);
                refuse_desired(&known.ok_or_else(|| not_found("view", view))?)?;
                DesiredTarget::View(view.clone())
            }
        };
        let (saved, place) = (target.clone(), desired.place);
        let change = move |all: &mut Vec<StoredDesired>| {
            let before = all.iter().position(|known| is_same(&known.target, &target));
            // A tag keeps the spelling that it was given first.
            let target = before.map(|at| all.remove(at).target).unwrap_or(target);
            if all.len() >= MOST {
                return Err(too_many());
            }
            let end = u32::try_from(all.len()).unwrap_or(u32::MAX);
            let at = place.or(before.and_then(|at| u32::try_from(at).ok())).unwrap_or(end).min(end);
            all.insert(at as usize, StoredDesired { target, values });
            Ok(())
        };
        let what = format!("Set the desired configuration of {}", of(&desired.target));
        let entry = self.entry_on(&desired.connection, AuditKind::Desired, what);
        let details = json!({ "target": desired.target, "values": plain(desired.values.as_str()), "place": place });
        let store = self.store.audited(entry.with(&details));
        store.change_desired(&ConnectionId::from(desired.connection.as_str()), change).await??;
        let views = self.desired(&desired.connection).await?;
        let is_it = |view: &DesiredView| is_same(&stored(&view.desired.target), &saved);
        views.into_iter().find(is_it).ok_or_else(|| nothing_wanted(&desired.target))
    }

    /// Clears the desired configuration of devices with a tag or of a view. Returns it with its position, so that
    /// saving it restores the earlier state.
    ///
    /// # Errors
    /// [`FailureCode::NotFound`](crate::api::FailureCode) for the connection and where nothing is wanted; `Store`.
    pub async fn clear_desired(&self, connection: &str, target: DesiredFor) -> Result<DesiredConfig, Failure> {
        self.shared(connection).await?;
        let wanted = stored(&target);
        let what = format!("Cleared the desired configuration of {}", of(&target));
        let entry = self.entry_on(connection, AuditKind::Desired, what).with(&json!({ "target": target }));
        let change = move |all: &mut Vec<StoredDesired>| {
            let place = all.iter().position(|known| is_same(&known.target, &wanted));
            let place = place.ok_or_else(|| nothing_wanted(&target))?;
            Ok::<_, Failure>((place, all.remove(place)))
        };
        let store = self.store.audited(entry);
        let (place, cleared) = store.change_desired(&ConnectionId::from(connection), change).await??;
        Ok(DesiredConfig {
            connection: connection.to_owned(),
            target: shown(cleared.target),
            values: JsonText::from(cleared.values),
            place: u32::try_from(place).ok(),
        })
    }

    /// The configuration keys that matching devices report, the most frequent first, at most 200.
    ///
    /// # Errors
    /// [`FailureCode::NotFound`](crate::api::FailureCode) for the connection, `Invalid` for an invalid search, `Store`.
    pub async fn reported_keys(&self, connection: &str, search: &str) -> Result<Vec<ReportedKey>, Failure> {
        let search = Search::read(search)?;
        let facts = self.facts(connection, &search).await?;
        self.of_fleet(connection, move |of| fleet::read(&of).reported_keys(&search, &facts)).await
    }

    /// The matching devices that differ from their desired configuration.
    pub(super) async fn out_of_line(&self, connection: &str, search: &str) -> Result<OutOfLine, Failure> {
        let query =
            DeviceQuery { connection: connection.to_owned(), search: search.to_owned(), ..DeviceQuery::default() };
        let search = Search::read(&query.search)?;
        let wanted = self.wanted(connection).await?;
        let facts = self.facts_of(connection, &search, wanted);
        self.of_fleet(connection, move |of| fleet::write(&of).out_of_line(&query, &search, &facts)).await
    }

    /// The facts for a search besides the devices.
    pub(super) async fn facts(&self, connection: &str, search: &Search) -> Result<Facts, Failure> {
        self.facts_if(connection, search, search.is_about_desired()).await
    }

    async fn facts_if(&self, connection: &str, search: &Search, desired: bool) -> Result<Facts, Failure> {
        let desired = if desired { self.wanted(connection).await? } else { Desired::default() };
        Ok(self.facts_of(connection, search, desired))
    }

    /// The facts for a list, which may be sorted by a measurement or by the comparison with what is desired.
    pub(super) async fn facts_of_list(&self, query: &DeviceQuery, search: &Search) -> Result<Facts, Failure> {
        let about_desired = query.sort == SortBy::Desired || search.is_about_desired();
        let mut facts = self.facts_if(&query.connection, search, about_desired).await?;
        if let SortBy::Telemetry(series) = &query.sort {
            let last = || self.telemetry.latest(&ConnectionId::from(query.connection.as_str()), series);
            facts.measured.entry(series.clone()).or_insert_with(last);
        }
        Ok(facts)
    }

    /// The same with given desired configurations.
    pub(super) fn facts_of(&self, connection: &str, search: &Search, desired: Desired) -> Facts {
        let connection = ConnectionId::from(connection);
        let series = search.series().into_iter().chain(desired.series());
        let last = |series: &str| (series.to_owned(), self.telemetry.latest(&connection, series));
        let measured = series.map(last).collect::<HashMap<_, _>>();
        Facts { now: self.clock.now(), measured, desired: Arc::new(desired) }
    }

    /// The desired configurations of a connection.
    pub(super) async fn wanted(&self, connection: &str) -> Result<Desired, Failure> {
        wanted(&self.known_desired(connection).await?)
    }

    /// The stored configurations, with the searches that find their devices.
    async fn known_desired(&self, connection: &str) -> Result<Vec<Known>, Failure> {
        let all = self.store.desired(&ConnectionId::from(connection)).await?;
        let of_views = all.iter().any(|known| matches!(known.target, DesiredTarget::View(_)));
        let views = if of_views { self.store.views(connection).await? } else { Vec::new() };
        let known = all.into_iter().filter_map(|stored| {
            let (name, search) = match &stored.target {
                DesiredTarget::Tag(tag) => (tag.clone(), Search::of_tag(tag)),
                DesiredTarget::View(id) => {
                    views.iter().find(|view| view.id == *id).map(|view| (view.name.clone(), view.search.clone()))?
                }
            };
            Some(Known { stored, name, search })
        });
        Ok(known.collect())
    }
}

/// The desired configurations with devices that can be found.
struct Known {
    stored: StoredDesired,
    name: String,
    search: String,
}

fn wanted(known: &[Known]) -> Result<Desired, Failure> {
    let wanted = known.iter().map(|known| {
        let search = Search::read(&known.search)?;
        let values = values_of::members(&known.stored.values).unwrap_or_default();
        Ok(Wanted { name: known.name.clone(), search, values })
    });
    Ok(Desired::new(wanted.collect::<Result<_, Failure>>()?))
}

/// The devices of a view with a desired configuration cannot depend on wanted values.
///
/// # Errors
/// [`FailureCode::Invalid`](crate::api::FailureCode).
pub(super) fn refuse_desired(view: &SavedView) -> Result<(), Failure> {
    if Search::read(&view.search)?.is_about_desired() {
        return Err(invalid(
            format!("The view '{}' searches with desired:, so it cannot have a desired configuration.", view.name),
            "The view would then depend on its own wanted values. Remove desired: from its search.",
        ));
    }
    Ok(())
}

/// Wanted values as they are kept.
fn values(text: &str) -> Result<String, Failure> {
    let hint = "Give the wanted values by key, such as {\"report_interval_s\":30}.";
    let values =
        values_of::object(text).map_err(|why| invalid(format!("The wanted values are not valid. {why}"), hint))?;
    let count = values_of::members(&values).map_or(0, |members| members.len());
    if count == 0 {
        return Err(invalid("There are no wanted values.".into(), hint));
    }
    if count > KEYS || values.len() > LONGEST {
        return Err(invalid(
            format!(
                "A desired configuration can have up to {KEYS} keys and {} bytes, not {} keys and {} bytes.",
                grouped(u64::try_from(LONGEST).unwrap_or(u64::MAX)),
                grouped(u64::try_from(count).unwrap_or(u64::MAX)),
                grouped(u64::try_from(values.len()).unwrap_or(u64::MAX))
            ),
            "Remove some of them.",
        ));
    }
    Ok(values)
}

fn is_same(one: &DesiredTarget, other: &DesiredTarget) -> bool {
    match (one, other) {
        // As a search for a tag finds it.
        (DesiredTarget::Tag(one), DesiredTarget::Tag(other)) => one.to_lowercase() == other.to_lowercase(),
        _ => one == other,
    }
}

fn stored(target: &DesiredFor) -> DesiredTarget {
    match target {
        DesiredFor::Tag { tag } => DesiredTarget::Tag(tag.clone()),
        DesiredFor::View { view } => DesiredTarget::View(view.clone()),
    }
}

fn shown(target: DesiredTarget) -> DesiredFor {
    match target {
        DesiredTarget::Tag(tag) => DesiredFor::Tag { tag },
        DesiredTarget::View(view) => DesiredFor::View { view },
    }
}

/// `devices with the tag north`, for a sentence.
fn of(target: &DesiredFor) -> String {
    match target {
        DesiredFor::Tag { tag } => format!("devices with the tag {tag}"),
        DesiredFor::View { view } => format!("devices of the view {view}"),
    }
}

fn too_many() -> Failure {
    invalid(format!("A connection can have at most {MOST} desired configurations."), "Clear one of them first.")
}

fn nothing_wanted(target: &DesiredFor) -> Failure {
    let (kind, name) = match target {
        DesiredFor::Tag { tag } => ("the tag", tag),
        DesiredFor::View { view } => ("the view", view),
    };
    Failure {
        message: format!("Devices with {kind} '{name}' have no desired configuration."),
        hint: Some("Set the wanted values first.".into()),
        ..not_found("configuration", name)
    }
}

#[cfg(test)]
mod tests;
