//! An enabled dialect of a connection, with its settings.

use std::{collections::BTreeMap, fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use wilco_failure::{Failure, excerpt, invalid};

/// The longest value of a setting, bytes.
const LONGEST_VALUE: usize = 200;

/// An enabled dialect of a connection. On the command line and in files: `zigbee2mqtt:base=house/z2m`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct EnabledDialect {
    /// The dialect's name.
    pub name: String,
    /// The settings that differ from the dialect's defaults, by name. Each value is valid in a topic.
    #[serde(default)]
    #[ts(type = "Record<string, string>")]
    pub settings: BTreeMap<String, String>,
}

impl EnabledDialect {
    /// A dialect with its default settings.
    #[must_use]
    pub fn new(name: impl Into<String>) -> EnabledDialect {
        EnabledDialect { name: name.into(), settings: BTreeMap::new() }
    }

    /// Checks that each setting can be part of a topic, and can be written as text.
    ///
    /// # Errors
    /// [`FailureCode::Invalid`](wilco_failure::FailureCode) for the first one that cannot.
    pub fn check(&self) -> Result<(), Failure> {
        match self.settings.iter().find(|(name, value)| !is_usable(name, value)) {
            Some((name, value)) => Err(unusable(name, value)),
            None => Ok(()),
        }
    }
}

fn is_usable(name: &str, value: &str) -> bool {
    !name.is_empty()
        && !value.is_empty()
        && value.len() <= LONGEST_VALUE
        // A comma separates settings in the text.
        && !value.contains(['+', '#', ','])
        && !value.chars().any(char::is_control)
        && !value.starts_with('/')
        && !value.ends_with('/')
}

fn unusable(name: &str, value: &str) -> Failure {
    invalid(
        format!("The setting '{}' cannot be '{}'.", excerpt(name), excerpt(value)),
        "Enter a part of a topic: 1 to 200 bytes without '+', '#' or ',', and without '/' at either end.",
    )
}

fn unreadable(setting: &str) -> Failure {
    invalid(
        format!("'{}' is not a dialect setting.", excerpt(setting)),
        "Write NAME=VALUE, for example zigbee2mqtt:base=house/z2m.",
    )
}

impl From<&str> for EnabledDialect {
    /// A dialect with its default settings. Does not parse settings in the name: see [`EnabledDialect::from_str`].
    fn from(name: &str) -> EnabledDialect {
        EnabledDialect::new(name)
    }
}

impl fmt::Display for EnabledDialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        let mut before = ':';
        for (name, value) in &self.settings {
            write!(f, "{before}{name}={value}")?;
            before = ',';
        }
        Ok(())
    }
}

impl FromStr for EnabledDialect {
    type Err = Failure;

    /// Parses the text. Unknown dialect names are detected when the dialects are combined.
    ///
    /// # Errors
    /// [`FailureCode::Invalid`](wilco_failure::FailureCode) for settings that are not `NAME=VALUE`, or cannot be part of a
    /// topic.
    fn from_str(text: &str) -> Result<EnabledDialect, Failure> {
        let Some((name, settings)) = text.split_once(':') else { return Ok(EnabledDialect::new(text)) };
        let mut dialect = EnabledDialect::new(name);
        for setting in settings.split(',') {
            let (name, value) = setting.split_once('=').ok_or_else(|| unreadable(setting))?;
            dialect.settings.insert(name.to_owned(), value.to_owned());
        }
        dialect.check()?;
        Ok(dialect)
    }
}

#[cfg(test)]
mod tests {
    use super::EnabledDialect;

    #[test]
    fn a_dialect_is_the_same_after_it_was_written_as_text() {
        for text in ["wilco", "zigbee2mqtt:base=house/z2m", "tasmota:cmnd=befehl,stat=antwort", "mine:a=x=y:z"] {
            let dialect: EnabledDialect = text.parse().expect("a dialect");
            assert_eq!(dialect.to_string(), text);
        }
        let dialect: EnabledDialect = "zigbee2mqtt:base=house/z2m".parse().expect("a dialect");
        assert_eq!((dialect.name.as_str(), dialect.settings["base"].as_str()), ("zigbee2mqtt", "house/z2m"));
    }

    #[test]
    fn settings_that_no_topic_can_contain_are_refused() {
        let long = format!("mine:a={}", "x".repeat(201));
        for text in ["mine:=x", "mine:a=", "mine:a=#", "mine:a=x/+", "mine:a=/x", "mine:a=x/", &long] {
            let failure = text.parse::<EnabledDialect>().expect_err(text);
            assert!(failure.message.starts_with("The setting '"), "{failure:?}");
        }
        for text in ["mine:", "mine:a", "mine:a=b,"] {
            let failure = text.parse::<EnabledDialect>().expect_err(text);
            assert!(failure.message.contains("is not a dialect setting"), "{failure:?}");
        }
        let mut dialect = EnabledDialect::new("mine");
        dialect.settings.insert("a".into(), "x,b=y".into());
        assert!(dialect.check().is_err());
    }
}
