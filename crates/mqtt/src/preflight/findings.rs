//! Remarks about failed steps: what happened, why, and what to do.

use wilco_dialect::Filter;

use super::{Plan, Stop};
use crate::refusal::{Cause, Refusal};
use wilco_connection::{PreflightFinding, Step};
use wilco_failure::sentence;

/// A step that did not work, and all that is known of why.
pub(super) struct Explain<'a> {
    pub(super) plan: &'a Plan,
    pub(super) step: Step,
    pub(super) stop: &'a Stop,
}

impl Explain<'_> {
    pub(super) fn finding(&self) -> PreflightFinding {
        let finding = self.refusal_finding();
        match (self.step, self.stop.refusal.cause) {
            _ if self.stop.client_id_in_use => self.client_id_in_use(finding),
            (_, Cause::TakenOver) => self.client_id_in_use(finding),
            (Step::Connect, Cause::Closed) => self.closed_at_connect(finding),
            (Step::Subscribe, Cause::Closed) => self.closed_at_subscribe(finding),
            (Step::Publish | Step::RoundTrip, Cause::Closed) => self.closed_at_publish(finding),
            (Step::Connect | Step::Subscribe | Step::Publish, Cause::Explained) => {
                if self.is_aws() {
                    self.with_policy(finding)
                } else {
                    finding
                }
            }
            _ => finding,
        }
    }

    /// A topic of our own was refused to a connection that names its devices.
    pub(super) fn own_topic_refused(&self) -> PreflightFinding {
        PreflightFinding {
            why: "The test uses its own topic, so it sends nothing to devices. The broker's ACL may still allow the \
                  topics of the named devices; the first command will show whether it does."
                .to_owned(),
            hint: "If commands work, no action is needed. Otherwise allow this client ID to publish on the req \
                     topics of the named devices."
                .to_owned(),
            ..self.finding()
        }
    }

    /// The explanation of the refusal.
    fn refusal_finding(&self) -> PreflightFinding {
        let refusal = &self.stop.refusal;
        PreflightFinding {
            title: refusal.message.trim_end_matches('.').to_owned(),
            why: refusal.why.clone().unwrap_or_default(),
            hint: refusal.hint.clone().unwrap_or_default(),
            trace: self.stop.trace.clone(),
            policy: None,
            pin: refusal.pin.clone(),
            version: refusal.version,
        }
    }

    fn client_id_in_use(&self, finding: PreflightFinding) -> PreflightFinding {
        let id = &self.plan.settings.client_id;
        PreflightFinding {
            title: format!("Another client is connected as {id}"),
            why: "A broker accepts only one client per client ID: a new connection ends the old one, which then \
                  reconnects and ends the new one. With a new client ID, the step succeeds."
                .to_owned(),
            hint: "Give this connection another client ID, or leave it empty to generate one. Check whether Wilco \
                   runs with the same data on another computer, or whether a device uses this client ID."
                .to_owned(),
            ..finding
        }
    }

    fn closed_at_connect(&self, finding: PreflightFinding) -> PreflightFinding {
        if self.is_aws() {
            return self.with_policy(PreflightFinding {
                title: "AWS IoT closed the connection after CONNECT".to_owned(),
                why: format!(
                    "The TLS handshake passed. AWS IoT closes the connection without a reason if the certificate is \
                     not active, is not registered in this account and region, or has no policy that allows \
                     iot:Connect as {}.",
                    self.plan.settings.client_id
                ),
                hint: "In the AWS console open Security, Certificates: the certificate must be active and have a \
                         policy attached. This is the minimal policy for Wilco."
                    .to_owned(),
                ..finding
            });
        }
        let tls = self.plan.settings.route.tls.is_some();
        PreflightFinding {
            title: "The broker closed the connection after CONNECT".to_owned(),
            why: if tls {
                "The TLS handshake passed. Brokers close the connection if a required client certificate is missing \
                 or not active, or if they do not support this MQTT version."
            } else {
                "Brokers close the connection if this port requires TLS, or if they do not support this MQTT version."
            }
            .to_owned(),
            hint: if tls {
                "Check whether the broker requires a client certificate and whether it is active. Try the other MQTT \
                 version. Check the broker's log."
            } else {
                "Try mqtts:// (usually port 8883), and the other MQTT version. Check the broker's log."
            }
            .to_owned(),
            ..finding
        }
    }

    fn closed_at_subscribe(&self, finding: PreflightFinding) -> PreflightFinding {
        let filter = self.stop.topic.as_deref().unwrap_or("its topics");
        let title = format!("The broker closed the connection when Wilco subscribed to {filter}");
        if self.is_aws() {
            return self.with_policy(PreflightFinding {
                title,
                why: "AWS IoT closes the connection without a reason if the policy does not allow a subscription. \
                         CONNECT passed, so the certificate is active. Its policy most likely allows only the topics \
                         of the sample, sdk/test/*."
                    .to_owned(),
                hint: "In the AWS console open Security, Policies, and the policy of this certificate. Add this \
                         minimal policy for Wilco as a new version, make it active, then try again."
                    .to_owned(),
                ..finding
            });
        }
        PreflightFinding {
            title,
            why: "CONNECT passed, so authentication works. Some brokers close the connection if a subscription is \
                     not allowed."
                .to_owned(),
            hint: format!(
                "Allow this {} to subscribe to {filter} in the broker's ACL, or name the allowed devices under Topics.",
                self.who()
            ),
            ..finding
        }
    }

    fn closed_at_publish(&self, finding: PreflightFinding) -> PreflightFinding {
        let topic = self.stop.topic.as_deref().unwrap_or("its topic");
        let title = format!("The broker closed the connection when Wilco published on {topic}");
        if self.is_aws() {
            return self.with_policy(PreflightFinding {
                title,
                why: "AWS IoT closes the connection without a reason if the policy does not allow a publish. The \
                         subscriptions passed, so only iot:Publish is missing."
                    .to_owned(),
                hint: "In the AWS console open Security, Policies, and the policy of this certificate. Add this as \
                         a new version, make it active, then try again."
                    .to_owned(),
                ..finding
            });
        }
        PreflightFinding {
            title,
            why: "The subscriptions passed. Some brokers close the connection if a publish is not allowed.".to_owned(),
            hint: format!("Allow this {} to publish on the devices' req topics in the broker's ACL.", self.who()),
            ..finding
        }
    }

    fn is_aws(&self) -> bool {
        self.plan.settings.route.address.is_aws()
    }

    fn who(&self) -> &'static str {
        if self.plan.settings.username.is_some() {
            "user"
        } else if self.plan.settings.route.tls.as_ref().is_some_and(|tls| tls.client_certificate) {
            "certificate"
        } else {
            "client ID"
        }
    }

    /// The finding with the minimal AWS IoT policy for this connection, and instructions.
    fn with_policy(&self, finding: PreflightFinding) -> PreflightFinding {
        let filters: Vec<_> = self.plan.settings.filters.iter().map(|filter| filter.filter.clone()).collect();
        let host = &self.plan.settings.route.address.host;
        let policy = self.plan.dialect.aws_policy(host, &self.plan.client_id, &filters);
        let hint = std::iter::once(finding.hint).chain(policy.remarks).collect::<Vec<_>>().join(" ");
        PreflightFinding { hint, policy: Some(policy.document), ..finding }
    }
}

/// Optional filters that were refused.
pub(super) fn optional_filters_refused(filters: &[String]) -> PreflightFinding {
    PreflightFinding {
        title: format!("The broker denied the subscription to {}", filters.join(", ")),
        why: "The broker's ACL does not allow it. Commands and answers work without it.".to_owned(),
        hint: "If you save the connection now, Wilco does not subscribe to it again, and cannot show presence, \
               reported state, telemetry or other consoles' commands. To see them, allow the subscription and test \
               again."
            .to_owned(),
        trace: None,
        policy: None,
        pin: None,
        version: None,
    }
}

/// Filters granted at a lower QoS than requested (MQTT 5 section 3.9.3).
pub(super) fn lower_qos(lowered: &[(Filter, u8)]) -> PreflightFinding {
    let granted: Vec<_> = lowered.iter().map(|(filter, qos)| format!("{} at QoS {qos}", filter.filter)).collect();
    PreflightFinding {
        title: format!("The broker granted {}", granted.join(", ")),
        why: "Wilco requested QoS 1. At QoS 0 the broker sends each message at most once, so an answer can be \
                 lost, and its command then times out."
            .to_owned(),
        hint: "Allow QoS 1 for this client on the broker.".to_owned(),
        trace: None,
        policy: None,
        pin: None,
        version: None,
    }
}

/// We may not publish where devices answer.
pub(super) fn no_own_answers(topic: &str) -> PreflightFinding {
    PreflightFinding {
        title: format!("The broker denied the publish to {topic}"),
        why: "This topic is used only to measure the round trip. Commands do not need it.".to_owned(),
        hint: "No action is needed. To measure the round trip, allow this client ID to publish there.".to_owned(),
        trace: None,
        policy: None,
        pin: None,
        version: None,
    }
}

impl Refusal {
    /// The broker has answered a publish with a refusal.
    pub(super) fn publication(topic: &str, puback: wilco_ledger::Puback, said: Option<String>) -> Refusal {
        use wilco_ledger::Puback;
        let reason = match puback {
            Puback::Refused { code: 0x87, .. } => "not authorized, reason 0x87".to_owned(),
            Puback::Refused { code: 0x90, .. } => "topic name invalid, reason 0x90".to_owned(),
            Puback::Refused { code: 0x97, .. } => "quota exceeded, reason 0x97".to_owned(),
            Puback::Refused { code, .. } => format!("reason {code:#04x}"),
            Puback::TooLarge { .. } => "packet too large".to_owned(),
            _ => "not accepted".to_owned(),
        };
        Refusal::new(
            sentence(&format!("the broker denied the publish to {topic} ({reason})")),
            "Allow this client ID to publish on the devices' req topics in the broker's ACL.",
            crate::refusal::Remedy::TryAgain,
        )
        .because(said.map_or_else(
            || "The subscriptions passed, so Wilco can receive but not publish.".to_owned(),
            |said| format!("Reason given by the broker: “{}”.", said.trim_end_matches('.')),
        ))
    }

    /// PUBLISH went out, and no PUBACK came.
    pub(super) fn no_puback(seconds: u64) -> Refusal {
        Refusal::new(
            format!("The broker did not answer PUBLISH with a PUBACK within {seconds} s."),
            "The connection itself works. Check the broker's log.",
            crate::refusal::Remedy::TryAgain,
        )
        .caused(Cause::Silence)
    }

    /// A message of our own was acknowledged and never came back.
    pub(super) fn never_back(topic: &str, seconds: u64) -> Refusal {
        Refusal::new(
            format!("The broker accepted a message on {topic} but did not deliver it within {seconds} s."),
            "Check the broker's ACL for publishing and receiving, and its log. Commands would be lost in the same \
             way, and time out.",
            crate::refusal::Remedy::TryAgain,
        )
        .because(
            "The broker acknowledged both the subscription and the publish. Some brokers (such as mosquitto with MQTT \
             3.1.1) acknowledge messages that their ACL forbids, and drop them.",
        )
        .caused(Cause::Silence)
    }
}
