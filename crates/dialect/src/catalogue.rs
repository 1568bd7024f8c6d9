//! Definitions of commands: the eight built-in ones of devices with Wilco's own firmware, and the form for users' own
//! commands.
//!
//! Arguments are not checked against the schema here: that takes more than this crate may depend on.

mod built_in;

use std::sync::LazyLock;

use wilco_ledger::{Millis, WireForm, grouped};

use crate::{FREE_TEXT, template};

/// The names of the icons that a command can have.
pub const ICONS: &[&str] = &[
    "send", "power", "restart", "settings", "script", "search", "history", "lock", "key", "shield", "alert", "server",
    "export", "bulb", "bell", "gauge", "bolt", "drop", "eye", "play", "stop", "wrench", "identify", "log",
];

/// The longest timeout and time to live, seconds: 7 days.
pub const LONGEST_SPAN_S: u32 = 604_800;
/// The same in milliseconds.
pub const LONGEST_SPAN_MS: u64 = LONGEST_SPAN_S as u64 * 1_000;
const LONGEST_NAME: usize = 128;
const LONGEST_TITLE: usize = 80;

/// The definition of a command.
#[derive(Debug, Clone, PartialEq)]
pub struct CommandKind {
    /// Its name in requests.
    pub name: String,
    /// Its display name.
    pub title: String,
    /// The JSON Schema of its arguments, which is an object: JSON text with its original digits, without white space.
    pub schema: String,
    /// The form of its request, if it differs from the dialect's own.
    pub form: Option<WireForm>,
    /// The longest normal silence after a send.
    pub timeout: Millis,
    /// The longest time from submission to sending.
    pub time_to_live: Millis,
    /// Running it twice has the same effect as running it once, whether or not the device deduplicates.
    pub safe_to_repeat: bool,
    /// It interrupts what the device is doing, so it needs confirmation and is never sent late.
    pub dangerous: bool,
    /// The device answers it.
    pub answer_expected: bool,
    /// Its icon, one of [`ICONS`].
    pub icon: String,
}

/// A problem of a command's definition, as a sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidKind(pub String);

/// The built-in commands.
#[must_use]
pub fn commands() -> &'static [CommandKind] {
    static COMMANDS: LazyLock<Vec<CommandKind>> = LazyLock::new(built_in::all);
    &COMMANDS
}

/// The built-in command with this name.
#[must_use]
pub fn command(name: &str) -> Option<&'static CommandKind> {
    commands().iter().find(|kind| kind.name == name)
}

impl CommandKind {
    /// Validates a user's definition, except its schema.
    ///
    /// # Errors
    /// [`InvalidKind`] for the name of a built-in command, invalid names and durations, and a request that cannot work.
    pub fn check(&self) -> Result<(), InvalidKind> {
        let complaint = self
            .wrong_name()
            .or_else(|| self.wrong_title())
            .or_else(|| wrong_span(self.timeout, "timeout"))
            .or_else(|| wrong_span(self.time_to_live, "time to live"))
            .or_else(|| self.wrong_icon())
            .or_else(|| self.form.as_ref().and_then(|form| template::is_unusable(form, &self.name)));
        complaint.map_or(Ok(()), |why| Err(InvalidKind(why)))
    }

    fn wrong_name(&self) -> Option<String> {
        let name = self.name.as_str();
        if name.is_empty() {
            return Some(
                "The command has no name. Enter the name that the device expects, such as calibrate.".to_owned(),
            );
        }
        if name.len() > LONGEST_NAME {
            return Some(format!(
                "The name has {} bytes; the limit is {}.",
                grouped(name.len()),
                grouped(LONGEST_NAME)
            ));
        }
        if name.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Some(
                "The name contains a space. Use a single word, and put a readable name in the title.".to_owned(),
            );
        }
        if command(name).is_some() {
            return Some(format!("'{name}' is a built-in command. Duplicate it and choose another name for the copy."));
        }
        (name == FREE_TEXT).then(|| format!("'{name}' is reserved for free text. Choose another name."))
    }

    fn wrong_title(&self) -> Option<String> {
        if self.title.trim().is_empty() {
            return Some("The command has no title. Enter the text for its button.".to_owned());
        }
        if self.title.chars().count() > LONGEST_TITLE {
            return Some(format!("The title is longer than {LONGEST_TITLE} characters."));
        }
        if self.title.trim() != self.title {
            return Some(format!("The title “{}” begins or ends with a space. Remove the space.", self.title));
        }
        self.title.chars().any(char::is_control).then(|| "The title contains a control character.".to_owned())
    }

    fn wrong_icon(&self) -> Option<String> {
        let is_known = ICONS.contains(&self.icon.as_str());
        (!is_known).then(|| format!("There is no icon named '{}'. Available: {}.", self.icon, ICONS.join(", ")))
    }
}

fn wrong_span(span: Millis, what: &str) -> Option<String> {
    let possible = (1..=LONGEST_SPAN_MS).contains(&span.0);
    (!possible).then(|| format!("A {what} of {} ms is not allowed. Enter a value from 1 ms to 7 days.", span.0))
}

#[cfg(test)]
mod tests {
    use wilco_ledger::{Millis, WireForm};

    use super::{CommandKind, ICONS, command, commands};

    fn kind() -> CommandKind {
        CommandKind {
            name: "calibrate".into(),
            title: "Calibrate".into(),
            schema: r#"{"type":"object"}"#.into(),
            form: None,
            timeout: Millis::seconds(10),
            time_to_live: Millis::seconds(60),
            safe_to_repeat: false,
            dangerous: false,
            answer_expected: true,
            icon: "gauge".into(),
        }
    }

    #[test]
    fn a_description_that_makes_no_sense_is_refused_with_a_sentence() {
        let check = |change: &dyn Fn(&mut CommandKind), part: Option<&str>| {
            let mut changed = kind();
            change(&mut changed);
            let why = changed.check().err().map(|error| error.to_string());
            match part {
                Some(part) => assert!(why.as_ref().is_some_and(|why| why.contains(part)), "{part}: {why:?}"),
                None => assert_eq!(why, None),
            }
        };
        check(&|_| {}, None);
        check(&|kind| kind.name = String::new(), Some("has no name"));
        check(&|kind| kind.name = "two words".into(), Some("contains a space"));
        check(&|kind| kind.name = "x".repeat(129), Some("129 bytes"));
        check(&|kind| kind.name = "led".into(), Some("'led' is a built-in command"));
        check(&|kind| kind.name = "text".into(), Some("free text"));
        check(&|kind| kind.title = " ".into(), Some("has no title"));
        check(&|kind| kind.title = "x".repeat(81), Some("longer than 80"));
        check(&|kind| kind.timeout = Millis(0), Some("A timeout of 0 ms is not allowed"));
        check(&|kind| kind.time_to_live = Millis(u64::MAX), Some("A time to live of"));
        check(&|kind| kind.icon = "unicorn".into(), Some("no icon named 'unicorn'"));
        let form = WireForm { topic: Some("a/+".into()), ..WireForm::default() };
        check(&|kind| kind.form = Some(form.clone()), Some("does not contain {device}"));
    }

    #[test]
    fn the_built_in_ones_are_known_by_name_and_have_signs() {
        assert_eq!(commands().len(), 8);
        for kind in commands() {
            assert_eq!(command(&kind.name), Some(kind));
            assert!(ICONS.contains(&kind.icon.as_str()), "{}", kind.icon);
            assert_eq!(crate::json::schema(&kind.schema).as_ref(), Ok(&kind.schema), "{}", kind.name);
        }
        let dangerous: Vec<_> = commands().iter().filter(|kind| kind.dangerous).map(|kind| &*kind.name).collect();
        assert_eq!(dangerous, ["restart"]);
        assert_eq!(command("nonsense"), None);
    }
}
