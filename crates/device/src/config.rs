//! The configuration of a device: its keys and their valid values.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// A configuration in which every key has a valid value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "Map<String, Value>", into = "Map<String, Value>")]
pub struct Config(Map<String, Value>);

/// The valid values of a key.
enum Kind {
    Whole { from: i64, to: i64 },
    Number { from: f64, to: f64 },
    Switch,
    Text { longest: usize },
}

const KEYS: [(&str, Kind); 4] = [
    ("report_interval_s", Kind::Whole { from: 1, to: 86_400 }),
    ("temp_high_c", Kind::Number { from: -50.0, to: 150.0 }),
    ("buzzer", Kind::Switch),
    ("ntp_host", Kind::Text { longest: 253 }),
];

impl Default for Config {
    fn default() -> Config {
        let values = [json!(30), json!(8.0), json!(true), json!("pool.ntp.org")];
        Config(KEYS.iter().zip(values).map(|((key, _), value)| ((*key).to_owned(), value)).collect())
    }
}

impl Config {
    /// Returns this configuration with all of the changes, or an error and none of them.
    ///
    /// # Errors
    /// A sentence that names the first invalid change.
    pub fn with(&self, changes: &Map<String, Value>) -> Result<Config, String> {
        let mut changed = self.0.clone();
        for (key, value) in changes {
            let Some((_, kind)) = KEYS.iter().find(|(known, _)| known == key) else {
                let known: Vec<_> = KEYS.iter().map(|(known, _)| *known).collect();
                return Err(format!("There is no configuration key '{key}'. Available: {}.", known.join(", ")));
            };
            if !kind.allows(value) {
                return Err(format!("'{key}' must be {}, and {value} is not.", kind.description()));
            }
            changed.insert(key.clone(), value.clone());
        }
        Ok(Config(changed))
    }

    /// As a JSON object.
    #[must_use]
    pub fn as_object(&self) -> &Map<String, Value> {
        &self.0
    }
}

/// Values saved by older firmware are used if they are still valid; all other keys have their defaults.
impl From<Map<String, Value>> for Config {
    fn from(saved: Map<String, Value>) -> Config {
        saved.into_iter().fold(Config::default(), |config, (key, value)| {
            let change = Map::from_iter([(key, value)]);
            config.with(&change).unwrap_or(config)
        })
    }
}

impl From<Config> for Map<String, Value> {
    fn from(config: Config) -> Map<String, Value> {
        config.0
    }
}

impl Kind {
    fn allows(&self, value: &Value) -> bool {
        match self {
            Kind::Whole { from, to } => value.as_i64().is_some_and(|number| (*from..=*to).contains(&number)),
            Kind::Number { from, to } => value.as_f64().is_some_and(|number| (*from..=*to).contains(&number)),
            Kind::Switch => value.is_boolean(),
            Kind::Text { longest } => value.as_str().is_some_and(|text| !text.is_empty() && text.len() <= *longest),
        }
    }

    fn description(&self) -> String {
        match self {
            Kind::Whole { from, to } => format!("a whole number from {from} to {to}"),
            Kind::Number { from, to } => format!("a number from {from} to {to}"),
            Kind::Switch => "true or false".to_owned(),
            Kind::Text { longest } => format!("a text of 1 to {longest} bytes"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Config;

    #[test]
    fn changes_are_made_all_or_none() {
        let check = |changes: Value, expected: Result<Value, &str>| {
            let changes = changes.as_object().expect("an object").clone();
            match (Config::default().with(&changes), expected) {
                (Ok(config), Ok(expected)) => {
                    for (key, value) in expected.as_object().expect("an object") {
                        assert_eq!(config.as_object()[key], *value);
                    }
                    assert_eq!(config.as_object().len(), 4);
                }
                (Err(why), Err(part)) => assert!(why.contains(part), "{why}"),
                (result, _) => panic!("{changes:?}: {result:?}"),
            }
        };
        check(json!({}), Ok(json!({"report_interval_s": 30, "temp_high_c": 8.0})));
        check(json!({"buzzer": false, "temp_high_c": 9}), Ok(json!({"buzzer": false, "temp_high_c": 9})));
        check(json!({"buzzer": false, "colour": 1}), Err("no configuration key 'colour'"));
        check(json!({"buzzer": "yes"}), Err("'buzzer' must be true or false"));
        check(json!({"report_interval_s": 0}), Err("a whole number from 1 to 86400"));
        check(json!({"report_interval_s": 1.5}), Err("a whole number"));
        check(json!({"temp_high_c": "8"}), Err("a number from"));
        check(json!({"ntp_host": ""}), Err("a text of 1 to 253 bytes"));
        check(json!({"ntp_host": null}), Err("a text"));
    }

    #[test]
    fn valid_settings_saved_by_older_firmware_are_kept() {
        let saved = r#"{"buzzer":false,"temp_high_c":"warm","gone":1}"#;
        let config: Config = serde_json::from_str(saved).expect("a configuration");
        assert_eq!(config.as_object()["buzzer"], json!(false));
        assert_eq!(config.as_object()["temp_high_c"], json!(8.0));
        assert_eq!(config.as_object().len(), 4);
    }
}
