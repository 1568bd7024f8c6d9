//! Dialects that are not enabled: finds their devices, and collects messages to learn one from.

use std::{collections::BTreeMap, time::Duration};

use tokio::time::{Instant, timeout_at};
use wilco_dialect::{Devices, DialectFile, Discovery, Inbound, shipped};

use super::Handle;
use crate::{
    api::{Failure, FoundDialect, TrafficQuery, invalid},
    controller::Request,
    store::ConnectionId,
};

/// Retained announcements arrive immediately, and devices answer questions within a moment.
const LOOKED_FOR: Duration = Duration::from_secs(2);
/// Devices that are named.
const EXAMPLES: usize = 5;

/// A dialect that is looked for.
struct SearchedDialect {
    file: &'static DialectFile,
    reader: Discovery,
    /// Something was announced that is too large to be read here.
    unread: bool,
}

impl Handle {
    /// Looks for devices of dialects that are not enabled on a connection.
    ///
    /// # Errors
    /// [`FailureCode::NotFound`](crate::api::FailureCode); `Connection` while it is not online.
    pub async fn find_dialects(&self, connection: &str) -> Result<Vec<FoundDialect>, Failure> {
        let profile = self.profile(connection).await?;
        let is_sought =
            |file: &&DialectFile| !file.is_on_request() && !profile.dialects.iter().any(|one| one.name == file.name());
        let sought = shipped().iter().filter(is_sought);
        let mut sought: Vec<SearchedDialect> = sought
            .filter_map(|file| {
                let reader = Discovery::new(file.reader()?, &profile.client_id);
                Some(SearchedDialect { file, reader, unread: false })
            })
            .collect();
        let query = TrafficQuery { connection: connection.to_owned(), device: None, filter: String::new() };
        let mut traffic = self.traffic(query).await?;
        let filters = sought.iter().flat_map(|one| one.reader.filters()).collect();
        let id = ConnectionId::from(connection);
        let subscribed = self.ask(|reply| Request::Subscribe(id.clone(), filters, reply)).await??.new;
        // Devices that another enabled dialect has found are left out.
        let listed = self.listed(connection)?;
        let mut devices =
            listed.dialects.as_ref().map_or_else(Devices::default, |known| crate::dialects::read(known).known());
        let until = Instant::now() + LOOKED_FOR;
        while let Ok(Some(batch)) = timeout_at(until, traffic.recv()).await {
            for message in batch.messages.iter().filter(|message| !message.outgoing) {
                let (topic, payload) = (message.wire.topic.as_str(), message.wire.payload.as_bytes());
                let inbound = Inbound { topic, payload, qos: 0, retained: message.retained, correlation: None };
                for one in &mut sought {
                    if message.cut > 0 {
                        one.unread |= one.reader.is_about(topic);
                    } else {
                        one.reader.read(&inbound).apply(&mut devices);
                    }
                }
            }
        }
        self.tell(Request::Unsubscribe(id, subscribed)).await;
        let mut found: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for device in devices.iter() {
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
        Ok(sought.iter().filter_map(view).collect())
    }

    /// Hears a topic filter beside those of a connection.
    ///
    /// # Errors
    /// [`FailureCode::NotFound`](crate::api::FailureCode); `Connection` while it is not online; `Invalid` for a filter that
    /// the broker refuses.
    pub async fn subscribe(&self, connection: &str, filter: &str) -> Result<(), Failure> {
        let id = ConnectionId::from(connection);
        let subscribed = self.ask(|reply| Request::Subscribe(id, vec![filter.to_owned()], reply)).await??;
        if !subscribed.denied.is_empty() {
            return Err(invalid(
                format!("The broker denied the subscription to '{filter}'."),
                "Allow this client ID to subscribe to it, or give a narrower filter.",
            ));
        }
        Ok(())
    }

    /// Ends that.
    ///
    /// # Errors
    /// None.
    pub async fn unsubscribe(&self, connection: &str, filter: &str) -> Result<(), Failure> {
        self.tell(Request::Unsubscribe(ConnectionId::from(connection), vec![filter.to_owned()])).await;
        Ok(())
    }
}
