//! Failures of calls that cannot be answered, independent of their subject.

use tokio::task::JoinError;

use crate::api::{Failure, FailureCode};

/// The engine ends before it could answer.
pub(crate) fn stopping() -> Failure {
    Failure { code: FailureCode::Internal, message: "Wilco is shutting down.".into(), hint: None }
}

/// The task that would have answered has panicked.
pub(crate) fn defect(error: JoinError) -> Failure {
    Failure { code: FailureCode::Internal, message: format!("Internal error: {error}."), hint: None }
}
