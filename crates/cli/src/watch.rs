//! `wilco watch`: prints every change of a connection, its devices and its commands as it happens.

use std::{collections::HashMap, path::Path, process::ExitCode, time::Duration};

use serde::Serialize;
use tokio::time::{Instant, sleep_until};
use wilco_engine::api::{Batch, CommandView, DeviceRow, LinkState, Notice, NoticeLevel};

use crate::{
    base::Base,
    devices,
    interrupt::Interrupt,
    link,
    options::{Listing, WatchOptions},
    output::{CommandLine, Output, clean, paint, time_of_day, visible_name},
    problem::Problem,
};

/// Devices are looked through at most this often, and less often where that takes long.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Commands whose last line is remembered.
const REMEMBERED: usize = 20_000;

/// Does it.
pub(crate) async fn run(options: WatchOptions, data_dir: Option<&Path>) -> Result<ExitCode, Problem> {
    let mut interrupt = Interrupt::listen()?;
    let mut base = Base::open(data_dir).await?;
    let outcome = tokio::select! {
        outcome = watch(&mut base, options) => outcome,
        () = interrupt.received() => Ok(ExitCode::SUCCESS),
    };
    base.close().await;
    outcome
}

async fn watch(base: &mut Base, options: WatchOptions) -> Result<ExitCode, Problem> {
    let connection = base.connection(&options.connection).await?;
    let mut batches = base.console().listen().await?;
    let mut watch = Watch {
        connection: connection.id,
        listing: options.output,
        output: match options.output {
            Listing::Text => Output::text(),
            Listing::Json => Output::data(),
        },
        link: None,
        devices: HashMap::new(),
        commands: HashMap::new(),
    };
    let mut look_at: Option<Instant> = None;
    let mut not_before = Instant::now();
    // The initial state is not a change.
    watch.devices = watch.look(base).await?;
    loop {
        tokio::select! {
            batch = batches.recv() => match batch {
                Some(batch) => {
                    watch.apply(&batch)?;
                    if batch.devices.contains(&watch.connection) {
                        look_at.get_or_insert(not_before);
                    }
                }
                None => {
                    batches = base.console().listen().await?;
                    look_at.get_or_insert(not_before);
                }
            },
            () = sleep_until(look_at.unwrap_or(not_before)), if look_at.is_some() => {
                let started = Instant::now();
                let devices = watch.look(base).await?;
                watch.compare(devices)?;
                look_at = None;
                not_before = Instant::now() + LOOK_EVERY.max(started.elapsed() * 10);
            }
        }
        watch.output.flush()?;
    }
}

struct Watch {
    connection: String,
    listing: Listing,
    output: Output,
    link: Option<LinkState>,
    devices: HashMap<String, Seen>,
    commands: HashMap<String, CommandLine>,
}

/// The printed facts of a changed device. A later time of its last message is not a change.
#[derive(Clone, PartialEq)]
struct Seen {
    presence: &'static str,
    led: Option<bool>,
    firmware: Option<String>,
    boot: Option<String>,
}

/// A line of JSON.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Line<'a> {
    Command(&'a CommandLine),
    Device {
        device: &'a str,
        at: i64,
        presence: &'static str,
        led: Option<bool>,
        firmware: Option<&'a str>,
        boot: Option<&'a str>,
    },
    Connection {
        at: i64,
        link: &'a LinkState,
    },
    Notice {
        at: i64,
        #[serde(flatten)]
        notice: &'a Notice,
    },
    /// More commands changed at once than were listed.
    MoreCommands {
        at: i64,
    },
}

impl Watch {
    fn apply(&mut self, batch: &Batch) -> Result<(), Problem> {
        if let Some(view) = link::view_of(batch, &self.connection)
            && self.link.as_ref() != Some(&view.link)
        {
            self.link = Some(view.link.clone());
            self.print(&Line::Connection { at: now(), link: &view.link })?;
        }
        for notice in &batch.notices {
            self.print(&Line::Notice { at: now(), notice })?;
        }
        for view in &batch.commands {
            if view.connection == self.connection {
                self.command(view)?;
            }
        }
        if batch.more_commands {
            self.print(&Line::MoreCommands { at: now() })?;
        }
        Ok(())
    }

    fn command(&mut self, view: &CommandView) -> Result<(), Problem> {
        let line = CommandLine::of(view);
        if self.commands.get(&line.id) == Some(&line) {
            return Ok(());
        }
        self.print(&Line::Command(&line))?;
        if self.commands.len() >= REMEMBERED {
            self.commands.clear();
        }
        self.commands.insert(line.id.clone(), line);
        Ok(())
    }

    async fn look(&self, base: &Base) -> Result<HashMap<String, Seen>, Problem> {
        let rows = devices::all(base.console(), &self.connection, "").await?;
        Ok(rows.into_iter().map(|row| (row.device.clone(), Seen::of(row))).collect())
    }

    fn compare(&mut self, devices: HashMap<String, Seen>) -> Result<(), Problem> {
        let known = std::mem::replace(&mut self.devices, devices.clone());
        let mut changed: Vec<_> = devices.iter().filter(|(device, seen)| known.get(*device) != Some(*seen)).collect();
        changed.sort_unstable_by_key(|(device, _)| *device);
        for (device, seen) in changed {
            self.print(&Line::Device {
                device,
                at: now(),
                presence: seen.presence,
                led: seen.led,
                firmware: seen.firmware.as_deref(),
                boot: seen.boot.as_deref(),
            })?;
        }
        Ok(())
    }

    fn print(&mut self, line: &Line<'_>) -> Result<(), Problem> {
        match self.listing {
            Listing::Json => self.output.json(line),
            Listing::Text => self.output.line(&line.text()),
        }
    }
}

impl Seen {
    fn of(row: DeviceRow) -> Seen {
        Seen { presence: devices::presence(row.presence), led: row.led, firmware: row.firmware, boot: row.boot }
    }
}

impl Line<'_> {
    fn text(&self) -> String {
        let (at, text) = match self {
            Line::Command(line) => (line.at, format!("{}  {}", line.text(0), clean(&line.command))),
            Line::Device { device, at, presence, led, firmware, .. } => {
                let led = led.map_or("", |on| if on { ", LED on" } else { ", LED off" });
                let firmware = firmware.map(|version| format!(", firmware {}", clean(version))).unwrap_or_default();
                (*at, format!("{}  is {presence}{led}{firmware}", visible_name(device)))
            }
            Line::Connection { at, link } => (*at, format!("connection  {}", standing(link))),
            Line::Notice { at, notice } => {
                let level = match notice.level {
                    NoticeLevel::Info => "note",
                    NoticeLevel::Warning => "warning",
                    NoticeLevel::Error => "error",
                };
                let hint = notice.hint.as_deref().map(|hint| format!("  {}", clean(hint))).unwrap_or_default();
                (*at, format!("{level}  {}{hint}", clean(&notice.message)))
            }
            Line::MoreCommands { at } => (*at, "some changed commands are not listed here; see wilco history".into()),
        };
        format!("{}  {text}", paint(&time_of_day(at), anstyle::Style::new().dimmed()))
    }
}

fn standing(link: &LinkState) -> String {
    match link {
        LinkState::Loading => "loading its devices".into(),
        LinkState::Connecting => "connecting".into(),
        LinkState::Subscribing => "connected, subscribing".into(),
        LinkState::Online { .. } => "online".into(),
        LinkState::Waiting { message, .. } => format!("waiting: {}", clean(message)),
        LinkState::Stopped { message, .. } => format!("stopped: {}", clean(message)),
    }
}

fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}
