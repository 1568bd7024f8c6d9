//! The parameters of a rollout.

use std::num::NonZeroU32;

use crate::Millis;

/// So much of a value may be due to how binary numbers are rounded.
const EXACT: f64 = 1e-12;

/// How a rollout continues, whatever happens.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The number of members of each stage, in order; none of them 0. Members are numbered consecutively.
    pub stages: Vec<u32>,
    /// The behaviour between two stages.
    pub between: Between,
    /// The maximum number of releases in any one second.
    pub rate: Option<NonZeroU32>,
    /// The maximum number of released but unfinished members. Those that a closed stage no longer waits for do not
    /// count.
    pub in_flight: Option<NonZeroU32>,
    /// When it halts automatically.
    pub halt: Option<Halt>,
    /// How long a measurement must stay within its limits before the next stage starts.
    pub gate: Option<Millis>,
    /// Members are released only during maintenance hours: see [`super::Input::Hours`].
    pub hours: bool,
    /// One publish reaches every member: they are released together or not at all. There is one stage, and neither a rate
    /// nor a limit in flight.
    pub broadcast: bool,
}

/// The behaviour between two stages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Between {
    /// The next stage starts immediately.
    Continue,
    /// The next stage starts after this time.
    Pause(Millis),
    /// A user starts the next stage.
    Ask,
}

/// The halt rule: a rollout halts when more members fail than the limit allows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Halt {
    /// The limit.
    pub above: HaltLimit,
    /// It does not halt before this many members have ended.
    pub after: u32,
    /// Members that timed out or expired count as failed.
    pub count_timeouts: bool,
}

/// The number of failures that are still allowed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum HaltLimit {
    /// This many members.
    Members(u32),
    /// This percentage of the members that have ended, 0 … 100.
    Percent(f64),
}

impl Plan {
    /// The number of members.
    #[must_use]
    pub fn members(&self) -> u32 {
        self.stages.iter().sum()
    }
}

impl Halt {
    /// Whether this many failures are too many.
    #[must_use]
    pub fn is_exceeded(&self, failed: u32, ended: u32) -> bool {
        ended >= self.after
            && match self.above {
                HaltLimit::Members(count) => failed > count,
                // 0.57 % of 10,000 are 57, and not a little less.
                HaltLimit::Percent(percent) => f64::from(failed) * 100.0 > percent * f64::from(ended) * (1.0 + EXACT),
            }
    }
}
