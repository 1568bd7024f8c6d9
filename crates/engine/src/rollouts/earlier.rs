//! The values that a device had before `config.set` changed them, digit for digit, and the arguments that put them back.

use wilco_dialect::{StateReport, json};

/// The command whose changes can be put back.
pub(crate) const CHANGES: &str = "config.set";
/// The command that reads what a device has now.
pub(crate) const READS: &str = "config.get";

/// The current values of everything that `args` change, from `report`: a device's state, or the result of `config.get`.
/// A JSON object; `None` if a value is not known, or nothing is changed. A value that is only saved is compared with
/// the saved one.
pub(crate) fn earlier_values(args: &str, report: &str) -> Option<String> {
    let args = json::members(args)?;
    let changes = json::members(member(&args, "changes")?).filter(|changes| !changes.is_empty())?;
    let StateReport { running, saved, .. } = StateReport::of(report);
    let config = if is_only_saved(&args) { saved.or(running)? } else { running? };
    let config = json::members(&config)?;
    let values: Option<Vec<_>> = changes
        .iter()
        .map(|(key, _)| {
            Some(format!("{}:{}", serde_json::Value::from(key.as_str()), json::value_of(member(&config, key)?)))
        })
        .collect();
    Some(format!("{{{}}}", values?.join(",")))
}

/// The arguments that give a device back what it had before a command with these ones.
pub(crate) fn put_back(args: &str, earlier: &str) -> String {
    let args = json::members(args).unwrap_or_default();
    let apply = if is_only_saved(&args) { "restart" } else { "now" };
    format!("{{\"changes\":{earlier},\"apply\":\"{apply}\"}}")
}

/// Whether a device reports neither the values that `args` set nor those before them: they have been changed since.
pub(crate) fn changed_since(args: &str, earlier: &str, report: &str) -> bool {
    let members = json::members(args).unwrap_or_default();
    let Some((set, now)) = member(&members, "changes").zip(earlier_values(args, report)) else { return false };
    !json::same(&now, set) && !json::same(&now, earlier)
}

/// It leaves what the device runs with as it is until the next restart.
fn is_only_saved(args: &[(String, String)]) -> bool {
    member(args, "apply").is_some_and(|apply| apply.trim() == "\"restart\"")
}

/// The member of that name as it was written, the last one if there are several.
fn member<'a>(members: &'a [(String, String)], name: &str) -> Option<&'a str> {
    members.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

#[cfg(test)]
mod tests {
    use super::{changed_since, earlier_values, put_back};

    const REPORT: &str =
        r#"{"led":true,"running":{"a":1e10,"b": "x","c":{"d":1.50}},"saved":{"a":9007199254740993,"b":null}}"#;

    #[test]
    fn earlier_values_keep_their_digits() {
        let check = |args: &str, expected: Option<&str>| {
            assert_eq!(earlier_values(args, REPORT).as_deref(), expected, "{args}");
        };
        check(r#"{"changes":{"a":5},"apply":"now"}"#, Some(r#"{"a":1e10}"#));
        check(r#"{"changes":{"c":{"d":2},"b":"y"}}"#, Some(r#"{"c":{"d":1.50},"b":"x"}"#));
        check(r#"{"changes":{"a":5,"b":1},"apply":"restart"}"#, Some(r#"{"a":9007199254740993,"b":null}"#));
        // A key that the device did not have has no earlier value.
        check(r#"{"changes":{"a":5,"z":1},"apply":"now"}"#, None);
        check(r#"{"changes":{},"apply":"now"}"#, None);
        check(r#"{"apply":"now"}"#, None);
        check("[]", None);
        assert_eq!(earlier_values(r#"{"changes":{"a":5}}"#, r#"{"led":true}"#), None);
        let saved_nowhere = r#"{"running":{"a":7}}"#;
        assert_eq!(
            earlier_values(r#"{"changes":{"a":5},"apply":"restart"}"#, saved_nowhere).as_deref(),
            Some(r#"{"a":7}"#)
        );
    }

    #[test]
    fn a_value_that_is_neither_the_one_that_was_set_nor_the_one_before_has_been_changed_since() {
        let check = |args: &str, report: &str, expected: bool| {
            assert_eq!(changed_since(args, r#"{"a":1.50,"b":"x"}"#, report), expected, "{report}");
        };
        let now = r#"{"changes":{"a":5,"b":"y"},"apply":"now"}"#;
        check(now, r#"{"running":{"a":5.0,"b":"y","c":1}}"#, false);
        check(now, r#"{"running":{"b":"x","a":1.5}}"#, false);
        check(now, r#"{"running":{"a":7,"b":"y"}}"#, true);
        check(now, r#"{"running":{"a":"5","b":"y"}}"#, true);
        // What a device does not report is not known to be another value.
        check(now, r#"{"running":{"a":7}}"#, false);
        check(now, r#"{"led":true}"#, false);
        let later = r#"{"changes":{"a":5,"b":"y"},"apply":"restart"}"#;
        check(later, r#"{"running":{"a":7,"b":"x"},"saved":{"a":5,"b":"y"}}"#, false);
        check(later, r#"{"running":{"a":1.5,"b":"x"},"saved":{"a":6,"b":"y"}}"#, true);
    }

    #[test]
    fn they_are_put_back_where_they_were_changed() {
        let check = |args: &str, expected: &str| assert_eq!(put_back(args, r#"{"a":1.50}"#), expected);
        check(r#"{"changes":{"a":5},"apply":"restart"}"#, r#"{"changes":{"a":1.50},"apply":"restart"}"#);
        check(r#"{"changes":{"a":5},"apply":"now"}"#, r#"{"changes":{"a":1.50},"apply":"now"}"#);
        check(r#"{"changes":{"a":5}}"#, r#"{"changes":{"a":1.50},"apply":"now"}"#);
    }
}
