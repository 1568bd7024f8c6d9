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
    /// The preflight has ended.
    pub done: bool,
    /// Every step has passed, perhaps with warnings.
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
    /// The step.
    pub step: Step,
    /// Its display name.
    pub name: String,
    /// The state of the step.
    pub state: StepState,
    /// The observation, as a sentence without a full stop: `Open to 203.0.113.24, port 8883`.
    pub said: String,
    /// Its duration, milliseconds.
    pub took_ms: Option<f64>,
    /// Why it failed, or a note although it passed.
    pub finding: Option<PreflightFinding>,
}

/// The steps of a preflight, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Step {
    /// DNS: an address for the host name.
    Name,
    /// The TCP connection, through the proxy if there is one.
    Tcp,
    /// The TLS handshake.
    Tls,
    /// The WebSocket handshake.
    WebSocket,
    /// CONNECT, up to CONNACK.
    Connect,
    /// SUBSCRIBE to the filters of the connection.
    Subscribe,
    /// PUBLISH on the test topic.
    Publish,
    /// Receiving Wilco's own test message.
    RoundTrip,
}

/// The state of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum StepState {
    /// Not tested.
    Waiting,
    /// In progress.
    Running,
    /// Passed.
    Passed,
    /// Passed with a warning.
    Warned,
    /// Failed.
    Failed,
    /// Not needed, for example without TLS.
    Skipped,
}

/// The reason why a step failed, or a note about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct PreflightFinding {
    /// The problem, as a headline without a full stop.
    pub title: String,
    /// The reason, if known.
    pub why: String,
    /// How to fix it.
    pub hint: String,
    /// The last response.
    pub trace: Option<String>,
    /// The policy to paste, if it is the likely cause on AWS IoT.
    pub policy: Option<String>,
    /// The SHA-256 of the broker's certificate, if pinning it would help. The certificate can then be added to the
    /// connection.
    pub pin: Option<String>,
    /// The version of MQTT that the broker supports instead of the tested one.
    pub version: Option<MqttVersion>,
}
