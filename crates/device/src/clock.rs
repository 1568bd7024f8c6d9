//! The only place that reads the wall clock.

use std::time::{SystemTime, UNIX_EPOCH};

use wilco_ledger::Timestamp;

pub(crate) fn now() -> Timestamp {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX))
}
