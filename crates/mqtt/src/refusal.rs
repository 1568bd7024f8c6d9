//! Why a connection failed or ended: a headline, the reason, and what to do.
//!
//! It knows no MQTT: the meaning of CONNACK and SUBACK is added in [`crate`].

use std::io;

use wilco_connection::MqttVersion;
use wilco_credentials::tls;
use wilco_failure::{FailureCode, sentence};

/// The reason why there is no connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The kind of failure.
    pub code: FailureCode,
    /// What failed, as a sentence.
    pub message: String,
    /// The reason, as far as known; sentences.
    pub why: Option<String>,
    /// How to fix it.
    pub hint: Option<String>,
    /// The SHA-256 of the broker's certificate, if pinning it would help.
    pub pin: Option<String>,
    /// The version of MQTT that the broker supports instead of the tested one.
    pub version: Option<MqttVersion>,
    /// The remedy.
    pub remedy: Remedy,
    /// The known cause.
    pub cause: Cause,
    /// The broker's program has ended, or is not there: it has said so (DISCONNECT 0x8B), has closed a connection without a
    /// reason that was in use, or nothing listens at its address. Where the network alone has failed, this is not set: nothing
    /// arrives then, or a reset. After it, no client is connected any more, whatever is kept of its session.
    pub broker_ended: bool,
}

/// Whether automatic retries make sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// A later attempt may succeed.
    TryAgain,
    /// Retries are useless until the connection is changed.
    Change,
}

/// The kind of end, for callers that treat it differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The other side closed the connection without a reason.
    Closed,
    /// A response did not arrive in time.
    Silence,
    /// Another client connected with the same client ID.
    TakenOver,
    /// Any failure that its message explains.
    Explained,
}

impl Refusal {
    /// A refusal without further details.
    pub fn new(message: impl Into<String>, hint: impl Into<String>, remedy: Remedy) -> Refusal {
        Refusal {
            code: FailureCode::Connection,
            message: message.into(),
            why: None,
            hint: Some(hint.into()),
            pin: None,
            version: None,
            remedy,
            cause: Cause::Explained,
            broker_ended: false,
        }
    }

    /// Adds a sentence about the reason.
    #[must_use]
    pub fn because(self, why: impl Into<String>) -> Refusal {
        Refusal { why: Some(why.into()), ..self }
    }

    /// Adds the cause.
    #[must_use]
    pub fn caused(self, cause: Cause) -> Refusal {
        Refusal { cause, ..self }
    }

    /// What failed and why, as sentences.
    pub fn explanation(&self) -> String {
        match &self.why {
            Some(why) => format!("{} {why}", self.message),
            None => self.message.clone(),
        }
    }

    /// The connection ended during a request.
    pub fn gone() -> Refusal {
        Refusal::new(
            "The broker closed the connection without giving a reason.",
            "Some brokers do so if a policy does not allow a request, or if another client connects with the same \
             client ID. Check the broker's log.",
            Remedy::TryAgain,
        )
        .caused(Cause::Closed)
    }

    /// `what` did not arrive in time.
    pub fn silence(whose: &str, seconds: u64) -> Refusal {
        Refusal::new(
            format!("{whose} did not answer within {seconds} s."),
            "Check the address, and whether a firewall blocks it.",
            Remedy::TryAgain,
        )
        .caused(Cause::Silence)
    }

    /// Adds the address to a message about a network failure.
    pub fn at(mut self, host: &str, port: u16) -> Refusal {
        self.message = self.message.replace("{address}", &format!("{host}, port {port}"));
        self
    }

    /// A network failure. `{address}` is a placeholder; see [`Refusal::at`].
    pub fn io(error: &io::Error) -> Refusal {
        if let Some(explained) = Refusal::tls(error) {
            return explained;
        }
        // The library's error when a connection ends in the middle of a packet.
        let broken_off = error.to_string().contains("bytes remaining on stream");
        let (message, hint, cause) = match error.kind() {
            io::ErrorKind::ConnectionRefused => (
                "Connection refused: nothing listens at {address}.",
                "Check that the broker is running, and the port (usually 1883, or 8883 with TLS).",
                Cause::Explained,
            ),
            io::ErrorKind::TimedOut => (
                "The connection to {address} timed out.",
                "Check the address, and whether a firewall blocks it.",
                Cause::Silence,
            ),
            io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::UnexpectedEof
            | io::ErrorKind::BrokenPipe => (
                "The broker at {address} closed the connection.",
                "If this happens immediately, the port may require TLS (mqtts://) or a client certificate. Check the \
                 broker's log.",
                Cause::Closed,
            ),
            _ if broken_off => (
                "The broker at {address} closed the connection in the middle of a message.",
                "If this happens immediately, check that an MQTT broker listens on this port. Check the broker's log.",
                Cause::Closed,
            ),
            io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable => (
                "{address} is unreachable from this network.",
                "Check that this computer is online, and whether it needs a VPN or a proxy.",
                Cause::Explained,
            ),
            _ => {
                return Refusal::new(
                    format!("Network error at {{address}}: {error}."),
                    "Wilco retries automatically.",
                    Remedy::TryAgain,
                );
            }
        };
        let broker_ended = error.kind() == io::ErrorKind::ConnectionRefused;
        Refusal { broker_ended, ..Refusal::new(message, hint, Remedy::TryAgain).caused(cause) }
    }

    /// A refusal because of a certificate, by either side; `None` if TLS is not the cause.
    pub fn tls(error: &(dyn std::error::Error + 'static)) -> Option<Refusal> {
        let explained = tls::explain(error)?;
        let hint = explained.hint.unwrap_or_else(|| "Check the broker's log.".to_owned());
        let refusal = Refusal::new(sentence(&explained.message), hint, Remedy::TryAgain);
        Some(Refusal { pin: explained.pin, ..refusal })
    }
}
