//! Commands, acknowledgements and deadlines as a state machine.
//!
//! A [`Ledger`] holds the commands of **one** connection: the requests to each device, the received answers, and the
//! state that follows from both. Its inputs are events ([`Input`]) with their time, its outputs are effects
//! ([`Effect`]).
//!
//! It has no clock, randomness, socket, file or task: time and IDs are arguments, and [`Ledger::next_deadline`] says
//! when to call it again.

mod agreement;
mod answer;
mod answer_window;
mod command;
mod decimal;
mod event;
mod expectation;
mod id;
mod input;
mod ledger;
mod limits;
mod number;
mod projection;
mod reading;
mod recent_sends;
mod retry;
pub mod rollout;
mod sentences;
mod state;
mod time;

pub use agreement::{Agreements, Disagreement, FOLLOWS_WITHIN};
pub use answer::{Answer, Claim, Cut, Outcome, Raw};
pub use answer_window::{AnswerWindow, SentCommand};
pub use command::{
    Command, Delivery, LastSend, Match, Membership, Origin, Policy, PublishResult, Retry, Rungs, Submission,
    UnreadableAnswers, WireForm, WrittenMessage,
};
pub use decimal::Decimal;
pub use event::{Event, Fact, NotDelivered, Reading, TimeOut, Unmatched};
pub use expectation::{Expectation, MOST_TERMS, Report, Reported, Term, is_same_value};
pub use id::{CommandId, DeviceId, InvalidCommandId, InvalidDeviceId};
pub use input::{About, Effect, Input, Puback};
pub use ledger::{Changed, Counts, Ledger, Significance};
pub use limits::Limits;
pub use number::grouped;
pub use state::State;
pub use time::{Millis, Timestamp};
