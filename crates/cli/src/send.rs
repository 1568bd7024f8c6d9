//! `wilco send`: asks devices for something and waits for what each of them says.

mod follow;
mod ladder;
mod teller;

use std::{path::Path, process::ExitCode, time::Duration};

use serde_json::{Map, Value};
use wilco_engine::api::{ConnectionView, NewCommand, NewConnection};

use crate::{
    base::Base,
    connections::new_connection,
    input,
    interrupt::Interrupt,
    link,
    options::{Listing, SendOptions},
    problem::Problem,
};
use follow::Follow;
use teller::Teller;

/// Retained statuses come at once; a command that must not wait for an offline device waits for them.
const STATUS_QUIET: Duration = Duration::from_millis(250);
const STATUS_WITHIN: Duration = Duration::from_secs(3);

/// What is to be done, checked as far as it can be without an engine.
struct Order {
    via: Via,
    devices: Vec<String>,
    command: String,
    args: Map<String, Value>,
    timeout: Option<Duration>,
    ttl: Option<Duration>,
    retries: Option<u32>,
    listing: Listing,
}

enum Via {
    Stored(String),
    Unstored(Box<NewConnection>),
}

/// Does it.
pub(crate) async fn run(options: SendOptions, data_dir: Option<&Path>) -> Result<ExitCode, Problem> {
    let order = Order::read(options)?;
    let mut interrupt = Interrupt::hear()?;
    let mut base = match &order.via {
        Via::Stored(_) => Base::open(data_dir).await?,
        Via::Unstored(_) => Base::passing().await?,
    };
    let outcome = carry_out(order, &mut base, &mut interrupt).await;
    base.close().await;
    outcome
}

async fn carry_out(order: Order, base: &mut Base, interrupt: &mut Interrupt) -> Result<ExitCode, Problem> {
    let Order { via, devices, command, args, timeout, ttl, retries, listing } = order;
    let connection = match via {
        Via::Stored(name) => base.connection(&name).await?,
        Via::Unstored(new) => base.console().add_connection(*new).await?,
    };
    let mut batches = base.console().listen().await?;
    let patience = timeout.map_or(link::PATIENCE, |timeout| timeout.min(link::PATIENCE));
    let ready = async {
        link::online(&mut batches, &connection, patience).await?;
        presence(base, &connection, &command).await
    };
    tokio::select! {
        ready = ready => ready?,
        () = interrupt.heard() => return Err(Problem::Interrupted),
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
        again_of: None,
    };
    let sent = base.console().send(new).await?;
    let teller = Teller::new(listing, &devices);
    let commands = sent.ids.into_iter().zip(devices);
    Follow::new(base, connection.id, batches, commands, patience, teller).run(interrupt).await
}

/// A command that interrupts a device goes out now or never, so first it must be known who is there.
async fn presence(base: &Base, connection: &ConnectionView, command: &str) -> Result<(), Problem> {
    let now_or_never = wilco_dialect::command(command).is_some_and(|kind| kind.dangerous);
    if base.is_own() && now_or_never {
        link::settled(base.console(), &connection.id, STATUS_QUIET, STATUS_WITHIN).await?;
    }
    Ok(())
}

fn milliseconds(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

impl Order {
    fn read(options: SendOptions) -> Result<Order, Problem> {
        let SendOptions {
            connection,
            url,
            entry,
            device,
            devices_from,
            command,
            pairs,
            args,
            timeout,
            ttl,
            retries,
            output,
        } = options;
        if entry.password_stdin && devices_from.as_deref() == Some(Path::new("-")) {
            return Err(Problem::new(
                "Password and devices cannot both come from standard input.",
                "Write the devices to a file.",
            ));
        }
        let args = input::arguments(args.as_deref(), &pairs)?;
        let devices = input::devices(&device, devices_from.as_deref())?;
        let via = match (connection, url) {
            (_, Some(url)) => {
                let new = new_connection("unstored".to_owned(), url, entry)?;
                Via::Unstored(Box::new(NewConnection { without_keyring: true, ..new }))
            }
            (name, None) => Via::Stored(name.unwrap_or_default()),
        };
        Ok(Order { via, devices, command, args, timeout, ttl, retries, listing: output })
    }
}
