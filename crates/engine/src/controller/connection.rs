//! One connection as the controller holds it.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    hash::{Hash, Hasher},
    sync::{Arc, PoisonError, RwLock, RwLockWriteGuard},
};

use wilco_dialect::{DecodedMessage, Dialect, Filter, Inbound, Lifecycle, LifecycleEvent, LogPieces, Outbound};
use wilco_ledger::{Agreements, AnswerWindow, CommandId, DeviceId, Ledger, Limits, Millis, Timestamp};

use super::{attention::Attention, devices::Pending, messages::UNREADABLE_TOLD, rollouts::Rollouts};
use crate::{
    api::{ConnectionMode, ConnectionView, Counts, Failure, FoundDialect, LinkState, Presence, Preset, ProxyView},
    dialects::{self, Described, Enabled, SharedDialects},
    fleet::Fleet,
    listed::{Listed, SharedFleet},
    message_rates::{Bucket, MessageRates},
    mqtt::{Message, MqttSender, Publication, Session},
    new_devices::NewDevices,
    profile::{self, DevicePasswords},
    store::{ConnectionId, Profile},
    traffic::TopicFilter,
    views,
};

impl Listed {
    /// Whether a message of Wilco to itself comes back. Not on a broker that hangs up at what it does not allow (AWS IoT), and
    /// not where our own topic is not heard: the devices are named, or speak other dialects.
    fn hears_itself(&self, preset: Preset, url: &str) -> bool {
        let aws = profile::is_aws(preset, url);
        let speaks_own = self.dialects.as_ref().is_none_or(|dialects| dialects::read(dialects).speaks_own());
        !aws && speaks_own && self.named.is_empty()
    }

    /// The limits of the connection, while its broker keeps no answers back.
    pub(crate) fn widest(&self, preset: Preset, url: &str) -> Limits {
        let limits = limits(preset, ConnectionMode::Normal);
        match self.hears_itself(preset, url) {
            true => Limits { answer_window: AnswerWindow::MOST, ..limits },
            false => limits,
        }
    }
}

/// What is newly known of devices is taken down within this time.
const NOTED_WITHIN: Millis = Millis::seconds(10);
pub(super) struct Connection {
    pub(super) profile: Profile,
    /// Wilco's own dialect here.
    pub(super) dialect: Dialect,
    /// Where there are others than Wilco's own.
    pub(super) dialects: Option<SharedDialects>,
    /// What this network connection hears, beside what it began with, and when there is more to be heard.
    pub(super) hearing: Hearing,
    /// The last number that stood for a command on the wire, as it was written down.
    pub(super) noted_wire_id: u32,
    pub(super) ledger: Ledger,
    /// Why the ledger could not be told what the store knows.
    pub(super) unread: Option<Failure>,
    pub(super) fleet: SharedFleet,
    /// The logs of which pieces have come lately.
    pub(super) logs: LogPieces,
    pub(super) session: Option<Session>,
    /// Counts up with each session, so that what an earlier one still says is not taken for the present one's.
    pub(super) generation: u64,
    /// There while the connection stands and is subscribed.
    pub(super) sender: Option<MqttSender>,
    pub(super) link: LinkState,
    pub(super) draining: Option<Draining>,
    /// Our message to ourselves that tells whether the broker keeps answers back, while it is under way.
    pub(super) probe: Option<CommandId>,
    /// What is known of sending messages to ourselves.
    pub(super) own_messages: OwnMessages,
    pub(super) traffic: Traffic,
    pub(super) round_trip_ms: Option<f64>,
    /// What was counted when it was last written down, as opposed to what is counted since.
    pub(super) counts: Counts,
    pub(super) kept: u32,
    /// What needs somebody.
    pub(super) attention: Attention,
    /// Whom to believe where the broker tells of devices' connections.
    pub(super) lifecycles: HashMap<DeviceId, Lifecycle>,
    /// When it was last taken down what is known of devices.
    pub(super) noted_at: Timestamp,
    /// The last answer of each device that the broker had retained, by its hash: it comes with every subscription.
    pub(super) retained: HashMap<DeviceId, u64>,
    /// Somebody was told that there is a device whose name is too long to be listed.
    pub(super) told_of_names: bool,
    pub(super) rollouts: Rollouts,
    /// Devices that said that they did something, until it is seen whether they did.
    pub(super) agreements: Agreements,
    /// How much each device sends, and reports that wait because it is too much.
    pub(super) rates: MessageRates<(MqttSender, Message)>,
    /// Notices about messages that cannot be read.
    pub(super) unreadable_told: Bucket,
    /// Which devices are listed that were not known.
    pub(super) new_devices: NewDevices,
    /// Devices that are forgotten and not yet deleted.
    pub(super) pending: Pending,
    /// Devices that are said to be gone, by when that is to be believed.
    pub(super) doubted: BTreeSet<(Timestamp, DeviceId)>,
    /// Dialects that are not enabled, and whose devices have announced themselves.
    pub(super) found: Vec<FoundDialect>,
}

/// Reading what the broker kept for us, during which nothing may time out.
pub(super) struct Draining {
    /// When it is given up at the latest, connected or not.
    pub(super) until: Timestamp,
    /// When it has been quiet for long enough; unknown before the connection stands.
    pub(super) quiet_at: Option<Timestamp>,
    /// What we have sent to ourselves. It comes behind everything that the broker had kept, so its coming is the end.
    pub(super) marker: Option<CommandId>,
}

impl Draining {
    /// A fleet that is never quiet for long does not keep it going for ever.
    pub(super) fn ends_at(&self) -> Timestamp {
        self.quiet_at.map_or(self.until, |quiet_at| quiet_at.min(self.until))
    }
}

/// Whether messages to ourselves come through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum OwnMessages {
    /// None has come back yet.
    #[default]
    Untried,
    /// One has come back.
    Welcome,
    /// A connection ended while the first was under way, so none is sent any more.
    Unwelcome,
}

/// What a network connection hears beside what it began with.
#[derive(Default)]
pub(super) struct Hearing {
    pub(super) filters: HashSet<String>,
    /// Devices have named further topics, which are subscribed together then.
    pub(super) due: Option<Timestamp>,
    /// Filters that are subscribed only for somebody who looks. What they bring is shown, and means nothing else.
    pub(super) looked_at: Vec<String>,
    /// Those of them that could not be ended, because there was no network connection. A resumed session still has them.
    pub(super) to_end: Vec<String>,
    /// Somebody was told that something in a discovery message could not be used.
    pub(super) told: bool,
}

fn shared(described: Described) -> SharedDialects {
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

    /// `last`: the last number that stood for a command on the wire.
    pub(super) fn new(profile: Profile, enabled: Enabled, last: u32) -> Connection {
        Connection {
            ledger: Ledger::new(limits(profile.preset, profile.mode)),
            unread: None,
            profile,
            dialect: enabled.own.clone(),
            dialects: Described::of(enabled, last).map(shared),
            hearing: Hearing::default(),
            noted_wire_id: last,
            fleet: SharedFleet::default(),
            logs: LogPieces::default(),
            session: None,
            generation: 0,
            sender: None,
            link: LinkState::Connecting,
            draining: None,
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
            told_of_names: false,
            rollouts: Rollouts::default(),
            agreements: Agreements::default(),
            rates: MessageRates::default(),
            unreadable_told: Bucket::full(UNREADABLE_TOLD, Timestamp(0)),
            new_devices: NewDevices::default(),
            pending: Pending::new(),
            doubted: BTreeSet::new(),
            found: Vec::new(),
        }
    }

    /// Takes on another profile, and hands back the session of the one before. What was known of devices by their
    /// connections is as much out of date as after any other end of a connection.
    pub(super) fn replace(&mut self, profile: Profile, enabled: Enabled, generation: u64) -> Option<Session> {
        self.ledger.set_limits(limits(profile.preset, profile.mode));
        self.profile = profile;
        self.dialect = enabled.own.clone();
        let described = Described::of(enabled, self.noted_wire_id);
        self.dialects = described.map(|mut described| {
            match &self.dialects {
                Some(before) => described.take_over(&dialects::read(before)),
                None => self.remember_devices(&mut described),
            }
            self.ledger.outstanding().for_each(|command| described.adopt(&command.asked));
            shared(described)
        });
        let Hearing { looked_at, to_end, .. } = std::mem::take(&mut self.hearing);
        self.hearing = Hearing { looked_at, to_end, ..Hearing::default() };
        self.generation = generation;
        self.sender = None;
        self.round_trip_ms = None;
        self.lifecycles.clear();
        self.doubted.clear();
        self.retained.clear();
        self.told_of_names = false;
        self.rates = MessageRates::default();
        self.probe = None;
        self.own_messages = OwnMessages::default();
        self.ledger.answers().disconnected();
        self.fleet().forget_presence();
        self.session.take()
    }

    /// Whether messages to ourselves may be sent.
    pub(super) fn may_send_to_itself(&self) -> bool {
        let Profile { preset, url, .. } = &self.profile;
        self.profile.mode.publishes()
            && self.own_messages != OwnMessages::Unwelcome
            && self.listed().hears_itself(*preset, url)
    }

    /// Sends a message to ourselves, where that is allowed. It comes back behind everything that the broker keeps for us.
    pub(super) fn send_to_itself(&self) -> Option<CommandId> {
        let sender = self.sender.as_ref().filter(|_| self.may_send_to_itself())?;
        let nonce = uuid::Uuid::new_v4().to_string();
        let outbound = self.dialect.probe(&self.profile.client_id, &nonce).answer;
        let device = DeviceId::closest_to(&self.profile.client_id);
        let id = CommandId::new(&nonce).ok()?;
        sender.publish(Publication { device, id: id.clone(), attempt: 1 }, outbound).ok()?;
        Some(id)
    }

    /// What to send to ourselves where our own topic is not heard, and what to subscribe before it. Not to a broker that
    /// hangs up at what it does not allow (AWS IoT).
    pub(super) fn unheard_message(&self) -> Option<(Filter, Publication, Outbound)> {
        let Profile { preset, url, client_id, mode, .. } = &self.profile;
        if !mode.publishes() || self.own_messages == OwnMessages::Unwelcome || profile::is_aws(*preset, url) {
            return None;
        }
        let nonce = uuid::Uuid::new_v4().to_string();
        let probe = self.dialect.probe(client_id, &nonce);
        let filter = Filter { filter: probe.filter, qos: 1, required: false, others_only: false };
        let publication =
            Publication { device: DeviceId::closest_to(client_id), id: CommandId::new(&nonce).ok()?, attempt: 1 };
        Some((filter, publication, probe.answer))
    }

    /// The nonce of a message that we have sent to ourselves and that is awaited.
    pub(super) fn awaited_nonce(&self, inbound: &Inbound<'_>) -> Option<String> {
        let marker = self.draining.as_ref()?.marker.as_ref()?;
        match self.dialect.decode(inbound) {
            Ok(Some(DecodedMessage::Probe { nonce })) if nonce == marker.as_str() => Some(nonce),
            _ => None,
        }
    }

    /// A command as it goes out now.
    pub(super) fn request(&self, device: &DeviceId, id: &CommandId, attempt: u32, now: Timestamp) -> Option<Outbound> {
        let command = self.ledger.command(device, id)?;
        let outbound = self.dialect.encode(device, &views::encoding(command, attempt), now);
        let written = command.asked.form.as_deref().and_then(|form| form.written.as_deref());
        Some(match (&self.dialects, written) {
            (Some(dialects), Some(written)) => dialects::write(dialects).sign(device, written, outbound, attempt),
            _ => outbound,
        })
    }

    /// The passwords of devices are these from now on. Devices that could not be asked before are asked now.
    pub(super) fn set_passwords(&self, passwords: DevicePasswords) {
        let Some(dialects) = &self.dialects else { return };
        let questions = dialects::write(dialects).set_passwords(passwords);
        let sender = self.sender.as_ref().filter(|_| self.profile.mode.publishes());
        for (topic, payload) in questions.into_iter().filter(|_| sender.is_some()) {
            if let Some(sender) = sender {
                sender.ask(topic, payload);
            }
        }
    }

    /// Lets the dialects know the devices that were found when the program last ran.
    fn remember_devices(&self, described: &mut Described) {
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
        Ledger::new(limits(self.profile.preset, self.profile.mode))
    }

    pub(super) fn listed(&self) -> Listed {
        let named = self.profile.devices.as_slice().into();
        Listed {
            fleet: self.fleet.clone(),
            dialect: self.dialect.clone(),
            dialects: self.dialects.clone(),
            named,
            name: self.profile.name.as_str().into(),
            mode: self.profile.mode,
            send_operator: self.profile.send_operator,
            needs_approval: self.profile.needs_approval,
        }
    }

    pub(super) fn id(&self) -> &ConnectionId {
        &self.profile.id
    }

    pub(super) fn fleet(&self) -> RwLockWriteGuard<'_, Fleet> {
        self.fleet.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of what the broker tells of a device's connection. Says whether the device is online where that is news.
    pub(super) fn lifecycle(&mut self, device: &DeviceId, event: LifecycleEvent, now: Timestamp) -> Option<bool> {
        let lifecycle = self.lifecycles.entry(device.clone()).or_default();
        let before = lifecycle.due();
        let news = lifecycle.hear(event, now);
        if before != lifecycle.due() {
            self.doubted.extend(lifecycle.due().map(|due| (due, device.clone())));
        }
        news
    }

    /// The devices whose end is to be believed by now.
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

    /// Closes the count of the second that has passed, and says whether anything is different.
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
        let (devices, online) = {
            let fleet = self.fleet();
            (fleet.len(), fleet.online())
        };
        ConnectionView {
            id: self.profile.id.as_str().to_owned(),
            name: self.profile.name.clone(),
            url: self.profile.url.clone(),
            mqtt: self.profile.mqtt,
            client_id: self.profile.client_id.clone(),
            username: self.profile.username.clone(),
            dialects: self.profile.dialects.clone(),
            dialect_files: self.profile.dialect_files.clone(),
            offers: self.offers(),
            prefix: self.profile.prefix.clone(),
            demo: self.profile.demo,
            mode: self.profile.mode,
            send_operator: self.profile.send_operator,
            needs_approval: self.profile.needs_approval,
            preset: self.profile.preset,
            devices_named: self.profile.devices.clone(),
            keep_alive_s: self.profile.keep_alive,
            session_expiry_s: self.profile.session_expiry,
            trust: self.profile.trust,
            server_name: self.profile.server_name.clone(),
            alpn: self.profile.alpn.clone(),
            proxy: self
                .profile
                .proxy_url
                .clone()
                .map(|url| ProxyView { url, username: self.profile.proxy_username.clone() }),
            has: self.profile.has,
            in_memory_secrets: self.profile.in_memory_secrets,
            denied: self.profile.denied.clone(),
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

    /// The dialects to be offered: found, not enabled, and not declined.
    fn offers(&self) -> Vec<FoundDialect> {
        let Profile { dialects, declined, .. } = &self.profile;
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

    /// Whether a message came only because somebody looks at more than the connection is for.
    pub(super) fn is_only_looked_at(&self, topic: &str) -> bool {
        let matches = |filter: &String| TopicFilter::parse(filter).is_ok_and(|filter| filter.matches(topic));
        !self.hearing.looked_at.is_empty()
            && self.hearing.looked_at.iter().any(matches)
            && !self.hearing.filters.iter().any(matches)
    }

    /// What is counted now, written down or not.
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

/// Each command is answered at least twice by most devices, accepted and done, and mosquitto drops without a word what
/// exceeds 1,000 messages for a console that is away or slow: *seen* with 500 commands outstanding when it was killed.
fn limits(preset: Preset, mode: ConnectionMode) -> Limits {
    let bounds = preset.bounds();
    Limits {
        send_window: if mode.publishes() { bounds.send_window.into() } else { 0 },
        answer_window: 250,
        sends_per_second: bounds.sends_per_second,
        ..Limits::default()
    }
}
