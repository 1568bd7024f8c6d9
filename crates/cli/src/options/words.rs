//! The words that some options take.

use clap::ValueEnum;
use wilco_engine::api::{ConnectionMode, Delivery, MqttVersion, Preset, ReportFormat, TimesBy};

/// For people or for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Listing {
    #[default]
    Text,
    Json,
}

/// What answer times are listed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum By {
    #[default]
    Command,
    Device,
    Firmware,
}

impl From<By> for TimesBy {
    fn from(by: By) -> TimesBy {
        match by {
            By::Command => TimesBy::Command,
            By::Device => TimesBy::Device,
            By::Firmware => TimesBy::Firmware,
        }
    }
}

/// What becomes of a command for a device that is known to be offline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum WhileOffline {
    /// The command fails immediately
    Now,
    /// The command is published, and the broker holds it in the device's session
    Broker,
    /// Wilco holds the command until the device is online
    Hold,
}

impl From<WhileOffline> for Delivery {
    fn from(chosen: WhileOffline) -> Delivery {
        match chosen {
            WhileOffline::Now => Delivery::Now,
            WhileOffline::Broker => Delivery::BrokerHolds,
            WhileOffline::Hold => Delivery::HoldHere,
        }
    }
}

/// How the history is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Format {
    #[default]
    #[value(alias = "text")]
    Table,
    Json,
    Csv,
}

/// How a rollout is written to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Report {
    Csv,
    Json,
    #[value(alias = "md")]
    Markdown,
    Html,
}

impl From<Report> for ReportFormat {
    fn from(report: Report) -> ReportFormat {
        match report {
            Report::Csv => ReportFormat::Csv,
            Report::Json => ReportFormat::Json,
            Report::Markdown => ReportFormat::Markdown,
            Report::Html => ReportFormat::Html,
        }
    }
}

/// The versions of MQTT by the names they go by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Version {
    #[value(name = "5")]
    V5,
    #[value(name = "3.1.1")]
    V311,
}

impl From<Version> for MqttVersion {
    fn from(version: Version) -> MqttVersion {
        match version {
            Version::V5 => MqttVersion::V5,
            Version::V311 => MqttVersion::V311,
        }
    }
}

/// Something that is done or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Switch {
    On,
    Off,
}

/// What may be sent over a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mode {
    /// Everything
    Normal,
    /// Nothing: Wilco only subscribes
    ReadOnly,
    /// Every command is confirmed; dangerous ones and rollouts by typing the connection's name
    Protected,
}

impl From<Mode> for ConnectionMode {
    fn from(mode: Mode) -> ConnectionMode {
        match mode {
            Mode::Normal => ConnectionMode::Normal,
            Mode::ReadOnly => ConnectionMode::ReadOnly,
            Mode::Protected => ConnectionMode::Protected,
        }
    }
}

/// The kinds of broker by the names they go by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    Aws,
    Mosquitto,
    Emqx,
    Hivemq,
    Plain,
}

impl From<Kind> for Preset {
    fn from(kind: Kind) -> Preset {
        match kind {
            Kind::Aws => Preset::Aws,
            Kind::Mosquitto => Preset::Mosquitto,
            Kind::Emqx => Preset::Emqx,
            Kind::Hivemq => Preset::Hivemq,
            Kind::Plain => Preset::Plain,
        }
    }
}
