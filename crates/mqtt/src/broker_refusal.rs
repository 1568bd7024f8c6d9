//! Explains MQTT's own refusals: CONNACK, SUBACK, DISCONNECT, and the library's errors.

use rumqttc_v5::DisconnectReasonCode;

use wilco_dialect::Filter;

use super::{CONNECT_TIMEOUT, Denial, SUBACK_TIMEOUT, ServerReason};
use crate::{
    refusal::{Cause, Refusal, Remedy},
    transport::ByteRecorder,
};
use wilco_connection::MqttVersion;

impl Refusal {
    /// A topic filter that the broker does not grant.
    pub(crate) fn subscription(filter: &str, denial: &Denial) -> Refusal {
        match denial {
            Denial::NoWildcards => Refusal::new(
                format!("The broker does not support wildcard subscriptions, and {filter} contains a wildcard."),
                "Name the devices: choose Only these devices under Topics in the window, or use --only-device DEVICE \
                 for each.",
                Remedy::Change,
            )
            .because(
                "The broker reported this in CONNACK (Wildcard Subscription Available: 0) or in SUBACK (reason \
                     0xA2).",
            ),
            Denial::Refused(reason) => Refusal::new(
                format!("The broker denied the subscription to {filter} ({reason})."),
                "Allow this client ID to subscribe to it in the broker's ACL.",
                // The broker's rules may change at any time, without notice.
                Remedy::TryAgain,
            )
            .because("Without it Wilco cannot receive answers."),
        }
    }

    /// SUBSCRIBE went out, and no SUBACK came.
    pub(super) fn no_suback(filters: &[Filter]) -> Refusal {
        let filters = filters.iter().map(|filter| filter.filter.as_str()).collect::<Vec<_>>().join(", ");
        Refusal::new(
            format!(
                "The broker did not acknowledge SUBSCRIBE {filters} with a SUBACK within {} s.",
                SUBACK_TIMEOUT.as_secs()
            ),
            "The connection itself works. An overloaded broker or an authorization plugin may cause the delay; check \
             the broker's log.",
            Remedy::TryAgain,
        )
        .caused(Cause::Silence)
    }

    /// CONNECT went out, and no CONNACK came.
    pub(super) fn no_connack() -> Refusal {
        Refusal::new(
            format!("The broker accepted the connection, but sent no CONNACK within {} s.", CONNECT_TIMEOUT.as_secs()),
            "Check that an MQTT broker listens on this port and supports the MQTT version of this connection.",
            Remedy::TryAgain,
        )
        .caused(Cause::Silence)
    }

    /// The broker takes no message above QoS 0 (MQTT 5 section 3.2.2.3.4).
    pub(super) fn qos_0_only() -> Refusal {
        Refusal::new(
            "The broker accepts messages at QoS 0 only (CONNACK, Maximum QoS: 0), so Wilco sends no commands to it.",
            "Allow QoS 1 for this client on the broker.",
            Remedy::Change,
        )
        .because("At QoS 0 the broker acknowledges nothing, so lost commands would go unnoticed.")
    }

    /// The cause of a failed CONNECT, from the first received bytes.
    pub(super) fn at_connect(self, received: &ByteRecorder, tried: MqttVersion) -> Refusal {
        let Some(connack) = ServerReason::connack(&received.first()) else {
            return Refusal::unlike_mqtt(self, received);
        };
        if tried == MqttVersion::V5 && connack.is_311 {
            return Refusal {
                version: Some(MqttVersion::V311),
                ..Refusal::new(
                    "The broker supports MQTT 3.1.1, not MQTT 5.",
                    "Use MQTT 3.1.1 for this connection: choose it under Protocol in the window, or use --mqtt 3.1.1.",
                    Remedy::Change,
                )
                .because(format!("It answered CONNECT with a CONNACK of MQTT 3.1.1 (return code {}).", connack.reason))
            };
        }
        if let Some(assigned) = connack.assigned.as_ref().filter(|_| tried == MqttVersion::V5 && connack.reason == 0) {
            return Refusal {
                version: Some(MqttVersion::V311),
                ..Refusal::new(
                    format!("The broker assigned the client ID “{assigned}”, although Wilco had sent its own."),
                    "Configure the broker to accept the client ID of this connection, or use MQTT 3.1.1: choose it \
                     under Protocol in the window, or use --mqtt 3.1.1.",
                    Remedy::Change,
                )
                .because("MQTT 5 allows this only if the client sent none (section 3.2.2.3.7).")
            };
        }
        let other = match tried {
            MqttVersion::V5 => MqttVersion::V311,
            MqttVersion::V311 => MqttVersion::V5,
        };
        let is_version = connack.reason == 0x84 || (connack.is_311 && connack.reason == 1);
        let version = is_version.then_some(other);
        match connack.in_its_words() {
            Some(said) => Refusal { version, ..self }.because(said),
            None => Refusal { version, ..self },
        }
    }

    /// The kind of server behind an answer that is not MQTT.
    pub(crate) fn unlike_mqtt(refusal: Refusal, received: &ByteRecorder) -> Refusal {
        if received.is_http() {
            return Refusal::new(
                "The server at {address} is a web server or a proxy, not an MQTT broker.",
                "Check the port; for MQTT over WebSocket use ws:// or wss://. If this network uses a proxy, add it to \
                 the connection; if the network requires a login, open any page in a browser.",
                Remedy::TryAgain,
            )
            .because("It answered CONNECT with HTTP.");
        }
        if received.is_tls() {
            return Refusal::new(
                "The server at {address} requires TLS.",
                "Use mqtts:// (or wss://) instead of mqtt:// (or ws://).",
                Remedy::TryAgain,
            )
            .because("It answered CONNECT with a TLS alert.");
        }
        refusal
    }

    /// The broker's last message. Its shortest DISCONNECT, a reason without properties (MQTT 5 section 3.14.2.2.1, as
    /// mosquitto sends it), is not read by the library, which only sees the end of the connection; and of a longer one
    /// it does not expose the server reference.
    pub(super) fn with_last_packet(self, received: &ByteRecorder) -> Refusal {
        let Some(server_reason) = ServerReason::disconnect(&received.last()) else { return self };
        let refusal = match DisconnectReasonCode::try_from(server_reason.reason) {
            Ok(reason) if self.cause == Cause::Closed => disconnected(reason),
            _ => self,
        };
        match server_reason.in_its_words() {
            Some(said) if refusal.cause != Cause::Closed => refusal.because(said),
            _ => refusal,
        }
    }

    /// The end of a connection that was in use. A broker that closes it without a reason has probably ended.
    pub(super) fn at_the_end(self, received: &ByteRecorder) -> Refusal {
        let broker_ended = self.broker_ended || (self.cause == Cause::Closed && received.has_ended());
        Refusal { broker_ended, ..self }
    }

    /// The meaning of a CONNACK that refuses a connection; the codes have the names of MQTT 5 section 3.2.2.2.
    fn connack(name: &str) -> Refusal {
        let change = |message: &str, hint: &str| Refusal::new(message, hint, Remedy::Change);
        match name {
            "BadUserNamePassword" => {
                change("The broker rejected the user name or password.", "Edit the connection and enter them again.")
            }
            // Also what mosquitto says to a wrong password.
            "NotAuthorized" => Refusal::new(
                "The broker refused the connection: not authorized.",
                "Check the user name and password, and that the broker's ACL allows this client ID, user or \
                 certificate.",
                Remedy::TryAgain,
            ),
            "BadClientId" | "ClientIdentifierNotValid" => change(
                "The broker rejected the client ID.",
                "Choose another one; some brokers allow only certain client IDs.",
            ),
            "RefusedProtocolVersion" | "UnsupportedProtocolVersion" => change(
                "The broker does not support this MQTT version.",
                "Use the other version for this connection: MQTT 3.1.1 or MQTT 5 (--mqtt 3.1.1, --mqtt 5).",
            ),
            "Banned" => change("The broker has banned this client.", "Contact the operator of the broker."),
            "ServerUnavailable" | "ServiceUnavailable" => Refusal::new(
                "The broker is currently unavailable.",
                "Wilco retries automatically. The broker may be starting or under maintenance.",
                Remedy::TryAgain,
            ),
            "ServerBusy" | "ConnectionRateExceeded" | "QuotaExceeded" => Refusal::new(
                "The broker is too busy to accept another client.",
                "Wilco retries automatically. A cloud broker's plan may limit the number of clients.",
                Remedy::TryAgain,
            ),
            "UseAnotherServer" | "ServerMoved" => change(
                "The broker redirects clients to another server.",
                "Change the address of this connection to that server, or contact the operator of the broker.",
            ),
            "BadAuthenticationMethod" => change(
                "The broker requires an authentication method that Wilco does not support.",
                "Wilco supports client certificates, and user name and password.",
            ),
            other => Refusal::new(
                format!("The broker refused the connection ({other})."),
                "Wilco retries automatically. Check the broker's log.",
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
                            "The server at {address} did not answer with valid MQTT.",
                            "Check that an MQTT broker listens on this port and supports the MQTT version of this \
                             connection.",
                            Remedy::TryAgain,
                        )
                    }
                    ConnectionError::MqttState(StateError::AwaitPingResp) => Refusal::new(
                        "The broker no longer answers.",
                        "Wilco retries automatically. Check the network.",
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

enum LibraryError {
    V5(rumqttc_v5::ConnectionError),
    V4(rumqttc_v4::ConnectionError),
}

impl From<rumqttc_v5::ConnectionError> for LibraryError {
    fn from(error: rumqttc_v5::ConnectionError) -> LibraryError {
        LibraryError::V5(error)
    }
}

impl From<rumqttc_v4::ConnectionError> for LibraryError {
    fn from(error: rumqttc_v4::ConnectionError) -> LibraryError {
        LibraryError::V4(error)
    }
}

/// The part that only one of the two versions has.
fn version_error(error: LibraryError) -> Refusal {
    match error {
        LibraryError::V5(rumqttc_v5::ConnectionError::Timeout(_)) => Refusal::no_connack(),
        LibraryError::V4(rumqttc_v4::ConnectionError::NetworkTimeout) => Refusal::no_connack(),
        LibraryError::V5(rumqttc_v5::ConnectionError::MqttState(rumqttc_v5::StateError::ServerDisconnect {
            reason_code,
            ..
        })) => disconnected(reason_code),
        LibraryError::V5(error) => failed(&error),
        LibraryError::V4(error) => failed(&error),
    }
}

/// The broker ended the connection with DISCONNECT (MQTT 5 section 3.14).
fn disconnected(reason: DisconnectReasonCode) -> Refusal {
    if reason == DisconnectReasonCode::SessionTakenOver {
        return Refusal::new(
            "Another client connected with the same client ID, so the broker ended this connection (session taken \
             over).",
            "Check whether Wilco runs with the same data on another computer, and give one of them another client ID.",
            Remedy::TryAgain,
        )
        .caused(Cause::TakenOver);
    }
    let refusal = Refusal::new(
        format!("The broker ended the connection ({}).", in_words(reason)),
        "Wilco retries automatically. Check the broker's log.",
        Remedy::TryAgain,
    );
    Refusal { broker_ended: reason == DisconnectReasonCode::ServerShuttingDown, ..refusal }
}

/// The library's name of a reason code as people write it: *not authorized*.
pub(super) fn in_words(reason: impl std::fmt::Debug) -> String {
    let name = format!("{reason:?}").replace("QoS", "Qos");
    let mut words = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(letter.to_lowercase());
    }
    words
}

fn failed(error: &dyn std::fmt::Display) -> Refusal {
    Refusal::new(format!("The connection failed: {error}."), "Wilco retries automatically.", Remedy::TryAgain)
}

#[cfg(test)]
mod tests {
    use rumqttc_v5::DisconnectReasonCode;

    use super::in_words;

    #[test]
    fn reasons_are_told_in_words() {
        let check = |reason, expected: &str| assert_eq!(in_words(reason), expected);
        check(DisconnectReasonCode::NotAuthorized, "not authorized");
        check(DisconnectReasonCode::QoSNotSupported, "qos not supported");
    }
}
