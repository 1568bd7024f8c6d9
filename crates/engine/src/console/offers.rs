//! Offers of dialects: after a connection is online, and once an hour, Wilco looks for devices of dialects that are not
//! enabled, and offers to enable them. Retained announcements arrive at once; other devices show themselves only now and
//! then, so Wilco listens for some time, and offers what it has found so far.
//!
//! It does not do so on AWS IoT, which ends a connection that subscribes to a topic outside its policy, and on
//! connections that are limited to certain devices. If a broker ends the connection over the subscriptions, Wilco does
//! not look there again before its next start.

use std::{collections::HashMap, time::Duration};

use serde_json::json;
use tokio::{
    task::JoinHandle,
    time::{Instant, MissedTickBehavior, interval},
};

use super::{Handle, dialects::DeviceSearch};
use crate::{
    api::{AuditKind, ConnectionSettings, ConnectionView, EnabledDialect, Failure, FoundDialect, LinkState, invalid},
    audit,
    controller::Request,
    dialects::EnabledDialects,
    profile::is_aws,
    store::{ConnectionId, Profile},
};

/// How often the connections are gone through.
const EVERY: Duration = Duration::from_secs(1);
/// A connection that has just come up has other things to read first.
const SETTLED_AFTER: Duration = Duration::from_secs(2);
/// How long devices are listened for that show themselves only now and then. A Shelly reports at least once a minute
/// while it measures something.
const LISTENED_FOR: Duration = Duration::from_secs(90);
/// Devices that are new announce themselves sooner or later.
const AGAIN_AFTER: Duration = Duration::from_secs(60 * 60);

/// The state of a connection's search for dialects.
struct DialectSearch {
    /// The network connection, by when it came up, Unix milliseconds.
    since: i64,
    /// When to look next.
    due: Instant,
    /// It is in progress; whether the connection was still the same one afterwards.
    running: Option<JoinHandle<bool>>,
    /// The broker has ended the connection over it.
    is_unwelcome: bool,
}

impl Handle {
    /// Looks for devices of other dialects on every connection, for as long as the engine runs.
    pub(super) async fn offer_dialects(self) {
        let mut looked: HashMap<String, DialectSearch> = HashMap::new();
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let Ok(connections) = self.connections().await else { return };
            for view in connections.iter().filter(|view| may_be_looked_at(view)) {
                let LinkState::Online { since } = view.link else { continue };
                let now = Instant::now();
                let known = looked.entry(view.id.clone()).or_insert_with(|| DialectSearch::new(since, now));
                if known.is_due(since, now).await {
                    let (handle, connection) = (self.clone(), view.id.clone());
                    known.due = now + AGAIN_AFTER;
                    known.running = Some(tokio::spawn(async move { handle.look(&connection, since).await }));
                }
            }
            looked.retain(|id, _| connections.iter().any(|view| view.id == *id));
        }
    }

    /// Searches once, and reports the devices found so far. Returns whether the connection outlived the subscriptions.
    async fn look(&self, connection: &str, since: i64) -> bool {
        let mut search = match DeviceSearch::begin(self, connection).await {
            Ok(search) => search,
            Err(failure) => {
                tracing::info!(%failure, "the search for devices of other dialects failed");
                return self.is_same(connection, since).await;
            }
        };
        let until = Instant::now() + LISTENED_FOR;
        let earlier = self.connection_view(connection).await.map(|view| view.offers).unwrap_or_default();
        search.read_retained().await;
        self.report(connection, search.found_beside(earlier.clone())).await;
        let is_same = self.is_same(connection, since).await;
        if is_same {
            search.keep_live().await;
            while search.finds_more(until).await {
                self.report(connection, search.found_beside(earlier.clone())).await;
            }
            self.report(connection, search.found()).await;
        }
        search.end().await;
        is_same
    }

    async fn report(&self, connection: &str, found: Vec<FoundDialect>) {
        self.post(Request::Found(ConnectionId::from(connection), found)).await;
    }

    /// Whether a connection is still the network connection established then.
    async fn is_same(&self, connection: &str, since: i64) -> bool {
        let Ok(connections) = self.connections().await else { return true };
        let is_same = |view: &ConnectionView| view.link == LinkState::Online { since };
        connections.iter().find(|view| view.id == connection).is_none_or(is_same)
    }

    /// Enables further dialects on a connection. Its session restarts.
    ///
    /// # Errors
    /// [`FailureCode::NotFound`](crate::api::FailureCode); `Invalid` for a dialect that there is not, or one that uses the
    /// topics of another one; `Store`.
    pub async fn enable_dialects(&self, connection: &str, names: Vec<String>) -> Result<ConnectionView, Failure> {
        let profile = self.changeable(connection).await?;
        let mut dialects = profile.settings.dialects.clone();
        let is_new = |name: &String| profile.settings.dialects.iter().all(|known| known.name != *name);
        dialects.extend(names.into_iter().filter(is_new).map(EnabledDialect::new));
        if dialects == profile.settings.dialects {
            return self.connection_view(connection).await;
        }
        let is_enabled = |name: &String| dialects.iter().any(|enabled| enabled.name == *name);
        let declined = profile.declined.iter().filter(|name| !is_enabled(name)).cloned().collect();
        let settings = ConnectionSettings { dialects, ..profile.settings };
        self.put_dialects(Profile { settings, declined, ..profile }).await
    }

    /// Stops offering dialects on a connection. They can still be enabled.
    ///
    /// # Errors
    /// [`FailureCode::NotFound`](crate::api::FailureCode) and `Store`.
    pub async fn decline_dialects(&self, connection: &str, names: Vec<String>) -> Result<(), Failure> {
        let mut profile = self.changeable(connection).await?;
        profile.declined.extend(names);
        profile.declined.sort();
        profile.declined.dedup();
        let what = format!("Declined dialects on {}", profile.name);
        let entry = self.audit.entry(AuditKind::Dialect, what).on(&profile.id, &profile.name);
        self.store.audited(entry.with(&json!({ "declined": profile.declined }))).save_connection(&profile).await?;
        self.post(Request::Declined(profile.id, profile.declined)).await;
        Ok(())
    }

    /// A stored connection that is to be changed.
    pub(super) async fn changeable(&self, connection: &str) -> Result<Profile, Failure> {
        let profile = self.profile(connection).await?;
        if profile.demo {
            let hint = "Add your own connection.";
            return Err(invalid("The connection of the demo fleet cannot be edited.".into(), hint));
        }
        Ok(profile)
    }

    /// Stores a connection with other dialects and begins its session again.
    pub(super) async fn put_dialects(&self, profile: Profile) -> Result<ConnectionView, Failure> {
        EnabledDialects::of(&profile)?;
        let before = audit::of_profile(&self.profile(profile.id.as_str()).await?);
        let changes = audit::between(Some(&before), &audit::of_profile(&profile));
        let what = format!("Changed the dialects of {}", profile.name);
        let entry = self.audit.entry(AuditKind::Dialect, what).on(&profile.id, &profile.name).with(&changes);
        self.store.audited(entry).save_connection(&profile).await?;
        self.open(profile).await
    }

    pub(super) async fn connection_view(&self, connection: &str) -> Result<ConnectionView, Failure> {
        let connections = self.connections().await?;
        let view = connections.into_iter().find(|view| view.id == connection);
        view.ok_or_else(|| super::not_found("connection", connection))
    }
}

impl DialectSearch {
    fn new(since: i64, now: Instant) -> DialectSearch {
        DialectSearch { since, due: now + SETTLED_AFTER, running: None, is_unwelcome: false }
    }

    /// Whether to search now, on the network connection established then.
    async fn is_due(&mut self, since: i64, now: Instant) -> bool {
        match self.running.take() {
            Some(running) if !running.is_finished() => {
                self.running = Some(running);
                return false;
            }
            Some(finished) => self.is_unwelcome = !finished.await.unwrap_or(true),
            None => {}
        }
        if self.since != since {
            (self.since, self.due) = (since, now + SETTLED_AFTER);
        }
        !self.is_unwelcome && self.due <= now
    }
}

fn may_be_looked_at(view: &ConnectionView) -> bool {
    !view.demo && !is_aws(view.settings.preset, &view.url) && view.settings.devices_named.is_empty()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

    use super::may_be_looked_at;
    use crate::{
        api::{ConnectionSettings, ConnectionView, FoundDialect, Preset},
        console::fixture::{engine, engine_on, plant},
        controller::Request,
        paths::DataDir,
    };

    fn found(name: &str) -> FoundDialect {
        FoundDialect { name: name.into(), title: name.into(), devices: 3, examples: vec!["attic".into()] }
    }

    #[tokio::test]
    async fn nothing_is_looked_for_on_aws_however_it_is_known_and_where_devices_are_named() {
        let (_data, engine, handle) = engine().await;
        let id = plant(&handle).await;
        let plain = handle.connection_view(&id).await.unwrap();
        assert!(may_be_looked_at(&plain));
        let at = |url: &str, preset: Preset| {
            let settings = ConnectionSettings { preset, ..plain.settings.clone() };
            may_be_looked_at(&ConnectionView { url: url.into(), settings, ..plain.clone() })
        };
        let endpoint = "mqtts://a1b2c3-ats.iot.eu-west-1.amazonaws.com:8883";
        assert!(!at("mqtts://broker.example", Preset::Aws));
        assert!(!at(endpoint, Preset::Aws));
        assert!(!at(endpoint, Preset::Plain));
        assert!(at("mqtts://broker.example", Preset::Plain));
        let settings = ConnectionSettings { devices_named: vec!["pump-7".into()], ..plain.settings.clone() };
        let named = ConnectionView { settings, ..plain.clone() };
        let demo = ConnectionView { demo: true, ..plain };
        assert!(!may_be_looked_at(&named) && !may_be_looked_at(&demo));
        engine.stop().await;
    }

    #[tokio::test]
    async fn a_dialect_is_offered_until_it_is_enabled_or_declined_and_that_is_remembered() {
        let (data, engine, handle) = engine().await;
        let id = plant(&handle).await;
        let offered = async |handle: &crate::Handle| {
            let view = handle.connection_view(&id).await.unwrap();
            view.offers.into_iter().map(|offer| offer.name).collect::<Vec<_>>()
        };
        let all = || ["shelly", "tasmota", "wilco"].map(found).to_vec();
        handle.post(Request::Found(id.as_str().into(), all())).await;
        assert_eq!(offered(&handle).await, ["shelly", "tasmota"]);
        handle.decline_dialects(&id, vec!["tasmota".into()]).await.unwrap();
        assert_eq!(offered(&handle).await, ["shelly"]);
        let view = handle.enable_dialects(&id, vec!["shelly".into()]).await.unwrap();
        assert_eq!((view.settings.dialects, view.offers), (vec!["wilco".into(), "shelly".into()], Vec::new()));
        let why = handle.enable_dialects(&id, vec!["text".into()]).await.unwrap_err();
        assert!(why.message.contains("only one of them"), "{}", why.message);

        engine.stop().await;
        let engine = engine_on(&DataDir::open(Some(data.path())).unwrap()).await;
        let handle = engine.handle();
        handle.post(Request::Found(id.as_str().into(), all())).await;
        assert_eq!(offered(&handle).await, Vec::<String>::new());
        // Editing a connection does not bring the offer back.
        let entry = (&handle.connection_view(&id).await.unwrap()).into();
        handle.save_connection(entry).await.unwrap();
        assert_eq!(handle.profile(&id).await.unwrap().declined, ["tasmota"]);
        engine.stop().await;
    }
}
