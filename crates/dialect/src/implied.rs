//! The report that a device must send after running a built-in command.

use wilco_ledger::Term;

use crate::json::Members;

/// The values that a device reports after it carried out a built-in command, by the names of [`crate::StateReport`]:
/// `led`, `telemetry_interval_ms`, `running.KEY` and `saved.KEY`. Values are JSON text. Empty for a command that
/// implies none.
#[must_use]
pub fn implied_state(command: &str, args: &str) -> Vec<Term> {
    let Ok(args) = Members::parse(args) else { return Vec::new() };
    let term = |key: String, value: &str| Term { key: key.into(), value: Some(value.into()) };
    let one = |name: &str, key: &str| args.text(name).map(|value| term(key.to_owned(), value)).into_iter().collect();
    match command {
        "led" => one("on", "led"),
        "telemetry.set" => one("interval_ms", "telemetry_interval_ms"),
        "config.set" => {
            let is_now = args.text("apply").is_none_or(|apply| apply == "\"now\"");
            let changes = args.text("changes").and_then(|changes| Members::parse(changes).ok());
            let changes = changes.iter().flat_map(|changes| &changes.0);
            let mut terms = Vec::new();
            for (key, value) in changes {
                terms.extend(is_now.then(|| term(format!("running.{key}"), value.get())));
                terms.push(term(format!("saved.{key}"), value.get()));
            }
            terms
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::implied_state;

    #[test]
    fn each_built_in_command_that_changes_something_implies_a_report() {
        let check = |command: &str, args: &str, expected: &[(&str, &str)]| {
            let terms = implied_state(command, args);
            let terms: Vec<_> = terms.iter().map(|term| (&*term.key, term.value.as_deref().unwrap_or("any"))).collect();
            assert_eq!(terms, expected, "{command} {args}");
        };
        check("led", r#"{"on":true}"#, &[("led", "true")]);
        check("telemetry.set", r#"{"interval_ms":500}"#, &[("telemetry_interval_ms", "500")]);
        check("config.set", r#"{"changes":{"a":1.50},"apply":"now"}"#, &[("running.a", "1.50"), ("saved.a", "1.50")]);
        check(
            "config.set",
            r#"{"changes":{"a":"x","b":null},"apply":"restart"}"#,
            &[("saved.a", "\"x\""), ("saved.b", "null")],
        );
        check("restart", "{}", &[]);
        check("led", "no JSON", &[]);
        check("config.set", "{}", &[]);
    }
}
