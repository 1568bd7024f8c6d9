//! Decimal numbers as texts, compared to the last digit. No number type holds every number that a device may send.

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
    /// Reads a number with an optional sign, fraction and exponent: `-12`, `.5`, `1.50e3`. `None` for any other text,
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
        Some(match digits {
            // Zero has neither sign nor power.
            "" => Decimal { negative: false, digits: String::new(), power: 0 },
            digits => Decimal { negative, digits: digits.to_owned(), power },
        })
    }

    /// Whether it has no fraction.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.power >= 0
    }

    /// How many digits it has before its point, if it is whole.
    pub(crate) fn whole_digits(&self) -> Option<i64> {
        self.is_whole().then(|| self.power.saturating_add(i64::try_from(self.digits.len()).unwrap_or(i64::MAX)))
    }
}

#[cfg(test)]
mod tests {
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
        for text in
            ["", "-", ".", "e5", "1e", "1e5.0", "0x10", "1_000", "inf", "NaN", "1 ", "--1", "1e99999999999999999999"]
        {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }
}
