//! The controller: the only task that changes state. It receives every event, passes it to the ledgers, commits the
//! effects, and only then shows or sends anything.
//!
//! It knows no SQL, sockets or topics: the store, the sessions and the dialects do.

mod agreements;
mod approvals;
mod attention;
mod audit;
mod broadcasts;
mod commit;
mod connection;
mod connections;
mod deadlines;
mod deletion;
mod devices;
mod discovery;
mod event_loop;
mod evidence;
mod known_ids;
mod loading;
mod logs;
mod look_up;
mod memory;
mod messages;
mod new_devices;
mod operator;
mod own_messages;
mod pace;
mod pending_batch;
mod presence;
mod rates;
mod read_only;
mod requests;
mod rollouts;
mod serial_changes;
mod session_events;
mod sessions;
mod unused_announcements;

use std::{collections::BTreeMap, sync::Arc};

use tokio::sync::{Semaphore, mpsc, oneshot};
use wilco_ledger::{Effect, Fact, Input, Origin, Raw};

pub(crate) use crate::shared_connection::{SharedConnection, SharedFleet};
pub(crate) use attention::NEEDS_ATTENTION_FOR;
use connection::Connection;
pub(crate) use deletion::DeletionProgress;
pub(crate) use devices::{DeviceRequest, UNDO_WITHIN};
use loading::Loader;
pub(crate) use loading::{LoadedConnection, READ_AT_ONCE};
use look_up::LookUps;
pub(crate) use operator::{Busy, OverlappingRollout};
use pending_batch::{Committing, PendingBatch};
pub(crate) use requests::{AlsoSubscribed, BackgroundTasks, Needs, Request};
pub(crate) use serial_changes::SerialChange;
use serial_changes::{AfterTask, SerialChanges};

use crate::{
    api::Failure,
    audit::Audit,
    catalogue::Catalogue,
    chance::Chance,
    clock::Clock,
    dialects::{self, wire_id},
    evidence_quota::EvidenceQuota,
    feed::Feed,
    loading::Loading,
    mqtt::{LinkEvent, Publication},
    notifications::{self, Notifications},
    profile::Ready,
    rollouts::ShownRollouts,
    settings::SharedSettings,
    shared_connection::SharedConnections,
    store::{self, Change, ConnectionId, Store},
    telemetry::Telemetry,
    traffic::Tap,
};

/// Everything that can happen to the engine.
pub(crate) enum Event {
    /// A request from a user or a program.
    Request(Request),
    /// The store has finished the task of a serial change.
    TaskEnded(AfterTask),
    /// A stored connection has been read at a start, or could not be read.
    Loaded { connection: ConnectionId, loaded: Result<Box<LoadedConnection>, Failure> },
    /// The secrets of a connection have been fetched (or not), so its session can begin.
    Prepared { connection: ConnectionId, generation: u64, ready: Result<Box<Ready>, Failure> },
    /// An event of a session's connection.
    Link { connection: ConnectionId, generation: u64, event: LinkEvent },
    /// Shut down.
    Close(oneshot::Sender<()>),
}

pub(crate) struct Controller {
    events: mpsc::Receiver<Event>,
    /// The sender of events, for sessions and background tasks.
    tell: mpsc::Sender<Event>,
    store: Store,
    clock: Clock,
    chance: Chance,
    connections: BTreeMap<ConnectionId, Connection>,
    /// The connections that are listed, and not loaded yet. Nothing happens to them.
    unloaded: BTreeMap<ConnectionId, Connection>,
    loader: Loader,
    loading: Loading,
    /// The connection of which the removal is not on the disk yet. It does nothing any more, and is still listed.
    leaving: Option<Connection>,
    serial_changes: SerialChanges,
    shared_connections: SharedConnections,
    catalogue: Arc<Catalogue>,
    shown: ShownRollouts,
    feed: Feed,
    notifications: Vec<Notifications>,
    /// The taps of live traffic.
    taps: Vec<Tap>,
    pending_batch: PendingBatch,
    /// The batch that is being committed.
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
        (clock, chance): (Clock, Chance),
        (shared_connections, catalogue, shown, settings): (
            SharedConnections,
            Arc<Catalogue>,
            ShownRollouts,
            SharedSettings,
        ),
        background: BackgroundTasks,
        (telemetry, quota, audit): (Arc<Telemetry>, EvidenceQuota, Audit),
        (loading, turns): (Loading, Arc<Semaphore>),
    ) -> Controller {
        let loader = Loader::new(store.clone(), quota.clone(), turns);
        let look_ups = LookUps::start(store.clone());
        Controller {
            events,
            tell,
            store,
            clock,
            chance,
            connections: BTreeMap::new(),
            unloaded: BTreeMap::new(),
            loader,
            loading,
            leaving: None,
            serial_changes: SerialChanges::default(),
            shared_connections,
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

    /// Passes an input to a connection's ledger, and records its effects.
    fn record(&mut self, connection: &ConnectionId, input: Input) {
        self.record_received(connection, input, None);
    }

    /// Like [`Controller::record`], with the received request of another console.
    fn record_received(&mut self, connection: &ConnectionId, input: Input, mut heard: Option<Raw>) {
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
                    if matches!(&event.fact, Fact::Submitted { submission, .. } if !submission.automatic) {
                        known.kept = known.kept.saturating_add(1);
                    }
                    let command = event.command.as_ref().and_then(|id| known.ledger.command(&event.device, id));
                    if let Some(command) = command {
                        known.rollouts.note_state(command);
                    }
                    known.note_answered(&event, now);
                    if let Fact::Unsolicited { answer, .. } = &event.fact {
                        self.pending_batch.changes.extend(known.rollouts.unmatched(answer, now));
                    }
                    let id = event.command.as_ref().filter(|_| !event.fact.is_on_the_way());
                    if let Some(command) = id.and_then(|id| known.ledger.command(&event.device, id)) {
                        let good = known.attention.note(command, now);
                        self.pending_batch.dismiss(connection, good);
                        if command.state.is_final()
                            && let Some(dialects) =
                                known.dialects.as_ref().filter(|_| wire_id(&command.submission).is_some())
                        {
                            dialects::write(dialects).release(&event.device, command.id());
                        }
                        if !self.notifications.is_empty()
                            && !command.submission.automatic
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
                    if let Some(bytes) = request.as_ref().and_then(|raw| store::counted_request(&event.fact, raw)) {
                        self.quota.add(connection, &event.device, bytes);
                    }
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
}
