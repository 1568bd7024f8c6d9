//! What may only happen once it is on the disk: this order is the product.

use tokio::sync::oneshot;
use wilco_dialect::Request as Encoding;
use wilco_ledger::{CommandId, DeviceId, Input, Puback};

use super::Controller;
use crate::{
    api::{Failure, MqttVersion},
    mqtt::{Envelope, Publication},
    store::{ConnectionId, StoreError},
    traffic::Passing,
    views,
};

impl Controller {
    /// Makes durable what has gathered, then lets it be seen, sent and acknowledged.
    pub(super) async fn commit(&mut self) {
        let turn = std::mem::take(&mut self.turn);
        if let Err(error) = self.store.commit(turn.changes).await {
            self.not_stored(error, turn.replies).await;
            return;
        }
        for (outlet, receipt) in turn.receipts {
            outlet.acknowledge(receipt);
        }
        for reply in turn.replies {
            let _ = reply.send(Ok(()));
        }
        for (connection, device, id, attempt) in turn.publish {
            self.publish(&connection, device, id, attempt);
        }
        if !turn.touched.is_empty() {
            // Their counts of commands are different now.
            self.feed.connections();
        }
        let now = self.clock.now();
        for command in &turn.ended {
            self.heralds.iter_mut().for_each(|herald| herald.ended(command, now));
        }
        for (connection, device, id) in turn.touched {
            self.show(&connection, device, id);
        }
    }

    /// Nothing of the last turn is stored, so none of it has happened: the ledgers go back to what is stored, and the
    /// sessions begin anew, for the broker still has every answer that was not acknowledged.
    async fn not_stored(&mut self, error: StoreError, replies: Vec<oneshot::Sender<Result<(), Failure>>>) {
        tracing::error!(%error, "a commit failed");
        let failure = Failure::from(error);
        self.feed.failure(failure.clone());
        for reply in replies {
            let _ = reply.send(Err(failure.clone()));
        }
        let ids: Vec<_> = self.connections.keys().cloned().collect();
        for id in ids {
            self.reload(&id).await;
            self.restart(&id, Some(failure.clone()));
        }
    }

    /// Hands a command to MQTT.
    fn publish(&mut self, connection: &ConnectionId, device: DeviceId, id: CommandId, attempt: u32) {
        let now = self.clock.now();
        let Some(known) = self.connections.get_mut(connection) else { return };
        let Some(command) = known.ledger.command(&device, &id) else { return };
        let outcome = match &known.outlet {
            Some(outlet) => {
                let request = Encoding {
                    id: &id,
                    command: &command.asked.name,
                    args: &command.asked.args,
                    form: command.asked.form.as_deref(),
                    issued_at: command.submitted_at,
                    expires_at: command.submitted_at + command.asked.policy.time_to_live,
                    attempt,
                };
                let outbound = known.dialect.encode(&device, &request, now);
                if !self.taps.is_empty() {
                    let envelope = Envelope::of(&outbound, known.profile.mqtt);
                    let correlation = (known.profile.mqtt == MqttVersion::V5).then_some(&*outbound.correlation);
                    let passing = Passing {
                        outgoing: true,
                        topic: &outbound.topic,
                        payload: &outbound.payload,
                        qos: 1,
                        retained: false,
                        correlation,
                        envelope: &envelope,
                    };
                    self.taps.iter().for_each(|tap| tap.see(connection, passing, now));
                }
                let publication = Publication { device: device.clone(), id: id.clone(), attempt };
                outlet.publish(publication, outbound)
            }
            None => Err(Puback::NotTaken),
        };
        if let Err(puback) = outcome {
            self.tell(connection, Input::Delivered { device, id, attempt, puback });
        }
    }

    /// Lets the window see how a command stands.
    fn show(&mut self, connection: &ConnectionId, device: DeviceId, id: CommandId) {
        let Some(known) = self.connections.get_mut(connection) else { return };
        let Some(command) = known.ledger.command(&device, &id) else { return };
        let view = views::command(connection, command, known.ledger.deadline(&device, &id));
        known.fleet().command(&device, &view);
        self.feed.command((connection.clone(), device, id), view);
    }
}
