//! The state of one connection in the controller.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    hash::{Hash, Hasher},
    sync::Arc,
};

use parking_lot::{RwLock, RwLockWriteGuard};
use wilco_dialect::{Dialect, Lifecycle, LifecycleEvent, LogPieces, Outbound};
use wilco_ledger::{Agreements, AnswerWindow, CommandId, DeviceId, Ledger, Limits, Millis, Timestamp};

use super::{
    attention::Attention, broadcasts::Broadcasts, devices::Pending, own_messages::OwnMessages, rollouts::Rollouts,
    unused_announcements::UnusedAnnouncements,
};
use crate::{
    api::{
        ConnectionMode, ConnectionSettings, ConnectionView, Counts, Failure, FoundDialect, LinkState, Presence, Preset,
    },
    dialects::{self, ConnectionDialects, EnabledDialects, SharedDialects},
    fleet::Fleet,
    message_rates::{Bucket, MessageRates, Rate},
    mqtt::{Message, MqttSender, Session},
    new_devices::NewDevices,
    profile::{self, DevicePasswords},
    shared_connection::{SharedConnection, SharedFleet},
    store::{ConnectionId, Profile},
    traffic::TopicFilter,
    views,
};

/// So many notices about messages that cannot be read.
pub(super) const UNREADABLE_NOTICES: Rate = Rate { at_once: 20, per_second: 1 };

impl SharedConnection {
    /// Whether a message of Wilco to itself is delivered. Not on a broker that disconnects after a forbidden request
    /// (AWS IoT), and not if our own topic is not subscribed: the devices are named, or use other dialects.
    pub(super) fn receives_own_messages(&self, preset: Preset, url: &str) -> bool {
        let aws = profile::is_aws(preset, url);
        let speaks_own = self.dialects.as_ref().is_none_or(|dialects| dialects::read(dialects).speaks_own());
        !aws && speaks_own && self.named.is_empty()
    }

    /// The limits of the connection, while its broker keeps no answers back.
    pub(crate) fn widest(&self, preset: Preset, url: &str) -> Limits {
        let limits = limits(preset, ConnectionMode::Normal);
        match self.receives_own_messages(preset, url) {
            true => Limits { answer_window: AnswerWindow::MOST, ..limits },
            false => limits,
        }
    }
}

/// Changes of devices are stored within this time.
const NOTED_WITHIN: Millis = Millis::seconds(10);
pub(super) struct Connection {
    pub(super) profile: Profile,
    /// Wilco's own dialect here.
    pub(super) dialect: Dialect,
    /// Where there are others than Wilco's own.
    pub(super) dialects: Option<SharedDialects>,
    /// The additional subscriptions of this network connection, and when there are more.
    pub(super) extra_subscriptions: ExtraSubscriptions,
    /// The last used number for command IDs in messages, as stored; the one to begin after if none was used.
    pub(super) noted_wire_id: u32,
    pub(super) ledger: Ledger,
    /// Why the ledger could not be restored from the store.
    pub(super) unread: Option<Failure>,
    pub(super) fleet: SharedFleet,
    /// The logs of which pieces have come lately.
    pub(super) logs: LogPieces,
    pub(super) session: Option<Session>,
    /// Increments with each session, so that events of an earlier one are recognised.
    pub(super) generation: u64,
    /// Present while the connection is established and subscribed.
    pub(super) sender: Option<MqttSender>,
    pub(super) link: LinkState,
    pub(super) draining: Option<Draining>,
    /// The broker's program has ended since the connection was last established.
    pub(super) broker_ended: bool,
    /// Our probe in progress, which shows whether the broker queues answers.
    pub(super) probe: Option<CommandId>,
    /// The state of probes.
    pub(super) own_messages: OwnMessages,
    pub(super) traffic: Traffic,
    pub(super) round_trip_ms: Option<f64>,
    /// The counters as last stored, to be compared with the current ones.
    pub(super) counts: Counts,
    pub(super) kept: u32,
    /// The commands that need attention.
    pub(super) attention: Attention,
    /// The state of the broker's lifecycle events.
    pub(super) lifecycles: HashMap<DeviceId, Lifecycle>,
    /// When it was last taken down what is known of devices.
    pub(super) noted_at: Timestamp,
    /// The last answer of each device that the broker had retained, by its hash: it comes with every subscription.
    pub(super) retained: HashMap<DeviceId, u64>,
    /// A device with a name too long to be listed was reported.
    pub(super) reported_long_names: bool,
    pub(super) rollouts: Rollouts,
    /// Broadcasts of other consoles.
    pub(super) broadcasts: Broadcasts,
    /// Devices that answered that they succeeded, until their reports confirm it.
    pub(super) agreements: Agreements,
    /// How much each device sends, and reports that wait because it is too much.
    pub(super) rates: MessageRates<(MqttSender, Message)>,
    /// Notices about messages that cannot be read.
    pub(super) unreadable_notices: Bucket,
    /// Which devices are listed that were not known.
    pub(super) new_devices: NewDevices,
    /// Devices that are forgotten and not yet deleted.
    pub(super) pending: Pending,
    /// Devices reported as disconnected, by the time when that takes effect.
    pub(super) doubted: BTreeSet<(Timestamp, DeviceId)>,
    /// Dialects that are not enabled, and whose devices have announced themselves.
    pub(super) found: Vec<FoundDialect>,
    /// Dialects that read the same messages, as sentences.
    overlaps: Vec<String>,
    pub(super) unused_announcements: UnusedAnnouncements,
}

/// Reading what the broker kept for us, during which nothing may time out.
pub(super) struct Draining {
    /// The latest time at which it is given up, connected or not.
    pub(super) until: Timestamp,
    /// When it has been quiet for long enough; unknown before the connection is established.
    pub(super) quiet_at: Option<Timestamp>,
    /// The message that we sent to ourselves. It is queued behind everything that the broker had kept, so its arrival
    /// marks the end.
    pub(super) marker: Option<CommandId>,
}

impl Draining {
    /// A fleet that is never quiet for long does not keep it going forever.
    pub(super) fn ends_at(&self) -> Timestamp {
        self.quiet_at.map_or(self.until, |quiet_at| quiet_at.min(self.until))
    }
}

/// The additional subscriptions of a network connection.
#[derive(Default)]
pub(super) struct ExtraSubscriptions {
    pub(super) filters: HashSet<String>,
    /// Devices have named further topics, which are subscribed together then.
    pub(super) due: Option<Timestamp>,
    /// Filters that are subscribed to only for a watcher. Their messages are shown and have no other effect.
    pub(super) looked_at: Vec<String>,
    /// Those of them that could not be ended, because there was no network connection. A resumed session still has them.
    pub(super) to_end: Vec<String>,
}

fn shared(described: ConnectionDialects) -> SharedDialects {
    Arc::new(RwLock::new(described))
}

/// Messages counted over the last second.
#[derive(Default)]
pub(super) struct Traffic {
    pub(super) arrived: u32,
    pub(super) sent: u32,
    pub(super) in_per_second: f64,
    pub(super) out_per_second: f64,
}

impl Connection {
    /// Notes an answer that the broker had retained. Says whether it is the same as the last time.
    pub(super) fn is_retained_still(&mut self, device: &DeviceId, payload: &[u8]) -> bool {
        let mut hasher = std::hash::DefaultHasher::new();
        payload.hash(&mut hasher);
        let hash = hasher.finish();
        self.retained.insert(device.clone(), hash) == Some(hash)
    }

    /// `last`: the last used number for command IDs in messages, or the one to begin after.
    pub(super) fn new(profile: Profile, enabled: EnabledDialects, last: u32) -> Connection {
        Connection {
            ledger: Ledger::new(limits(profile.settings.preset, profile.settings.mode)),
            unread: None,
            profile,
            overlaps: enabled.overlaps.clone(),
            dialect: enabled.own.clone(),
            dialects: ConnectionDialects::of(enabled, last).map(shared),
            extra_subscriptions: ExtraSubscriptions::default(),
            noted_wire_id: last,
            fleet: SharedFleet::default(),
            logs: LogPieces::default(),
            session: None,
            generation: 0,
            sender: None,
            link: LinkState::Connecting,
            draining: None,
            broker_ended: false,
            probe: None,
            own_messages: OwnMessages::default(),
            traffic: Traffic::default(),
            round_trip_ms: None,
            counts: Counts::default(),
            kept: 0,
            attention: Attention::default(),
            lifecycles: HashMap::new(),
            noted_at: Timestamp(0),
            retained: HashMap::new(),
            reported_long_names: false,
            rollouts: Rollouts::default(),
            broadcasts: Broadcasts::default(),
            agreements: Agreements::default(),
            rates: MessageRates::default(),
            unreadable_notices: Bucket::full(UNREADABLE_NOTICES, Timestamp(0)),
            new_devices: NewDevices::default(),
            pending: Pending::new(),
            doubted: BTreeSet::new(),
            found: Vec::new(),
            unused_announcements: UnusedAnnouncements::default(),
        }
    }

    /// Takes on another profile, and hands back the session of the one before. What was known of devices by their
    /// connections is as much out of date as after any other end of a connection.
    pub(super) fn replace(&mut self, profile: Profile, enabled: EnabledDialects, generation: u64) -> Option<Session> {
        self.ledger.set_limits(limits(profile.settings.preset, profile.settings.mode));
        self.profile = profile;
        self.overlaps.clone_from(&enabled.overlaps);
        self.fleet().set_titles(enabled.titles.clone());
        self.dialect = enabled.own.clone();
        let described = ConnectionDialects::of(enabled, self.noted_wire_id);
        self.dialects = described.map(|mut described| {
            match &self.dialects {
                Some(before) => described.take_over(&dialects::read(before)),
                None => self.remember_devices(&mut described),
            }
            self.ledger.outstanding().for_each(|command| described.adopt(&command.submission));
            shared(described)
        });
        let ExtraSubscriptions { looked_at, to_end, .. } = std::mem::take(&mut self.extra_subscriptions);
        // Already now: a retained message arrives before the session is known to have begun.
        let filters = filters_of(&self.profile);
        self.extra_subscriptions = ExtraSubscriptions { filters, looked_at, to_end, ..ExtraSubscriptions::default() };
        self.generation = generation;
        self.sender = None;
        self.round_trip_ms = None;
        self.lifecycles.clear();
        self.doubted.clear();
        self.retained.clear();
        self.reported_long_names = false;
        self.unused_announcements = UnusedAnnouncements::default();
        self.rates = MessageRates::default();
        self.probe = None;
        self.own_messages = OwnMessages::default();
        self.ledger.answers().disconnected();
        self.fleet().forget_presence();
        self.session.take()
    }

    /// The request of a command.
    pub(super) fn request(&self, device: &DeviceId, id: &CommandId, attempt: u32, now: Timestamp) -> Option<Outbound> {
        let command = self.ledger.command(device, id)?;
        let outbound = self.dialect.encode(device, &views::encoding(command, attempt), now);
        let written = command.submission.form.as_deref().and_then(|form| form.written.as_deref());
        Some(match (&self.dialects, written) {
            (Some(dialects), Some(written)) => dialects::write(dialects).sign(device, written, outbound, attempt),
            _ => outbound,
        })
    }

    /// Sets the passwords of devices. Requests that had to wait for them are sent now.
    pub(super) fn set_passwords(&self, passwords: DevicePasswords) {
        let Some(dialects) = &self.dialects else { return };
        let questions = dialects::write(dialects).set_passwords(passwords);
        let sender = self.sender.as_ref().filter(|_| self.profile.settings.mode.publishes());
        for (topic, payload) in questions.into_iter().filter(|_| sender.is_some()) {
            if let Some(sender) = sender {
                sender.query(topic, payload);
            }
        }
    }

    /// Adds the devices found in earlier runs to the dialects.
    fn remember_devices(&self, described: &mut ConnectionDialects) {
        let fleet = self.fleet();
        for (id, description) in fleet.descriptions() {
            described.restore(id, description);
        }
    }

    /// The same, once the fleet is known.
    pub(super) fn restore_devices(&self) {
        if let Some(dialects) = &self.dialects {
            self.remember_devices(&mut dialects::write(dialects));
        }
    }

    /// A ledger that knows nothing yet.
    pub(super) fn new_ledger(&self) -> Ledger {
        Ledger::new(limits(self.profile.settings.preset, self.profile.settings.mode))
    }

    pub(super) fn shared(&self) -> SharedConnection {
        let named = self.profile.settings.devices_named.as_slice().into();
        SharedConnection {
            fleet: self.fleet.clone(),
            dialect: self.dialect.clone(),
            dialects: self.dialects.clone(),
            named,
            name: self.profile.name.as_str().into(),
            mode: self.profile.settings.mode,
            send_operator: self.profile.settings.send_operator,
            needs_approval: self.profile.settings.needs_approval,
        }
    }

    pub(super) fn id(&self) -> &ConnectionId {
        &self.profile.id
    }

    pub(super) fn fleet(&self) -> RwLockWriteGuard<'_, Fleet> {
        self.fleet.write()
    }

    /// Adds a lifecycle event of a device. Returns whether the device is online, if that has changed.
    pub(super) fn lifecycle(&mut self, device: &DeviceId, event: LifecycleEvent, now: Timestamp) -> Option<bool> {
        let lifecycle = self.lifecycles.entry(device.clone()).or_default();
        let before = lifecycle.due();
        let news = lifecycle.handle(event, now);
        if before != lifecycle.due() {
            self.doubted.extend(lifecycle.due().map(|due| (due, device.clone())));
        }
        news
    }

    /// The devices whose disconnection takes effect by now.
    pub(super) fn gone(&mut self, now: Timestamp) -> Vec<DeviceId> {
        let mut gone = Vec::new();
        while let Some((due, device)) = self.doubted.pop_first() {
            if due > now {
                self.doubted.insert((due, device));
                break;
            }
            let settled = self.lifecycles.get_mut(&device).and_then(|lifecycle| lifecycle.settle(now));
            if settled == Some(false) {
                gone.push(device);
            }
        }
        gone
    }

    /// Smooths the time to a PUBACK over the last few.
    pub(super) fn measured(&mut self, milliseconds: f64) {
        self.round_trip_ms = Some(match self.round_trip_ms {
            Some(before) => before * 0.8 + milliseconds * 0.2,
            None => milliseconds,
        });
    }

    /// Ends the count of a second, and returns whether anything has changed.
    pub(super) fn count_second(&mut self, seconds: f64, now: Timestamp) -> bool {
        let before = (self.traffic.in_per_second, self.traffic.out_per_second, self.attention.count());
        self.traffic.in_per_second = f64::from(std::mem::take(&mut self.traffic.arrived)) / seconds;
        self.traffic.out_per_second = f64::from(std::mem::take(&mut self.traffic.sent)) / seconds;
        self.attention.expire(now);
        let left_out = self.new_devices.left_out();
        self.new_devices.tidy_up(now);
        before != (self.traffic.in_per_second, self.traffic.out_per_second, self.attention.count())
            || left_out != self.new_devices.left_out()
    }

    /// It is time to take down what is known of devices. A fan-out changes something of all of them, so while commands wait
    /// for their turn there is less of it.
    pub(super) fn devices_are_due(&self, now: Timestamp) -> bool {
        self.counts.queued == 0 || now.since(self.noted_at) >= NOTED_WITHIN
    }

    pub(super) fn view(&self) -> ConnectionView {
        let (devices, online, titles) = {
            let fleet = self.fleet();
            (fleet.len(), fleet.online(), fleet.titles().clone())
        };
        ConnectionView {
            id: self.profile.id.as_str().to_owned(),
            name: self.profile.name.clone(),
            url: self.profile.url.clone(),
            client_id: self.profile.client_id.clone(),
            settings: self.profile.settings.clone(),
            offers: self.offers(),
            overlaps: self.overlaps.clone(),
            titles,
            demo: self.profile.demo,
            has: self.profile.has,
            in_memory_secrets: self.profile.in_memory_secrets,
            certificate_expires_at: self.profile.certificate_expires_at.map(|at| at.0),
            certificate_subject: self.profile.certificate_subject.clone(),
            link: self.link.clone(),
            round_trip_ms: self.round_trip_ms,
            in_per_second: self.traffic.in_per_second,
            out_per_second: self.traffic.out_per_second,
            devices,
            online,
            unlisted: self.new_devices.left_out(),
            counts: self.counts,
        }
    }

    /// The dialects to offer: found, not enabled, and not declined.
    fn offers(&self) -> Vec<FoundDialect> {
        let Profile { settings: ConnectionSettings { dialects, .. }, declined, .. } = &self.profile;
        let is_enabled = |name: &str| dialects.iter().any(|enabled| enabled.name == name);
        let is_open = |found: &&FoundDialect| !is_enabled(&found.name) && !declined.contains(&found.name);
        self.found.iter().filter(is_open).cloned().collect()
    }

    /// Whether the hub through which a device is reached, or a hub of that hub, is offline: then so is the device.
    pub(super) fn is_behind_an_absent_hub(&self, device: &DeviceId) -> bool {
        let Some(dialects) = &self.dialects else { return false };
        let hubs = dialects::read(dialects).hubs(device);
        let fleet = self.fleet();
        hubs.iter().any(|hub| fleet.get(hub).is_some_and(|hub| hub.presence == Presence::Offline))
    }

    /// Whether a message was received only for a watcher.
    pub(super) fn is_only_looked_at(&self, topic: &str) -> bool {
        let matches = |filter: &String| TopicFilter::parse(filter).is_ok_and(|filter| filter.matches(topic));
        !self.extra_subscriptions.looked_at.is_empty()
            && self.extra_subscriptions.looked_at.iter().any(matches)
            && !self.extra_subscriptions.filters.iter().any(matches)
    }

    /// The current counters, stored or not.
    pub(super) fn count(&self) -> Counts {
        let counts = self.ledger.counts();
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Counts {
            queued: count(counts.queued),
            held: count(counts.held),
            in_flight: count(counts.in_flight),
            needs_attention: count(self.attention.count()),
            kept: self.kept,
        }
    }
}

/// The filters that a session of this profile begins with.
pub(super) fn filters_of(profile: &Profile) -> HashSet<String> {
    profile::filters(profile).unwrap_or_default().into_iter().map(|filter| filter.filter).collect()
}

/// Most devices answer each command at least twice, *accepted* and *succeeded*, and mosquitto silently drops messages
/// beyond 1,000 for a console that is away or slow: *seen* with 500 outstanding commands when it was killed.
fn limits(preset: Preset, mode: ConnectionMode) -> Limits {
    let bounds = preset.bounds();
    Limits {
        send_window: if mode.publishes() { bounds.send_window.into() } else { 0 },
        answer_window: 250,
        sends_per_second: bounds.sends_per_second,
        ..Limits::default()
    }
}
