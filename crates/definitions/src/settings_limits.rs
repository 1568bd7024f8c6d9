//! The defaults and limits of the settings.
//!
//! Window preferences are not among them: the window keeps those itself, and the command line does not need them.

use std::ops::RangeInclusive;

use wilco_dialect::{LONGEST_SPAN_S, device_side::OPERATOR_LIMIT};
use wilco_failure::{Failure, invalid};
use wilco_ledger::{Millis, Timestamp, grouped};

use crate::Settings;

const DAYS: RangeInclusive<u32> = 1..=3_650;
/// Up to 7 days, as for a command's own.
const WAITING: RangeInclusive<u32> = 1..=LONGEST_SPAN_S;
const LONG: RangeInclusive<u32> = 1..=86_400;
/// Bytes.
const EVIDENCE: RangeInclusive<u64> = 1_000_000..=1_000_000_000_000;
const EVIDENCE_OF_A_DEVICE: RangeInclusive<u64> = 100_000..=1_000_000_000_000;
/// Milliseconds.
const DAY: i64 = 86_400_000;

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            history_days: Some(365),
            audit_days: None,
            telemetry_days: 7,
            evidence_bytes: 1_000_000_000,
            device_evidence_bytes: 64_000_000,
            timeout_s: 10,
            time_to_live_s: 60,
            notify_failed: true,
            notify_long: true,
            long_after_s: 10,
            operator_name: None,
        }
    }
}

impl Settings {
    /// The default timeout, the longest silence after a command was sent.
    #[must_use]
    pub fn timeout(&self) -> Millis {
        Millis::seconds(self.timeout_s.into())
    }

    /// The default time to live, the longest time until a command is sent.
    #[must_use]
    pub fn time_to_live(&self) -> Millis {
        Millis::seconds(self.time_to_live_s.into())
    }

    /// Checks that every value is within its limits.
    ///
    /// # Errors
    /// [`FailureCode::Invalid`](wilco_failure::FailureCode) for the first that is not.
    pub fn check(&self) -> Result<(), Failure> {
        if let Some(days) = self.history_days {
            check_days(days, "A history", "each command would be deleted as soon as it finished", ", or no limit.")?;
        }
        if let Some(days) = self.audit_days {
            check_days(days, "An audit", "each entry would be deleted as soon as it was written", ", or no limit.")?;
        }
        let forgotten = "telemetry would be deleted on arrival";
        check_days(self.telemetry_days, "Telemetry", forgotten, ".")?;
        check_bytes(self.evidence_bytes, EVIDENCE, "A quota", "1 MB")?;
        check_bytes(self.device_evidence_bytes, EVIDENCE_OF_A_DEVICE, "A quota for each device", "100 kB")?;
        if let Some(name) = &self.operator_name {
            check_operator(name)?;
        }
        let seconds = [
            (self.timeout_s, WAITING, "timeout", "Enter a value from 1 second to 7 days."),
            (self.time_to_live_s, WAITING, "time to live", "Enter a value from 1 second to 7 days."),
            (self.long_after_s, LONG, "long-running limit", "Enter a value from 1 second to 1 day."),
        ];
        match seconds.into_iter().find(|(value, bounds, ..)| !bounds.contains(value)) {
            None => Ok(()),
            Some((value, _, what, bounds)) => {
                Err(invalid(format!("A {what} of {} s is not allowed.", grouped(value)), bounds))
            }
        }
    }
}

/// The time `days` ago, before which finished commands are old.
///
/// # Errors
/// [`FailureCode::Invalid`](wilco_failure::FailureCode) for 0 days, or more than the maximum.
pub fn days_ago(days: u32, now: Timestamp) -> Result<Timestamp, Failure> {
    check_days(days, "A history", "all finished commands would be deleted", ".")?;
    Ok(Timestamp(now.0.saturating_sub(i64::from(days) * DAY)))
}

fn check_bytes(bytes: u64, bounds: RangeInclusive<u64>, what: &str, least: &str) -> Result<(), Failure> {
    if bounds.contains(&bytes) {
        return Ok(());
    }
    let bytes = grouped(usize::try_from(bytes).unwrap_or(usize::MAX));
    Err(invalid(format!("{what} of {bytes} bytes is not allowed."), &format!("Enter a value from {least} to 1 TB.")))
}

/// A name of an operator, as others are to read it.
fn check_operator(name: &str) -> Result<(), Failure> {
    let hint = format!("Enter a name of 1 to {OPERATOR_LIMIT} characters, such as Ana or Shift 2.");
    let length = name.chars().count();
    if name.trim() != name || name.chars().any(char::is_control) {
        return Err(invalid(
            "The operator name begins or ends with a space, or contains control characters.".into(),
            &hint,
        ));
    }
    match length {
        0 => Err(invalid("The operator name is empty.".into(), &hint)),
        length if length > OPERATOR_LIMIT => Err(invalid(format!("The operator name has {length} characters."), &hint)),
        _ => Ok(()),
    }
}

fn check_days(days: u32, what: &str, at_none: &str, otherwise: &str) -> Result<(), Failure> {
    let hint = format!("Enter a value from 1 to 3,650 days{otherwise}");
    match days {
        0 => Err(invalid(format!("{what} of 0 days would keep nothing: {at_none}."), &hint)),
        days if DAYS.contains(&days) => Ok(()),
        days => Err(invalid(format!("{what} of {} days is not allowed.", grouped(days)), &hint)),
    }
}

#[cfg(test)]
mod tests {
    use wilco_ledger::Timestamp;

    use super::{DAY, days_ago};
    use crate::Settings;

    #[test]
    fn impossible_settings_are_refused_in_a_sentence() {
        let check = |change: fn(&mut Settings), expected: &str| {
            let mut settings = Settings::default();
            change(&mut settings);
            let said = settings.check().map_or_else(
                |failure| format!("{} {}", failure.message, failure.hint.unwrap_or_default()),
                |()| "fine".to_owned(),
            );
            assert_eq!(said, expected);
        };
        check(|_| {}, "fine");
        check(|settings| settings.history_days = None, "fine");
        check(
            |settings| settings.history_days = Some(0),
            "A history of 0 days would keep nothing: each command would be deleted as soon as it finished. Enter a \
             value from 1 to 3,650 days, or no limit.",
        );
        check(
            |settings| settings.history_days = Some(3_651),
            "A history of 3,651 days is not allowed. Enter a value from 1 to 3,650 days, or no limit.",
        );
        check(
            |settings| settings.telemetry_days = 0,
            "Telemetry of 0 days would keep nothing: telemetry would be deleted on arrival. Enter a value from 1 to \
             3,650 days.",
        );
        check(
            |settings| settings.evidence_bytes = 999_999,
            "A quota of 999,999 bytes is not allowed. Enter a value from 1 MB to 1 TB.",
        );
        check(|settings| settings.evidence_bytes = 1_000_000, "fine");
        check(
            |settings| settings.device_evidence_bytes = 0,
            "A quota for each device of 0 bytes is not allowed. Enter a value from 100 kB to 1 TB.",
        );
        check(
            |settings| settings.timeout_s = 0,
            "A timeout of 0 s is not allowed. Enter a value from 1 second to 7 days.",
        );
        check(
            |settings| settings.time_to_live_s = 604_801,
            "A time to live of 604,801 s is not allowed. Enter a value from 1 second to 7 days.",
        );
        let names = "Enter a name of 1 to 64 characters, such as Ana or Shift 2.";
        check(|settings| settings.operator_name = Some("Ana".into()), "fine");
        check(|settings| settings.operator_name = Some(String::new()), &format!("The operator name is empty. {names}"));
        check(
            |settings| settings.operator_name = Some("a\u{1b}".into()),
            &format!("The operator name begins or ends with a space, or contains control characters. {names}"),
        );
        check(
            |settings| settings.operator_name = Some("é".repeat(65)),
            &format!("The operator name has 65 characters. {names}"),
        );
        check(
            |settings| settings.long_after_s = 0,
            "A long-running limit of 0 s is not allowed. Enter a value from 1 second to 1 day.",
        );
    }

    #[test]
    fn days_are_counted_back_from_now() {
        let now = Timestamp(10 * DAY);
        let check = |days, expected: Option<i64>| assert_eq!(days_ago(days, now).ok().map(|at| at.0), expected);
        check(0, None);
        check(1, Some(9 * DAY));
        check(3_650, Some(-3_640 * DAY));
        check(3_651, None);
    }
}
