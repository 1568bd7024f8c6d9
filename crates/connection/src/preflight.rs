//! The report of a preflight, the test of a connection.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::MqttVersion;

/// The progress of a preflight, step by step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct PreflightView {
    /// Every step, in order.
    pub steps: Vec<PreflightStep>,
    /// Nothing more is tried.
    pub done: bool,
    /// Every step has passed, perhaps with a remark.
    pub ok: bool,
    /// The result as a sentence: `All steps passed.`, `Stopped at Subscribe.`
    pub verdict: String,
    /// Optional topic filters that were refused. A connection saved with them does not subscribe to them again.
    pub denied: Vec<String>,
}

/// One step of a preflight.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct PreflightStep {
    /// Which.
    pub step: Step,
    /// Its display name.
    pub name: String,
    /// How it went.
    pub state: StepState,
    /// The observation, as a sentence without a full stop: `Open to 203.0.113.24, port 8883`.
    pub said: String,
    /// How long it took, milliseconds.
    pub took_ms: Option<f64>,
    /// Why it failed, or what to know although it passed.
    pub finding: Option<PreflightFinding>,
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

/// The reason why a step failed, or a note about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct PreflightFinding {
    /// The problem, as a headline without a full stop.
    pub title: String,
    /// The reason, as far as it is known.
    pub why: String,
    /// How to fix it.
    pub hint: String,
    /// The last observation.
    pub trace: Option<String>,
    /// Where it is the likely cause on AWS IoT: the policy to paste.
    pub policy: Option<String>,
    /// The SHA-256 of the broker's certificate where pinning it would help; it may then be
    /// read as a file of the connection.
    pub pin: Option<String>,
    /// The version of MQTT that the broker supports instead of the tested one.
    pub version: Option<MqttVersion>,
}
