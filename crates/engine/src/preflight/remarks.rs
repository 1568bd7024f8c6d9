//! What to say of a step that did not work: what happened, why, and what to do.

use super::{Plan, Stop};
use crate::{
    api::{Remark, Step, sentence},
    refusal::{Cause, Refusal},
};

/// A step that did not work, and all that is known of why.
pub(super) struct Explain<'a> {
    pub(super) plan: &'a Plan,
    pub(super) step: Step,
    pub(super) stop: &'a Stop,
}

impl Explain<'_> {
    pub(super) fn remark(&self) -> Remark {
        let told = self.as_told();
        match (self.step, self.stop.refusal.cause) {
            _ if self.stop.client_id_in_use => self.client_id_in_use(told),
            (_, Cause::TakenOver) => self.client_id_in_use(told),
            (Step::Connect, Cause::Closed) => self.closed_at_connect(told),
            (Step::Subscribe, Cause::Closed) => self.closed_at_subscribe(told),
            (Step::Publish | Step::RoundTrip, Cause::Closed) => self.closed_at_publish(told),
            (Step::Connect | Step::Subscribe | Step::Publish, Cause::Told) => {
                if self.is_aws() {
                    self.with_policy(told)
                } else {
                    told
                }
            }
            _ => told,
        }
    }

    /// A topic of our own was refused to a connection that names its devices.
    pub(super) fn own_topic_refused(&self) -> Remark {
        Remark {
            why: "That topic is Wilco's own: no device is troubled by a trial. The broker's rules may allow the topics of \
                  the devices named all the same, which the first command will show."
                .to_owned(),
            hint: "Nothing has to be done if commands work. Otherwise allow this client id to publish on the req topics of the \
                   devices named."
                .to_owned(),
            ..self.remark()
        }
    }

    /// What the refusal says by itself.
    fn as_told(&self) -> Remark {
        let refusal = &self.stop.refusal;
        Remark {
            title: refusal.message.trim_end_matches('.').to_owned(),
            why: refusal.why.clone().unwrap_or_default(),
            hint: refusal.hint.clone().unwrap_or_default(),
            trace: self.stop.trace.clone(),
            policy: None,
        }
    }

    fn client_id_in_use(&self, told: Remark) -> Remark {
        let id = &self.plan.settings.client_id;
        Remark {
            title: format!("Another client is connected as {id}"),
            why: "A broker lets only one client in under each client id: the newcomer throws the other out, which comes back \
                  and throws the newcomer out. Under a fresh client id the same step works."
                .to_owned(),
            hint: "Give this connection another client id, or leave it empty and Wilco makes one of its own. Is Wilco running \
                   with the same data on another computer, or does a device use this id?"
                .to_owned(),
            ..told
        }
    }

    fn closed_at_connect(&self, told: Remark) -> Remark {
        if self.is_aws() {
            return self.with_policy(Remark {
                title: "AWS IoT took the TLS handshake and then hung up on CONNECT".to_owned(),
                why: format!(
                    "It does so without a word when the certificate is not active, is not registered in this account and \
                     region, or has no policy that allows iot:Connect as {}.",
                    self.plan.settings.client_id
                ),
                hint: "In the AWS console open Security, Certificates: the certificate must be Active, and a policy attached. \
                       This is the least that Wilco needs."
                    .to_owned(),
                ..told
            });
        }
        let tls = self.plan.settings.route.tls.is_some();
        Remark {
            title: "The broker hung up on CONNECT".to_owned(),
            why: if tls {
                "The TLS handshake passed. Brokers hang up so when they want a client certificate that was not brought, when \
                 one is not activated, or when they do not speak this version of MQTT."
            } else {
                "Brokers hang up so when this port wants TLS, or when they do not speak this version of MQTT."
            }
            .to_owned(),
            hint: if tls {
                "Does the broker want a client certificate? Is it active? Try the other version of MQTT. The broker's log says \
                 more."
            } else {
                "Try mqtts:// (usually port 8883), and the other version of MQTT. The broker's log says more."
            }
            .to_owned(),
            ..told
        }
    }

    fn closed_at_subscribe(&self, told: Remark) -> Remark {
        let filter = self.stop.asked.as_deref().unwrap_or("its topics");
        let title = format!("The broker hung up when Wilco asked to hear {filter}");
        if self.is_aws() {
            return self.with_policy(Remark {
                title,
                why: "AWS IoT ends the connection without a word when a policy does not allow a subscription. CONNECT passed, \
                      so the certificate is active. The policy attached to it most likely allows only the topics of the \
                      kit's sample, sdk/test/*."
                    .to_owned(),
                hint: "In the AWS console open Security, Policies, the policy of this certificate. Add this as a new version, \
                       make it active, then try again. It is the least that Wilco needs."
                    .to_owned(),
                ..told
            });
        }
        Remark {
            title,
            why: "CONNECT passed, so the broker lets Wilco in. Some brokers end the connection when a subscription is not \
                  allowed."
                .to_owned(),
            hint: format!(
                "Allow this {} to subscribe to {filter} in the broker's access rules, or name the devices that it may hear \
                 under Topics.",
                self.who()
            ),
            ..told
        }
    }

    fn closed_at_publish(&self, told: Remark) -> Remark {
        let topic = self.stop.asked.as_deref().unwrap_or("its topic");
        let title = format!("The broker hung up when Wilco published on {topic}");
        if self.is_aws() {
            return self.with_policy(Remark {
                title,
                why: "AWS IoT ends the connection without a word when a policy does not allow a publish. The subscriptions \
                      passed, so only iot:Publish is missing."
                    .to_owned(),
                hint: "In the AWS console open Security, Policies, the policy of this certificate. Add this as a new version, \
                       make it active, then try again."
                    .to_owned(),
                ..told
            });
        }
        Remark {
            title,
            why: "The subscriptions passed. Some brokers end the connection when a publish is not allowed.".to_owned(),
            hint: format!(
                "Allow this {} to publish on the devices' req topics in the broker's access rules.",
                self.who()
            ),
            ..told
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
            "client id"
        }
    }

    /// The remark with the least that this connection needs of AWS IoT, and what to do with it.
    fn with_policy(&self, remark: Remark) -> Remark {
        let filters: Vec<_> = self.plan.settings.filters.iter().map(|filter| filter.filter.clone()).collect();
        let host = &self.plan.settings.route.address.host;
        let policy = self.plan.dialect.aws_policy(host, &self.plan.client_id, &filters);
        let hint = std::iter::once(remark.hint).chain(policy.remarks).collect::<Vec<_>>().join(" ");
        Remark { hint, policy: Some(policy.document), ..remark }
    }
}

/// What is wished for and was refused.
pub(super) fn wishes_refused(filters: &[String]) -> Remark {
    Remark {
        title: format!("Wilco may not hear {}", filters.join(", ")),
        why: "The broker's access rules do not allow it. Commands and their answers do not need it.".to_owned(),
        hint:
            "Saved like this, the connection does not ask for it again: presence, reported state, telemetry or other \
               consoles' commands are then not shown. Allow it and try again if they should be."
                .to_owned(),
        trace: None,
        policy: None,
    }
}

/// We may not publish where devices answer.
pub(super) fn no_own_answers(topic: &str) -> Remark {
    Remark {
        title: format!("Wilco may not publish on {topic}"),
        why: "That topic is only for measuring the round trip; commands do not need it.".to_owned(),
        hint: "Nothing has to be done. To have the round trip measured, allow this client id to publish there."
            .to_owned(),
        trace: None,
        policy: None,
    }
}

impl Refusal {
    /// The broker has answered a publish with a refusal.
    pub(super) fn publication(topic: &str, puback: wilco_ledger::Puback) -> Refusal {
        use wilco_ledger::Puback;
        let reason = match puback {
            Puback::Refused { code: 0x87 } => "not authorized".to_owned(),
            Puback::Refused { code: 0x90 } => "topic name invalid".to_owned(),
            Puback::Refused { code: 0x97 } => "quota exceeded".to_owned(),
            Puback::Refused { code } => format!("reason {code:#04x}"),
            Puback::TooLarge { .. } => "packet too large".to_owned(),
            _ => "the message was not taken".to_owned(),
        };
        Refusal::new(
            sentence(&format!("the broker does not take a message on {topic} ({reason})")),
            "Allow this client id to publish on the devices' req topics in the broker's access rules.",
            crate::refusal::Remedy::TryAgain,
        )
        .because("The subscriptions passed, so the broker lets Wilco listen, but not speak.")
    }

    /// A message of our own was acknowledged and never came back.
    pub(super) fn never_back(topic: &str, seconds: u64) -> Refusal {
        Refusal::new(
            format!("The broker took a message on {topic} and did not deliver it within {seconds} s."),
            "Look at the broker's access rules for publishing and for reading, and at its log. Commands would be lost in the \
             same way, and Wilco would see them time out.",
            crate::refusal::Remedy::TryAgain,
        )
        .because(
            "Both the subscription and the publish were acknowledged. Some brokers (mosquitto on MQTT 3.1.1 among them) \
             acknowledge what their access rules forbid, and drop it.",
        )
        .caused(Cause::Silence)
    }
}
