//! Discovered devices of other dialects: their announcements and reports, and the queries to them.

use std::sync::Arc;

use tokio::sync::oneshot;
use wilco_dialect::{Changes, Filter};
use wilco_ledger::{DeviceId, Millis, Submission, Timestamp, WireForm};

use super::{
    AlsoSubscribed, Controller,
    connection::{ExtraSubscriptions, filters_of},
    unused_announcements,
};
use crate::{
    absent::not_found,
    api::{Failure, FailureCode, Presence},
    dialects::{self, Interpretation, Reading, SharedDialects},
    mqtt::MqttSender,
    new_command::beyond,
    profile,
    store::{Change, ConnectionId, Profile},
};

/// Topics that devices name within this time are subscribed together.
const GATHERED: Millis = Millis(100);
/// Topic filters in one SUBSCRIBE. AWS IoT Core takes 8.
const FILTERS_AT_ONCE: usize = 64;
const FILTERS_AT_ONCE_AWS: usize = 8;

fn filters_at_once(Profile { settings, url, .. }: &Profile) -> usize {
    if profile::is_aws(settings.preset, url) { FILTERS_AT_ONCE_AWS } else { FILTERS_AT_ONCE }
}

impl Controller {
    /// Takes note of the devices that a message has made known, and hands back what it means.
    pub(super) fn discovered(
        &mut self,
        connection: &ConnectionId,
        sender: &MqttSender,
        dialects: &SharedDialects,
        topic: &str,
        reading: Reading,
    ) -> Vec<Interpretation> {
        let Reading { meant, changes, questions, problems } = reading;
        if changes != Changes::default() {
            self.changed_devices(connection, dialects, &changes);
        }
        for (topic, payload) in questions {
            sender.query(topic, payload);
        }
        if let Some(problem) = problems.first() {
            tracing::debug!(%problem, "a discovery message was not used completely");
            let now = self.clock.now();
            let Some(known) = self.connections.get_mut(connection) else { return meant };
            if let Some(notice) = known.unused_announcements.notice(topic, &problems, now) {
                self.feed.notice_of(connection, notice, unused_announcements::HINT);
            }
        }
        meant
    }

    /// Tells how many further announcements are not used completely.
    pub(super) fn count_unused_announcements(&mut self, now: Timestamp) {
        for (id, known) in &mut self.connections {
            if let Some(notice) = known.unused_announcements.counted(now) {
                self.feed.notice_of(id, notice, unused_announcements::HINT);
            }
        }
    }

    fn changed_devices(&mut self, connection: &ConnectionId, dialects: &SharedDialects, changes: &Changes) {
        let now = self.clock.now();
        let Some(known) = self.connections.get_mut(connection) else { return };
        known.extra_subscriptions.due = known.extra_subscriptions.due.or(Some(now + GATHERED));
        // Devices that were created before these topics were recognised as another dialect's.
        let mut mistaken = Vec::new();
        {
            let dialects = dialects::read(dialects);
            let mut fleet = known.fleet();
            for id in &changes.listed {
                let description = dialects.description(id).map(Arc::new);
                let can_switch = dialects.can_switch(id);
                let firmware = dialects.device(id).and_then(|device| device.firmware.as_deref()).map(str::to_owned);
                fleet.update(id, |device| {
                    device.description = description;
                    device.can_switch = can_switch;
                    device.firmware = firmware.or(device.firmware.take());
                });
                let owners = dialects.topics_of(id).into_iter().filter_map(|topic| known.dialect.device_of(&topic));
                mistaken.extend(owners.filter(|owner| owner != id && dialects.device(owner).is_none()));
            }
        }
        for id in &changes.listed {
            let is_there = |known: &mut super::Connection| {
                known.fleet().get(id).is_some_and(|device| device.presence != Presence::Offline)
            };
            let known = self.connections.get_mut(connection);
            if known.is_some_and(|known| known.is_behind_an_absent_hub(id) && is_there(known)) {
                self.present(connection, id.clone(), false);
            }
        }
        for id in changes.gone.iter().chain(&changes.replaced).chain(&mistaken) {
            self.unlist(connection, id);
        }
    }

    /// Handles a removed device. One with a history or a pending rollout stays listed as absent: its description
    /// prevents requests in another dialect.
    fn unlist(&mut self, connection: &ConnectionId, device: &DeviceId) {
        let Some(known) = self.connections.get_mut(connection) else { return };
        let listed = known.fleet().get(device).map(|device| device.last_command.is_some());
        match listed {
            None => {}
            Some(false) if !known.rollouts.may_release(device) && known.ledger.forget_device(device) => {
                known.take_out(device);
                self.telemetry.forget_device(connection, device);
                let (connection, device) = (connection.clone(), device.clone());
                self.pending_batch.changes.push(Change::NoDevice { connection, device });
                self.feed.connections();
            }
            Some(_) => self.present(connection, device.clone(), false),
        }
    }

    /// The devices behind a hub are offline while it is, and unknown once it is back.
    pub(super) fn hub_presence(&mut self, connection: &ConnectionId, hub: &DeviceId, online: bool) {
        let Some(known) = self.connections.get_mut(connection) else { return };
        let Some(dialects) = &known.dialects else { return };
        let behind = dialects::read(dialects).behind(hub);
        for device in behind {
            if online {
                let Some(known) = self.connections.get_mut(connection) else { return };
                known.fleet().hub_is_back(&device);
            } else {
                self.present(connection, device, false);
            }
        }
    }

    /// A network connection is established: devices are requested to announce themselves, and the topics that they have
    /// named before are subscribed to.
    pub(super) fn begin_to_hear(&mut self, connection: &ConnectionId) {
        let now = self.clock.now();
        let Some(known) = self.connections.get_mut(connection) else { return };
        known.extra_subscriptions.filters = filters_of(&known.profile);
        let Some(sender) = &known.sender else { return };
        let to_end = std::mem::take(&mut known.extra_subscriptions.to_end);
        if !to_end.is_empty() {
            sender.unsubscribe(to_end);
        }
        let Some(dialects) = &known.dialects else { return };
        known.extra_subscriptions.due = Some(now);
        for (topic, payload) in dialects::read(dialects).announcements() {
            sender.query(topic, payload);
        }
    }

    /// Subscribes the topics that devices have named.
    pub(super) fn hear_named_topics(&mut self, now: Timestamp) {
        for known in self.connections.values_mut() {
            if known.extra_subscriptions.due.is_none_or(|due| due > now) {
                continue;
            }
            known.extra_subscriptions.due = None;
            let (Some(dialects), Some(sender)) = (&known.dialects, known.sender.clone()) else { continue };
            let mut wanted = dialects::read(dialects).filters(&known.profile.settings.devices_named);
            wanted.retain(|filter| !known.extra_subscriptions.filters.contains(&filter.filter));
            known.extra_subscriptions.filters.extend(wanted.iter().map(|filter| filter.filter.clone()));
            let at_once = filters_at_once(&known.profile);
            tokio::spawn(async move {
                for some in wanted.chunks(at_once) {
                    match sender.subscribe(some).await {
                        Ok(subscribed) => {
                            for (filter, _) in subscribed.refused {
                                tracing::info!(filter = %filter.filter, "the broker refused a topic that a device names");
                            }
                        }
                        // The connection has ended; the next one starts again.
                        Err(_) => return,
                    }
                }
            });
        }
    }

    /// Subscribes to additional filters, for a watcher.
    pub(super) fn subscribe_too(
        &mut self,
        connection: &ConnectionId,
        mut filters: Vec<String>,
        reply: oneshot::Sender<Result<AlsoSubscribed, Failure>>,
    ) {
        let Some(known) = self.connections.get_mut(connection) else {
            let _ = reply.send(Err(not_found("connection", connection.as_str())));
            return;
        };
        let Some(sender) = known.sender.clone() else {
            let failure = Failure {
                code: FailureCode::Connection,
                message: format!("'{}' is not connected.", known.profile.name),
                hint: Some("Try again once it is online.".into()),
            };
            let _ = reply.send(Err(failure));
            return;
        };
        // A SUBSCRIBE of a filter that is subscribed already replaces it, and would lower its QoS (MQTT 5 section 3.8.4).
        filters.retain(|filter| !known.extra_subscriptions.filters.contains(filter));
        known.extra_subscriptions.looked_at.extend(filters.iter().cloned());
        let at_once = filters_at_once(&known.profile);
        tokio::spawn(async move {
            let wanted =
                |filter: &String| Filter { filter: filter.clone(), qos: 0, required: false, others_only: false };
            let wanted: Vec<Filter> = filters.iter().map(wanted).collect();
            let mut also = AlsoSubscribed { new: filters, denied: Vec::new() };
            for some in wanted.chunks(at_once) {
                match sender.subscribe(some).await {
                    Ok(subscribed) => {
                        let denied = subscribed.refused.into_iter().map(|(refused, _)| refused.filter);
                        also.denied.extend(denied);
                    }
                    Err(refusal) => {
                        let code = FailureCode::Connection;
                        let _ = reply.send(Err(Failure { code, message: refusal.explanation(), hint: None }));
                        return;
                    }
                }
            }
            also.new.retain(|filter| !also.denied.contains(filter));
            let _ = reply.send(Ok(also));
        });
    }

    /// Ends such subscriptions, but those that the connection itself has by now.
    pub(super) fn unsubscribe(&mut self, connection: &ConnectionId, mut filters: Vec<String>) {
        let Some(known) = self.connections.get_mut(connection) else { return };
        // Another watcher may still use the same filter.
        let ExtraSubscriptions { filters: heard, looked_at, to_end, .. } = &mut known.extra_subscriptions;
        if known.sender.is_none() {
            to_end.append(&mut filters);
            return;
        }
        for filter in &filters {
            let place = looked_at.iter().position(|one| one == filter);
            place.map(|place| looked_at.swap_remove(place));
        }
        filters.retain(|filter| !heard.contains(filter) && !looked_at.contains(filter));
        if let Some(sender) = &known.sender {
            sender.unsubscribe(filters);
        }
    }

    /// A rollout's command as its device's dialect has it.
    pub(super) fn in_its_dialect(&mut self, connection: &ConnectionId, submission: Submission) -> Submission {
        let Some(known) = self.connections.get(connection) else { return submission };
        if submission.form.is_some() {
            return submission;
        }
        let shared = known.shared();
        let unwritable = |why: String| {
            let form = WireForm { unwritable: Some(why.into()), ..WireForm::default() };
            Submission { form: Some(form.into()), ..submission.clone() }
        };
        // The connection may have been edited since the rollout was started.
        if let Some(Failure { message, .. }) = beyond(&shared.named, std::iter::once(submission.device.as_str())) {
            return unwritable(message);
        }
        match shared.prepare(&submission.device, &submission.name, &submission.args, &submission.id) {
            None => submission,
            Some(Ok(prepared)) => prepared.into_submission(submission),
            Some(Err(why)) => unwritable(why),
        }
    }
}
