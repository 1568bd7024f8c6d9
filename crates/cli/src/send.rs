//! `wilco send`: sends a command to a device and waits for its answer. For more than one device it starts a rollout.

mod follow;
mod named;
mod progress;
mod step_printer;

use std::{path::Path, process::ExitCode, time::Duration};

use serde_json::json;
use wilco_engine::api::{
    Confirmed, ConnectionEntry, ConnectionView, NewCommand, NewRollout, RolloutCommand, RolloutTarget,
};

use crate::{
    away,
    base::Base,
    connections::ConnectionInput,
    input,
    interrupt::Interrupt,
    link,
    options::{ConfirmOptions, Listing, SendOptions, Timeout},
    output::visible_name,
    problem::Problem,
    rollouts, times,
};
use follow::Follow;
use step_printer::StepPrinter;

/// How a command to an offline device is delivered.
const HELD: &str = "Wilco holds commands for offline devices until they are online, for at most --ttl; dangerous \
     commands fail immediately. To change this, use --delivery now, broker or hold.";

/// The task, checked as far as possible without an engine.
struct Order {
    devices: Vec<String>,
    command: RolloutCommand,
    /// Its timeout is the suggested one.
    suggests: bool,
    /// How long the connection may be away before what is unsent is withdrawn.
    connect_timeout: Duration,
    note: Option<String>,
    confirm: ConfirmOptions,
    listing: Listing,
}

enum ConnectionSource {
    Stored(String),
    Unstored { url: String, described: Box<ConnectionInput> },
}

/// The command whose only argument is a text that is sent unchanged.
const FREE_TEXT: &str = "text";

/// Does it.
pub(crate) async fn run(options: SendOptions, data_dir: Option<&Path>) -> Result<ExitCode, Problem> {
    let (via, order) = Order::read(options)?;
    let mut base = match &via {
        ConnectionSource::Stored(_) => Base::open(data_dir).await?,
        ConnectionSource::Unstored { .. } => Base::passing().await?,
    };
    let outcome = match connection(via, &base).await {
        Ok(connection) => carry_out(order, connection, &mut base).await,
        Err(problem) => Err(problem),
    };
    base.close().await;
    outcome
}

async fn connection(via: ConnectionSource, base: &Base) -> Result<ConnectionView, Problem> {
    match via {
        ConnectionSource::Stored(name) => base.connection(&name).await,
        ConnectionSource::Unstored { url, described } => {
            let name = "unstored".to_owned();
            let entry = ConnectionEntry { name, url, without_keyring: true, ..ConnectionEntry::default() };
            let entry = described.over(base.console(), entry).await?;
            Ok(base.console().save_connection(entry).await?)
        }
    }
}

async fn carry_out(order: Order, connection: ConnectionView, base: &mut Base) -> Result<ExitCode, Problem> {
    let Order { devices, mut command, suggests, connect_timeout, note, confirm, listing } = order;
    if !named::has_other_dialects(&connection) {
        input::ids(&devices)?;
    }
    // Not before: a question for a passphrase is ended by the interrupt itself.
    let mut interrupt = Interrupt::listen()?;
    let mut batches = base.console().listen().await?;
    let ready = async {
        link::online(base.console(), &mut batches, &connection, connect_timeout).await?;
        let devices = named::devices(base, &connection, devices).await?;
        let away = away::of(base, &connection, &devices).await?;
        Ok::<_, Problem>((devices, away))
    };
    let (devices, away) = tokio::select! {
        ready = ready => ready?,
        () = interrupt.received() => return Err(Problem::Interrupted),
    };
    if suggests {
        let device = match devices.as_slice() {
            [device] => Some(device.clone()),
            _ => None,
        };
        command.timeout_ms = Some(times::suggested(base, &connection, device, &command.name).await?);
    }
    // A command without an expected answer needs no presence.
    if listing == Listing::Text && !command.no_answer {
        away::say(&away, HELD);
    }
    let [device] = devices.as_slice() else {
        let target = RolloutTarget::Devices { devices };
        let spec = NewRollout { connection: connection.id, target, command, note, ..NewRollout::default() };
        return rollouts::send(spec, &confirm, batches, base, &mut interrupt, listing).await;
    };
    let RolloutCommand { name, args, timeout_ms, ttl_ms, retries, delivery, no_answer } = command;
    let new = NewCommand {
        connection: connection.id.clone(),
        devices: devices.clone(),
        command: name,
        args,
        timeout_ms,
        ttl_ms,
        retries,
        delivery,
        no_answer,
        again_of: None,
        automatic: false,
        confirmed: Confirmed::No,
        note,
    };
    let check = base.console().check_command(new.clone()).await?;
    named::say_busy(&check.devices);
    if listing == Listing::Text {
        named::say(&check.devices);
    }
    let what = format!("{} to {}", new.command, visible_name(device));
    let confirmed = tokio::select! {
        confirmed = input::confirmation(check.confirmation, &connection.name, &what, &confirm) => confirmed?,
        () = interrupt.received() => return Err(Problem::Interrupted),
    };
    let new = NewCommand { confirmed, ..new };
    let id = base.console().send(new).await?.ids.into_iter().next().unwrap_or_default();
    let step_printer = StepPrinter::new(listing, device);
    Follow::new(base, connection.id, batches, (id, device.clone()), connect_timeout, step_printer)
        .run(&mut interrupt)
        .await
}

impl Order {
    fn read(options: SendOptions) -> Result<(ConnectionSource, Order), Problem> {
        let SendOptions { connection, url, broker, named, command, sending, text, note, confirm, output } = options;
        if broker.read_stdin() && named.devices_from.as_deref() == Some(Path::new("-")) {
            return Err(Problem::new(
                "Secrets and devices cannot both be read from standard input.",
                "Write the device list to a file.",
            ));
        }
        let connect_timeout = sending
            .timeout
            .and_then(Timeout::given)
            .map_or(link::CONNECT_TIMEOUT, |timeout| timeout.min(link::CONNECT_TIMEOUT));
        let suggests = sending.suggests();
        let command = match text {
            Some(text) => sending.command_with(FREE_TEXT.to_owned(), json!({ FREE_TEXT: text }).to_string()),
            None => sending.command(command.unwrap_or_default())?,
        };
        let devices = input::devices(&named)?;
        let via = match (connection, url) {
            (_, Some(url)) => ConnectionSource::Unstored { url, described: Box::new(ConnectionInput::read(broker)?) },
            (name, None) => ConnectionSource::Stored(name.unwrap_or_default()),
        };
        Ok((via, Order { devices, command, suggests, connect_timeout, note, confirm, listing: output }))
    }
}
