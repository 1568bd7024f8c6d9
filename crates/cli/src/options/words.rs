//! The words that some options take.

use clap::ValueEnum;
use wilco_engine::api::{MqttVersion, Preset};

/// For people or for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Listing {
    #[default]
    Text,
    Json,
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
