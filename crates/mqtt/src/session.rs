//! One session with one broker, over any number of network connections.

use std::{collections::BTreeSet, io, pin::pin, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot},
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};
use wilco_dialect::Filter;
use wilco_ledger::Puback;

use super::{
    ConnackProperties, Message, MqttSender, PACKET_LIMIT, Publication, ServerReason, Settings, Wire, sender::Client,
    v4, v5,
};
use crate::{
    refusal::{Cause, Refusal, Remedy},
    transport::{self, ByteRecorder, EstablishedStream, Stream},
};
use wilco_connection::MqttVersion;

/// The buffer for unread messages of a session, KiB. Beyond that nothing more is read from the broker.
const ROOM: u32 = 32 * 1_024;

/// An event of a session.
pub enum LinkEvent {
    /// Wilco is connecting.
    Connecting,
    /// CONNACK was received; Wilco is subscribing.
    Connected,
    /// The subscriptions are acknowledged: publishing may begin.
    Ready {
        /// The way out.
        sender: MqttSender,
        /// The broker had kept our session.
        resumed: bool,
        /// Subscriptions that were wished for and refused.
        refused: Vec<Filter>,
        /// The Receive Maximum of its CONNACK, where that has one.
        receive_maximum: Option<u16>,
    },
    /// A publish was written.
    Written(Publication),
    /// The broker has acknowledged a publish, this long after it was written.
    Delivered(Publication, Puback, Duration),
    /// A message, which its receiver must acknowledge.
    Message(MqttSender, Message),
    /// The connection has ended, and these publishes were certainly not sent.
    Unsent(Vec<Publication>),
    /// The connection was lost, or not established.
    Lost {
        /// Why.
        refusal: Refusal,
        /// When it is tried again; `None` where that makes no sense before something changes.
        retry_in: Option<Duration>,
    },
}

/// A session that runs until it is closed.
pub struct Session {
    task: JoinHandle<()>,
    close: Option<oneshot::Sender<()>>,
}

impl Session {
    /// Starts a session that sends its events through `tell`, wrapped with `wrap`.
    pub fn start<E, W>(settings: Settings, tell: mpsc::Sender<E>, wrap: W) -> Session
    where
        E: Send + 'static,
        W: Fn(LinkEvent) -> E + Send + Sync + 'static,
    {
        let (close, closed) = oneshot::channel();
        let task = tokio::spawn(async move {
            let tell = EventSender { tell, wrap, room: Arc::new(Semaphore::new(ROOM as usize)) };
            run(settings, tell, closed).await;
        });
        Session { task, close: Some(close) }
    }

    /// Disconnects from the broker and ends.
    pub async fn close(mut self) {
        if let Some(close) = self.close.take() {
            let _ = close.send(());
        }
        if timeout(Duration::from_secs(3), &mut self.task).await.is_err() {
            self.task.abort();
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn run<E, W: Fn(LinkEvent) -> E>(settings: Settings, tell: EventSender<E, W>, mut closed: oneshot::Receiver<()>) {
    let mut back_off = BackOff::default();
    let mut wishes = Subscriptions::default();
    loop {
        tell.that(LinkEvent::Connecting).await;
        let since = now();
        let refusal = live(&settings, &tell, &mut wishes, &mut closed).await;
        let Some(refusal) = refusal.map(|refusal| settings.located(refusal)) else { return };
        if now() - since > Duration::from_secs(30) {
            back_off = BackOff::default();
        }
        let retry_in = (refusal.remedy == Remedy::TryAgain).then(|| back_off.next());
        tell.that(LinkEvent::Lost { refusal, retry_in }).await;
        tokio::select! {
            () = wait(retry_in) => {}
            _ = &mut closed => return,
        }
    }
}

/// One network connection from its beginning to its end. `None` when it was closed by us.
async fn live<E, W: Fn(LinkEvent) -> E>(
    settings: &Settings,
    tell: &EventSender<E, W>,
    wishes: &mut Subscriptions,
    closed: &mut oneshot::Receiver<()>,
) -> Option<Refusal> {
    let connected = tokio::select! {
        connected = dial_and_connect(settings) => connected,
        _ = &mut *closed => return None,
    };
    let Connected { sender, mut receiver, connack_properties } = match connected {
        Ok(connected) => connected,
        Err(refusal) => return Some(refusal),
    };
    tell.that(LinkEvent::Connected).await;

    let received = receiver.received.clone();
    let mut pump = pin!(async {
        loop {
            match receiver.next(&sender).await {
                Ok(Wire::Message(mut message)) => {
                    message.room = tell.room_for(&message).await;
                    tell.that(LinkEvent::Message(sender.clone(), message)).await;
                }
                Ok(Wire::Written { packet }) => {
                    if let Some(publication) = sender.written(packet) {
                        tell.that(LinkEvent::Written(publication)).await;
                    }
                }
                Ok(Wire::Acknowledged { packet, puback, .. }) => {
                    if let Some((publication, took)) = sender.acknowledged(packet) {
                        tell.that(LinkEvent::Delivered(publication, puback, took)).await;
                    }
                }
                Ok(Wire::Other) => {}
                Err(refusal) => return refusal,
            }
        }
    });

    let refused = tokio::select! {
        refusal = &mut pump => {
            wishes.hung_up(&refusal);
            return Some(refusal);
        }
        subscribed = wishes.subscribe(&sender, &settings.filters) => match subscribed {
            Ok(refused) => refused,
            Err(refusal) => {
                wishes.hung_up(&refusal);
                return Some(refusal);
            }
        },
        _ = &mut *closed => return None,
    };
    let ConnackProperties { session_present: resumed, receive_maximum, .. } = connack_properties;
    tell.that(LinkEvent::Ready { sender: sender.clone(), resumed, refused, receive_maximum }).await;

    tokio::select! {
        refusal = &mut pump => {
            tell.that(LinkEvent::Unsent(sender.take_unsent())).await;
            return Some(refusal.at_the_end(&received));
        }
        _ = &mut *closed => {}
    }
    sender.disconnect(Duration::from_secs(2), pump).await;
    None
}

/// Optional filters. Some brokers (AWS IoT) end the connection when a subscription is not allowed; the filter at which
/// they did is requested alone the next time, and then no more.
#[derive(Default)]
struct Subscriptions {
    asking: Vec<Filter>,
    /// Asked for one by one, because one of these made the broker hang up.
    suspects: BTreeSet<String>,
    given_up: BTreeSet<String>,
}

impl Subscriptions {
    /// Subscribes to required filters in one packet and to optional ones in others (AWS: at most 8 filters each), and
    /// returns the refused optional ones.
    async fn subscribe(&mut self, sender: &MqttSender, filters: &[Filter]) -> Result<Vec<Filter>, Refusal> {
        let (required, wished): (Vec<_>, Vec<_>) = filters.iter().cloned().partition(|filter| filter.required);
        for some in required.chunks(8) {
            if let Some((filter, denial)) = sender.subscribe(some).await?.refused.into_iter().next() {
                return Err(Refusal::subscription(&filter.filter, &denial));
            }
        }
        let (mut refused, wished): (Vec<_>, Vec<_>) =
            wished.into_iter().partition(|filter| self.given_up.contains(&filter.filter));
        let (suspects, others): (Vec<_>, Vec<_>) =
            wished.into_iter().partition(|filter| self.suspects.contains(&filter.filter));
        for some in others.chunks(8).chain(suspects.chunks(1)) {
            self.asking = some.to_vec();
            refused.extend(sender.subscribe(some).await?.refused.into_iter().map(|(filter, _)| filter));
        }
        self.asking.clear();
        Ok(refused)
    }

    /// The connection ended while subscribing.
    fn hung_up(&mut self, refusal: &Refusal) {
        let asking = std::mem::take(&mut self.asking);
        if refusal.cause != Cause::Closed {
            return;
        }
        match &asking[..] {
            [alone] if self.suspects.contains(&alone.filter) => {
                self.given_up.insert(alone.filter.clone());
            }
            several => self.suspects.extend(several.iter().map(|filter| filter.filter.clone())),
        }
    }
}

/// A connection that the broker has let in.
pub(crate) struct Connected {
    pub(crate) sender: MqttSender,
    pub(crate) receiver: MqttReceiver,
    pub(crate) connack_properties: ConnackProperties,
}

async fn dial_and_connect(settings: &Settings) -> Result<Connected, Refusal> {
    let dialled = transport::dial(&settings.route, &mut |_| {}).await.map_err(|failed| failed.refusal)?;
    connect(settings, dialled).await
}

/// Sends CONNECT over an established network connection.
pub(crate) async fn connect(settings: &Settings, dialled: EstablishedStream) -> Result<Connected, Refusal> {
    let EstablishedStream { stream, received, written_publishes, .. } = dialled;
    let handover = StreamSlot(Arc::new(Mutex::new(Some(stream))));
    let attempt = async {
        match settings.version {
            MqttVersion::V5 => {
                let (client, events, connack_properties) = v5::connect(settings, handover).await?;
                Ok::<_, Refusal>((Client::V5(client), Events::V5(Box::new(events)), connack_properties))
            }
            MqttVersion::V311 => {
                let (client, events, connack_properties) = v4::connect(settings, handover).await?;
                Ok((Client::V4(client), Events::V4(Box::new(events)), connack_properties))
            }
        }
    };
    let attempt = timeout(super::CONNECT_TIMEOUT + Duration::from_secs(2), attempt);
    let outcome = tokio::select! {
        outcome = attempt => outcome.unwrap_or_else(|_| Err(Refusal::no_connack())),
        () = answered_in_311(&received), if settings.version == MqttVersion::V5 => Err(Refusal::no_connack()),
    };
    let (client, events, connack_properties) =
        outcome.map_err(|refusal| settings.located(refusal.at_connect(&received, settings.version)))?;
    if connack_properties.qos_0_only {
        return Err(Refusal::qos_0_only());
    }
    let limit = connack_properties.max_packet_size.unwrap_or(PACKET_LIMIT).min(PACKET_LIMIT);
    let sender = MqttSender::new(client, limit, connack_properties.no_wildcards, settings.publishes, written_publishes);
    Ok(Connected { sender, receiver: MqttReceiver { events, received }, connack_properties })
}

/// Ends once a CONNACK of MQTT 3.1.1 has come, which the library takes for the beginning of a longer one.
async fn answered_in_311(received: &ByteRecorder) {
    while !ServerReason::connack(&received.first()).is_some_and(|connack| connack.is_311) {
        sleep(Duration::from_millis(50)).await;
    }
}

impl Settings {
    fn located(&self, refusal: Refusal) -> Refusal {
        refusal.at(&self.route.address.host, self.route.address.port)
    }
}

/// An established network connection, for the library to take. Once: after its end a new one is made.
#[derive(Clone)]
pub(super) struct StreamSlot(Arc<Mutex<Option<Box<dyn Stream>>>>);

impl StreamSlot {
    pub(super) fn take(&self) -> io::Result<Box<dyn Stream>> {
        let taken = self.0.lock().take();
        taken.ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

/// The way in of one network connection.
pub(crate) struct MqttReceiver {
    events: Events,
    received: ByteRecorder,
}

enum Events {
    V5(Box<rumqttc_v5::EventLoop>),
    V4(Box<rumqttc_v4::EventLoop>),
}

impl MqttReceiver {
    /// The next packet or event.
    pub(crate) async fn next(&mut self, sender: &MqttSender) -> Result<Wire, Refusal> {
        match (&mut self.events, sender.client()) {
            (Events::V5(events), Client::V5(client)) => {
                v5::next(client, events).await.map_err(|refusal| refusal.with_last_packet(&self.received))
            }
            (Events::V4(events), Client::V4(client)) => v4::next(client, events).await,
            _ => Err(Refusal::gone()),
        }
    }
}

struct EventSender<E, W> {
    tell: mpsc::Sender<E>,
    wrap: W,
    /// See [`ROOM`].
    room: Arc<Semaphore>,
}

impl<E, W: Fn(LinkEvent) -> E> EventSender<E, W> {
    /// Waits until there is space for a message. A single message always fits.
    async fn room_for(&self, message: &Message) -> Option<OwnedSemaphorePermit> {
        let size = u32::try_from(message.payload.len() / 1_024).unwrap_or(u32::MAX).saturating_add(1).min(ROOM);
        Arc::clone(&self.room).acquire_many_owned(size).await.ok()
    }

    async fn that(&self, event: LinkEvent) {
        // The receiver is dropped only when the engine stops.
        let _ = self.tell.send((self.wrap)(event)).await;
    }
}

/// Pauses between tries: doubling from half a second to a minute, each with a jitter of a quarter so that a thousand
/// consoles do not come back in the same instant.
#[derive(Default)]
struct BackOff {
    tries: u32,
}

impl BackOff {
    fn next(&mut self) -> Duration {
        let base = 500_u64.saturating_mul(1 << self.tries.min(7)).min(60_000);
        self.tries += 1;
        let random = uuid::Uuid::new_v4().as_u128() as u64;
        Duration::from_millis(base - base / 8 + random % (base / 4).max(1))
    }
}

async fn wait(pause: Option<Duration>) {
    match pause {
        Some(pause) => sleep(pause).await,
        None => std::future::pending().await,
    }
}

fn now() -> Instant {
    Instant::now()
}
