//! The event loop: receives events, starts a commit when one is due, and publishes what changed.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::{Connection, Controller, Event, commit::Next, pace::Pace, pending_batch::Committing};
use crate::{
    api::{ConnectionView, Counts},
    store::{ConnectionId, StoreError},
};

/// What nobody waits for is committed after this at the latest.
const COMMIT_WITHIN: Duration = Duration::from_millis(15);
/// While a commit is under way, events are taken in this often: by the dozen, for none of them could go any further yet.
const BREATH: Duration = Duration::from_millis(1);
/// Events taken in one go, at the most.
const EVENTS_A_TURN: usize = 2_000;
/// While a commit is under way, nothing more is taken in beyond so many changes for the next one.
const CHANGES_A_TURN: usize = 8_000;

impl Controller {
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
                stored = stored(&mut self.committing) => self.committed(stored, Next::MayBegin).await,
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
                self.every_second((now - second).as_secs_f64() + 1.0);
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
            Event::Request(request) => self.on_request(request),
            Event::TaskEnded(then) => self.task_ended(then),
            Event::Loaded { connection, loaded } => self.loaded(connection, loaded),
            Event::Prepared { connection, generation, ready } => self.prepared(&connection, generation, ready).await,
            Event::Link { connection, generation, event } => {
                if self.connections.get(&connection).is_some_and(|known| known.generation == generation) {
                    self.link(&connection, event);
                }
            }
            Event::Close(_) => {}
        }
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
        let listed = self.connections.values().chain(&self.leaving).chain(self.unloaded.values());
        self.feed.hand_out(self.clock.now(), || views_of(listed));
    }

    /// The connections as they are listed.
    pub(super) fn connection_views(&self) -> Vec<ConnectionView> {
        views_of(self.connections.values().chain(&self.leaving).chain(self.unloaded.values()))
    }

    /// The counters of a connection.
    pub(super) fn counts(&self) -> Vec<(ConnectionId, Counts)> {
        self.connections.iter().map(|(id, known)| (id.clone(), known.count())).collect()
    }

    /// Whether nothing is in progress, as far as it is on the disk.
    fn all_done(&self) -> bool {
        self.connections.values().all(|known| known.counts.queued + known.counts.in_flight == 0)
    }

    /// These counts are of what is on the disk.
    pub(super) fn show_counts(&mut self, counts: Vec<(ConnectionId, Counts)>) {
        for (connection, counts) in counts {
            if let Some(known) = self.connections.get_mut(&connection).filter(|known| known.counts != counts) {
                known.counts = counts;
                self.feed.connections();
            }
        }
    }
}

/// The end of the commit that is in progress; none where there is none.
async fn stored(committing: &mut Option<Committing>) -> Result<(), StoreError> {
    match committing {
        Some(committing) => (&mut committing.stored).await,
        None => std::future::pending().await,
    }
}

/// The connections in the order that the person has given them.
fn views_of<'a>(connections: impl Iterator<Item = &'a Connection>) -> Vec<ConnectionView> {
    let mut known: Vec<_> = connections.collect();
    known.sort_by_key(|known| (known.profile.position, known.profile.name.clone()));
    known.into_iter().map(Connection::view).collect()
}
