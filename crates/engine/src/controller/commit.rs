//! Commits, and the effects that must wait for them. This order is the product.

use std::sync::Arc;

use wilco_dialect::Outbound;
use wilco_ledger::{Changed, Input, Puback};

use super::{
    Controller,
    pending_batch::{Committing, PendingBatch},
};
use crate::{
    api::{Failure, MqttVersion},
    dialects,
    mqtt::{Envelope, MqttSender, Publication},
    store::{Change, ConnectionId, StoreError},
    traffic::ObservedMessage,
    views::CommandSnapshot,
};

/// What happens to the batch that has gathered, when a commit has finished.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// The store writes it while what the finished commit was for is sent and shown; but what follows from a turn comes first.
    MayBegin,
    Waits,
}

impl Controller {
    /// Begins to make durable what has gathered. There is one commit in progress at a time; what happens meanwhile gathers
    /// for the next.
    pub(super) fn begin_commit(&mut self) {
        debug_assert!(self.committing.is_none(), "one commit at a time");
        // The consequences for rollouts are written in the same transaction.
        self.run_rollouts();
        let mut pending_batch = std::mem::take(&mut self.pending_batch);
        let mut snapshots = Vec::new();
        // One that is being removed too: if it cannot be, it goes on with what is stored.
        for known in self.connections.values_mut().chain(&mut self.leaving) {
            let id = known.id().clone();
            let last = known.dialects.as_ref().map(|dialects| dialects::read(dialects).last_wire_id());
            if let Some(last) = last.filter(|last| *last != known.noted_wire_id) {
                known.noted_wire_id = last;
                pending_batch.changes.push(Change::WireId { connection: id.clone(), last });
            }
            let changed = known.ledger.take_changed().into_iter();
            snapshots.extend(changed.map(|Changed { command, deadline }| {
                let command = Arc::new(command);
                (id.clone(), CommandSnapshot::new(command, deadline))
            }));
        }
        let mut changes = std::mem::take(&mut pending_batch.changes);
        changes.extend(pending_batch.take_discarded());
        changes.extend(snapshots.iter().map(|(connection, snapshot)| Change::CommandSnapshot {
            connection: connection.clone(),
            command: Arc::clone(&snapshot.command),
        }));
        let stored = self.store.begin_commit(changes);
        let mut rollouts = std::mem::take(&mut pending_batch.noted);
        rollouts.extend(self.take_changed_rollouts());
        let counts = self.counts();
        self.committing = Some(Committing { stored, pending_batch, snapshots, rollouts, counts });
    }

    /// Waits for the commit that is in progress, if there is one, and lets be seen, sent and acknowledged what it was for.
    pub(super) async fn finish_commit(&mut self) {
        if let Some(committing) = &mut self.committing {
            let result = (&mut committing.stored).await;
            self.committed(result, Next::Waits).await;
        }
    }

    /// Makes durable all that has happened so far.
    pub(super) async fn settle(&mut self) {
        self.finish_commit().await;
        if !self.pending_batch.is_empty() {
            self.begin_commit();
            self.finish_commit().await;
        }
    }

    /// The commit that was in progress has finished. This order is the product.
    pub(super) async fn committed(&mut self, result: Result<(), StoreError>, next: Next) {
        let Some(Committing { pending_batch, snapshots, rollouts, counts, .. }) = self.committing.take() else {
            return;
        };
        if let Err(error) = result {
            self.not_stored(error, pending_batch).await;
            return;
        }
        if next == Next::MayBegin && self.pending_batch.urgent && pending_batch.turn.is_none() {
            self.begin_commit();
        }
        for (sender, receipt) in pending_batch.receipts {
            sender.acknowledge(receipt);
        }
        self.probes_settled(pending_batch.probes);
        self.show_counts(counts);
        self.show_rollouts(rollouts);
        for reply in pending_batch.replies {
            let _ = reply.send(Ok(()));
        }
        for (connection, sender, publication, outbound) in pending_batch.publish {
            self.publish(&connection, sender.zip(outbound), publication);
        }
        let now = self.clock.now();
        for (connection, command) in &pending_batch.ended {
            let name = self.connections.get(connection).map_or(connection.as_str(), |known| &known.profile.name);
            self.notifications.iter_mut().for_each(|notifications| notifications.ended(connection, name, command, now));
        }
        for (connection, snapshot) in snapshots {
            self.feed.command(&connection, &snapshot);
            self.look_ups.committed(&connection, &snapshot.command);
            if let Some(known) = self.connections.get(&connection) {
                known.fleet().command(snapshot);
            }
        }
        if let Some(then) = pending_batch.turn {
            then(self, Ok(()));
        }
        self.next_serial_change();
    }

    /// Nothing of that batch is stored, nor is what came after it, so none of it has happened: the ledgers go back to
    /// what is stored, and the sessions restart, for the broker still has every answer that was not acknowledged.
    ///
    /// Here the loop waits for the store (decision 27): until the ledgers are what is stored, nothing that happens could be
    /// judged.
    async fn not_stored(&mut self, error: StoreError, batch: PendingBatch) {
        tracing::error!(%error, "a commit failed");
        let failure = Failure::from(error);
        self.feed.failure(failure.clone());
        let since = std::mem::take(&mut self.pending_batch);
        for PendingBatch { replies, turn, .. } in [batch, since] {
            for reply in replies {
                let _ = reply.send(Err(failure.clone()));
            }
            if let Some(then) = turn {
                then(self, Err(failure.clone()));
            }
        }
        if let Err(error) = self.quota.load(&self.store).await {
            tracing::warn!(%error, "the size of the evidence could not be counted again");
        }
        let ids: Vec<_> = self.connections.keys().cloned().collect();
        for id in ids {
            self.reload(&id).await;
            self.restart(&id, Some(failure.clone()));
        }
        self.next_serial_change();
    }

    /// Passes a command to MQTT.
    fn publish(&mut self, connection: &ConnectionId, sender: Option<(MqttSender, Outbound)>, publication: Publication) {
        let now = self.clock.now();
        let Some(known) = self.connections.get_mut(connection) else { return };
        let Publication { device, id, attempt } = publication.clone();
        let publishes = known.profile.settings.mode.publishes();
        // It may have become read-only while this was being committed, and the sender is that of its session before.
        let outcome = match sender.filter(|_| publishes) {
            Some((sender, outbound)) => {
                if !self.taps.is_empty() {
                    let envelope = Envelope::of(&outbound, known.profile.settings.mqtt);
                    let correlation =
                        (known.profile.settings.mqtt == MqttVersion::V5).then_some(&*outbound.correlation);
                    let passing = ObservedMessage {
                        to: Some(&device),
                        topic: &outbound.topic,
                        payload: outbound.shown(),
                        qos: 1,
                        retained: false,
                        correlation,
                        envelope: &envelope,
                    };
                    self.taps.iter().for_each(|tap| tap.see(connection, passing, now));
                }
                sender.publish(publication, outbound)
            }
            None => Err(Puback::NotTaken),
        };
        if let Err(puback) = outcome {
            self.record(connection, Input::Delivered { device, id, attempt, puback });
            if !publishes {
                self.withdraw_unsent(connection);
            }
        }
    }
}
