//! Random actions, as numbers that shrink: a number selects one of the currently possible targets.

use proptest::{collection::vec, prelude::*};
use wilco_ledger::{Delivery, Millis, Outcome, Policy, Retry};

#[derive(Debug, Clone)]
pub(crate) enum Action {
    Submit {
        device: usize,
        policy: Policy,
        shared_id: bool,
        /// What its device must report; `Some(None)`: whatever it is.
        expects: Option<Option<bool>>,
    },
    Observe {
        device: usize,
        policy: Policy,
        own: bool,
        pick: usize,
    },
    Cancel {
        pick: usize,
    },
    Wire {
        pick: usize,
    },
    Puback {
        pick: usize,
        fate: PubackKind,
    },
    Answer(ModelAnswer),
    /// The device's lamp is on or off: the command's doing, or a wall switch's.
    Report {
        device: usize,
        on: bool,
        retained: bool,
    },
    /// Something comes that cannot be read, or only in part.
    Unreadable {
        pick: usize,
        how: Unread,
        retained: bool,
    },
    /// An earlier answer comes again.
    Again {
        pick: usize,
    },
    Presence {
        device: usize,
        online: bool,
    },
    DeviceSeen {
        device: usize,
    },
    /// A device is forgotten with all of it, if it has nothing to do.
    Forget {
        device: usize,
    },
    Connect,
    SessionLost,
    Disconnect,
    Resumed,
    Drained,
    Wait {
        milliseconds: i64,
    },
    /// To the very moment that the ledger asked for.
    WaitUntilDue,
    /// From here on nothing reaches the disk.
    Stall,
    /// That many batches reach the disk, and what they publish goes out.
    Commit {
        batches: usize,
    },
    Crash,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum PubackKind {
    Accepted,
    NobodyListening,
    Refused,
    TooLarge,
    Unknown,
    NotTaken,
}

#[derive(Debug, Clone)]
pub(crate) struct ModelAnswer {
    /// Of which command it speaks.
    pub(crate) pick: usize,
    pub(crate) how: Naming,
    pub(crate) correlation: Option<usize>,
    pub(crate) outcome: Outcome,
    pub(crate) result: bool,
    /// Not on the topic of that command's device.
    pub(crate) elsewhere: bool,
    pub(crate) retained: bool,
}

/// Of what cannot be read, what can be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Unread {
    Id,
    UnknownId,
    Nothing,
    /// It is a report of state.
    Report,
    /// It is nothing that a command could be meant by.
    NoAnswer,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Naming {
    Id,
    UnknownId,
    /// In a text, perhaps beside the id of another command.
    Within {
        beside: Option<usize>,
    },
    Nothing,
}

pub(crate) fn actions() -> impl Strategy<Value = Vec<Action>> {
    vec(action(), 1..70).prop_map(|mut actions| {
        actions.insert(0, Action::Connect);
        actions
    })
}

fn action() -> impl Strategy<Value = Action> {
    let pick = || 0_usize..12;
    let device = || 0_usize..3;
    prop_oneof![
        16 => (device(), policy(), prop::bool::weighted(0.2), prop::option::weighted(0.4, prop::option::weighted(0.8, any::<bool>())))
            .prop_map(|(device, policy, shared_id, expects)| Action::Submit { device, policy, shared_id, expects }),
        2 => (device(), policy(), any::<bool>(), pick())
            .prop_map(|(device, policy, own, pick)| Action::Observe { device, policy, own, pick }),
        4 => pick().prop_map(|pick| Action::Cancel { pick }),
        10 => pick().prop_map(|pick| Action::Wire { pick }),
        14 => (pick(), puback()).prop_map(|(pick, fate)| Action::Puback { pick, fate }),
        20 => said().prop_map(Action::Answer),
        8 => (device(), any::<bool>(), prop::bool::weighted(0.1))
            .prop_map(|(device, on, retained)| Action::Report { device, on, retained }),
        5 => (pick(), unread(), prop::bool::weighted(0.1))
            .prop_map(|(pick, how, retained)| Action::Unreadable { pick, how, retained }),
        4 => pick().prop_map(|pick| Action::Again { pick }),
        6 => (device(), any::<bool>()).prop_map(|(device, online)| Action::Presence { device, online }),
        3 => device().prop_map(|device| Action::DeviceSeen { device }),
        3 => device().prop_map(|device| Action::Forget { device }),
        6 => Just(Action::Connect),
        2 => Just(Action::SessionLost),
        4 => Just(Action::Disconnect),
        2 => Just(Action::Resumed),
        3 => Just(Action::Drained),
        12 => prop_oneof![0_i64..50, 0_i64..3_000, 0_i64..30_000]
            .prop_map(|milliseconds| Action::Wait { milliseconds }),
        10 => Just(Action::WaitUntilDue),
        3 => Just(Action::Stall),
        2 => (0_usize..4).prop_map(|batches| Action::Commit { batches }),
        3 => Just(Action::Crash),
    ]
}

fn policy() -> impl Strategy<Value = Policy> {
    let delivery = prop_oneof![Just(Delivery::HoldHere), Just(Delivery::BrokerHolds), Just(Delivery::Now)];
    let lengths = prop_oneof![6 => Just((10_000, 60_000)), 2 => Just((3_000, 4_000)), 1 => Just((0, 5_000)), 1 => Just((5_000, 0))];
    let retry = (any::<bool>(), 0_u32..3, prop_oneof![3 => Just(2_000_u64), 1 => Just(0)]);
    (delivery, lengths, retry, prop::bool::weighted(0.7), prop::bool::weighted(0.8)).prop_map(
        |(delivery, (timeout, time_to_live), (permitted, limit, pause), answer_expected, answers_carry_ids)| Policy {
            delivery,
            timeout: Millis(timeout),
            time_to_live: Millis(time_to_live),
            retry: Retry { permitted, limit, pause: Millis(pause) },
            answer_expected,
            answers_carry_ids,
        },
    )
}

fn puback() -> impl Strategy<Value = PubackKind> {
    prop_oneof![
        12 => Just(PubackKind::Accepted),
        1 => Just(PubackKind::NobodyListening),
        1 => Just(PubackKind::Refused),
        1 => Just(PubackKind::TooLarge),
        2 => Just(PubackKind::Unknown),
        2 => Just(PubackKind::NotTaken),
    ]
}

fn unread() -> impl Strategy<Value = Unread> {
    prop_oneof![
        4 => Just(Unread::Id),
        1 => Just(Unread::UnknownId),
        4 => Just(Unread::Nothing),
        2 => Just(Unread::Report),
        1 => Just(Unread::NoAnswer),
    ]
}

fn said() -> impl Strategy<Value = ModelAnswer> {
    let pick = || 0_usize..12;
    let how = prop_oneof![
        12 => Just(Naming::Id),
        1 => Just(Naming::UnknownId),
        3 => prop::option::of(pick()).prop_map(|beside| Naming::Within { beside }),
        4 => Just(Naming::Nothing),
    ];
    let outcome = prop_oneof![
        2 => Just(Outcome::Accepted),
        2 => Just(Outcome::Running),
        3 => Just(Outcome::Succeeded),
        1 => Just(Outcome::Failed),
        1 => Just(Outcome::Rejected),
    ];
    let rarely = || prop::bool::weighted(0.06);
    (pick(), how, prop::option::weighted(0.1, pick()), outcome, any::<bool>(), rarely(), rarely()).prop_map(
        |(pick, how, correlation, outcome, result, elsewhere, retained)| ModelAnswer {
            pick,
            how,
            correlation,
            outcome,
            result,
            elsewhere,
            retained,
        },
    )
}
