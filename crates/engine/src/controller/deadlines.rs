//! Determines which deadlines are due, and when the next one is.

use std::time::Duration;

use tokio::time::Instant;
use wilco_ledger::{Input, Timestamp};

use super::Controller;
use crate::store::{Change, ConnectionId};

impl Controller {
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        let now = self.clock.now();
        // Rollouts wait for a time too; those of them that a clock may be set under are asked apart.
        let rollouts = self
            .connections
            .values()
            .filter_map(|known| known.rollouts.next_deadline(now, known.ledger.more_room_at()));
        let next = self.deadlines(now).chain(rollouts).min()?;
        Some(Instant::now() + Duration::from_millis(next.since(now).0.clamp(1, 3_600_000)))
    }

    /// The next deadline that does not belong to a rollout.
    fn deadlines(&self, now: Timestamp) -> impl Iterator<Item = Timestamp> {
        let ledgers = self.connections.values().filter_map(|known| known.ledger.next_deadline());
        let drains =
            self.connections.values().filter_map(|known| known.draining.as_ref()).map(|draining| draining.ends_at());
        let doubts = self.connections.values().filter_map(|known| known.doubted.first()).map(|(due, _)| *due);
        let topics = self.connections.values().filter_map(|known| known.extra_subscriptions.due);
        let probes = self.connections.values().filter_map(move |known| known.probe_due_at(now));
        let reports = self.connections.values().filter_map(|known| known.rates.next_due());
        let unused = self.connections.values().filter_map(|known| known.unused_announcements.due());
        let looks = self.connections.values().filter_map(|known| known.agreements.next_due());
        ledgers.chain(drains).chain(doubts).chain(topics).chain(probes).chain(reports).chain(unused).chain(looks)
    }

    pub(super) fn tick(&mut self) {
        let now = self.clock.now();
        let due: Vec<_> = self
            .connections
            .values()
            .filter(|known| known.ledger.next_deadline().is_some_and(|deadline| deadline <= now))
            .map(|known| known.id().clone())
            .collect();
        for id in due {
            self.record(&id, Input::Tick);
            self.pending_batch.urgent = true;
        }
        self.read_due(now);
        self.look_at_reports(now);
        self.believe_gone(now);
        self.probe(now);
        self.drain(now);
        self.hear_named_topics(now);
        self.count_unused_announcements(now);
    }

    /// Lets commands time out again once the messages queued at the broker have been read, or cannot be.
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
            self.record(&id, Input::Drained);
            self.pending_batch.urgent = true;
        }
    }

    pub(super) fn every_second(&mut self, seconds: f64) {
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
        self.feed.clocks(self.clock.apart());
        for known in self.connections.values_mut() {
            if known.count_second(seconds, now) {
                self.feed.connections();
            }
        }
        self.show_rates(now);
        self.look_ups.tidy_up();
        self.taps.retain(|tap| !tap.is_closed());
        self.notifications.retain_mut(|notifications| notifications.send_due(now));
        let due = self.connections.values().filter(|known| known.devices_are_due(now));
        let ids: Vec<_> = due.map(|known| known.id().clone()).collect();
        ids.iter().for_each(|id| self.note_devices(id));
    }

    /// Follows the wall clock after it was changed, once nothing waits for a time.
    fn set_clock_right(&mut self) {
        let now = self.clock.now();
        let mut rollouts = self.connections.values().map(|known| &known.rollouts);
        let counts_time = rollouts.any(|rollouts| rollouts.count_time(now) || rollouts.want_room(now));
        let waits = !self.pending_batch.is_empty() || counts_time || self.deadlines(now).min().is_some();
        let Some(by) = (if waits { None } else { self.clock.set_right() }) else { return };
        self.connections.values_mut().for_each(|known| known.ledger.clock_is_set(by));
        tracing::info!("the timeline follows the computer's clock, which was set");
        if let Some(anchor) = self.clock.anchor() {
            let store = self.store.clone();
            tokio::spawn(async move {
                if let Err(error) = store.keep_anchor(anchor).await {
                    tracing::warn!(%error, "the offset of the timeline could not be stored");
                }
            });
        }
    }

    /// Records new facts about a connection's devices.
    fn note_devices(&mut self, connection: &ConnectionId) {
        let now = self.clock.now();
        let Some(known) = self.connections.get_mut(connection) else { return };
        known.noted_at = now;
        let unsaved = known.fleet().take_unsaved();
        let change = |device| Change::Device { connection: connection.clone(), device };
        self.pending_batch.changes.extend(unsaved.into_iter().map(change));
    }
}
