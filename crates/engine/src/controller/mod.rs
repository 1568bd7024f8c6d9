//! The one task that changes anything: it hears every event, asks the ledgers what follows, commits it, and only then
//! lets it be seen or sent.
//!
//! It deliberately knows neither SQL nor sockets nor topics: those are the store's, the sessions' and the dialect's.

mod agreements;
mod approvals;
mod attention;
mod audit;
mod commit;
mod connection;
mod devices;
mod discovery;
mod evidence;
mod known_ids;
mod logs;
mod look_up;
mod memory;
mod new_devices;
mod operator;
mod pace;
mod pending_batch;
mod probe;
mod rates;
mod read_only;
mod requests;
mod rollouts;
mod session_events;

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, sleep_until},
};
use wilco_ledger::{Effect, Fact, Input, Millis, Origin, Raw, Timestamp};

pub(crate) use crate::listed::{Listed, SharedFleet};
pub(crate) use attention::NEEDS_ATTENTION_FOR;
use connection::{Connection, Draining};
pub(crate) use devices::{DeviceRequest, Sweep, UNDO_WITHIN};
use look_up::LookUps;
use pace::Pace;
use pending_batch::{Committing, PendingBatch};
pub(crate) use requests::{AlsoSubscribed, BackgroundTasks, Request};

use crate::{
    api::{ConnectionView, Counts, Failure, FailureCode, LinkState},
    audit::Audit,
    catalogue::Catalogue,
    clock::Clock,
    dialects::{self, wire_id},
    evidence_quota::EvidenceQuota,
    feed::Feed,
    listed::Directory,
    mqtt::{LinkEvent, Publication, Session},
    notifications::{self, Notifications},
    profile::{self, Ready},
    rollouts::ShownRollouts,
    settings::SharedSettings,
    store::{self, Change, ConnectionId, Store, StoreError},
    telemetry::Telemetry,
    traffic::Tap,
};

/// Everything that can happen to the engine.
pub(crate) enum Event {
    /// A person, or a program, asks for something.
    Request(Request),
    /// The secrets of a connection have been fetched (or not), so its session can begin.
    Prepared { connection: ConnectionId, generation: u64, ready: Result<Box<Ready>, Failure> },
    /// A session tells of its connection.
    Link { connection: ConnectionId, generation: u64, event: LinkEvent },
    /// Everything is to be put away.
    Close(oneshot::Sender<()>),
}

/// What nobody waits for is committed after this at the latest.
const COMMIT_WITHIN: Duration = Duration::from_millis(15);
/// While a commit is under way, events are taken in this often: by the dozen, for none of them could go any further yet.
const BREATH: Duration = Duration::from_millis(1);
/// Events taken in one go, at the most.
const EVENTS_A_TURN: usize = 2_000;
/// While a commit is under way, nothing more is taken in beyond so many changes for the next one.
const CHANGES_A_TURN: usize = 8_000;
/// What the broker kept has been read when nothing has come for this long.
const QUIET: Millis = Millis::seconds(5);
/// Longest wait for a connection after a start, before commands may time out without it.
const LONGEST_DRAIN: Millis = Millis::seconds(30);

pub(crate) struct Controller {
    events: mpsc::Receiver<Event>,
    /// For sessions and background tasks to tell what happens.
    tell: mpsc::Sender<Event>,
    store: Store,
    clock: Clock,
    connections: BTreeMap<ConnectionId, Connection>,
    directory: Directory,
    catalogue: Arc<Catalogue>,
    shown: ShownRollouts,
    feed: Feed,
    notifications: Vec<Notifications>,
    /// Where somebody looks at the wire.
    taps: Vec<Tap>,
    pending_batch: PendingBatch,
    /// The batch before it, on its way to the disk.
    committing: Option<Committing>,
    background: BackgroundTasks,
    look_ups: LookUps,
    telemetry: Arc<Telemetry>,
    /// The room that evidence has.
    quota: EvidenceQuota,
    audit: Audit,
    settings: SharedSettings,
    /// The number of sessions begun.
    generations: u64,
}

impl Controller {
    pub(crate) fn new(
        (tell, events): (mpsc::Sender<Event>, mpsc::Receiver<Event>),
        store: Store,
        clock: Clock,
        (directory, catalogue, shown, settings): (Directory, Arc<Catalogue>, ShownRollouts, SharedSettings),
        background: BackgroundTasks,
        (telemetry, quota, audit): (Arc<Telemetry>, EvidenceQuota, Audit),
    ) -> Controller {
        let look_ups = LookUps::start(store.clone());
        Controller {
            events,
            tell,
            store,
            clock,
            connections: BTreeMap::new(),
            directory,
            catalogue,
            shown,
            feed: Feed::default(),
            notifications: Vec::new(),
            taps: Vec::new(),
            pending_batch: PendingBatch::default(),
            committing: None,
            background,
            look_ups,
            telemetry,
            quota,
            audit,
            settings,
            generations: 0,
        }
    }

    /// Runs until it is closed.
    pub(crate) async fn run(mut self) {
        let mut second = Instant::now() + Duration::from_secs(1);
        let mut pace = Pace::new(Instant::now());
        let mut commit_by: Option<Instant> = None;
        let closed = loop {
            let wake = [
                Some(second),
                self.feed.is_due().then(|| pace.opens_at(self.all_done())),
                commit_by,
                self.next_deadline(),
            ];
            let mut wake = wake.into_iter().flatten().min().unwrap_or(second);
            if self.committing.is_some() {
                wake = wake.min(Instant::now() + BREATH);
            }
            let mut event = None;
            tokio::select! {
                biased;
                stored = stored(&mut self.committing) => self.committed(stored).await,
                Some(looked_up) = self.look_ups.next() => self.looked_up(looked_up),
                first = self.events.recv(), if self.committing.is_none() && !self.look_ups.are_too_many() => event = first,
                () = sleep_until(wake) => {}
            }
            // A disk that stands still lets the batch grow only so far.
            let has_room = self.committing.is_none() || self.pending_batch.changes.len() < CHANGES_A_TURN;
            while has_room && let Some(looked_up) = self.look_ups.try_next() {
                self.looked_up(looked_up);
            }
            if event.is_none() && has_room && !self.look_ups.are_too_many() {
                event = self.events.try_recv().ok();
            }
            let mut taken = 0;
            let mut closing = None;
            while let Some(this) = event.take() {
                if let Event::Close(done) = this {
                    closing = Some(done);
                    break;
                }
                self.handle(this).await;
                taken += 1;
                if taken < EVENTS_A_TURN && !self.look_ups.are_too_many() {
                    event = self.events.try_recv().ok();
                }
            }

            let now = Instant::now();
            if now >= second {
                self.every_second((now - second).as_secs_f64() + 1.0).await;
                second = now + Duration::from_secs(1);
            }
            self.tick();
            self.run_rollouts();

            if self.committing.is_some() {
                commit_by = None;
            } else if self.pending_batch.is_empty() {
                self.pending_batch.urgent = false;
                commit_by = None;
                let rollouts = self.take_changed_rollouts();
                self.show_rollouts(rollouts);
                let counts = self.counts();
                self.show_counts(counts);
            } else if self.pending_batch.urgent || commit_by.is_some_and(|by| now >= by) {
                self.begin_commit();
                commit_by = None;
            } else {
                commit_by = commit_by.or(Some(now + COMMIT_WITHIN));
            }

            if self.feed.is_due() && now >= pace.opens_at(self.all_done()) {
                self.hand_out();
                pace.spend(now);
            }
            if let Some(done) = closing {
                break done;
            }
        };
        self.settle().await;
        self.close().await;
        let _ = closed.send(());
    }

    async fn handle(&mut self, event: Event) {
        match event {
            Event::Request(asked) => self.asked(asked).await,
            Event::Prepared { connection, generation, ready } => self.prepared(&connection, generation, ready).await,
            Event::Link { connection, generation, event } => {
                if self.connections.get(&connection).is_some_and(|known| known.generation == generation) {
                    self.link(&connection, event);
                }
            }
            Event::Close(_) => {}
        }
    }

    /// Tells a connection's ledger what happened and takes down what follows from it.
    fn tell(&mut self, connection: &ConnectionId, input: Input) {
        self.tell_heard(connection, input, None);
    }

    /// As [`Controller::tell`], with the request of another console as it was heard.
    fn tell_heard(&mut self, connection: &ConnectionId, input: Input, mut heard: Option<Raw>) {
        let now = self.clock.now();
        let Some(known) = self.connections.get_mut(connection) else { return };
        let mut outbound = None;
        known.note_presence(&input, now);
        for effect in known.ledger.handle(input, now) {
            match effect {
                Effect::Record(mut event) => {
                    store::shorten_fact(&mut event.fact);
                    if let Some(bytes) = store::counted(&event.fact) {
                        self.quota.add(connection, &event.device, bytes);
                    }
                    if matches!(&event.fact, Fact::Submitted { asked, .. } if !asked.automatic) {
                        known.kept = known.kept.saturating_add(1);
                    }
                    let command = event.command.as_ref().and_then(|id| known.ledger.command(&event.device, id));
                    if let Some(command) = command {
                        known.rollouts.hear(command);
                    }
                    known.note_answered(&event, now);
                    if let Fact::Unsolicited { answer, .. } = &event.fact {
                        self.pending_batch.changes.extend(known.rollouts.stray(answer, now));
                    }
                    let id = event.command.as_ref().filter(|_| !event.fact.is_on_the_way());
                    if let Some(command) = id.and_then(|id| known.ledger.command(&event.device, id)) {
                        let good = known.attention.note(command, now);
                        if !good.is_empty() {
                            self.pending_batch.made_good.push((connection.clone(), good));
                        }
                        if command.state.is_final()
                            && let Some(dialects) =
                                known.dialects.as_ref().filter(|_| wire_id(&command.asked).is_some())
                        {
                            dialects::write(dialects).release(&event.device, command.id());
                        }
                        if !self.notifications.is_empty()
                            && !command.asked.automatic
                            && notifications::is_end(&event, command)
                        {
                            self.pending_batch.ended.push((connection.clone(), command.clone()));
                        }
                    }
                    let request = match (&event.fact, &event.command) {
                        (Fact::Handed { attempt }, Some(id)) => {
                            outbound = known.request(&event.device, id, *attempt, now);
                            outbound.as_ref().map(|outbound| Raw {
                                topic: outbound.topic.as_str().into(),
                                payload: outbound.shown().into(),
                                qos: 1,
                                cut: None,
                            })
                        }
                        (Fact::Submitted { origin: Origin::Observed, .. }, _) => heard.take(),
                        _ => None,
                    };
                    let connection = connection.clone();
                    self.pending_batch.changes.push(match request {
                        Some(request) => Change::Request { connection, event, request },
                        None => Change::Event { connection, event, command: None },
                    });
                }
                Effect::Publish { device, id, attempt } => {
                    let publication = Publication { device, id, attempt };
                    let sender = known.sender.clone();
                    self.pending_batch.publish.push((connection.clone(), sender, publication, outbound.take()));
                    self.pending_batch.urgent = true;
                }
            }
        }
    }

    fn tick(&mut self) {
        let now = self.clock.now();
        let due: Vec<_> = self
            .connections
            .values()
            .filter(|known| known.ledger.next_deadline().is_some_and(|deadline| deadline <= now))
            .map(|known| known.id().clone())
            .collect();
        for id in due {
            self.tell(&id, Input::Tick);
            self.pending_batch.urgent = true;
        }
        self.read_due(now);
        self.look_at_reports(now);
        self.believe_gone(now);
        self.probe(now);
        self.drain(now);
        self.hear_named_topics(now);
    }

    /// Lets commands time out again once what the broker kept has been read, or cannot be had.
    fn drain(&mut self, now: Timestamp) {
        let drained: Vec<_> = self
            .connections
            .values_mut()
            .filter(|known| known.draining.as_ref().is_some_and(|draining| draining.ends_at() <= now))
            .map(|known| {
                known.draining = None;
                known.id().clone()
            })
            .collect();
        for id in drained {
            self.tell(&id, Input::Drained);
            self.pending_batch.urgent = true;
        }
    }

    async fn every_second(&mut self, seconds: f64) {
        if let Some(slept) = self.clock.catch_up() {
            tracing::info!(slept_ms = slept.0, "the computer has slept");
            let ids: Vec<_> = self.connections.keys().cloned().collect();
            for id in ids {
                self.resumed(&id);
                self.restart(&id, None);
            }
        }
        self.set_clock_right();
        let now = self.clock.now();
        for known in self.connections.values_mut() {
            if known.count_second(seconds, now) {
                self.feed.connections();
            }
        }
        self.show_rates(now);
        self.look_ups.tidy_up();
        self.taps.retain(|tap| !tap.is_closed());
        self.notifications.retain_mut(|notifications| notifications.tell(now));
        let due = self.connections.values().filter(|known| known.devices_are_due(now));
        let ids: Vec<_> = due.map(|known| known.id().clone()).collect();
        ids.iter().for_each(|id| self.note_devices(id));
    }

    /// Follows the wall clock where somebody has set it, once nothing waits for a time.
    fn set_clock_right(&mut self) {
        let now = self.clock.now();
        let mut rollouts = self.connections.values().map(|known| &known.rollouts);
        let counts_time = rollouts.any(|rollouts| rollouts.count_time(now) || rollouts.want_room(now));
        let waits = !self.pending_batch.is_empty() || counts_time || self.deadlines(now).min().is_some();
        let Some(by) = (if waits { None } else { self.clock.set_right() }) else { return };
        self.connections.values_mut().for_each(|known| known.ledger.clock_is_set(by));
        tracing::info!("the time follows the computer's clock, which has been set");
        if let Some(anchor) = self.clock.anchor() {
            let store = self.store.clone();
            tokio::spawn(async move {
                if let Err(error) = store.keep_anchor(anchor).await {
                    tracing::warn!(%error, "it could not be kept where the time lies on the steady clock");
                }
            });
        }
    }

    /// Takes down what is newly known of a connection's devices.
    fn note_devices(&mut self, connection: &ConnectionId) {
        let now = self.clock.now();
        let Some(known) = self.connections.get_mut(connection) else { return };
        known.noted_at = now;
        let unsaved = known.fleet().take_unsaved();
        let change = |device| Change::Device { connection: connection.clone(), device };
        self.pending_batch.changes.extend(unsaved.into_iter().map(change));
    }

    fn hand_out(&mut self) {
        for known in self.connections.values() {
            let mut fleet = known.fleet();
            let changed = fleet.take_changed();
            if !changed.is_empty() {
                self.feed.device_states(fleet.take_states(known.id().as_str(), &changed));
                self.feed.devices(known.id(), changed);
            }
        }
        let connections = &self.connections;
        self.feed.hand_out(|| views_of(connections));
    }

    /// What is counted of each connection.
    fn counts(&self) -> Vec<(ConnectionId, Counts)> {
        self.connections.iter().map(|(id, known)| (id.clone(), known.count())).collect()
    }

    /// Nothing is under way, as far as it is on the disk.
    fn all_done(&self) -> bool {
        self.connections.values().all(|known| known.counts.queued + known.counts.in_flight == 0)
    }

    /// These counts are of what is on the disk.
    fn show_counts(&mut self, counts: Vec<(ConnectionId, Counts)>) {
        for (connection, counts) in counts {
            if let Some(known) = self.connections.get_mut(&connection).filter(|known| known.counts != counts) {
                known.counts = counts;
                self.feed.connections();
            }
        }
    }

    fn next_deadline(&self) -> Option<Instant> {
        let now = self.clock.now();
        // Rollouts wait for a time too; those of them that a clock may be set under are asked apart.
        let rollouts = self
            .connections
            .values()
            .filter_map(|known| known.rollouts.next_deadline(now, known.ledger.more_room_at()));
        let next = self.deadlines(now).chain(rollouts).min()?;
        Some(Instant::now() + Duration::from_millis(next.since(now).0.clamp(1, 3_600_000)))
    }

    /// When something is due that is not a rollout's.
    fn deadlines(&self, now: Timestamp) -> impl Iterator<Item = Timestamp> {
        let ledgers = self.connections.values().filter_map(|known| known.ledger.next_deadline());
        let drains =
            self.connections.values().filter_map(|known| known.draining.as_ref()).map(|draining| draining.ends_at());
        let doubts = self.connections.values().filter_map(|known| known.doubted.first()).map(|(due, _)| *due);
        let topics = self.connections.values().filter_map(|known| known.hearing.due);
        let probes = self.connections.values().filter_map(move |known| known.probe_due_at(now));
        let reports = self.connections.values().filter_map(|known| known.rates.next_due());
        let looks = self.connections.values().filter_map(|known| known.agreements.next_due());
        ledgers.chain(drains).chain(doubts).chain(topics).chain(probes).chain(reports).chain(looks)
    }

    /// Timing out waits until what the broker kept has been read.
    fn resumed(&mut self, connection: &ConnectionId) {
        let until = self.clock.now() + LONGEST_DRAIN;
        self.tell(connection, Input::Resumed);
        if let Some(known) = self.connections.get_mut(connection) {
            known.draining = Some(Draining { until, quiet_at: None, marker: None });
        }
    }

    /// Ends a connection's session and begins another, at once or after a pause to let a failure pass.
    fn restart(&mut self, connection: &ConnectionId, because: Option<Failure>) {
        let Some(known) = self.connections.get_mut(connection) else { return };
        self.generations += 1;
        known.generation = self.generations;
        known.sender = None;
        drop(known.session.take());
        let pause = if because.is_some() { Duration::from_secs(5) } else { Duration::ZERO };
        known.link = match because {
            Some(failure) => LinkState::Waiting {
                message: failure.message,
                hint: failure.hint,
                retry_at: self.clock.now().0 + 5_000,
            },
            None => LinkState::Connecting,
        };
        self.feed.connections();
        let (profile, generation) = (known.profile.clone(), known.generation);
        self.tell(connection, Input::Disconnected);
        self.background.prepare(&self.tell, profile, generation, pause);
    }

    async fn prepared(&mut self, connection: &ConnectionId, generation: u64, ready: Result<Box<Ready>, Failure>) {
        if self.connections.get(connection).is_some_and(|known| known.unread.is_some()) {
            self.settle().await;
            self.reload(connection).await;
        }
        let now = self.clock.now();
        let Some(known) = self.connections.get_mut(connection).filter(|known| known.generation == generation) else {
            return;
        };
        match known.unread.clone().map_or(ready, Err) {
            Ok(ready) => {
                let Ready { settings, certificate, passwords } = *ready;
                known.set_passwords(passwords);
                // The keyring is changed first, so what was stored may be of the certificate before.
                profile::certify(&mut known.profile, certificate);
                let id = connection.clone();
                known.session = Some(Session::start(settings, self.tell.clone(), move |event| Event::Link {
                    connection: id.clone(),
                    generation,
                    event,
                }));
            }
            // A keyring may be unlocked and a disk have room again any moment, so they are asked again.
            Err(failure) if matches!(failure.code, FailureCode::Keyring | FailureCode::Store) => {
                known.link =
                    LinkState::Waiting { message: failure.message, hint: failure.hint, retry_at: now.0 + 15_000 };
                let profile = known.profile.clone();
                self.background.prepare(&self.tell, profile, generation, Duration::from_secs(15));
            }
            Err(failure) => {
                known.link = LinkState::Stopped { code: failure.code, message: failure.message, hint: failure.hint };
            }
        }
        self.feed.connections();
    }

    async fn close(mut self) {
        let sessions: Vec<_> = self.connections.values_mut().filter_map(|known| known.session.take()).collect();
        for session in sessions {
            session.close().await;
        }
        // What the sessions still had to tell on their way out is no longer waited for: it is as if the program had
        // been killed here, which is always safe.
        self.directory.write().unwrap_or_else(PoisonError::into_inner).clear();
        if let Err(error) = self.store.close().await {
            tracing::error!(%error, "the store could not be closed");
        }
    }
}

/// The end of the commit that is under way; none where there is none.
async fn stored(committing: &mut Option<Committing>) -> Result<(), StoreError> {
    match committing {
        Some(committing) => (&mut committing.stored).await,
        None => std::future::pending().await,
    }
}

/// The connections as they are listed: in the order that the person has given them.
fn views_of(connections: &BTreeMap<ConnectionId, Connection>) -> Vec<ConnectionView> {
    let mut known: Vec<_> = connections.values().collect();
    known.sort_by_key(|known| (known.profile.position, known.profile.name.clone()));
    known.into_iter().map(Connection::view).collect()
}
