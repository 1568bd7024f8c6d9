//! Numbers as JSON writes them, compared to the last digit.

use std::{cmp::Ordering, fmt, iter};

/// The most digits of a divisor: ten times as much fits into 128 bits.
const LONGEST_DIVISOR: usize = 37;
/// No divisor has more twos or fives as factors.
const MOST_FACTORS: i64 = 128;

/// A number of any size and precision. `1e1` equals `10.0`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number {
    negative: bool,
    /// Without zeros at either end; zero has none.
    digits: String,
    /// The power of ten of the last digit.
    power: i64,
}

impl Number {
    /// Reads a number of JSON; `None` for other text, and for an exponent that does not fit into 64 bits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Number> {
        let (negative, text) = text.strip_prefix('-').map_or((false, text), |text| (true, text));
        let (digits, power) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
        let all = format!("{whole}{part}");
        if whole.is_empty() || !all.bytes().all(|digit| digit.is_ascii_digit()) {
            return None;
        }
        let power = power.parse::<i64>().ok()?.checked_sub(length(part)?)?;
        let digits = all.trim_end_matches('0');
        let power = power.checked_add(length(&all[digits.len()..])?)?;
        let digits = digits.trim_start_matches('0');
        // The power of the first digit has to fit as well.
        power.checked_add(length(digits)?)?;
        Some(if digits.is_empty() {
            Number { negative: false, digits: String::new(), power: 0 }
        } else {
            Number { negative, digits: digits.to_owned(), power }
        })
    }

    /// Whether it has no fraction, as `10`, `1e1` and `10.0` have none.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.power >= 0
    }

    /// Whether it is a whole multiple of another number; `None` where that one has more than 37 digits.
    #[must_use]
    pub fn is_multiple_of(&self, of: &Number) -> Option<bool> {
        if self.digits.is_empty() {
            return Some(true);
        }
        if of.digits.len() > LONGEST_DIVISOR {
            return None;
        }
        // The last digit is no zero, so the digits are no multiple of ten.
        if of.digits.is_empty() || self.power < of.power {
            return Some(false);
        }
        let divisor = of.digits.parse::<u128>().ok()?;
        // More zeros than the divisor has twos and fives change nothing.
        let zeros = usize::try_from(self.power.saturating_sub(of.power).min(MOST_FACTORS)).ok()?;
        let digits = self.digits.bytes().map(|digit| u128::from(digit - b'0')).chain(iter::repeat_n(0, zeros));
        Some(digits.fold(0, |rest, digit| (rest * 10 + digit) % divisor) == 0)
    }

    fn sign(&self) -> i8 {
        match (self.digits.is_empty(), self.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        }
    }

    /// How far it is from zero: the power of ten above its first digit, and the digits.
    fn size(&self) -> (i64, &str) {
        (self.power.saturating_add(length(&self.digits).unwrap_or(i64::MAX)), &self.digits)
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Number) -> Ordering {
        self.sign().cmp(&other.sign()).then_with(|| {
            let further = self.size().cmp(&other.size());
            if self.negative { further.reverse() } else { further }
        })
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Number) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The same text for equal numbers.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.digits.is_empty() {
            return f.write_str("0");
        }
        write!(f, "{}{}e{}", if self.negative { "-" } else { "" }, self.digits, self.power)
    }
}

fn length(text: &str) -> Option<i64> {
    i64::try_from(text.len()).ok()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

    use std::cmp::Ordering::{self, Equal, Greater, Less};

    use proptest::prelude::*;

    use super::Number;

    fn number(text: &str) -> Number {
        Number::parse(text).unwrap()
    }

    #[test]
    fn numbers_are_in_their_order_however_they_are_written() {
        let check = |one: &str, other: &str, expected: Ordering| {
            assert_eq!(number(one).cmp(&number(other)), expected, "{one} {other}");
            assert_eq!(number(other).cmp(&number(one)), expected.reverse(), "{other} {one}");
            assert_eq!(number(one).to_string() == number(other).to_string(), expected == Equal, "{one} {other}");
        };
        check("1e1", "10.0", Equal);
        check("-0", "0.000", Equal);
        check("0.10", "1E-1", Equal);
        check("9007199254740993", "9007199254740992", Greater);
        check("10000000000000000000001", "1e22", Greater);
        check("0.1000000000000000000001", "0.1", Greater);
        check("-0.1000000000000000000001", "-0.1", Less);
        check("9", "10", Less);
        check("-9", "-10", Greater);
        check("-1", "0", Less);
        check("0", "1e-999999999999", Less);
        check("1e400", "-1e400", Greater);
        check("99e9223372036854775800", "1e9223372036854775801", Greater);
    }

    #[test]
    fn what_is_no_number_or_out_of_all_bounds_is_none() {
        for text in ["", "-", ".5", "abc", "1x", "NaN", "1e", "1e99999999999999999999", "10e9223372036854775807"] {
            assert_eq!(Number::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_multiple_is_found_to_the_last_digit() {
        let check = |one: &str, of: &str, expected: Option<bool>| {
            assert_eq!(number(one).is_multiple_of(&number(of)), expected, "{one} {of}");
        };
        check("0.3", "0.1", Some(true));
        check("0.30000000000000000001", "0.1", Some(false));
        check("-4.02", "0.01", Some(true));
        check("9007199254740993", "2", Some(false));
        check("9007199254740994", "2", Some(true));
        check("1e400", "3", Some(false));
        check("3e400", "3", Some(true));
        check("1e400", "1024", Some(true));
        check("10", "1e2", Some(false));
        check("0", "7", Some(true));
        check("7", "0", Some(false));
        check("1", &"1".repeat(38), None);
    }

    proptest! {
        #[test]
        fn whole_numbers_are_as_the_processor_has_them(one in any::<i64>(), other in any::<i64>(), of in 1..1_000_i64) {
            let (first, second) = (number(&one.to_string()), number(&other.to_string()));
            prop_assert_eq!(first.cmp(&second), one.cmp(&other));
            prop_assert_eq!(first.is_multiple_of(&number(&of.to_string())), Some(one % of == 0));
            prop_assert!(first.is_whole());
        }

        #[test]
        fn a_number_of_json_is_read(text in "-?(0|[1-9][0-9]{0,40})(\\.[0-9]{1,40})?([eE][+-]?[0-9]{1,9})?") {
            prop_assert!(Number::parse(&text).is_some());
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[-+0-9.eE]{0,20}") {
            let _ = Number::parse(&text);
        }
    }
}
