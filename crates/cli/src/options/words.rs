//! The values of some options. Only their spelling on the command line is declared here; the values themselves are the
//! engine's.

use clap::{
    ValueEnum,
    builder::{PossibleValue, PossibleValuesParser, TypedValueParser},
};
use wilco_engine::api::{
    AuditKind, CommandState, ConnectionMode, Delivery, MemberState, MqttVersion, Preset, ReportFormat, TimesBy,
};

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

/// Something that is done or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Switch {
    On,
    Off,
}

/// One of these values by its word. Help and completion list the words in this order.
fn one_of<T>(values: &'static [T], word: fn(T) -> PossibleValue) -> impl TypedValueParser<Value = T>
where
    T: Copy + Send + Sync + 'static,
{
    PossibleValuesParser::new(values.iter().map(|value| word(*value))).try_map(move |chosen| {
        values.iter().copied().find(|value| word(*value).matches(&chosen, false)).ok_or("there is no such value")
    })
}

/// The state of a command.
pub(super) fn command_state() -> impl TypedValueParser<Value = CommandState> {
    one_of(&CommandState::ALL, |state| state.as_str().into())
}

/// The state of a member of a rollout.
pub(super) fn member_state() -> impl TypedValueParser<Value = MemberState> {
    one_of(&MemberState::ALL, |state| state.as_str().into())
}

/// What an entry of the audit is about.
pub(super) fn audit_kind() -> impl TypedValueParser<Value = AuditKind> {
    one_of(&AuditKind::ALL, |kind| kind.as_str().into())
}

/// What answer times are listed by.
pub(super) fn times_by() -> impl TypedValueParser<Value = TimesBy> {
    one_of(&[TimesBy::Command, TimesBy::Device, TimesBy::Firmware], |by| match by {
        TimesBy::Command => "command".into(),
        TimesBy::Device => "device".into(),
        TimesBy::Firmware => "firmware".into(),
    })
}

/// What becomes of a command for a device that is known to be offline.
pub(super) fn delivery() -> impl TypedValueParser<Value = Delivery> {
    one_of(&[Delivery::Now, Delivery::BrokerHolds, Delivery::HoldHere], |delivery| match delivery {
        Delivery::Now => PossibleValue::new("now").help("The command fails immediately"),
        Delivery::BrokerHolds => PossibleValue::new("broker")
            .help("The command is published, and the broker holds it in the device's session"),
        Delivery::HoldHere => PossibleValue::new("hold").help("Wilco holds the command until the device is online"),
    })
}

/// How a rollout is written to a file.
pub(super) fn report_format() -> impl TypedValueParser<Value = ReportFormat> {
    use ReportFormat::{Csv, Html, Json, Markdown};
    one_of(&[Csv, Json, Markdown, Html], |format| match format {
        Csv => "csv".into(),
        Json => "json".into(),
        Markdown => PossibleValue::new("markdown").alias("md"),
        Html => "html".into(),
    })
}

/// A version of MQTT by the name that it goes by.
pub(super) fn mqtt_version() -> impl TypedValueParser<Value = MqttVersion> {
    one_of(&[MqttVersion::V5, MqttVersion::V311], |version| match version {
        MqttVersion::V5 => "5".into(),
        MqttVersion::V311 => "3.1.1".into(),
    })
}

/// What may be sent over a connection.
pub(super) fn mode() -> impl TypedValueParser<Value = ConnectionMode> {
    use ConnectionMode::{Normal, Protected, ReadOnly};
    one_of(&[Normal, ReadOnly, Protected], |mode| match mode {
        Normal => PossibleValue::new("normal").help("No restrictions"),
        ReadOnly => PossibleValue::new("read-only").help("Wilco only subscribes, and sends nothing"),
        Protected => PossibleValue::new("protected")
            .help("You confirm every command; dangerous ones and rollouts by typing the connection's name"),
    })
}

/// A kind of broker by the name that it goes by.
pub(super) fn preset() -> impl TypedValueParser<Value = Preset> {
    one_of(&Preset::ALL, |preset| match preset {
        Preset::Aws => "aws".into(),
        Preset::Mosquitto => "mosquitto".into(),
        Preset::Emqx => "emqx".into(),
        Preset::Hivemq => "hivemq".into(),
        Preset::Plain => "plain".into(),
    })
}
