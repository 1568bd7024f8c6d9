//! A command as a `wilco send …` line for a POSIX shell.

use wilco_dialect::{CommandKind, json};
use wilco_ledger::{Command, Delivery, Millis, Policy};

use crate::{api::Settings, new_command::usual_delivery};

/// The command whose only argument is a text that is sent unchanged.
const FREE_TEXT: &str = "text";

/// The line, or `None` where a name has control characters in it, which a terminal would obey instead of showing. What the
/// command line would choose by itself, by these settings, is not in it.
pub(crate) fn shell_line(
    connection: &str,
    command: &Command,
    kind: Option<&CommandKind>,
    settings: &Settings,
) -> Option<String> {
    let submission = &command.submission;
    let names = [connection, submission.device.as_str(), &*submission.name];
    if names.iter().any(|name| name.chars().any(char::is_control)) {
        return None;
    }
    let mut words = vec!["wilco".to_owned(), "send".to_owned()];
    words.extend(option("-c", "--connection", connection));
    words.extend(option("-d", "--device", submission.device.as_str()));
    words.extend(policy(&submission.policy, kind, settings));
    words.extend(what(&submission.name, &submission.args));
    Some(words.iter().map(|word| shell_word(word)).collect::<Vec<_>>().join(" "))
}

/// Options that differ from the command line's defaults.
fn policy(policy: &Policy, kind: Option<&CommandKind>, settings: &Settings) -> Vec<String> {
    let mut words = Vec::new();
    if policy.delivery != usual_delivery(kind) {
        let delivery = match policy.delivery {
            // Copied for one device, a broadcast becomes an ordinary command.
            Delivery::Now | Delivery::Broadcast => "now",
            Delivery::BrokerHolds => "broker",
            Delivery::HoldHere => "hold",
        };
        words.extend(["--delivery".to_owned(), delivery.to_owned()]);
    }
    if policy.timeout != kind.map_or(settings.timeout(), |kind| kind.timeout) {
        words.extend(["--timeout".to_owned(), span(policy.timeout)]);
    }
    if policy.time_to_live != kind.map_or(settings.time_to_live(), |kind| kind.time_to_live) {
        words.extend(["--ttl".to_owned(), span(policy.time_to_live)]);
    }
    if policy.retry.limit > 0 {
        words.extend(["--retries".to_owned(), policy.retry.limit.to_string()]);
    }
    if !policy.answer_expected && kind.is_none_or(|kind| kind.answer_expected) {
        words.push("--no-answer".to_owned());
    }
    words
}

/// The command and its arguments, in the simplest equivalent form.
fn what(name: &str, args: &str) -> Vec<String> {
    let members = json::members(args);
    match members.as_ref().and_then(|members| free_text(name, members)) {
        Some(text) if text.starts_with('-') => return vec![format!("--text={text}")],
        Some(text) => return vec!["--text".to_owned(), text],
        None => {}
    }
    let pairs = members.as_ref().and_then(|members| members.iter().map(pair).collect::<Option<Vec<_>>>());
    let mut words = Vec::new();
    if pairs.is_none() {
        words.extend(["--args".to_owned(), visible(args)]);
    }
    if name.starts_with('-') {
        words.push("--".to_owned());
    }
    words.push(name.to_owned());
    words.extend(pairs.unwrap_or_default());
    words
}

fn free_text(name: &str, members: &[(String, String)]) -> Option<String> {
    let [(key, written)] = members else { return None };
    let text: String = serde_json::from_str(written).ok()?;
    (name == FREE_TEXT && key == FREE_TEXT && !text.chars().any(char::is_control)).then_some(text)
}

/// `KEY=VALUE`; `None` where it has to be written as JSON.
fn pair((key, written): &(String, String)) -> Option<String> {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '.');
    if key.is_empty() || !key.chars().all(plain) {
        return None;
    }
    let value = match serde_json::from_str::<String>(written) {
        // A text that looks like JSON would be parsed as JSON.
        Ok(text) if json::value_of(&text) == *written => text,
        _ => written.clone(),
    };
    (!value.chars().any(char::is_control)).then(|| format!("{key}={value}"))
}

/// JSON with control characters escaped. Outside of strings they are only white space.
fn visible(json: &str) -> String {
    let escape = |letter: char| match letter {
        '\t' | '\n' | '\r' => " ".to_owned(),
        letter if letter.is_control() => format!("\\u{:04x}", u32::from(letter)),
        letter => letter.to_string(),
    };
    json.chars().map(escape).collect()
}

fn option(short: &str, long: &str, value: &str) -> Vec<String> {
    if value.starts_with('-') {
        return vec![format!("{long}={value}")];
    }
    vec![short.to_owned(), value.to_owned()]
}

fn span(length: Millis) -> String {
    if length.0.is_multiple_of(1_000) { format!("{}s", length.0 / 1_000) } else { format!("{}ms", length.0) }
}

/// A word quoted for a POSIX shell if necessary. The crate `shlex` would quote every `on=true`, so that a copied
/// command line would be harder to read and to edit.
#[must_use]
pub fn shell_word(word: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "_-./:=,@%+".contains(letter);
    if !word.is_empty() && !word.starts_with('=') && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

    use wilco_ledger::{
        Command, CommandId, Delivery, DeviceId, Event, Fact, Millis, Origin, Policy, Retry, Submission, Timestamp,
    };

    use super::{shell_line, shell_word};
    use crate::api::Settings;

    fn policy() -> Policy {
        Policy {
            delivery: Delivery::HoldHere,
            timeout: Millis::seconds(10),
            time_to_live: Millis::seconds(60),
            retry: Retry { permitted: true, limit: 0, pause: Millis::seconds(2) },
            answer_expected: true,
            answers_carry_ids: true,
        }
    }

    fn command(device: &str, name: &str, args: &str, policy: Policy) -> Command {
        let device = DeviceId::new(device).unwrap();
        let id = CommandId::new("a").unwrap();
        let (name, args) = (name.into(), args.into());
        let submission = Submission {
            device: device.clone(),
            id: id.clone(),
            name,
            args,
            form: None,
            policy,
            again_of: None,
            rollout: None,
            automatic: false,
            by: None,
        };
        let fact = Fact::Submitted { submission: submission.into(), origin: Origin::Here };
        Command::begin(&Event { device, command: Some(id), at: Timestamp(0), fact }).unwrap()
    }

    fn line(connection: &str, device: &str, name: &str, args: &str) -> String {
        let command = command(device, name, args, policy());
        shell_line(connection, &command, wilco_dialect::command(name), &Settings::default()).unwrap()
    }

    #[test]
    fn a_line_is_as_short_as_it_stays_exact() {
        let check = |name: &str, args: &str, expected: &str| {
            assert_eq!(line("plant", "pump-7", name, args), format!("wilco send -c plant -d pump-7 {expected}"));
        };
        check("led", r#"{"on":true}"#, "led on=true");
        check("config.get", "{}", "config.get");
        check(
            "config.set",
            r#"{"apply":"restart","changes":{"interval_ms":500}}"#,
            r#"config.set apply=restart 'changes={"interval_ms":500}'"#,
        );
        check("set", r#"{"version":"2.10","n":1.50,"none":null}"#, r#"set 'version="2.10"' n=1.50 none=null"#);
        check("set", r#"{"n":123456789012345678901,"m":1E+5}"#, "set n=123456789012345678901 m=1E+5");
        check("say", r#"{"what":"it's"}"#, r"say 'what=it'\''s'");
        check("set", r#"{"a key":1,"b":2}"#, r#"--args '{"a key":1,"b":2}' set"#);
        check("-odd", r#"{"on":true}"#, "-- -odd on=true");
        check("text", r#"{"text":"light: on"}"#, "--text 'light: on'");
        check("text", r#"{"text":"-v"}"#, "--text=-v");
        check("text", r#"{"text":"on","and":1}"#, "text text=on and=1");
    }

    #[test]
    fn differences_from_the_defaults_are_written() {
        let check = |name: &str, policy: Policy, expected: &str| {
            let command = command("pump-7", name, "{}", policy);
            let line = shell_line("plant", &command, wilco_dialect::command(name), &Settings::default()).unwrap();
            assert_eq!(line, format!("wilco send -c plant -d pump-7 {expected}{name}"));
        };
        check("led", policy(), "");
        check("led", Policy { timeout: Millis::seconds(60), ..policy() }, "--timeout 60s ");
        // As long as a restart always takes.
        check("restart", Policy { timeout: Millis::seconds(60), delivery: Delivery::Now, ..policy() }, "");
        // By default it is sent now or never.
        check("restart", Policy { timeout: Millis::seconds(60), ..policy() }, "--delivery hold ");
        check("led", Policy { delivery: Delivery::Now, ..policy() }, "--delivery now ");
        check("led", Policy { delivery: Delivery::BrokerHolds, ..policy() }, "--delivery broker ");
        check(
            "led",
            Policy { time_to_live: Millis(1_500), answer_expected: false, ..policy() },
            "--ttl 1500ms --no-answer ",
        );
        check("led", Policy { retry: Retry { limit: 3, ..policy().retry }, ..policy() }, "--retries 3 ");
    }

    #[test]
    fn only_values_that_differ_from_the_settings_are_written() {
        let settings = Settings { timeout_s: 30, ..Settings::default() };
        let check = |timeout: u64, expected: &str| {
            let policy = Policy { timeout: Millis::seconds(timeout), ..policy() };
            let line = shell_line("plant", &command("pump-7", "calibrate", "{}", policy), None, &settings).unwrap();
            assert_eq!(line, format!("wilco send -c plant -d pump-7 {expected}calibrate"));
        };
        check(30, "");
        check(10, "--timeout 10s ");
    }

    #[test]
    fn nothing_that_a_terminal_would_obey_is_in_it() {
        let check = |connection: &str, name: &str, args: &str, expected: Option<&str>| {
            let line = shell_line(connection, &command("pump-7", name, args, policy()), None, &Settings::default());
            assert_eq!(line.as_deref(), expected, "{connection:?} {name:?} {args:?}");
        };
        check("plant\u{1b}[201~", "led", "{}", None);
        check("plant", "led\n", "{}", None);
        let escaped = r#"wilco send -c plant -d pump-7 --args '{"text":"\u001b[2J"}' text"#;
        check("plant", "text", r#"{"text":"\u001b[2J"}"#, Some(escaped));
        let escaped = r#"wilco send -c plant -d pump-7 --args '{"a":"x\u009by"}' say"#;
        check("plant", "say", "{\"a\":\"x\u{9b}y\"}", Some(escaped));
    }

    #[test]
    #[cfg(unix)]
    fn a_shell_reads_the_words_that_were_meant() {
        let check = |words: &[&str]| {
            let line = words.iter().map(|word| shell_word(word)).collect::<Vec<_>>().join(" ");
            let script = format!("for word in {line}; do printf '%s\\0' \"$word\"; done");
            let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
            let read = String::from_utf8(output.stdout).unwrap();
            assert_eq!(read.split_terminator('\0').collect::<Vec<_>>(), words, "{line}");
        };
        check(&[
            "plain",
            "",
            "two words",
            "it's",
            "'",
            "\"$HOME\"",
            "`id`",
            "$(id)",
            "a\\b",
            "*",
            "~",
            "#",
            "!",
            "ä 漢",
        ]);
        check(&["=ls", "a;b", "a&b", "a|b", "<a>", "{a,b}", "[a]", "a=b", "\\'", "''"]);
    }
}
