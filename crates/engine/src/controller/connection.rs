//! One connection as the controller holds it.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    hash::{Hash, Hasher},
    sync::{Arc, PoisonError, RwLock, RwLockWriteGuard},
};

use wilco_dialect::{Dialect, Lifecycle, LifecycleEvent, LogPieces};
use wilco_ledger::{DeviceId, Ledger, Limits, Millis, Timestamp};

use crate::{
    api::{ConnectionView, Counts, Failure, LinkState, ProxyView},
    fleet::Fleet,
    mqtt::{Outlet, Session},
    store::{ConnectionId, Profile},
};

/// The devices of a connection, read by queries while the controller changes them.
pub(crate) type SharedFleet = Arc<RwLock<Fleet>>;

/// What others than the controller may know of a connection.
#[derive(Clone)]
pub(crate) struct Listed {
    pub(crate) fleet: SharedFleet,
    pub(crate) dialect: Dialect,
    /// The only devices that are listened to; all where empty.
    pub(crate) named: Arc<[String]>,
}

/// What is newly known of devices is taken down within this time.
const NOTED_WITHIN: Millis = Millis::seconds(10);
/// How long a failure needs somebody's look.
pub(super) const NEEDS_YOU_FOR: Millis = Millis::seconds(3_600);

pub(super) struct Connection {
    pub(super) profile: Profile,
    pub(super) dialect: Dialect,
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
    pub(super) outlet: Option<Outlet>,
    pub(super) link: LinkState,
    pub(super) draining: Option<Draining>,
    pub(super) traffic: Traffic,
    pub(super) round_trip_ms: Option<f64>,
    /// What was counted when it was last written down, as opposed to what is counted since.
    pub(super) counts: Counts,
    pub(super) kept: u32,
    /// When commands ended badly, oldest first.
    pub(super) bad_ends: VecDeque<Timestamp>,
    /// Whom to believe where the broker tells of devices' connections.
    pub(super) lifecycles: HashMap<DeviceId, Lifecycle>,
    /// When it was last taken down what is known of devices.
    pub(super) noted_at: Timestamp,
    /// The last answer of each device that the broker had retained, by its hash: it comes with every subscription.
    pub(super) retained: HashMap<DeviceId, u64>,
    /// Somebody was told that there is a device whose name is too long to be listed.
    pub(super) told_of_names: bool,
    /// Devices that are said to be gone, by when that is to be believed.
    pub(super) doubted: BTreeSet<(Timestamp, DeviceId)>,
}

/// Reading what the broker kept for us, during which nothing may time out.
pub(super) struct Draining {
    /// When it is given up at the latest, connected or not.
    pub(super) until: Timestamp,
    /// When it has been quiet for long enough; unknown before the connection stands.
    pub(super) quiet_at: Option<Timestamp>,
}

impl Draining {
    /// A fleet that is never quiet for long does not keep it going for ever.
    pub(super) fn ends_at(&self) -> Timestamp {
        self.quiet_at.map_or(self.until, |quiet_at| quiet_at.min(self.until))
    }
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

    pub(super) fn new(profile: Profile, dialect: Dialect) -> Connection {
        Connection {
            ledger: Ledger::new(limits(&profile)),
            unread: None,
            profile,
            dialect,
            fleet: SharedFleet::default(),
            logs: LogPieces::default(),
            session: None,
            generation: 0,
            outlet: None,
            link: LinkState::Connecting,
            draining: None,
            traffic: Traffic::default(),
            round_trip_ms: None,
            counts: Counts::default(),
            kept: 0,
            bad_ends: VecDeque::new(),
            lifecycles: HashMap::new(),
            noted_at: Timestamp(0),
            retained: HashMap::new(),
            told_of_names: false,
            doubted: BTreeSet::new(),
        }
    }

    /// A ledger that knows nothing yet.
    pub(super) fn new_ledger(&self) -> Ledger {
        Ledger::new(limits(&self.profile))
    }

    pub(super) fn listed(&self) -> Listed {
        let named = self.profile.devices.as_slice().into();
        Listed { fleet: self.fleet.clone(), dialect: self.dialect.clone(), named }
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

    /// Nothing is known of a device any more.
    pub(super) fn forget_device(&mut self, device: &DeviceId) {
        self.fleet().forget(device);
        self.lifecycles.remove(device);
        self.doubted.retain(|(_, doubted)| doubted != device);
        self.retained.remove(device);
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
        let before = (self.traffic.in_per_second, self.traffic.out_per_second, self.bad_ends.len());
        self.traffic.in_per_second = f64::from(std::mem::take(&mut self.traffic.arrived)) / seconds;
        self.traffic.out_per_second = f64::from(std::mem::take(&mut self.traffic.sent)) / seconds;
        while self.bad_ends.front().is_some_and(|at| now.since(*at) > NEEDS_YOU_FOR) {
            self.bad_ends.pop_front();
        }
        before != (self.traffic.in_per_second, self.traffic.out_per_second, self.bad_ends.len())
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
            dialect: self.profile.dialect.clone(),
            prefix: self.profile.prefix.clone(),
            demo: self.profile.demo,
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
            counts: self.counts,
        }
    }

    /// What is counted now, written down or not.
    pub(super) fn count(&self) -> Counts {
        let counts = self.ledger.counts();
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Counts {
            queued: count(counts.queued),
            held: count(counts.held),
            in_flight: count(counts.in_flight),
            need_you: count(self.bad_ends.len()),
            kept: self.kept,
        }
    }
}

/// Each command is answered at least twice by most devices, accepted and done, and mosquitto drops without a word what
/// exceeds 1,000 messages for a console that is away or slow: *seen* with 500 commands outstanding when it was killed.
fn limits(profile: &Profile) -> Limits {
    let bounds = profile.preset.bounds();
    Limits {
        send_window: bounds.send_window.into(),
        answer_window: 250,
        sends_per_second: bounds.sends_per_second,
        ..Limits::default()
    }
}
