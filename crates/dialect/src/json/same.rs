//! Compares two JSON texts as values, to the last digit.

use serde_json::value::RawValue;
use wilco_ledger::Decimal;

use super::{Members, canonical, value_of};

/// Whether two JSON texts are the same value, however their numbers, strings and spaces are written: `1e1` is `10.0`,
/// and 9007199254740993 is not 9007199254740992. The order of keys does not matter.
#[must_use]
pub fn same(one: &str, other: &str) -> bool {
    one == other || is_same(&value_of(one), &value_of(other))
}

// The recursion is bounded: a kept value is at most 100 levels deep.
fn is_same(one: &str, other: &str) -> bool {
    let (one, other) = (one.trim(), other.trim());
    match (one.as_bytes().first(), other.as_bytes().first()) {
        (Some(b'{'), Some(b'{')) => {
            let read = |text: &str| serde_json::from_str::<Members>(text).ok();
            let (Some(Members(one)), Some(Members(other))) = (read(one), read(other)) else { return false };
            one.len() == other.len()
                && one.iter().all(|(key, value)| {
                    other.iter().any(|(known, other)| known == key && is_same(value.get(), other.get()))
                })
        }
        (Some(b'['), Some(b'[')) => {
            let read = |text| serde_json::from_str::<Vec<&RawValue>>(text).ok();
            let (Some(one), Some(other)) = (read(one), read(other)) else { return false };
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_same(one.get(), other.get()))
        }
        _ => {
            one == other
                || Decimal::parse(one).is_some_and(|one| Decimal::parse(other) == Some(one))
                || canonical(one) == canonical(other)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::same;

    #[test]
    fn values_are_the_same_however_they_are_written() {
        let check = |one: &str, other: &str, expected: bool| {
            assert_eq!(same(one, other), expected, "{one} {other}");
            assert_eq!(same(other, one), expected, "{other} {one}");
        };
        check("30", "30.0", true);
        check("1e1", "10", true);
        check("0.10", "1E-1", true);
        check("-0", "0.0", true);
        check("100", "1", false);
        check("-5", "5", false);
        check("9007199254740993", "9007199254740992", false);
        check("123456789012345678901", "123456789012345678902", false);
        check("1e999999999999999999999", "1e999999999999999999999", true);
        check("1e999999999999999999999", "1e999999999999999999998", false);
        check("\"30\"", "30", false);
        check("\"\\u00e4\"", "\"ä\"", true);
        check("true", "false", false);
        check("null", "0", false);
        check(r#"{"a":1,"b":[1.0,{"c":2}]}"#, r#"{ "b" : [1, {"c": 2.00}], "a":1.0}"#, true);
        check(r#"{"a":1}"#, r#"{"a":1,"b":2}"#, false);
        check("[1,2]", "[2,1]", false);
        check("[]", "{}", false);
        check("pool.ntp.org", "\"pool.ntp.org\"", true);
    }
}
