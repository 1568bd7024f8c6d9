//! The report that settles a command that gets no answer.
//!
//! Much firmware answers a command only by reporting its state, and reports the same state when somebody presses its
//! button. So a report settles a command only if it has the requested value; a report with another value is not an
//! answer.

use crate::{Decimal, DeviceId, Outcome, Raw};

/// The maximum number of terms of an expectation.
pub const MOST_TERMS: usize = 64;

/// How a command that gets no answer with its ID is settled.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Expectation {
    /// The device reports its state. It succeeds if all of these values are reported.
    State {
        /// The required values: at most [`MOST_TERMS`].
        terms: Box<[Term]>,
        /// Under these keys the device may also report the outcome as a word (`{"Restart":"Restarting"}`).
        words_under: Box<[Box<str>]>,
    },
    /// The device cannot report back. The reason, as a sentence for users.
    Nothing(Box<str>),
}

/// A value that a device must report.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Term {
    /// Its name in reports.
    pub key: Box<str>,
    /// The required value. `None`: any (`TOGGLE`).
    pub value: Option<Box<str>>,
}

/// A decoded report of a device's state.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The device ID.
    pub device: DeviceId,
    /// The reported values.
    pub values: Box<[Reported]>,
    /// The resulting state of a command whose expectation is met: [`Outcome::Succeeded`], or [`Outcome::Accepted`] if
    /// the device only repeats the request.
    pub met: Outcome,
    /// A number that approaches the requested one means that an accepted command is running.
    pub steps: bool,
    /// A retained report is not new and never settles anything.
    pub retained: bool,
    /// The message as received.
    pub raw: Raw,
}

/// A reported value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reported {
    /// Its name.
    pub key: Box<str>,
    /// The value as text for comparison: the same for all equivalent values.
    pub value: Box<str>,
    /// The device's original value, if it differs. It is shown.
    pub own: Option<Box<str>>,
    /// The dialect's meaning of the value, if it is a word such as `Error`.
    pub word: Option<Outcome>,
}

impl Reported {
    /// The original value from the device.
    #[must_use]
    pub fn shown(&self) -> &str {
        self.own.as_deref().unwrap_or(&self.value)
    }
}

/// The result of comparing a report with an expectation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// The outcome; `None` if this report is not an answer to it.
    pub(crate) outcome: Option<Outcome>,
    /// The device's word for its refusal or failure.
    pub(crate) message: Option<Box<str>>,
    /// Which terms have been reported by now, a bit for each.
    pub(crate) met: u64,
}

impl Expectation {
    /// Whether a state meets it, to show before a command is sent that the device is already in the requested state. A
    /// term that any value meets (`TOGGLE`) is never met beforehand.
    #[must_use]
    pub fn is_met_by(&self, values: &[Reported]) -> bool {
        let Expectation::State { terms, .. } = self else { return false };
        !terms.is_empty()
            && terms.iter().all(|term| {
                let reported = values.iter().find(|one| one.key == term.key);
                term.value.as_ref().zip(reported).is_some_and(|(wanted, one)| is_same_value(wanted, &one.value))
            })
    }

    /// Reads a report; `before` are the terms that earlier ones have met.
    pub(crate) fn judge(&self, report: &Report, before: u64, accepted: bool) -> Verdict {
        let Expectation::State { terms, words_under } = self else {
            return Verdict { outcome: None, message: None, met: before };
        };
        let terms = &terms[..terms.len().min(MOST_TERMS)];
        let mut verdict = Verdict { outcome: None, message: None, met: if report.met.is_final() { before } else { 0 } };
        let (mut any, mut step) = (false, false);
        for one in &report.values {
            let place = terms.iter().position(|term| term.key == one.key);
            let bit = place.map_or(0, |place| 1_u64 << place);
            let wanted = place.map(|place| terms[place].value.as_deref());
            match (wanted, one.word) {
                (Some(Some(wanted)), _) if is_same_value(wanted, &one.value) => {
                    verdict.met |= bit;
                    any = true;
                }
                (_, Some(word)) if wanted.is_some() || words_under.contains(&one.key) => {
                    let refuses = matches!(word, Outcome::Failed | Outcome::Rejected);
                    let message = refuses.then(|| one.shown().into());
                    return Verdict { outcome: Some(word), message, met: before };
                }
                (Some(None), _) => {
                    verdict.met |= bit;
                    any = true;
                }
                (Some(Some(wanted)), _) => {
                    verdict.met &= !bit;
                    step |= number(wanted).is_some() && number(&one.value).is_some();
                }
                (None, _) => {}
            }
        }
        let all = u64::MAX.checked_shr(64 - u32::try_from(terms.len()).unwrap_or(64)).unwrap_or(0);
        if any && verdict.met & all == all {
            verdict.outcome = Some(report.met);
        } else if step && report.steps && accepted && report.met.is_final() {
            verdict.outcome = Some(Outcome::Running);
        }
        if !report.met.is_final() {
            verdict.met = before;
        }
        verdict
    }
}

/// Whether two values are the same: numbers as numbers (`42` and `42.0`), texts without regard to case. Whole numbers are
/// compared to the last digit. Of numbers with a fraction, the last of about nine digits may differ, because devices
/// round them.
#[must_use]
pub fn is_same_value(one: &str, other: &str) -> bool {
    let (one, other) = (one.trim(), other.trim());
    if one == other {
        return true;
    }
    match Decimal::parse(one).zip(Decimal::parse(other)) {
        Some((left, right)) => {
            let are_exact = is_exact(one, &left) && is_exact(other, &right);
            left == right || !are_exact && number(one).zip(number(other)).is_some_and(is_close)
        }
        None => one.to_lowercase() == other.to_lowercase(),
    }
}

/// Whether every digit of a number counts: it is whole. What a device writes with an exponent may be rounded, unless a
/// double holds it.
fn is_exact(text: &str, decimal: &Decimal) -> bool {
    const DIGITS_OF_A_DOUBLE: i64 = 15;
    decimal.whole_digits().is_some_and(|digits| digits <= DIGITS_OF_A_DOUBLE || !text.contains(['e', 'E']))
}

fn is_close((one, other): (f64, f64)) -> bool {
    (one - other).abs() <= one.abs().max(other.abs()) * 1e-9
}

fn number(text: &str) -> Option<f64> {
    let is_plain = text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.'));
    text.parse::<f64>().ok().filter(|number| is_plain && number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::{Expectation, Reported, Term, is_same_value};

    #[test]
    fn values_are_compared_as_what_they_are() {
        let check = |one: &str, other: &str, same: bool| assert_eq!(is_same_value(one, other), same, "{one} {other}");
        check("42", "42.0", true);
        check("1e2", "100", true);
        check("0.1", "0.10000000000000001", true);
        check("42", "43", false);
        check("ON", "on", true);
        check("ÄN", "än", true);
        check("ON", "OFF", false);
        check("true", "1", false);
        check("inf", "INF", true);
        check("", "0", false);
        // Whole numbers that a double, or nine digits, would not tell apart.
        check("1795438800", "1795438801", false);
        check("1795438800", "1795438801.0", false);
        check("1e10", "10000000001", false);
        check("1e10", "10000000000.0", true);
        check("9007199254740993", "9007199254740992", false);
        check("-1795438800", "-1795438801", false);
        check("123456789012345678901", "123456789012345678902", false);
        // What a device writes of a double.
        check("21.3", "21.299999999999997", true);
        check("9007199254740993", "9.007199254740992e15", true);
        check("12345678901234567890", "1.2345678901234567e19", true);
        check("1e23", "99999999999999991611392", true);
        check("1e400", "10e399", true);
        check("1e400", "1e401", false);
    }

    #[test]
    fn a_state_that_is_already_so_is_known_beforehand() {
        let expects = |value: Option<&str>| Expectation::State {
            terms: [Term { key: "POWER".into(), value: value.map(Into::into) }].into(),
            words_under: [].into(),
        };
        let reported = [Reported { key: "POWER".into(), value: "ON".into(), own: None, word: None }];
        assert!(expects(Some("on")).is_met_by(&reported));
        assert!(!expects(Some("off")).is_met_by(&reported));
        assert!(!expects(None).is_met_by(&reported));
        assert!(!expects(Some("on")).is_met_by(&[]));
        assert!(!Expectation::Nothing("It has no state.".into()).is_met_by(&reported));
    }
}
