//! One session with one broker, over as many network connections as it takes.

use std::{pin::pin, time::Duration};

use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};
use wilco_dialect::Filter;
use wilco_ledger::Puback;

use super::{
    Message, Outlet, PACKET_LIMIT, Publication, Refusal, Remedy, Settings, Welcome, Wire, outlet::Client, v4, v5,
};
use crate::api::{MqttVersion, Probe};

/// What a session has to tell.
pub(crate) enum LinkEvent {
    /// It tries to connect.
    Connecting,
    /// CONNACK: now it subscribes.
    Connected,
    /// The subscriptions stand: publishing may begin.
    Ready {
        outlet: Outlet,
        /// The broker had kept our session.
        resumed: bool,
        /// Subscriptions that were wished for and refused.
        refused: Vec<Filter>,
    },
    /// A publish was written to the wire.
    Written(Publication),
    /// The broker has acknowledged a publish, so long after it was written.
    Delivered(Publication, Puback, Duration),
    /// A message, which the one who keeps it acknowledges.
    Message(Outlet, Message),
    /// The connection is gone, or never came about.
    Lost {
        refusal: Refusal,
        /// When it is tried again; `None` where that makes no sense before something changes.
        retry_in: Option<Duration>,
    },
}

/// A session that runs until it is closed.
pub(crate) struct Session {
    task: JoinHandle<()>,
    close: Option<oneshot::Sender<()>>,
}

impl Session {
    /// Starts a session that tells what happens through `tell`, stamped with `wrap`.
    pub(crate) fn start<E, W>(settings: Settings, tell: mpsc::Sender<E>, wrap: W) -> Session
    where
        E: Send + 'static,
        W: Fn(LinkEvent) -> E + Send + Sync + 'static,
    {
        let (close, closed) = oneshot::channel();
        let task = tokio::spawn(async move {
            let tell = Tell { tell, wrap };
            run(settings, tell, closed).await;
        });
        Session { task, close: Some(close) }
    }

    /// Says good-bye to the broker and ends.
    pub(crate) async fn close(mut self) {
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

/// Connects and subscribes once, and says how that went.
pub(crate) async fn probe(settings: &Settings) -> Probe {
    let started = now();
    let took = || (now() - started).as_secs_f64() * 1_000.0;
    let attempt = async {
        let (outlet, mut inlet, _) = connect(settings).await?;
        let mut pump = pin!(async {
            loop {
                if let Err(refusal) = inlet.next(&outlet).await {
                    return refusal;
                }
            }
        });
        let refused = tokio::select! {
            refusal = &mut pump => return Err(refusal),
            refused = subscribe(&outlet, &settings.filters) => refused?,
        };
        tokio::select! {
            _ = &mut pump => {}
            () = async { outlet.disconnect().await; sleep(Duration::from_millis(300)).await } => {}
        }
        Ok(refused)
    };
    match timeout(Duration::from_secs(20), attempt).await {
        Ok(Ok(refused)) => {
            let filters: Vec<_> = refused.iter().map(|filter| filter.filter.as_str()).collect();
            let hint = (!filters.is_empty()).then(|| {
                format!(
                    "The broker does not let Wilco hear {}. Commands work; what comes there is not shown.",
                    filters.join(", ")
                )
            });
            Probe {
                ok: true,
                message: "Connected, and the broker lets Wilco hear the answers.".into(),
                hint,
                took_ms: took(),
            }
        }
        Ok(Err(refusal)) => {
            let refusal = refusal.at(&settings.host, settings.port);
            Probe { ok: false, message: refusal.message, hint: refusal.hint, took_ms: took() }
        }
        Err(_) => Probe {
            ok: false,
            message: "The broker took the connection and then said nothing for 20 s.".into(),
            hint: Some("Is it an MQTT broker that listens on this port?".into()),
            took_ms: took(),
        },
    }
}

async fn run<E, W: Fn(LinkEvent) -> E>(settings: Settings, tell: Tell<E, W>, mut closed: oneshot::Receiver<()>) {
    let mut back_off = BackOff::default();
    loop {
        tell.that(LinkEvent::Connecting).await;
        let since = now();
        let refusal = live(&settings, &tell, &mut closed).await;
        let Some(refusal) = refusal.map(|refusal| refusal.at(&settings.host, settings.port)) else { return };
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
    tell: &Tell<E, W>,
    closed: &mut oneshot::Receiver<()>,
) -> Option<Refusal> {
    let connected = tokio::select! {
        connected = connect(settings) => connected,
        _ = &mut *closed => return None,
    };
    let (outlet, mut inlet, welcome) = match connected {
        Ok(connected) => connected,
        Err(refusal) => return Some(refusal),
    };
    tell.that(LinkEvent::Connected).await;

    let mut pump = pin!(async {
        loop {
            match inlet.next(&outlet).await {
                Ok(Wire::Message(message)) => tell.that(LinkEvent::Message(outlet.clone(), message)).await,
                Ok(Wire::Written { packet }) => {
                    if let Some(publication) = outlet.written(packet) {
                        tell.that(LinkEvent::Written(publication)).await;
                    }
                }
                Ok(Wire::Acknowledged { packet, puback }) => {
                    if let Some((publication, took)) = outlet.acknowledged(packet) {
                        tell.that(LinkEvent::Delivered(publication, puback, took)).await;
                    }
                }
                Ok(Wire::Other) => {}
                Err(refusal) => return refusal,
            }
        }
    });

    let refused = tokio::select! {
        refusal = &mut pump => return Some(refusal),
        subscribed = subscribe(&outlet, &settings.filters) => match subscribed {
            Ok(refused) => refused,
            Err(refusal) => return Some(refusal),
        },
        _ = &mut *closed => return None,
    };
    tell.that(LinkEvent::Ready { outlet: outlet.clone(), resumed: welcome.session_present, refused }).await;

    tokio::select! {
        refusal = &mut pump => return Some(refusal),
        _ = &mut *closed => {}
    }
    outlet.disconnect().await;
    let _ = timeout(Duration::from_secs(2), pump).await;
    None
}

/// Subscribes what is required in one packet and what is wished for in others (AWS: at most 8 filters each), and says
/// which wishes were refused.
async fn subscribe(outlet: &Outlet, filters: &[Filter]) -> Result<Vec<Filter>, Refusal> {
    let (required, wished): (Vec<_>, Vec<_>) = filters.iter().cloned().partition(|filter| filter.required);
    for some in required.chunks(8) {
        if let Some((filter, reason)) = outlet.subscribe(some).await?.into_iter().next() {
            return Err(Refusal::subscription(&filter.filter, &reason));
        }
    }
    let mut refused = Vec::new();
    for some in wished.chunks(8) {
        refused.extend(outlet.subscribe(some).await?.into_iter().map(|(filter, _)| filter));
    }
    Ok(refused)
}

async fn connect(settings: &Settings) -> Result<(Outlet, Inlet, Welcome), Refusal> {
    let attempt = async {
        match settings.version {
            MqttVersion::V5 => {
                let (client, events, welcome) = v5::connect(settings).await?;
                Ok::<_, Refusal>((Client::V5(client), Inlet::V5(Box::new(events)), welcome))
            }
            MqttVersion::V311 => {
                let (client, events, welcome) = v4::connect(settings).await?;
                Ok((Client::V4(client), Inlet::V4(Box::new(events)), welcome))
            }
        }
    };
    let (client, inlet, welcome) = match timeout(super::CONNECT_TIMEOUT + Duration::from_secs(2), attempt).await {
        Ok(connected) => connected?,
        Err(_) => return Err(Refusal::silence(&settings.host, settings.port)),
    };
    let limit = welcome.max_packet_size.unwrap_or(PACKET_LIMIT).min(PACKET_LIMIT);
    Ok((Outlet::new(client, limit), inlet, welcome))
}

/// The way in of one network connection.
enum Inlet {
    V5(Box<rumqttc_v5::EventLoop>),
    V4(Box<rumqttc_v4::EventLoop>),
}

impl Inlet {
    async fn next(&mut self, outlet: &Outlet) -> Result<Wire, Refusal> {
        match (self, outlet.client()) {
            (Inlet::V5(events), Client::V5(client)) => v5::next(client, events).await,
            (Inlet::V4(events), Client::V4(client)) => v4::next(client, events).await,
            _ => Err(Refusal::gone()),
        }
    }
}

struct Tell<E, W> {
    tell: mpsc::Sender<E>,
    wrap: W,
}

impl<E, W: Fn(LinkEvent) -> E> Tell<E, W> {
    async fn that(&self, event: LinkEvent) {
        // Nobody listens any more only when the engine is on its way out.
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
