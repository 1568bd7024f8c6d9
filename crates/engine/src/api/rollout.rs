//! Rollouts as they cross the seam: one command for many devices, in stages.

mod detail;
mod plan;
mod progress;
mod request;
mod words;

pub use detail::{AnswerTimes, Cause, ReportFormat, RolloutDetail, SharedTrait, Stranger, TraitKind};
pub use plan::{PlannedRequest, RolloutPlan};
pub use progress::{
    MemberCounts, MemberPage, MemberQuery, MemberState, MemberView, RolloutState, RolloutView, StageView, WaitsFor,
};
pub use request::{
    BetweenStages, FollowReason, Follows, Gate, HaltLimit, HaltRule, LeaveOut, MaintenanceHours, NewRollout,
    RolloutAction, RolloutCommand, RolloutTarget, StageSize, WhichMembers,
};
