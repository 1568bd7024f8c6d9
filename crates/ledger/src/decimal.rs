//! Decimal numbers as text, compared to the last digit. No number type can represent every number that a device may
//! send.

use std::{cmp::Ordering, fmt, iter};

/// The most digits of a divisor: ten times as much fits into 128 bits.
const LONGEST_DIVISOR: usize = 37;
/// No divisor has more twos or fives as factors.
const MOST_FACTORS: i64 = 128;

/// A decimal number of any length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decimal {
    negative: bool,
    /// Its digits without zeros at either end; none for zero.
    digits: String,
    /// The power of ten of the last digit.
    power: i64,
}

impl Decimal {
    /// Parses a number with an optional sign, fraction and exponent: `-12`, `.5`, `1.50e3`. `None` for any other text,
    /// and for an exponent beyond 64 bits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Decimal> {
        let (negative, rest) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let (mantissa, power) = rest.split_once(['e', 'E']).unwrap_or((rest, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if !are_digits(whole) || !are_digits(fraction) || whole.len() + fraction.len() == 0 {
            return None;
        }
        let power = power.parse::<i64>().ok()?.checked_sub(i64::try_from(fraction.len()).ok()?)?;
        let all = format!("{whole}{fraction}");
        let digits = all.trim_end_matches('0');
        let power = power.checked_add(i64::try_from(all.len() - digits.len()).ok()?)?;
        let digits = digits.trim_start_matches('0');
        // The power of the first digit has to fit as well.
        power.checked_add(i64::try_from(digits.len()).ok()?)?;
        Some(match digits {
            // Zero has neither sign nor power.
            "" => Decimal { negative: false, digits: String::new(), power: 0 },
            digits => Decimal { negative, digits: digits.to_owned(), power },
        })
    }

    /// Whether it is a whole number.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.power >= 0
    }

    /// How many digits it has before its point, if it is whole.
    pub(crate) fn whole_digits(&self) -> Option<i64> {
        self.is_whole().then(|| self.power.saturating_add(i64::try_from(self.digits.len()).unwrap_or(i64::MAX)))
    }

    /// Whether it is a multiple of another number; `None` if that has more than 37 digits.
    #[must_use]
    pub fn is_multiple_of(&self, of: &Decimal) -> Option<bool> {
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

    /// Its magnitude: the power of ten above its first digit, and the digits.
    fn size(&self) -> (i64, &str) {
        (self.power.saturating_add(length(&self.digits).unwrap_or(i64::MAX)), &self.digits)
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Decimal) -> Ordering {
        self.sign().cmp(&other.sign()).then_with(|| {
            let further = self.size().cmp(&other.size());
            if self.negative { further.reverse() } else { further }
        })
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Decimal) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The same text for equal numbers.
impl fmt::Display for Decimal {
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

    use super::Decimal;

    #[test]
    fn numbers_are_the_same_however_they_are_written() {
        let check = |one: &str, other: &str, same: bool| {
            let (left, right) = (Decimal::parse(one), Decimal::parse(other));
            assert!(left.is_some() && right.is_some(), "{one} {other}");
            assert_eq!(left == right, same, "{one} {other}");
        };
        check("1e1", "10", true);
        check("+0.10", "1E-1", true);
        check(".5", "5e-1", true);
        check("5.", "005", true);
        check("-0", "0.0", true);
        check("-5", "5", false);
        check("9007199254740993", "9007199254740992", false);
        check("1e400", "10e399", true);
    }

    #[test]
    fn whole_numbers_are_known_by_their_value() {
        let check = |text: &str, whole: Option<i64>| {
            let decimal = Decimal::parse(text);
            assert_eq!(decimal.and_then(|decimal| decimal.whole_digits()), whole, "{text}");
        };
        check("0", Some(0));
        check("0.00", Some(0));
        check("120.0", Some(3));
        check("12e3", Some(5));
        check("1.5", None);
        check("15e-1", None);
    }

    #[test]
    fn other_texts_are_no_numbers() {
        for text in [
            "",
            "-",
            ".",
            "e5",
            "1e",
            "1e5.0",
            "0x10",
            "1_000",
            "inf",
            "NaN",
            "1 ",
            "--1",
            "1e99999999999999999999",
            "10e9223372036854775807",
        ] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }

    fn number(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
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
            prop_assert!(Decimal::parse(&text).is_some());
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[-+0-9.eE]{0,20}") {
            let _ = Decimal::parse(&text);
        }
    }
}
