//! The commands that devices with Wilco's own firmware know, and how careful one has to be with each.

use wilco_ledger::Millis;

/// What is known of a command before it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommandKind {
    /// Its name on the wire.
    pub name: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// Its arguments, as a command line's help shows them; empty for none.
    pub args: &'static str,
    /// Longest silence after a send that is still normal.
    pub timeout: Millis,
    /// Longest time from submission to the send.
    pub time_to_live: Millis,
    /// Doing it twice is the same as doing it once, whether or not the device deduplicates.
    pub safe_to_repeat: bool,
    /// It interrupts what the device is doing: ask before sending it to many, or late.
    pub dangerous: bool,
}

/// The built-in commands.
#[must_use]
pub fn commands() -> &'static [CommandKind] {
    const fn kind(name: &'static str, title: &'static str, args: &'static str) -> CommandKind {
        CommandKind {
            name,
            title,
            args,
            timeout: Millis::seconds(10),
            time_to_live: Millis::seconds(60),
            safe_to_repeat: true,
            dangerous: false,
        }
    }
    const COMMANDS: &[CommandKind] = &[
        kind("led", "LED", "on=true|false"),
        CommandKind {
            // A device needs its time to come back before it can say so.
            timeout: Millis::seconds(60),
            safe_to_repeat: false,
            dangerous: true,
            ..kind("restart", "Restart", "[delay_ms=0…60000]")
        },
        kind("telemetry.set", "Telemetry interval", "interval_ms=100…3600000"),
        kind("config.get", "Read configuration", ""),
        kind("config.set", "Change configuration", "changes={\"key\":value,…} apply=now|restart"),
        CommandKind {
            // Reading a flash and sending it over a slow line takes its time, and nothing is heard of it meanwhile.
            timeout: Millis::seconds(60),
            ..kind("log.get", "Read log", "[lines=1…100000]")
        },
        kind("state.get", "Report state", ""),
        // It may last longer than its timeout, because a device says every second how far it is.
        kind("identify", "Identify", "[seconds=1…60]"),
    ];
    COMMANDS
}

/// The built-in command of that name.
#[must_use]
pub fn command(name: &str) -> Option<&'static CommandKind> {
    commands().iter().find(|kind| kind.name == name)
}
