//! The interpretation of an answer for its command.

use crate::{Answer, Command, Outcome, Reading, State};

/// How an answer that names the command is read.
pub(crate) fn read(command: &Command, answer: &Answer) -> Reading {
    let is_final = answer.outcome.is_final();
    match command.state {
        State::Queued | State::Held | State::Sent | State::AtBroker => Reading::Moved,
        State::Accepted | State::Running if is_final => Reading::Moved,
        State::Accepted if answer.outcome == Outcome::Running => Reading::Moved,
        State::Accepted => Reading::Duplicate,
        // Also an `accepted` that was overtaken by a `running`: it moves nothing, but the device is alive.
        State::Running => Reading::Heartbeat,
        _ if !is_final => Reading::AfterTheEnd,
        State::Succeeded | State::Failed | State::Rejected => {
            if command.state == answer.outcome.state() && command.result == answer.result {
                Reading::Duplicate
            } else {
                Reading::Conflict
            }
        }
        State::TimedOut => Reading::Late,
        State::Unconfirmed => Reading::Moved,
        State::Undeliverable | State::Expired | State::Cancelled => match command.contradicted {
            None => Reading::Contradiction,
            Some(outcome) if outcome == answer.outcome && command.result == answer.result => Reading::Duplicate,
            Some(_) => Reading::Conflict,
        },
    }
}
