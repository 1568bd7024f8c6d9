//! Rollouts between the wire types and the state machine: a request becomes a plan, and the state becomes a view.
//!
//! It runs none: the controller does, beside the ledger.

mod answers;
mod earlier;
mod estimate;
mod gate;
mod hours;
mod members;
mod plan;
mod report;
mod shared;
mod slow;
mod survey;
mod terms;
mod view;

use std::{collections::BTreeMap, sync::Arc};

use parking_lot::RwLock;

use crate::api::RolloutView;

pub(crate) use answers::{answer_times, causes, span_ms, took};
pub(crate) use earlier::{CHANGES, READS, changed_since, earlier_values, put_back};
pub(crate) use estimate::expected;
pub(crate) use gate::{Watch, limits_text};
pub(crate) use hours::hours_at;
pub(crate) use members::{changed, fingerprint};
pub(crate) use plan::{action, plan, refuse, refuse_note, stage_sizes};
pub(crate) use report::{LISTED, Report, SLOWEST, report};
pub(crate) use shared::shared_traits;
pub(crate) use slow::slow_members;
pub(crate) use survey::{Found, Requested, Survey};
pub(crate) use terms::{target, terms};
pub(crate) use view::{Awaited, view};

/// Every rollout as it is on the disk, by number: what is shown of them.
pub(crate) type ShownRollouts = Arc<RwLock<BTreeMap<u32, RolloutView>>>;
