//! A connection of a preflight: makes one request at a time, and detects its end at any time.

use std::{pin::pin, time::Duration};

use tokio::{sync::mpsc, task::JoinHandle, time::Instant};
use wilco_dialect::{Filter, Outbound};
use wilco_ledger::{CommandId, DeviceId, Puback};

use crate::{
    ConnackProperties, Connected, MqttSender, Publication, Settings, Subscribed, Wire,
    refusal::{Cause, Refusal},
    transport::{self, EstablishedStream},
};

/// The longest wait for a PUBACK.
const ACKNOWLEDGED_WITHIN: Duration = Duration::from_secs(10);

pub(super) struct ProbeConnection {
    sender: MqttSender,
    wire: mpsc::Receiver<Result<Wire, Refusal>>,
    pump: JoinHandle<()>,
    /// Why it has ended, once it has.
    ended: Option<Refusal>,
    /// Messages that came while something else was waited for, with the time they came.
    received: Vec<(crate::Message, Instant)>,
    located: (String, u16),
}

impl ProbeConnection {
    /// Sends CONNECT over an established network connection.
    pub(super) async fn over(
        settings: &Settings,
        dialled: EstablishedStream,
    ) -> Result<(ProbeConnection, ConnackProperties), Refusal> {
        let Connected { sender, mut receiver, connack_properties } = crate::connect(settings, dialled).await?;
        let (tell, wire) = mpsc::channel(1_000);
        let own = sender.clone();
        let pump = tokio::spawn(async move {
            loop {
                let next = receiver.next(&own).await;
                let over = next.is_err();
                if tell.send(next).await.is_err() || over {
                    break;
                }
            }
        });
        let address = &settings.route.address;
        let located = (address.host.clone(), address.port);
        Ok((ProbeConnection { sender, wire, pump, ended: None, received: Vec::new(), located }, connack_properties))
    }

    /// All the way again.
    pub(super) async fn open(settings: &Settings) -> Result<ProbeConnection, Refusal> {
        let dialled = transport::dial(&settings.route, &mut |_| {}).await.map_err(|failed| failed.refusal)?;
        ProbeConnection::over(settings, dialled).await.map(|(line, _)| line)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.ended.is_some()
    }

    /// Waits that long, or returns an error if the connection ends meanwhile.
    pub(super) async fn settle(&mut self, span: Duration) -> Result<(), Refusal> {
        let until = Instant::now() + span;
        while Instant::now() < until {
            self.next(until).await?;
        }
        Ok(())
    }

    /// The result of a subscription.
    pub(super) async fn subscribe(&mut self, filter: &Filter) -> Result<Subscribed, Refusal> {
        let sender = self.sender.clone();
        let asked = [filter.clone()];
        let mut answer = pin!(sender.subscribe(&asked));
        loop {
            tokio::select! {
                biased;
                answer = &mut answer => return match answer {
                    // The library only says that nothing will come; the wire says why.
                    Err(refusal) if refusal.cause == Cause::Closed => Err(self.end().await.unwrap_or(refusal)),
                    answer => answer,
                },
                next = self.wire.recv() => self.take(next)?,
            }
        }
    }

    /// The broker's response to a publish, with its own reason.
    pub(super) async fn publish(&mut self, outbound: Outbound) -> Result<(Puback, Option<String>), Refusal> {
        let name = "wilco-preflight";
        let publication = match (DeviceId::new(name), CommandId::new(name)) {
            (Ok(device), Ok(id)) => Publication { device, id, attempt: 1 },
            _ => return Err(Refusal::gone()),
        };
        if let Err(puback) = self.sender.publish(publication, outbound) {
            return match self.end().await {
                Some(refusal) => Err(refusal),
                None => Ok((puback, None)),
            };
        }
        let deadline = Instant::now() + ACKNOWLEDGED_WITHIN;
        loop {
            match self.next(deadline).await? {
                Some(Wire::Written { packet }) => {
                    self.sender.written(packet);
                }
                Some(Wire::Acknowledged { packet, puback, reason_string })
                    if self.sender.acknowledged(packet).is_some() =>
                {
                    return Ok((puback, reason_string));
                }
                Some(_) => {}
                None => return Err(Refusal::no_puback(ACKNOWLEDGED_WITHIN.as_secs())),
            }
        }
    }

    /// When a message on this topic with this text arrived, if it did in time.
    pub(super) async fn back(
        &mut self,
        topic: &str,
        words: &str,
        within: Duration,
    ) -> Result<Option<Instant>, Refusal> {
        let deadline = Instant::now() + within;
        let is_back = |message: &crate::Message| {
            message.topic == topic && message.payload.windows(words.len()).any(|window| window == words.as_bytes())
        };
        loop {
            if let Some((_, at)) = self.received.iter().find(|(message, _)| is_back(message)) {
                return Ok(Some(*at));
            }
            if self.next(deadline).await?.is_none() {
                return Ok(None);
            }
        }
    }

    pub(super) fn forget_received(&mut self) {
        self.received.clear();
    }

    /// Says good-bye.
    pub(super) async fn close(mut self) {
        self.sender.disconnect(Duration::from_secs(1), &mut self.pump).await;
    }

    /// The next packet; `None` after the timeout.
    async fn next(&mut self, deadline: Instant) -> Result<Option<Wire>, Refusal> {
        let next = match tokio::time::timeout_at(deadline, self.wire.recv()).await {
            Ok(next) => next,
            Err(_) => return Ok(None),
        };
        match next {
            Some(Ok(Wire::Message(message))) => {
                self.keep(message);
                Ok(Some(Wire::Other))
            }
            Some(Ok(wire)) => Ok(Some(wire)),
            ended => self.take(ended).map(|()| None),
        }
    }

    /// Records packets that arrive while another one is expected.
    fn take(&mut self, next: Option<Result<Wire, Refusal>>) -> Result<(), Refusal> {
        match next {
            Some(Ok(Wire::Message(message))) => {
                self.keep(message);
                Ok(())
            }
            Some(Ok(_)) => Ok(()),
            Some(Err(refusal)) => Err(self.note_end(refusal)),
            None => Err(self.ended.clone().unwrap_or_else(Refusal::gone)),
        }
    }

    fn keep(&mut self, mut message: crate::Message) {
        if let Some(receipt) = message.receipt.take() {
            self.sender.acknowledge(receipt);
        }
        self.received.push((message, Instant::now()));
    }

    /// The reason why the connection ended, which the library may have detected first.
    async fn end(&mut self) -> Option<Refusal> {
        let limit = Instant::now() + Duration::from_millis(500);
        while self.ended.is_none() {
            match tokio::time::timeout_at(limit, self.wire.recv()).await {
                Ok(Some(Err(refusal))) => return Some(self.note_end(refusal)),
                Ok(Some(Ok(_))) => {}
                Ok(None) | Err(_) => break,
            }
        }
        self.ended.clone()
    }

    fn note_end(&mut self, refusal: Refusal) -> Refusal {
        let refusal = refusal.at(&self.located.0, self.located.1);
        self.ended = Some(refusal.clone());
        refusal
    }
}

impl Drop for ProbeConnection {
    fn drop(&mut self) {
        self.pump.abort();
    }
}
