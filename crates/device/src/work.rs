//! The commands of a device, validated before anything is started.

use std::ops::RangeInclusive;

use serde_json::{Map, Value};
use wilco_ledger::Millis;

/// A valid command.
#[derive(Debug, Clone, PartialEq)]
pub enum Work {
    /// Switch the LED.
    Led {
        /// On or off.
        on: bool,
    },
    /// Restart.
    Restart {
        /// The delay before the restart.
        delay: Millis,
    },
    /// Send telemetry at this interval.
    TelemetrySet {
        /// The interval between messages.
        interval: Millis,
    },
    /// Report the running and the saved configuration.
    ConfigGet,
    /// Change the configuration.
    ConfigSet {
        /// Keys and their new values.
        changes: Map<String, Value>,
        /// When the changes take effect.
        apply: Apply,
    },
    /// Publish the log.
    LogGet {
        /// Only the last lines, this many.
        lines: Option<usize>,
    },
    /// Report success and do nothing: for a command that the device does not know.
    Nothing,
    /// Report the state.
    StateGet,
    /// Blink, so that a person can find the device.
    Identify {
        /// The duration.
        length: Millis,
    },
}

/// When a change of the configuration takes effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Apply {
    /// At once: running and saved configuration change.
    Now,
    /// At the next restart: only the saved configuration changes.
    Restart,
}

/// The longest delay of a restart, because a device should not promise what it may have forgotten by then.
const LONGEST_DELAY: u64 = 60_000;
/// The valid telemetry intervals, in milliseconds.
const TELEMETRY: RangeInclusive<u64> = 100..=3_600_000;
/// The maximum number of log lines that can be requested. A log is always shorter.
const LINES: RangeInclusive<u64> = 1..=100_000;
/// The longest blinking time, in seconds.
const BLINKING: RangeInclusive<u64> = 1..=60;
/// The default blinking time, in seconds.
const USUAL_BLINKING: u64 = 10;
/// Long enough for the answer to leave the device.
const USUAL_DELAY: Millis = Millis(100);

impl Work {
    /// Parses a command.
    ///
    /// # Errors
    /// A sentence that says why the device refuses it.
    pub fn read(command: &str, args: &Value) -> Result<Work, String> {
        match command {
            "led" => {
                let on = args.get("on").and_then(Value::as_bool);
                Ok(Work::Led { on: on.ok_or("'led' needs 'on' to be true or false.")? })
            }
            "restart" => {
                let delay = number("restart", args, "delay_ms", &(0..=LONGEST_DELAY))?;
                Ok(Work::Restart { delay: delay.map_or(USUAL_DELAY, Millis) })
            }
            "telemetry.set" => match number("telemetry.set", args, "interval_ms", &TELEMETRY)? {
                Some(interval) => Ok(Work::TelemetrySet { interval: Millis(interval) }),
                None => Err("'telemetry.set' needs 'interval_ms', the milliseconds between two messages.".to_owned()),
            },
            "config.get" => Ok(Work::ConfigGet),
            "config.set" => config_set(args),
            "log.get" => {
                let lines = number("log.get", args, "lines", &LINES)?;
                Ok(Work::LogGet { lines: lines.and_then(|lines| usize::try_from(lines).ok()) })
            }
            "state.get" => Ok(Work::StateGet),
            "identify" => {
                let seconds = number("identify", args, "seconds", &BLINKING)?;
                Ok(Work::Identify { length: Millis::seconds(seconds.unwrap_or(USUAL_BLINKING)) })
            }
            unknown => Err(format!("This device does not support the command '{unknown}'.")),
        }
    }
}

/// An optional number. A number in quotes is an error; the device does not guess.
fn number(command: &str, args: &Value, name: &str, range: &RangeInclusive<u64>) -> Result<Option<u64>, String> {
    let Some(value) = args.get(name).filter(|value| !value.is_null()) else { return Ok(None) };
    let number = value.as_u64().filter(|number| range.contains(number));
    let (from, to) = (range.start(), range.end());
    number.map(Some).ok_or_else(|| format!("'{command}' needs '{name}' to be a whole number from {from} to {to}."))
}

fn config_set(args: &Value) -> Result<Work, String> {
    let changes = args.get("changes").and_then(Value::as_object).filter(|changes| !changes.is_empty());
    let changes = changes.ok_or("'config.set' needs 'changes' to be an object with at least one key.")?;
    let apply = match args.get("apply").and_then(Value::as_str) {
        Some("now") => Apply::Now,
        Some("restart") => Apply::Restart,
        _ => return Err("'config.set' needs 'apply' to be \"now\" or \"restart\".".to_owned()),
    };
    Ok(Work::ConfigSet { changes: changes.clone(), apply })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use wilco_ledger::Millis;

    use super::{Apply, Work};

    #[test]
    fn a_command_is_read_or_refused_with_a_sentence() {
        let check =
            |command: &str, args: Value, expected: Result<Work, &str>| match (Work::read(command, &args), expected) {
                (Ok(work), Ok(expected)) => assert_eq!(work, expected),
                (Err(why), Err(part)) => assert!(why.contains(part) && why.ends_with('.'), "{why}"),
                (result, _) => panic!("{command} {args}: {result:?}"),
            };
        let changes = json!({"buzzer": false});
        let set = |apply| Work::ConfigSet { changes: changes.as_object().expect("an object").clone(), apply };
        check("led", json!({"on": true}), Ok(Work::Led { on: true }));
        check("led", json!({"on": 1}), Err("'on'"));
        check("led", json!({}), Err("'on'"));
        check("restart", json!({}), Ok(Work::Restart { delay: Millis(100) }));
        check("restart", json!({"delay_ms": 0}), Ok(Work::Restart { delay: Millis(0) }));
        check("restart", json!({"delay_ms": -1}), Err("'delay_ms'"));
        check("restart", json!({"delay_ms": 60_001}), Err("'delay_ms'"));
        let every = |interval| Ok(Work::TelemetrySet { interval: Millis(interval) });
        check("telemetry.set", json!({"interval_ms": 100}), every(100));
        check("telemetry.set", json!({"interval_ms": 3_600_000}), every(3_600_000));
        for wrong in [json!(99), json!(3_600_001), json!(-1), json!(500.5), json!("500"), json!(true), json!([500])] {
            check("telemetry.set", json!({"interval_ms": wrong}), Err("a whole number from 100 to 3600000"));
        }
        check("telemetry.set", json!({}), Err("needs 'interval_ms'"));
        // Some languages write NaN, which is read as null.
        check("telemetry.set", json!({"interval_ms": null}), Err("needs 'interval_ms'"));
        check("identify", json!({}), Ok(Work::Identify { length: Millis::seconds(10) }));
        check("identify", json!({"seconds": 1}), Ok(Work::Identify { length: Millis::seconds(1) }));
        check("identify", json!({"seconds": 60}), Ok(Work::Identify { length: Millis::seconds(60) }));
        for wrong in [json!(0), json!(61), json!(1.5), json!("5")] {
            check("identify", json!({"seconds": wrong}), Err("a whole number from 1 to 60"));
        }
        check("config.get", json!({}), Ok(Work::ConfigGet));
        check("config.set", json!({"changes": changes, "apply": "now"}), Ok(set(Apply::Now)));
        check("config.set", json!({"changes": changes, "apply": "restart"}), Ok(set(Apply::Restart)));
        check("config.set", json!({"changes": changes}), Err("'apply'"));
        check("config.set", json!({"changes": {}, "apply": "now"}), Err("'changes'"));
        check("config.set", json!({"apply": "now"}), Err("'changes'"));
        check("log.get", json!({}), Ok(Work::LogGet { lines: None }));
        check("log.get", json!({"lines": 1}), Ok(Work::LogGet { lines: Some(1) }));
        for wrong in [json!(0), json!(-5), json!(100_001), json!("20"), json!([1])] {
            check("log.get", json!({"lines": wrong}), Err("a whole number from 1 to 100000"));
        }
        check("state.get", json!({"extra": 1}), Ok(Work::StateGet));
        check("selfdestruct", json!({}), Err("'selfdestruct'"));
    }
}
