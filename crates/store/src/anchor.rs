//! The computer's steady clock, stored for the next run.

/// Where a line of time lies on the computer's steady clock: enough to continue with it in the next run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    /// Which start of the computer it is.
    pub boot: String,
    /// The time at that start, Unix milliseconds. The computer's own clock may have shown another.
    pub at_boot: i64,
}
