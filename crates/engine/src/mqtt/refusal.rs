//! Why a connection did not come about or did not last, as a sentence and what to do.

use std::io;

use crate::{
    api::{FailureCode, sentence},
    tls,
};

/// Why there is no connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: FailureCode,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
    pub(crate) remedy: Remedy,
}

/// Whether trying again by itself makes sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Remedy {
    /// It may work the next time.
    TryAgain,
    /// It will not, before somebody changes something.
    Change,
}

impl Refusal {
    pub(crate) fn new(message: impl Into<String>, hint: impl Into<String>, remedy: Remedy) -> Refusal {
        Refusal { code: FailureCode::Connection, message: message.into(), hint: Some(hint.into()), remedy }
    }

    /// The connection ended while something was asked of it.
    pub(crate) fn gone() -> Refusal {
        Refusal::new(
            "The broker closed the connection without a word.",
            "Some brokers do so when a policy does not allow what was asked, or when another client connects with the same \
             client id. Look at the broker's log.",
            Remedy::TryAgain,
        )
    }

    pub(crate) fn silence(host: &str, port: u16) -> Refusal {
        Refusal::new(
            format!("{host}, port {port}, did not answer within 10 s."),
            "Is the address right, and does a firewall let port traffic through?",
            Remedy::TryAgain,
        )
    }

    pub(crate) fn subscription(filter: &str, reason: &str) -> Refusal {
        Refusal::new(
            format!("The broker does not let Wilco hear {filter} ({reason})."),
            "Without it no answer can be reconciled. Allow this client id to subscribe to it in the broker's access rules.",
            // The rules may change any moment, and nobody tells us.
            Remedy::TryAgain,
        )
    }

    /// Names the address where the message speaks of the network.
    pub(crate) fn at(mut self, host: &str, port: u16) -> Refusal {
        self.message = self.message.replace("{address}", &format!("{host}, port {port}"));
        self
    }

    fn io(error: &io::Error) -> Refusal {
        if let Some(explained) = Refusal::tls(error) {
            return explained;
        }
        // What the library says when a connection ends in the middle of a packet.
        let broken_off = error.to_string().contains("bytes remaining on stream");
        let (message, hint) = match error.kind() {
            io::ErrorKind::ConnectionRefused => (
                "Nothing listens at {address}.",
                "Is the broker running, and is the port right (1883 plain, 8883 with TLS)?",
            ),
            io::ErrorKind::TimedOut => {
                ("{address} did not answer in time.", "Is the address right, and does a firewall let it through?")
            }
            io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::UnexpectedEof
            | io::ErrorKind::BrokenPipe => (
                "The broker at {address} closed the connection.",
                "If it does so at once: does this port want TLS (mqtts://) or a client certificate? The broker's log says more.",
            ),
            _ if broken_off => (
                "The broker at {address} broke off in the middle of a message.",
                "If it does so at once: is it an MQTT broker that listens on this port? The broker's log says more.",
            ),
            io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable => {
                ("There is no way to {address} from this network.", "Is this computer online, and does it need a VPN?")
            }
            _ if error.to_string().contains("lookup") || error.to_string().contains("resolve") => (
                "No address is known for {address}.",
                "Is the name spelled right, and does this network's DNS know it?",
            ),
            _ => {
                return Refusal::new(
                    format!("The network failed at {{address}}: {error}."),
                    "It is tried again by itself.",
                    Remedy::TryAgain,
                );
            }
        };
        Refusal::new(message, hint, Remedy::TryAgain)
    }

    /// A refusal by, or of, a certificate; `None` where TLS has nothing to do with it.
    fn tls(error: &(dyn std::error::Error + 'static)) -> Option<Refusal> {
        let explained = tls::explain(error)?;
        let message = sentence(&explained.message);
        Some(Refusal { code: FailureCode::Connection, message, hint: explained.hint, remedy: Remedy::TryAgain })
    }

    /// What a CONNACK's refusal means; the codes by the names of MQTT 5 section 3.2.2.2.
    fn connack(name: &str) -> Refusal {
        let change = |message: &str, hint: &str| Refusal::new(message, hint, Remedy::Change);
        match name {
            "BadUserNamePassword" => change(
                "The broker does not take this user name and password.",
                "Remove the connection and add it again with the right ones.",
            ),
            // Also what mosquitto says to a wrong password.
            "NotAuthorized" => Refusal::new(
                "The broker does not let this client in.",
                "Are user name and password right, and do the broker's access rules allow this client id, user or certificate?",
                Remedy::TryAgain,
            ),
            "BadClientId" | "ClientIdentifierNotValid" => change(
                "The broker does not take this client id.",
                "Choose another; some brokers allow only certain ones.",
            ),
            "RefusedProtocolVersion" | "UnsupportedProtocolVersion" => change(
                "The broker does not speak this version of MQTT.",
                "Choose the other one, 3.1.1 or 5, for this connection.",
            ),
            "Banned" => change("The broker has banned this client.", "Ask whoever runs the broker."),
            other => Refusal::new(
                format!("The broker refused the connection ({other})."),
                "It is tried again by itself. The broker's log may say more.",
                Remedy::TryAgain,
            ),
        }
    }
}

macro_rules! library_error {
    ($library:ident) => {
        impl From<$library::ConnectionError> for Refusal {
            fn from(error: $library::ConnectionError) -> Refusal {
                use $library::{ConnectionError, StateError, TlsError};
                match error {
                    ConnectionError::Tls(TlsError::Io(error))
                    | ConnectionError::Io(error)
                    | ConnectionError::MqttState(StateError::Io(error))
                    // In TLS 1.3 the broker refuses our certificate only after the handshake, while its CONNACK is read.
                    | ConnectionError::MqttState(StateError::Deserialization($library::mqttbytes::Error::Io(error))) => {
                        Refusal::io(&error)
                    }
                    ConnectionError::Tls(error) => Refusal::tls(&error).unwrap_or_else(|| failed(&error)),
                    ConnectionError::ConnectionRefused(code) => Refusal::connack(&format!("{code:?}")),
                    ConnectionError::MqttState(StateError::ConnectionAborted) => Refusal::gone(),
                    ConnectionError::NotConnAck(_) | ConnectionError::MqttState(StateError::Deserialization(_)) => {
                        Refusal::new(
                            "What comes from {address} is not MQTT as Wilco knows it.",
                            "Is it an MQTT broker that listens on this port, and does it speak the version chosen?",
                            Remedy::TryAgain,
                        )
                    }
                    ConnectionError::MqttState(StateError::AwaitPingResp) => Refusal::new(
                        "The broker no longer answers.",
                        "It is tried again by itself. Is the network still there?",
                        Remedy::TryAgain,
                    ),
                    other => version_error(other.into()),
                }
            }
        }
    };
}

library_error!(rumqttc_v5);
library_error!(rumqttc_v4);

enum Rest {
    V5(rumqttc_v5::ConnectionError),
    V4(rumqttc_v4::ConnectionError),
}

impl From<rumqttc_v5::ConnectionError> for Rest {
    fn from(error: rumqttc_v5::ConnectionError) -> Rest {
        Rest::V5(error)
    }
}

impl From<rumqttc_v4::ConnectionError> for Rest {
    fn from(error: rumqttc_v4::ConnectionError) -> Rest {
        Rest::V4(error)
    }
}

/// What only one of the two versions can say.
fn version_error(error: Rest) -> Refusal {
    let silent = || {
        Refusal::new(
            "{address} did not answer within 10 s.",
            "Is the address right, and does a firewall let it through?",
            Remedy::TryAgain,
        )
    };
    match error {
        Rest::V5(rumqttc_v5::ConnectionError::Timeout(_)) => silent(),
        Rest::V4(rumqttc_v4::ConnectionError::NetworkTimeout) => silent(),
        Rest::V5(rumqttc_v5::ConnectionError::MqttState(rumqttc_v5::StateError::ServerDisconnect {
            reason_code: rumqttc_v5::DisconnectReasonCode::SessionTakenOver,
            ..
        })) => Refusal::new(
            "Another client has connected with this connection's client id, and the broker lets only one in.",
            "Is Wilco running with the same data on another computer? Give one of the two another client id.",
            Remedy::TryAgain,
        ),
        Rest::V5(rumqttc_v5::ConnectionError::MqttState(rumqttc_v5::StateError::ServerDisconnect {
            reason_code,
            reason_string,
        })) => {
            let said = reason_string.map(|reason| format!(": {reason}")).unwrap_or_default();
            Refusal::new(
                format!("The broker ended the connection ({reason_code:?}{said})."),
                "It is tried again by itself. The broker's log may say more.",
                Remedy::TryAgain,
            )
        }
        Rest::V5(error) => failed(&error),
        Rest::V4(error) => failed(&error),
    }
}

fn failed(error: &dyn std::fmt::Display) -> Refusal {
    Refusal::new(format!("The connection failed: {error}."), "It is tried again by itself.", Remedy::TryAgain)
}
