//! `wilco send`: asks devices for something and waits for what each of them says.

mod follow;
mod ladder;
mod teller;

use std::{path::Path, process::ExitCode, time::Duration};

use serde_json::{Map, Value};
use wilco_engine::api::{ConnectionEntry, ConnectionView, NewCommand};

use crate::{
    away,
    base::Base,
    connections::Described,
    input,
    interrupt::Interrupt,
    link,
    options::{Listing, SendOptions},
    problem::Problem,
};
use follow::Follow;
use teller::Teller;

/// What becomes of a command for a device that is away.
const HELD: &str =
    "Where the broker may hold the command, it is waited for until time to live and time-out have passed: --ttl.";

/// What is to be done, checked as far as it can be without an engine.
struct Order {
    devices: Vec<String>,
    command: String,
    args: Map<String, Value>,
    timeout: Option<Duration>,
    ttl: Option<Duration>,
    retries: Option<u32>,
    no_answer: bool,
    listing: Listing,
}

enum Via {
    Stored(String),
    Unstored { url: String, described: Box<Described> },
}

/// The command whose only argument is a text that is sent as it stands.
const FREE_TEXT: &str = "text";

/// Does it.
pub(crate) async fn run(options: SendOptions, data_dir: Option<&Path>) -> Result<ExitCode, Problem> {
    let (via, order) = Order::read(options)?;
    let mut base = match &via {
        Via::Stored(_) => Base::open(data_dir).await?,
        Via::Unstored { .. } => Base::passing().await?,
    };
    let outcome = match connection(via, &base).await {
        Ok(connection) => carry_out(order, connection, &mut base).await,
        Err(problem) => Err(problem),
    };
    base.close().await;
    outcome
}

async fn connection(via: Via, base: &Base) -> Result<ConnectionView, Problem> {
    match via {
        Via::Stored(name) => base.connection(&name).await,
        Via::Unstored { url, described } => {
            let name = "unstored".to_owned();
            let entry = ConnectionEntry { name, url, without_keyring: true, ..ConnectionEntry::default() };
            let entry = described.over(base.console(), entry).await?;
            Ok(base.console().save_connection(entry).await?)
        }
    }
}

async fn carry_out(order: Order, connection: ConnectionView, base: &mut Base) -> Result<ExitCode, Problem> {
    let Order { devices, command, args, timeout, ttl, retries, no_answer, listing } = order;
    // Not before: a question for a passphrase is ended by the interrupt itself.
    let mut interrupt = Interrupt::hear()?;
    let mut batches = base.console().listen().await?;
    let patience = timeout.map_or(link::PATIENCE, |timeout| timeout.min(link::PATIENCE));
    let ready = async {
        link::online(&mut batches, &connection, patience).await?;
        away::of(base, &connection, &devices).await
    };
    let away = tokio::select! {
        away = ready => away?,
        () = interrupt.heard() => return Err(Problem::Interrupted),
    };
    // Nobody waits for a device that is not to answer.
    if listing == Listing::Text && !no_answer {
        away::say(&away, HELD);
    }
    let new = NewCommand {
        connection: connection.id.clone(),
        devices: devices.clone(),
        command,
        args: Value::Object(args),
        timeout_ms: timeout.map(milliseconds),
        ttl_ms: ttl.map(milliseconds),
        retries,
        delivery: None,
        no_answer,
        again_of: None,
    };
    let sent = base.console().send(new).await?;
    let teller = Teller::new(listing, &devices);
    let commands = sent.ids.into_iter().zip(devices);
    Follow::new(base, connection.id, batches, commands, patience, teller).run(&mut interrupt).await
}

fn milliseconds(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

impl Order {
    fn read(options: SendOptions) -> Result<(Via, Order), Problem> {
        let SendOptions {
            connection,
            url,
            broker,
            device,
            devices_from,
            command,
            pairs,
            args,
            text,
            timeout,
            ttl,
            retries,
            no_answer,
            output,
        } = options;
        if broker.read_stdin() && devices_from.as_deref() == Some(Path::new("-")) {
            return Err(Problem::new(
                "Secrets and devices cannot both come from standard input.",
                "Write the devices to a file.",
            ));
        }
        let (command, args) = match text {
            Some(text) => (FREE_TEXT.to_owned(), Map::from_iter([(FREE_TEXT.to_owned(), Value::String(text))])),
            None => (command.unwrap_or_default(), input::arguments(args.as_deref(), &pairs)?),
        };
        let devices = input::devices(&device, devices_from.as_deref())?;
        let via = match (connection, url) {
            (_, Some(url)) => Via::Unstored { url, described: Box::new(Described::read(broker)?) },
            (name, None) => Via::Stored(name.unwrap_or_default()),
        };
        Ok((via, Order { devices, command, args, timeout, ttl, retries, no_answer, listing: output }))
    }
}
