//! The state of a connection, from the feed, and waiting until it is online.

use std::time::Duration;

use tokio::{
    sync::mpsc::Receiver,
    time::{Instant, sleep, timeout_at},
};
use wilco_engine::api::{Batch, Client, ConnectionView, DeviceQuery, Failure, LinkState};

use crate::{base::Base, interrupt::Interrupt, problem::Problem};

/// How long to wait for a connection: slightly longer than the engine waits for a CONNACK or a SUBACK, so that the
/// error names the missing one.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(12);

/// The retained statuses have come when nothing has changed for this long.
pub(crate) const STATUS_QUIET: Duration = Duration::from_millis(300);
/// How long to wait for the retained statuses at most, after the last new device or status.
pub(crate) const STATUS_WITHIN: Duration = Duration::from_secs(3);
/// How long to wait for the retained statuses of all devices at most.
const ALL_WITHIN: Duration = Duration::from_secs(60);

/// The state of a connection in a batch, if it contains one.
pub(crate) fn view_of<'a>(batch: &'a Batch, connection: &str) -> Option<&'a ConnectionView> {
    batch.connections.as_ref()?.iter().find(|view| view.id == connection)
}

/// Why nothing can go over a connection at the moment, if that is known.
pub(crate) fn trouble(view: &ConnectionView) -> Option<Problem> {
    match &view.link {
        LinkState::Waiting { message, hint, .. } | LinkState::Stopped { message, hint, .. } => {
            Some(Problem::Message { message: message.clone(), hint: hint.clone() })
        }
        LinkState::Loading | LinkState::Connecting | LinkState::Subscribing | LinkState::Online { .. } => None,
    }
}

/// Waits until commands can be sent; otherwise returns why not.
pub(crate) async fn online(
    console: &Client,
    batches: &mut Receiver<Batch>,
    connection: &ConnectionView,
    connect_timeout: Duration,
) -> Result<(), Problem> {
    let give_up = Instant::now() + connect_timeout;
    let mut why = None;
    let mut subscribes = false;
    while let Ok(batch) = timeout_at(give_up, batches.recv()).await {
        let Some(batch) = batch else {
            // The engine was another program's and has ended: the next one connects.
            *batches = console.listen().await?;
            continue;
        };
        let Some(view) = view_of(&batch, &connection.id) else { continue };
        subscribes = matches!(view.link, LinkState::Subscribing);
        match view.link {
            LinkState::Online { .. } => return Ok(()),
            LinkState::Stopped { .. } => {
                return Err(trouble(view).unwrap_or_else(|| silence(connection, connect_timeout)));
            }
            // It stays true while the next try is in progress.
            LinkState::Waiting { .. } => why = trouble(view),
            LinkState::Loading | LinkState::Connecting | LinkState::Subscribing => {}
        }
    }
    // The cause that the engine found in an earlier attempt comes first.
    Err(why.unwrap_or_else(|| {
        if subscribes { no_suback(connection, connect_timeout) } else { silence(connection, connect_timeout) }
    }))
}

/// Waits until the connection is online and its devices' presence is known. Later changes arrive in the batches.
pub(crate) async fn ready(
    connection: &str,
    base: &Base,
    interrupt: &mut Interrupt,
) -> Result<Receiver<Batch>, Problem> {
    let connection = base.connection(connection).await?;
    let mut batches = base.console().listen().await?;
    let ready = async {
        online(base.console(), &mut batches, &connection, CONNECT_TIMEOUT).await?;
        // How a command for a device that is away is delivered is decided when it is released.
        if base.is_own() {
            settled(base.console(), &connection.id, STATUS_QUIET, STATUS_WITHIN).await?;
        }
        Ok::<_, Problem>(())
    };
    tokio::select! {
        ready = ready => ready?,
        () = interrupt.received() => return Err(Problem::Interrupted),
    }
    Ok(batches)
}

/// Waits until the retained statuses have come: until the numbers of devices stay the same for that long. `at_most` begins
/// again with each new device and each new status, because those of a large fleet take their time, and a device that is missing
/// would be no member of a rollout.
pub(crate) async fn settled(
    console: &Client,
    connection: &str,
    quiet: Duration,
    at_most: Duration,
) -> Result<(), Failure> {
    let end = Instant::now() + ALL_WITHIN;
    let mut give_up = Instant::now() + at_most;
    let mut known = None;
    let mut arrived = 0;
    let mut since = Instant::now();
    loop {
        let numbers @ (total, online, offline) = numbers(console, connection).await?;
        if known != Some(numbers) {
            known = Some(numbers);
            // Devices that come and go change none of these sums.
            if total + online + offline > arrived {
                arrived = total + online + offline;
                give_up = end.min(Instant::now() + at_most);
            }
            since = Instant::now();
        }
        if since.elapsed() >= quiet || Instant::now() >= give_up {
            return Ok(());
        }
        sleep(quiet / 5).await;
    }
}

/// Devices known, online and offline.
async fn numbers(console: &Client, connection: &str) -> Result<(u32, u32, u32), Failure> {
    let matching = async |search: &str| {
        let query =
            DeviceQuery { connection: connection.to_owned(), search: search.to_owned(), ..DeviceQuery::default() };
        console.devices(query, 0, 1).await.map(|page| (page.total, page.matching))
    };
    let (total, online) = matching("is:online").await?;
    let (_, offline) = matching("is:offline").await?;
    Ok((total, online, offline))
}

fn silence(connection: &ConnectionView, connect_timeout: Duration) -> Problem {
    Problem::new(
        format!(
            "Could not connect to {} ({}) within {} s.",
            connection.name,
            connection.url,
            connect_timeout.as_secs_f64()
        ),
        "Check the address and the network. wilco connections test shows which step fails.",
    )
}

/// The connection is established, but not subscribed yet.
fn no_suback(connection: &ConnectionView, connect_timeout: Duration) -> Problem {
    Problem::new(
        format!(
            "The broker of {} ({}) accepted the connection, but did not answer SUBSCRIBE with a SUBACK within {} s.",
            connection.name,
            connection.url,
            connect_timeout.as_secs_f64()
        ),
        "An overloaded broker or an authorization plugin may cause the delay; check the broker's log.",
    )
}
