//! Converts faults between the wire type and the virtual devices' type.

use wilco_device::{dials::Dials, faults::Faults};
use wilco_engine::api::{Failure, FailureCode, FaultDials};

/// The longest delay of an answer, milliseconds.
const LONGEST_DELAY: u64 = 60_000;

/// Validates the faults.
///
/// # Errors
/// [`FailureCode::Invalid`], with the name of the first.
pub fn check(dials: &FaultDials) -> Result<(), Failure> {
    let FaultDials { drop, duplicate, reorder, wrong_id, malformed, fail, slow, restart, offline, delay_ms, seed: _ } =
        *dials;
    let invalid =
        |message: String, hint: &str| Err(Failure { code: FailureCode::Invalid, message, hint: Some(hint.to_owned()) });
    let probabilities = [
        ("drop", drop),
        ("duplicate", duplicate),
        ("reorder", reorder),
        ("wrong_id", wrong_id),
        ("malformed", malformed),
        ("fail", fail),
        ("slow", slow),
        ("restart", restart),
        ("offline", offline),
    ];
    for (name, probability) in probabilities {
        if !(0.0..=1.0).contains(&probability) {
            return invalid(format!("The fault '{name}' cannot be {probability}."), "Enter a number from 0 to 1.");
        }
    }
    if delay_ms > LONGEST_DELAY {
        return invalid(format!("Answers cannot be delayed by {delay_ms} ms."), "Enter at most 60,000 ms.");
    }
    Ok(())
}

/// The dials as virtual devices have them.
#[must_use]
pub fn device_dials(dials: &FaultDials) -> Dials {
    let FaultDials { drop, duplicate, reorder, wrong_id, malformed, fail, slow, restart, offline, delay_ms, seed } =
        *dials;
    let faults = Faults { drop, duplicate, reorder, wrong_id, malformed, fail, slow, restart };
    Dials { faults, delay: 0..=delay_ms, offline, seed: u64::from(seed) }
}

#[cfg(test)]
mod tests {
    use wilco_device::dials::Dials;
    use wilco_engine::api::FaultDials;

    use super::{check, device_dials};

    #[test]
    fn dials_at_zero_are_those_of_a_fleet_without_faults() {
        assert_eq!(device_dials(&FaultDials::default()), Dials::default());
    }

    #[test]
    fn dials_out_of_range_are_refused_by_name() {
        let refused = |dials| check(&dials).err().map(|failure| failure.message);
        assert_eq!(refused(FaultDials { fail: 1.0, delay_ms: 60_000, ..FaultDials::default() }), None);
        let wrong = [
            (FaultDials { fail: 1.1, ..FaultDials::default() }, "The fault 'fail' cannot be 1.1."),
            (FaultDials { wrong_id: -0.1, ..FaultDials::default() }, "The fault 'wrong_id' cannot be -0.1."),
            (FaultDials { slow: f64::NAN, ..FaultDials::default() }, "The fault 'slow' cannot be NaN."),
            (FaultDials { delay_ms: 60_001, ..FaultDials::default() }, "Answers cannot be delayed by 60001 ms."),
        ];
        for (dials, expected) in wrong {
            assert_eq!(refused(dials).as_deref(), Some(expected));
        }
    }
}
