//! The stored names of the domain's plain enums. They do not change when the code is renamed.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use wilco_ledger::{Delivery, Match, Origin, Outcome, PublishResult, Reading, State, TimeOut, Unmatched};

use wilco_connection::{ConnectionMode, MqttVersion, Preset, Trust};
use wilco_definitions::{AuditKind, DeviceOrder, GroupBy};

/// A value that is stored by its name.
pub(super) trait SqlEnum: Sized + Copy {
    fn word(self) -> &'static str;
    fn read(word: &str) -> Option<Self>;
}

macro_rules! words {
    ($type:ident { $($variant:ident = $word:literal,)+ }) => {
        impl SqlEnum for $type {
            fn word(self) -> &'static str {
                match self {
                    $($type::$variant => $word,)+
                }
            }

            fn read(word: &str) -> Option<Self> {
                match word {
                    $($word => Some($type::$variant),)+
                    _ => None,
                }
            }
        }
    };
}

words!(Preset { Plain = "plain", Aws = "aws", Mosquitto = "mosquitto", Emqx = "emqx", Hivemq = "hivemq", });
words!(ConnectionMode { Normal = "normal", ReadOnly = "read_only", Protected = "protected", });
words!(Trust { Platform = "platform", Authorities = "authorities", Pinned = "pinned", });
words!(DeviceOrder { Ascending = "ascending", Descending = "descending", });
words!(GroupBy { Tag = "tag", Firmware = "firmware", State = "state", Presence = "presence", });
words!(Outcome {
    Accepted = "accepted",
    Running = "running",
    Succeeded = "succeeded",
    Failed = "failed",
    Rejected = "rejected",
});
words!(Delivery {
    Now = "now",
    BrokerHolds = "broker_holds",
    HoldHere = "hold_here",
    Broadcast = "broadcast",
});
words!(PublishResult {
    Open = "open",
    Confirmed = "confirmed",
    Unknown = "unknown",
    NotSent = "not_sent",
    Refused = "refused",
    Declined = "declined",
});
words!(Match { Exact = "exact", Inferred = "inferred", Reported = "reported", Ambiguous = "ambiguous", });
words!(Origin { Here = "here", Observed = "observed", });
words!(Reading {
    Moved = "moved",
    Inferred = "inferred",
    Late = "late",
    Challenge = "challenge",
    Heartbeat = "heartbeat",
    Duplicate = "duplicate",
    Conflict = "conflict",
    Contradiction = "contradiction",
    AfterTheEnd = "after_the_end",
    Ambiguous = "ambiguous",
});
words!(Unmatched {
    UnknownId = "unknown_id",
    OtherDevice = "other_device",
    Disagreement = "disagreement",
    Retained = "retained",
    NothingOutstanding = "nothing_outstanding",
});
words!(TimeOut {
    Silence = "silence",
    HeartbeatsStopped = "heartbeats_stopped",
    MayHaveRun = "may_have_run",
    Abandoned = "abandoned",
});
words!(AuditKind {
    Command = "command",
    Rollout = "rollout",
    Connection = "connection",
    Dialect = "dialect",
    Catalogue = "catalogue",
    Button = "button",
    Device = "device",
    View = "view",
    Desired = "desired",
    Approval = "approval",
    Settings = "settings",
    History = "history",
    Audit = "audit",
});
words!(MqttVersion { V5 = "5", V311 = "3.1.1", });

impl SqlEnum for State {
    fn word(self) -> &'static str {
        self.as_str()
    }

    fn read(word: &str) -> Option<Self> {
        State::parse(word)
    }
}

/// A plain enum inside stored JSON.
#[derive(Debug, Clone, Copy)]
pub(super) struct Worded<T>(pub(super) T);

impl<T: SqlEnum> Serialize for Worded<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.word())
    }
}

impl<'de, T: SqlEnum> Deserialize<'de> for Worded<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        T::read(&word).map(Worded).ok_or_else(|| D::Error::custom(format!("unknown word '{word}'")))
    }
}
