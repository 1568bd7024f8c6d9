//! Sentences about commands that ended without their device: what happened and why, limited to what is known.

use crate::{Answer, Command, Expectation, Millis, NotDelivered, PublishResult, State, TimeOut, Timestamp, grouped};

/// Waiting ended. Call it before the command's state changes.
pub(crate) fn timed_out(command: &Command, why: TimeOut, now: Timestamp) -> Box<str> {
    let waited = length(now.since(command.silent_since()));
    if let (TimeOut::Silence | TimeOut::MayHaveRun, Some(answers)) = (why, &command.unreadable) {
        let why = &answers.why;
        let missing = match awaited(command) {
            Some(awaited) => {
                format!("The device did not report {awaited} within {waited}, and a report could not be read.")
            }
            None => format!("No readable answer within {waited}."),
        };
        return format!("{missing} {why} The device may have run it.").into();
    }
    let sentence = match why {
        TimeOut::Abandoned => match could_not_be_read(command) {
            Some(remark) => format!("Stopped waiting. {remark} The device may have run it."),
            None => format!("Stopped waiting. {}", whereabouts(command)),
        },
        TimeOut::HeartbeatsStopped => {
            let was = match command.progress {
                Some(progress) => format!("The device reported {progress} %"),
                None => "The device was running it".to_owned(),
            };
            match &command.unreadable {
                Some(answers) => {
                    let why = &answers.why;
                    format!("{was}, then sent nothing readable for {waited}. {why} It may still be running it.")
                }
                None => format!("{was}, then sent nothing for {waited}. It may still be running it."),
            }
        }
        TimeOut::Silence if command.state >= State::Accepted => {
            format!("The device accepted it, then sent nothing for {waited}. It may still run it.")
        }
        TimeOut::Silence | TimeOut::MayHaveRun if !command.submission.policy.answer_expected => {
            format!("No acknowledgement within {waited}. {}", whereabouts(command))
        }
        TimeOut::Silence | TimeOut::MayHaveRun => match awaited(command) {
            Some(awaited) => format!("The device did not report {awaited} within {waited}. {}", whereabouts(command)),
            None => format!("No answer within {waited}. {}", whereabouts(command)),
        },
    };
    sentence.into()
}

/// What arrived and does not count; `None` if nothing did.
fn could_not_be_read(command: &Command) -> Option<String> {
    let why = &command.unreadable.as_ref()?.why;
    let what = if command.waits_for_report() { "A report" } else { "An answer" };
    Some(format!("{what} could not be read. {why}"))
}

/// The expected report, in a few words.
fn awaited(command: &Command) -> Option<String> {
    let Expectation::State { terms, .. } = command.expects()? else { return None };
    let [first, rest @ ..] = &**terms else { return None };
    let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
    match &first.value {
        Some(value) => Some(format!("{} = {value}{more}", first.key)),
        None => Some(format!("{}{more}", first.key)),
    }
}

/// The device has to come back first.
pub(crate) fn awaits_return() -> Box<str> {
    "The broker may have been restarted. Wilco waits a few seconds for the device to reconnect before it sends.".into()
}

/// It may have been sent, because what the history says of it may not be all.
pub(crate) fn events_missing() -> Box<str> {
    "Events are missing from the history, so it may have been sent.".into()
}

/// The device did not carry it out, because it requires a signed request.
pub(crate) fn challenged() -> Box<str> {
    "The device asked for its password and did not run the command. Wilco sends it again, signed.".into()
}

/// An answer came that cannot be read.
pub(crate) fn unreadable(command: &Command, at: Timestamp, why: &str) -> Box<str> {
    let after = length(at.since(command.rungs.sent.unwrap_or(command.submitted_at)));
    let (what, article) = if command.waits_for_report() { ("report", "A") } else { ("answer", "An") };
    let missing = if command.is_settled() { format!("No {what} in time. ") } else { String::new() };
    format!("{missing}{article} {what} arrived after {after}. {why} It does not count.").into()
}

/// PUBACK after waiting had ended.
pub(crate) fn confirmed_after_time_out(command: &Command) -> Box<str> {
    let missing = match could_not_be_read(command) {
        Some(remark) => remark,
        None if command.submission.policy.answer_expected => "No answer in time.".to_owned(),
        None => "No acknowledgement in time.".to_owned(),
    };
    format!("{missing} The broker acknowledged it only afterwards; the device may still run it.").into()
}

/// Where the request is, as far as that is known.
fn whereabouts(command: &Command) -> &'static str {
    let lost = command.last_send.is_some_and(|send| send.publish_result == PublishResult::Unknown);
    match command.state {
        State::Accepted | State::Running => "The device has it and may still finish it.",
        State::AtBroker if command.nobody_listening => {
            "The broker has it, but reported no subscribers on the device's topic."
        }
        State::AtBroker => "The broker has it; the device may still run it.",
        State::Sent if lost => "The connection was lost before the broker acknowledged it, so it may have run.",
        State::Sent => "It was sent, but no acknowledgement from the broker was recorded, so it may have run.",
        _ if lost => "The connection was lost while it was being sent, so it may have run.",
        // Wilco was killed, events are missing from the history, or the network has accepted nothing for as long.
        _ => "Wilco does not know whether it was sent, so it may have run.",
    }
}

/// The time to live passed before it was ever sent. Call it before the command's state changes.
pub(crate) fn expired(command: &Command) -> Box<str> {
    let life = length(command.submission.policy.time_to_live);
    let why = match command.state {
        State::Held => format!("The device did not come online within {life}."),
        _ => format!("It could not be sent within {life}."),
    };
    format!("{why} It was not sent, and will not be.").into()
}

/// Withdrawn before it was ever sent.
pub(crate) fn cancelled() -> Box<str> {
    "Cancelled before it was sent. It will not be sent.".into()
}

/// It cannot be delivered.
pub(crate) fn undeliverable(why: &NotDelivered) -> Box<str> {
    match why {
        NotDelivered::NotWritten(why) => format!("The request could not be encoded. {why} It was not sent."),
        NotDelivered::Refused { code, said } => format!(
            "The broker refused it: {} (0x{code:02x}).{} The device did not receive it.",
            reason(*code),
            in_its_words(said.as_deref())
        ),
        NotDelivered::TooLarge { bytes } => {
            format!("The broker does not accept a message of {} bytes. It was not sent.", grouped(*bytes))
        }
        NotDelivered::DeviceOffline => {
            "The device is offline, and the command is not held. It was not sent.".to_owned()
        }
        NotDelivered::NotConnected => {
            "Not connected to the broker, and the command is not held. It was not sent.".to_owned()
        }
    }
    .into()
}

fn in_its_words(said: Option<&str>) -> String {
    said.map(|said| format!(" Reason given by the broker: “{}”.", said.trim_end_matches('.'))).unwrap_or_default()
}

/// A repeat cannot be delivered, but an earlier send may have arrived.
pub(crate) fn repeat_refused(command: &Command, why: &NotDelivered) -> Box<str> {
    let refusal = match why {
        NotDelivered::NotWritten(why) => format!("The retry could not be encoded. {why}"),
        NotDelivered::Refused { code, said } => {
            format!("The broker refused the repeat: {} (0x{code:02x}).{}", reason(*code), in_its_words(said.as_deref()))
        }
        NotDelivered::TooLarge { .. } => "The repeat is larger than the broker accepts.".to_owned(),
        NotDelivered::DeviceOffline => "The device is offline, so it was not repeated.".to_owned(),
        NotDelivered::NotConnected => "There is no connection to the broker, so it was not repeated.".to_owned(),
    };
    match could_not_be_read(command) {
        Some(remark) => format!("{refusal} An earlier send may have arrived. {remark}").into(),
        None => format!("{refusal} An earlier send may have arrived.").into(),
    }
}

/// No answer is expected, and MQTT has done its part.
pub(crate) fn unconfirmed(command: &Command) -> Box<str> {
    if let Some(Expectation::Nothing(why)) = command.expects()
        && command.state < State::Accepted
    {
        return format!("Sent. {why}").into();
    }
    if command.state >= State::Accepted {
        "The device has it. No further answer is expected.".into()
    } else if command.nobody_listening {
        "The broker has it, but reported no subscribers on the device's topic. No answer is expected.".into()
    } else {
        "The broker has it. No answer is expected.".into()
    }
}

/// The device reports about a command that had ended here otherwise.
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
        0x83 => "implementation specific error",
        0x87 => "not authorized",
        0x90 => "topic name invalid",
        0x91 => "packet identifier in use",
        0x95 => "packet too large",
        0x97 => "quota exceeded",
        0x99 => "payload format invalid",
        _ => "no reason given",
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
