//! User definitions that Wilco stores and shows unchanged: settings, saved views, and the parameters of rollouts; and
//! the states of commands and members.
//!
//! The store and the window's types both need them, and neither depends on the other.

mod approval;
mod audit;
mod command_state;
#[cfg(test)]
mod constants;
mod delivery;
mod json;
mod members;
mod rollout;
mod settings;
mod settings_limits;
mod view;

pub use approval::{ApprovalDecision, Verdict};
pub use audit::AuditKind;
pub use command_state::CommandState;
pub use delivery::Delivery;
pub use json::JsonText;
pub use members::{MemberCounts, MemberState};
pub use rollout::{
    BetweenStages, ExpectedMembers, FollowReason, Follows, Gate, HaltLimit, HaltRule, LeaveOut, MaintenanceHours,
    NewRollout, RolloutAction, RolloutCommand, RolloutTarget, StageSize, TYPED_COUNT_ABOVE, WhichMembers,
};
pub use settings::Settings;
pub use settings_limits::days_ago;
pub use view::{DeviceOrder, GroupBy, SavedView, SortBy, ViewColumn};
