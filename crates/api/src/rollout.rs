//! Wire types of rollouts: one command for many devices, in stages.

mod detail;
mod plan;
mod progress;
mod words;

pub use detail::{
    AnswerTimes, Cause, ReportFormat, RolloutDetail, SharedTrait, SlowAnswers, SlowTrait, TraitKind, UnexpectedDevice,
};
pub use plan::{PlannedRequest, PlannedRequests, RolloutPlan};
pub use progress::{
    MemberPage, MemberQuery, MemberView, RolloutApproval, RolloutState, RolloutView, StageView, WaitsFor,
};
pub use wilco_definitions::{
    BetweenStages, ExpectedMembers, FollowReason, Follows, Gate, HaltLimit, HaltRule, LeaveOut, MaintenanceHours,
    MemberCounts, MemberState, NewRollout, RolloutAction, RolloutCommand, RolloutTarget, StageSize, WhichMembers,
};
