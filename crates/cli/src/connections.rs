//! `wilco connections`: add, list, test and remove.

use std::{
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use wilco_engine::api::{ConnectionView, Failure, FailureCode, LinkState, NewConnection, TlsFiles};

use crate::{
    base::Base,
    input,
    options::{BrokerOptions, ConnectionTask, EntryOptions, Listing},
    output::{Output, Table, clean, count, local_time},
    problem::Problem,
};

/// Does it.
pub(crate) async fn run(task: ConnectionTask, data_dir: Option<&Path>) -> Result<ExitCode, Problem> {
    match task {
        ConnectionTask::Add { name, broker: BrokerOptions { url, entry } } => {
            let new = new_connection(name, url, entry)?;
            with_base(data_dir, async |base| add(base, new).await).await
        }
        ConnectionTask::List { output } => with_base(data_dir, async |base| list(base, output).await).await,
        ConnectionTask::Test { name } => with_base(data_dir, async |base| test(base, &name).await).await,
        ConnectionTask::Remove { name, yes } => with_base(data_dir, async |base| remove(base, &name, yes).await).await,
    }
}

/// A connection as it was described, with its password asked for.
pub(crate) fn new_connection(name: String, url: String, entry: EntryOptions) -> Result<NewConnection, Problem> {
    let EntryOptions { ca, cert, key, mqtt, client_id, username, password_stdin, dialect, prefix } = entry;
    let password = input::password(username.as_deref(), password_stdin)?;
    let files = TlsFiles { ca: absolute(ca)?, certificate: absolute(cert)?, key: absolute(key)? };
    Ok(NewConnection {
        name,
        url,
        mqtt: mqtt.into(),
        client_id,
        username,
        password,
        dialect,
        prefix,
        files,
        without_keyring: false,
    })
}

/// A running Wilco that is asked to read it may have another working directory.
fn absolute(path: Option<PathBuf>) -> Result<Option<PathBuf>, Problem> {
    Ok(path.map(std::path::absolute).transpose()?)
}

async fn with_base<T>(
    data_dir: Option<&Path>,
    task: impl AsyncFnOnce(&Base) -> Result<T, Problem>,
) -> Result<T, Problem> {
    let base = Base::open(data_dir).await?;
    let outcome = task(&base).await;
    base.close().await;
    outcome
}

async fn add(base: &Base, new: NewConnection) -> Result<ExitCode, Problem> {
    let added = base.console().add_connection(new).await.map_err(without_keyring)?;
    let mut output = Output::text();
    output.line(&format!("Added {} ({}).", clean(&added.name), added.url))?;
    if let (Some(subject), Some(expires)) = (&added.certificate_subject, added.certificate_expires_at) {
        output.line(&format!("Its certificate, {}, is valid until {}.", clean(subject), local_time(expires)))?;
    }
    output.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn without_keyring(failure: Failure) -> Problem {
    if failure.code != FailureCode::Keyring {
        return failure.into();
    }
    let hint = failure.hint.map(|hint| hint + " ").unwrap_or_default();
    Problem::new(failure.message, hint + "`wilco send --url …` needs none.")
}

async fn list(base: &Base, listing: Listing) -> Result<ExitCode, Problem> {
    let connections = base.console().connections().await?;
    if listing == Listing::Json {
        let mut output = Output::data();
        connections.iter().try_for_each(|connection| output.json(connection))?;
        output.flush()?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut output = Output::text();
    if connections.is_empty() {
        output.line("There is no connection yet. Add one: wilco connections add NAME --url mqtts://HOST")?;
        output.flush()?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = Table::new(["NAME", "URL", "MQTT", "CLIENT ID", "PREFIX", "CERTIFICATE UNTIL", "DEVICES", "LINK"]);
    for connection in &connections {
        table.row([
            clean(&connection.name).into_owned().into(),
            connection.url.clone().into(),
            version(connection).into(),
            clean(&connection.client_id).into_owned().into(),
            clean(&connection.prefix).into_owned().into(),
            connection.certificate_expires_at.map(local_time).unwrap_or_default().into(),
            count(connection.devices as usize).into(),
            // Our own engine has only just begun to connect, which says nothing.
            if base.is_own() { "" } else { link(&connection.link) }.into(),
        ]);
    }
    table.print(&mut output)?;
    Ok(ExitCode::SUCCESS)
}

async fn test(base: &Base, name: &str) -> Result<ExitCode, Problem> {
    let connection = base.connection(name).await?;
    let probe = base.console().test_stored(&connection.id).await?;
    if !probe.ok {
        return Err(Problem::Said { message: probe.message, hint: probe.hint });
    }
    let mut output = Output::text();
    output.line(&format!("{} It took {:.0} ms.", clean(&probe.message), probe.took_ms))?;
    if let Some(hint) = &probe.hint {
        output.line(&clean(hint))?;
    }
    output.flush()?;
    Ok(ExitCode::SUCCESS)
}

async fn remove(base: &Base, name: &str, yes: bool) -> Result<ExitCode, Problem> {
    let connection = base.connection(name).await?;
    let shown = clean(&connection.name).into_owned();
    if !yes && !confirmed(&connection, &shown)? {
        return Err(Problem::new(format!("{shown} was not removed."), "Answer y, or give --yes."));
    }
    base.console().remove_connection(&connection.id).await?;
    let mut output = Output::text();
    output.line(&format!("Removed {shown}."))?;
    output.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn confirmed(connection: &ConnectionView, shown: &str) -> Result<bool, Problem> {
    if !io::stdin().is_terminal() {
        return Err(Problem::new(
            format!("Removing {shown} also removes its history, and there is no terminal to ask on."),
            "Give --yes if that is meant.",
        ));
    }
    write!(
        io::stderr().lock(),
        "Remove {shown} with its secrets, {} devices and {} commands of its history? [y/N] ",
        count(connection.devices as usize),
        count(connection.counts.kept as usize)
    )?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

fn version(connection: &ConnectionView) -> &'static str {
    match connection.mqtt {
        wilco_engine::api::MqttVersion::V5 => "5",
        wilco_engine::api::MqttVersion::V311 => "3.1.1",
    }
}

fn link(link: &LinkState) -> &'static str {
    match link {
        LinkState::Connecting => "connecting",
        LinkState::Subscribing => "subscribing",
        LinkState::Online { .. } => "online",
        LinkState::Waiting { .. } => "waiting",
        LinkState::Stopped { .. } => "stopped",
    }
}
