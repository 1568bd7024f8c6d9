//! What a test of a connection reports.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::MqttVersion;

/// How trying a connection stands, step by step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct PreflightView {
    /// Every step, in order.
    pub steps: Vec<PreflightStep>,
    /// Nothing more is tried.
    pub done: bool,
    /// Every step has passed, perhaps with a remark.
    pub ok: bool,
    /// How it stands as a sentence: `All steps passed.`, `Stopped at Subscribe.`
    pub verdict: String,
    /// Topic filters that Wilco can do without and that were refused. A connection saved with them does not ask for
    /// them again.
    pub denied: Vec<String>,
}

/// One step of a preflight.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct PreflightStep {
    /// Which.
    pub step: Step,
    /// Its name for people.
    pub name: String,
    /// How it went.
    pub state: StepState,
    /// What was seen, as a sentence without a full stop: `Open to 203.0.113.24, port 8883`.
    pub said: String,
    /// How long it took, milliseconds.
    pub took_ms: Option<f64>,
    /// Why it failed, or what to know although it passed.
    pub remark: Option<Remark>,
}

/// The steps of a preflight, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Step {
    /// An address for the name.
    Name,
    /// A TCP connection, through the proxy where there is one.
    Tcp,
    /// The TLS handshake.
    Tls,
    /// The WebSocket handshake.
    WebSocket,
    /// CONNECT, up to CONNACK.
    Connect,
    /// SUBSCRIBE to what the connection will listen to.
    Subscribe,
    /// PUBLISH on a topic of our own.
    Publish,
    /// A message of our own, back again.
    RoundTrip,
}

/// How a step went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum StepState {
    /// Not tried.
    Waiting,
    /// Being tried.
    Running,
    /// It works.
    Passed,
    /// It works, and there is something to know.
    Warned,
    /// It does not work.
    Failed,
    /// There is nothing to try here: no TLS for instance.
    Skipped,
}

/// Why a step failed, or what to know of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Remark {
    /// What happened, as a headline without a full stop.
    pub title: String,
    /// Why, as far as it can be told.
    pub why: String,
    /// What to do.
    pub hint: String,
    /// The last that was seen on the wire.
    pub trace: Option<String>,
    /// Where it is the likely cause on AWS IoT: the policy to paste.
    pub policy: Option<String>,
    /// The SHA-256 of the broker's certificate where pinning it would help; it may then be
    /// read as a file of the connection.
    pub pin: Option<String>,
    /// The version of MQTT that the broker speaks instead of the one that was tried.
    pub version: Option<MqttVersion>,
}
