//! What may only happen once it is on the disk: this order is the product.

use std::sync::Arc;

use tokio::sync::oneshot;
use wilco_dialect::Outbound;
use wilco_ledger::{Changed, CommandId, DeviceId, Input, Puback};

use super::{Controller, turn::Committing};
use crate::{
    api::{Failure, MqttVersion},
    dialects,
    mqtt::{Envelope, Outlet, Publication},
    store::{Change, ConnectionId, StoreError},
    traffic::Passing,
    views::Standing,
};

impl Controller {
    /// Begins to make durable what has gathered. There is one commit under way at a time; what happens meanwhile gathers
    /// for the next.
    pub(super) fn begin_commit(&mut self) {
        debug_assert!(self.committing.is_none(), "one commit at a time");
        // What follows for rollouts from what is written down is written with it.
        self.run_rollouts();
        let mut turn = std::mem::take(&mut self.turn);
        let mut standings = Vec::new();
        for (id, known) in &mut self.connections {
            let last = known.dialects.as_ref().map(|dialects| dialects::read(dialects).last_wire_id());
            if let Some(last) = last.filter(|last| *last != known.noted_wire_id) {
                known.noted_wire_id = last;
                turn.changes.push(Change::WireId { connection: id.clone(), last });
            }
            let changed = known.ledger.take_changed().into_iter();
            standings.extend(changed.map(|Changed { command, deadline }| {
                let command = Arc::new(command);
                (id.clone(), Standing { command, deadline })
            }));
        }
        let mut changes = std::mem::take(&mut turn.changes);
        changes.extend(standings.iter().map(|(connection, standing)| Change::Standing {
            connection: connection.clone(),
            command: Arc::clone(&standing.command),
        }));
        let stored = self.store.begin_commit(changes);
        let mut rollouts = std::mem::take(&mut turn.noted);
        rollouts.extend(self.take_changed_rollouts());
        let counts = self.counts();
        self.committing = Some(Committing { stored, turn, standings, rollouts, counts });
    }

    /// Waits for the commit that is under way, if there is one, and lets be seen, sent and acknowledged what it was for.
    pub(super) async fn finish_commit(&mut self) {
        if let Some(committing) = &mut self.committing {
            let result = (&mut committing.stored).await;
            self.committed(result).await;
        }
    }

    /// Makes durable all that has happened so far.
    pub(super) async fn settle(&mut self) {
        self.finish_commit().await;
        if !self.turn.is_empty() {
            self.begin_commit();
            self.finish_commit().await;
        }
    }

    /// The commit that was under way has come to its end. This order is the product.
    pub(super) async fn committed(&mut self, result: Result<(), StoreError>) {
        let Some(Committing { turn, standings, rollouts, counts, .. }) = self.committing.take() else { return };
        if let Err(error) = result {
            self.not_stored(error, turn.replies).await;
            return;
        }
        for (outlet, receipt) in turn.receipts {
            outlet.acknowledge(receipt);
        }
        self.show_counts(counts);
        self.show_rollouts(rollouts);
        for reply in turn.replies {
            let _ = reply.send(Ok(()));
        }
        for (connection, outlet, publication, outbound) in turn.publish {
            self.publish(&connection, outlet.zip(outbound), publication);
        }
        self.dismiss_made_good(turn.made_good);
        let now = self.clock.now();
        for (connection, command) in &turn.ended {
            let name = self.connections.get(connection).map_or(connection.as_str(), |known| &known.profile.name);
            self.heralds.iter_mut().for_each(|herald| herald.ended(connection, name, command, now));
        }
        for (connection, standing) in standings {
            self.feed.command(&connection, &standing);
            self.look_ups.committed(&connection, &standing.command);
            if let Some(known) = self.connections.get(&connection) {
                known.fleet().command(standing);
            }
        }
    }

    /// Notes that commands need nobody any more. Where the program is killed before that, they are counted again.
    fn dismiss_made_good(&self, made_good: Vec<(ConnectionId, Vec<(DeviceId, CommandId)>)>) {
        if made_good.is_empty() {
            return;
        }
        let store = self.store.clone();
        tokio::spawn(async move {
            for (connection, commands) in made_good {
                if let Err(error) = store.dismiss(&connection, commands).await {
                    tracing::warn!(%error, "commands that were made good are counted again after a restart");
                }
            }
        });
    }

    /// Nothing of that turn is stored, nor is what came after it, so none of it has happened: the ledgers go back to what is
    /// stored, and the sessions begin anew, for the broker still has every answer that was not acknowledged.
    async fn not_stored(&mut self, error: StoreError, replies: Vec<oneshot::Sender<Result<(), Failure>>>) {
        tracing::error!(%error, "a commit failed");
        let failure = Failure::from(error);
        self.feed.failure(failure.clone());
        let since = std::mem::take(&mut self.turn);
        for reply in replies.into_iter().chain(since.replies) {
            let _ = reply.send(Err(failure.clone()));
        }
        let ids: Vec<_> = self.connections.keys().cloned().collect();
        for id in ids {
            self.reload(&id).await;
            self.restart(&id, Some(failure.clone()));
        }
    }

    /// Hands a command to MQTT.
    fn publish(&mut self, connection: &ConnectionId, outlet: Option<(Outlet, Outbound)>, publication: Publication) {
        let now = self.clock.now();
        let Some(known) = self.connections.get_mut(connection) else { return };
        let Publication { device, id, attempt } = publication.clone();
        let outcome = match outlet {
            Some((outlet, outbound)) => {
                if !self.taps.is_empty() {
                    let envelope = Envelope::of(&outbound, known.profile.mqtt);
                    let correlation = (known.profile.mqtt == MqttVersion::V5).then_some(&*outbound.correlation);
                    let passing = Passing {
                        to: Some(&device),
                        topic: &outbound.topic,
                        payload: &outbound.payload,
                        qos: 1,
                        retained: false,
                        correlation,
                        envelope: &envelope,
                    };
                    self.taps.iter().for_each(|tap| tap.see(connection, passing, now));
                }
                outlet.publish(publication, outbound)
            }
            None => Err(Puback::NotTaken),
        };
        if let Err(puback) = outcome {
            self.tell(connection, Input::Delivered { device, id, attempt, puback });
        }
    }
}
