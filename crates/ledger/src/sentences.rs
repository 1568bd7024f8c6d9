//! What is said of a command that ended without its device: what happened and why, and never more than is known.

use crate::{Answer, Command, Fate, Millis, NotDelivered, State, TimeOut, Timestamp};

/// Waiting ended. To be asked before the command's state is changed.
pub(crate) fn timed_out(command: &Command, why: TimeOut, now: Timestamp) -> Box<str> {
    let waited = length(now.since(command.silent_since()));
    let sentence = match why {
        TimeOut::Abandoned => format!("Waiting was stopped. {}", whereabouts(command)),
        TimeOut::HeartbeatsStopped => match command.progress {
            Some(progress) => {
                format!("The device reported {progress} %, then nothing for {waited}. It may still be at it.")
            }
            None => format!("The device was at it, then said nothing for {waited}. It may still be at it."),
        },
        TimeOut::Silence if command.state >= State::Accepted => {
            format!("The device accepted it, then said nothing for {waited}. It may still do it.")
        }
        TimeOut::Silence | TimeOut::MayHaveRun if !command.asked.policy.answer_expected => {
            format!("Nothing was heard of it within {waited}. {}", whereabouts(command))
        }
        TimeOut::Silence | TimeOut::MayHaveRun => format!("No answer within {waited}. {}", whereabouts(command)),
    };
    sentence.into()
}

/// PUBACK after waiting had ended.
pub(crate) fn confirmed_after_time_out(command: &Command) -> Box<str> {
    let missing =
        if command.asked.policy.answer_expected { "No answer in time." } else { "Nothing was heard in time." };
    format!("{missing} The broker confirmed it only afterwards; the device may still run it.").into()
}

/// Where it is, as far as anybody can tell.
fn whereabouts(command: &Command) -> &'static str {
    let lost = command.last_send.is_some_and(|send| send.fate == Fate::Unknown);
    match command.state {
        State::Accepted | State::Running => "The device has it and may still finish it.",
        State::AtBroker if command.nobody_listening => {
            "The broker has it, but reported that nobody listens on the device's topic."
        }
        State::AtBroker => "The broker has it; the device may still run it.",
        _ if lost => "The connection was lost before the broker confirmed it, so it may have run.",
        _ => "The broker never confirmed it, so it may have run.",
    }
}

/// The time to live passed before it was ever sent. To be asked before the command's state is changed.
pub(crate) fn expired(command: &Command) -> Box<str> {
    let life = length(command.asked.policy.time_to_live);
    let why = match command.state {
        State::Held => format!("The device did not come online within {life}."),
        _ => format!("It could not be sent within {life}."),
    };
    format!("{why} It was never sent, and will not be.").into()
}

/// Withdrawn before it was ever sent.
pub(crate) fn cancelled() -> Box<str> {
    "Cancelled before it was sent. It will not be sent.".into()
}

/// It cannot be delivered.
pub(crate) fn undeliverable(why: &NotDelivered) -> Box<str> {
    match why {
        NotDelivered::Refused { code } => {
            format!("The broker refused it: {} (0x{code:02x}). The device did not get it.", reason(*code))
        }
        NotDelivered::TooLarge { bytes } => {
            format!("The message of {bytes} bytes is larger than the broker takes. It was not sent.")
        }
        NotDelivered::DeviceOffline => {
            "The device is offline, and the command was for now or never. It was not sent.".to_owned()
        }
        NotDelivered::NotConnected => {
            "There is no connection to the broker, and the command was for now or never. It was not sent.".to_owned()
        }
    }
    .into()
}

/// A repeat cannot be delivered, but an earlier send may have arrived.
pub(crate) fn repeat_refused(why: &NotDelivered) -> Box<str> {
    let refusal = match why {
        NotDelivered::Refused { code } => format!("The broker refused the repeat: {} (0x{code:02x}).", reason(*code)),
        NotDelivered::TooLarge { .. } => "The repeat is larger than the broker takes.".to_owned(),
        NotDelivered::DeviceOffline => "The device is offline, so it was not repeated.".to_owned(),
        NotDelivered::NotConnected => "There is no connection to the broker, so it was not repeated.".to_owned(),
    };
    format!("{refusal} An earlier send may have arrived.").into()
}

/// No answer is expected, and MQTT has done its part.
pub(crate) fn unconfirmed(command: &Command) -> Box<str> {
    if command.state >= State::Accepted {
        "The device has it. No further answer is expected.".into()
    } else if command.nobody_listening {
        "The broker has it, but reported that nobody listens on the device's topic. No answer is expected.".into()
    } else {
        "The broker has it. No answer is expected.".into()
    }
}

/// The device tells of something that had ended here otherwise.
pub(crate) fn contradicted(ended: State, answer: &Answer) -> Box<str> {
    let ended = match ended {
        State::Cancelled => "was cancelled here before it was sent",
        State::Expired => "expired here before it was sent",
        _ => "could not be delivered from here",
    };
    let reported = answer.outcome.state().as_str();
    match &answer.message {
        Some(message) => format!("It {ended}, but the device reports {reported}: {message}").into(),
        None => format!("It {ended}, but the device reports {reported}.").into(),
    }
}

/// MQTT 5 section 3.4.2.1, and 0x9f from the PUBLISH's neighbours.
fn reason(code: u8) -> &'static str {
    match code {
        0x83 => "it does not accept such a message",
        0x87 => "not authorised",
        0x90 => "the topic name is not allowed",
        0x91 => "the packet identifier is in use",
        0x95 => "the packet is too large",
        0x97 => "a quota is exceeded",
        0x99 => "the payload's format is invalid",
        _ => "it gave no reason",
    }
}

/// A length of time for people, rounded down.
fn length(length: Millis) -> String {
    match length.0 {
        0..1_000 => format!("{} ms", length.0),
        1_000..10_000 if length.0 % 1_000 >= 100 => format!("{}.{} s", length.0 / 1_000, length.0 % 1_000 / 100),
        1_000..120_000 => format!("{} s", length.0 / 1_000),
        120_000..7_200_000 => format!("{} min", length.0 / 60_000),
        _ => format!("{} h", length.0 / 3_600_000),
    }
}

#[cfg(test)]
mod tests {
    use super::length;
    use crate::Millis;

    #[test]
    fn lengths_are_for_people() {
        let check = |millis: u64, expected: &str| assert_eq!(length(Millis(millis)), expected);
        check(0, "0 ms");
        check(250, "250 ms");
        check(2_000, "2 s");
        check(2_500, "2.5 s");
        check(2_050, "2 s");
        check(10_400, "10 s");
        check(90_000, "90 s");
        check(150_000, "2 min");
        check(7_200_000, "2 h");
    }
}
