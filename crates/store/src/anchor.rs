//! The computer's steady clock, stored for the next run.

/// The position of a clock relative to the computer's steady clock, so that the next run can continue it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    /// Identifies the start of the computer.
    pub boot: String,
    /// The time at that start, Unix milliseconds. The computer's wall clock may have shown another time.
    pub at_boot: i64,
}
