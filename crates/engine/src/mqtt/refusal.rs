//! What MQTT's own refusals mean: CONNACK, SUBACK, DISCONNECT, and what the library makes of them.

use rumqttc_v5::DisconnectReasonCode;

use crate::{
    refusal::{Cause, Refusal, Remedy},
    transport::Heard,
};

impl Refusal {
    /// A topic filter that the broker will not let us subscribe.
    pub(crate) fn subscription(filter: &str, reason: &str) -> Refusal {
        Refusal::new(
            format!("The broker does not let Wilco hear {filter} ({reason})."),
            "Allow this client id to subscribe to it in the broker's access rules.",
            // The rules may change any moment, and nobody tells us.
            Remedy::TryAgain,
        )
        .because("Without it no answer can be reconciled.")
    }

    /// What an answer that is not MQTT tells of who gave it.
    pub(crate) fn unlike_mqtt(refusal: Refusal, heard: &Heard) -> Refusal {
        if heard.is_http() {
            return Refusal::new(
                "What answers at {address} is a web server or a proxy, not an MQTT broker.",
                "Check the port; for MQTT over a WebSocket write ws:// or wss://. If this network has a proxy, give it to the \
                 connection; if it asks to log in first, open any page in a browser.",
                Remedy::TryAgain,
            )
            .because("It answered CONNECT in HTTP.");
        }
        if heard.is_tls() {
            return Refusal::new(
                "What answers at {address} wants TLS.",
                "Write mqtts:// (or wss://) instead of mqtt:// (or ws://).",
                Remedy::TryAgain,
            )
            .because("It answered CONNECT with a TLS alert.");
        }
        refusal
    }

    /// What the broker said last. Its shortest DISCONNECT, a reason and no properties (MQTT 5 section 3.14.2.2.1, and what
    /// mosquitto sends), is not read by the library, which then sees only the end of the connection.
    pub(super) fn with_last_words(self, heard: &Heard) -> Refusal {
        if self.cause != Cause::Closed {
            return self;
        }
        let [.., 0xE0, 1, reason] = heard.last()[..] else { return self };
        DisconnectReasonCode::try_from(reason).map_or(self, |reason| disconnected(reason, None))
    }

    /// What a CONNACK's refusal means; the codes by the names of MQTT 5 section 3.2.2.2.
    fn connack(name: &str) -> Refusal {
        let change = |message: &str, hint: &str| Refusal::new(message, hint, Remedy::Change);
        match name {
            "BadUserNamePassword" => change(
                "The broker does not take this user name and password.",
                "Correct them: edit the connection and type them again.",
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
            "ServerUnavailable" | "ServiceUnavailable" => Refusal::new(
                "The broker is not available at the moment.",
                "It is tried again by itself. It may be starting, or be closed for maintenance.",
                Remedy::TryAgain,
            ),
            "ServerBusy" | "ConnectionRateExceeded" | "QuotaExceeded" => Refusal::new(
                "The broker is too busy to let another client in.",
                "It is tried again by itself. A plan of a cloud broker may allow only so many clients.",
                Remedy::TryAgain,
            ),
            "UseAnotherServer" | "ServerMoved" => change(
                "The broker wants its clients to go to another server.",
                "Ask whoever runs it for the new address.",
            ),
            "BadAuthenticationMethod" => change(
                "The broker wants its clients to prove themselves in a way that Wilco does not know.",
                "Wilco knows certificates, and user name and password.",
            ),
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
            "The broker took the connection and did not answer CONNECT within 10 s.",
            "Is it an MQTT broker that listens on this port, and does it speak the version chosen?",
            Remedy::TryAgain,
        )
        .caused(Cause::Silence)
    };
    match error {
        Rest::V5(rumqttc_v5::ConnectionError::Timeout(_)) => silent(),
        Rest::V4(rumqttc_v4::ConnectionError::NetworkTimeout) => silent(),
        Rest::V5(rumqttc_v5::ConnectionError::MqttState(rumqttc_v5::StateError::ServerDisconnect {
            reason_code,
            reason_string,
        })) => disconnected(reason_code, reason_string),
        Rest::V5(error) => failed(&error),
        Rest::V4(error) => failed(&error),
    }
}

/// The broker has said good-bye by a DISCONNECT (MQTT 5 section 3.14).
fn disconnected(reason: DisconnectReasonCode, said: Option<String>) -> Refusal {
    if reason == DisconnectReasonCode::SessionTakenOver {
        return Refusal::new(
            "Another client has connected with this connection's client id, and the broker lets only one in.",
            "Is Wilco running with the same data on another computer? Give one of the two another client id.",
            Remedy::TryAgain,
        )
        .caused(Cause::TakenOver);
    }
    let said = said.map(|said| format!(": {said}")).unwrap_or_default();
    Refusal::new(
        format!("The broker ended the connection ({}{said}).", in_words(reason)),
        "It is tried again by itself. The broker's log may say more.",
        Remedy::TryAgain,
    )
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
    Refusal::new(format!("The connection failed: {error}."), "It is tried again by itself.", Remedy::TryAgain)
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
