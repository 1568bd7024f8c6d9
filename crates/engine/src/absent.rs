//! Failures for things that do not exist.

use crate::api::{Failure, FailureCode, excerpt};

pub(crate) fn not_found(what: &str, name: &str) -> Failure {
    Failure { code: FailureCode::NotFound, message: format!("There is no {what} '{}'.", excerpt(name)), hint: None }
}

/// There is no rollout of that number, or no longer.
pub(crate) fn no_rollout(id: &str) -> Failure {
    let hint = "A rollout is removed together with its connection. The list of rollouts shows the existing ones.";
    Failure { hint: Some(hint.into()), ..not_found("rollout", id) }
}
