//! Dialects that are not enabled: finds their devices, and collects messages to learn one from.

use std::{collections::BTreeMap, time::Duration};

use tokio::{
    sync::mpsc,
    time::{Instant, timeout_at},
};
use wilco_dialect::{Changes, Devices, DialectFile, Discovery, Inbound, shipped};

use super::Handle;
use crate::{
    api::{Failure, FoundDialect, TrafficBatch, TrafficMessage, invalid},
    controller::Request,
    store::ConnectionId,
    traffic::TopicFilter,
};

/// Retained announcements arrive within this time.
const ANNOUNCED_WITHIN: Duration = Duration::from_secs(2);
/// Devices that are named.
const EXAMPLES: usize = 5;

/// A dialect that is looked for.
struct SearchedDialect {
    file: &'static DialectFile,
    reader: Discovery,
    /// Something was announced that is too large to be read here.
    unread: bool,
}

/// A search for devices of dialects that are not enabled on a connection. It publishes nothing.
pub(super) struct DeviceSearch {
    handle: Handle,
    connection: ConnectionId,
    sought: Vec<SearchedDialect>,
    devices: Devices,
    messages: mpsc::Receiver<TrafficBatch>,
    /// The filters that are subscribed to for it.
    subscribed: Vec<String>,
}

impl DeviceSearch {
    /// Subscribes to the announcements of every dialect that is not enabled.
    ///
    /// # Errors
    /// [`FailureCode::NotFound`](crate::api::FailureCode); `Connection` while it is not online.
    pub(super) async fn begin(handle: &Handle, connection: &str) -> Result<DeviceSearch, Failure> {
        let profile = handle.profile(connection).await?;
        let is_sought = |file: &&DialectFile| {
            !file.is_on_request() && !profile.settings.dialects.iter().any(|one| one.name == file.name())
        };
        let sought: Vec<SearchedDialect> = shipped()
            .iter()
            .filter(is_sought)
            .filter_map(|file| {
                let reader = Discovery::new(file.reader()?, &profile.client_id);
                Some(SearchedDialect { file, reader, unread: false })
            })
            .collect();
        let filters: Vec<String> = sought.iter().flat_map(|one| one.reader.filters()).collect();
        let messages = handle.watch(connection, None, TopicFilter::any_of(filters.clone())).await?;
        let id = ConnectionId::from(connection);
        let subscribed = handle.request(|reply| Request::Subscribe(id.clone(), filters, reply)).await??.new;
        // Devices that another enabled dialect has found are left out.
        let shared = handle.shared(connection).await?;
        let devices =
            shared.dialects.as_ref().map_or_else(Devices::default, |known| crate::dialects::read(known).known());
        Ok(DeviceSearch { handle: handle.clone(), connection: id, sought, devices, messages, subscribed })
    }

    /// Reads the announcements that the broker has retained.
    pub(super) async fn read_retained(&mut self) {
        let until = Instant::now() + ANNOUNCED_WITHIN;
        while self.finds_more(until).await {}
    }

    /// Ends the subscriptions of devices whose announcements are retained.
    pub(super) async fn keep_live(&mut self) {
        let live: Vec<String> =
            self.sought.iter().filter(|one| one.reader.is_live()).flat_map(|one| one.reader.filters()).collect();
        let subscribed = std::mem::take(&mut self.subscribed);
        let (kept, ended): (Vec<_>, Vec<_>) = subscribed.into_iter().partition(|one| live.contains(one));
        self.subscribed = kept;
        self.handle.post(Request::Unsubscribe(self.connection.clone(), ended)).await;
    }

    /// Reads messages until something new is found, or until then. Says whether something is.
    pub(super) async fn finds_more(&mut self, until: Instant) -> bool {
        while let Ok(Some(batch)) = timeout_at(until, self.messages.recv()).await {
            let mut is_more = false;
            for message in batch.messages.iter().filter(|message| !message.outgoing) {
                is_more |= self.read(message);
            }
            if is_more {
                return true;
            }
        }
        false
    }

    fn read(&mut self, message: &TrafficMessage) -> bool {
        let (topic, payload) = (message.wire.topic.as_str(), message.wire.payload.as_bytes());
        let inbound = Inbound { topic, payload, qos: 0, retained: message.retained, correlation: None };
        let mut is_more = false;
        for one in &mut self.sought {
            if message.cut == 0 {
                is_more |= one.reader.read(&inbound).apply(&mut self.devices) != Changes::default();
            } else if !one.unread && one.reader.is_about(topic) {
                one.unread = true;
                is_more = true;
            }
        }
        is_more
    }

    /// The dialects of which devices have been found.
    pub(super) fn found(&self) -> Vec<FoundDialect> {
        let mut found: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for device in self.devices.iter() {
            let name = device.name.as_deref().unwrap_or(device.id.as_str());
            found.entry(&device.dialect).or_default().push(name.to_owned());
        }
        let view = |one: &SearchedDialect| {
            let mut examples = found.remove(one.file.name()).unwrap_or_default();
            let devices = u32::try_from(examples.len()).unwrap_or(u32::MAX).max(u32::from(one.unread));
            examples.sort();
            examples.truncate(EXAMPLES);
            let (name, title) = (one.file.name().to_owned(), one.file.title().to_owned());
            (devices > 0).then_some(FoundDialect { name, title, devices, examples })
        };
        self.sought.iter().filter_map(view).collect()
    }

    /// The same, and what an earlier search had found of devices that show themselves only now and then.
    pub(super) fn found_beside(&self, earlier: Vec<FoundDialect>) -> Vec<FoundDialect> {
        let mut found = self.found();
        let is_live = |name: &str| self.sought.iter().any(|one| one.file.name() == name && one.reader.is_live());
        for one in earlier.into_iter().filter(|one| is_live(&one.name)) {
            match found.iter_mut().find(|known| known.name == one.name) {
                Some(known) if known.devices < one.devices => *known = one,
                Some(_) => {}
                None => found.push(one),
            }
        }
        found
    }

    /// Ends its subscriptions.
    pub(super) async fn end(self) {
        self.handle.post(Request::Unsubscribe(self.connection, self.subscribed)).await;
    }
}

impl Handle {
    /// Searches for devices of dialects that are not enabled on a connection: those with retained announcements, and
    /// those that publish within 2 s.
    ///
    /// # Errors
    /// [`FailureCode::NotFound`](crate::api::FailureCode); `Connection` while it is not online.
    pub async fn find_dialects(&self, connection: &str) -> Result<Vec<FoundDialect>, Failure> {
        let mut search = DeviceSearch::begin(self, connection).await?;
        search.read_retained().await;
        let found = search.found();
        search.end().await;
        Ok(found)
    }

    /// Subscribes to a topic filter in addition to those of a connection.
    ///
    /// # Errors
    /// [`FailureCode::NotFound`](crate::api::FailureCode); `Connection` while it is not online; `Invalid` for a filter that
    /// the broker refuses.
    pub async fn subscribe(&self, connection: &str, filter: &str) -> Result<(), Failure> {
        let id = ConnectionId::from(connection);
        let subscribed = self.request(|reply| Request::Subscribe(id, vec![filter.to_owned()], reply)).await??;
        if !subscribed.denied.is_empty() {
            return Err(invalid(
                format!("The broker denied the subscription to '{filter}'."),
                "Allow this client ID to subscribe to it, or use a narrower filter.",
            ));
        }
        Ok(())
    }

    /// Ends that subscription.
    ///
    /// # Errors
    /// None.
    pub async fn unsubscribe(&self, connection: &str, filter: &str) -> Result<(), Failure> {
        self.post(Request::Unsubscribe(ConnectionId::from(connection), vec![filter.to_owned()])).await;
        Ok(())
    }
}
