//! What a device can be asked to do, checked before anything is begun.

use serde_json::{Map, Value};
use wilco_ledger::Millis;

/// A command that makes sense.
#[derive(Debug, Clone, PartialEq)]
pub enum Work {
    /// Switch the LED.
    Led {
        /// On or off.
        on: bool,
    },
    /// Start anew.
    Restart {
        /// How long to wait before it.
        delay: Millis,
    },
    /// Say which configuration is running and which is saved.
    ConfigGet,
    /// Change the configuration.
    ConfigSet {
        /// Keys and their new values.
        changes: Map<String, Value>,
        /// When the changes take effect.
        apply: Apply,
    },
    /// Report the state.
    StateGet,
}

/// When a change of the configuration takes effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Apply {
    /// At once: running and saved configuration change.
    Now,
    /// At the next restart: only the saved configuration changes.
    Restart,
}

/// The longest delay of a restart: a device should not promise what it may have forgotten by then.
const LONGEST_DELAY: u64 = 60_000;
/// Enough for the answer to leave the device.
const USUAL_DELAY: Millis = Millis(100);

impl Work {
    /// Reads a command.
    ///
    /// # Errors
    /// A sentence that says why the device will not do it.
    pub fn read(command: &str, args: &Value) -> Result<Work, String> {
        match command {
            "led" => {
                let on = args.get("on").and_then(Value::as_bool);
                Ok(Work::Led { on: on.ok_or("'led' needs 'on' to be true or false.")? })
            }
            "restart" => Ok(Work::Restart { delay: delay(args.get("delay_ms"))? }),
            "config.get" => Ok(Work::ConfigGet),
            "config.set" => config_set(args),
            "state.get" => Ok(Work::StateGet),
            unknown => Err(format!("This device knows no command '{unknown}'.")),
        }
    }
}

fn delay(value: Option<&Value>) -> Result<Millis, String> {
    match value {
        None | Some(Value::Null) => Ok(USUAL_DELAY),
        Some(value) => match value.as_u64() {
            Some(delay) if delay <= LONGEST_DELAY => Ok(Millis(delay)),
            _ => Err(format!("'restart' needs 'delay_ms' to be a whole number from 0 to {LONGEST_DELAY}.")),
        },
    }
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
        check("config.get", json!({}), Ok(Work::ConfigGet));
        check("config.set", json!({"changes": changes, "apply": "now"}), Ok(set(Apply::Now)));
        check("config.set", json!({"changes": changes, "apply": "restart"}), Ok(set(Apply::Restart)));
        check("config.set", json!({"changes": changes}), Err("'apply'"));
        check("config.set", json!({"changes": {}, "apply": "now"}), Err("'changes'"));
        check("config.set", json!({"apply": "now"}), Err("'changes'"));
        check("state.get", json!({"extra": 1}), Ok(Work::StateGet));
        check("selfdestruct", json!({}), Err("'selfdestruct'"));
    }
}
