use std::sync::{Arc, OnceLock};

use wilco_ledger::{Command, Submission, Timestamp};

use super::view;
use crate::api::{CommandView, JsonText};

/// A command in the state of a stored event.
#[derive(Debug, Clone)]
pub(crate) struct CommandSnapshot {
    pub(crate) command: Arc<Command>,
    /// Its deadline, if that is still ahead.
    pub(crate) deadline: Option<Timestamp>,
    /// Its arguments and its result are JSON as it is shown. Checked once, when it is first shown: lists show the same
    /// command again and again.
    is_as_shown: OnceLock<bool>,
}

impl CommandSnapshot {
    pub(crate) fn new(command: Arc<Command>, deadline: Option<Timestamp>) -> CommandSnapshot {
        CommandSnapshot { command, deadline, is_as_shown: OnceLock::new() }
    }

    pub(crate) fn view(&self, connection: &str) -> CommandView {
        let Submission { args, .. } = &*self.command.submission;
        let result = self.command.result.as_deref();
        let is_as_shown = self.is_as_shown.get().copied().unwrap_or_default();
        let json = |text: &str| if is_as_shown { JsonText::from(text.to_owned()) } else { JsonText::of(text) };
        let (shown_args, shown_result) = (json(args), result.map(json));
        if !is_as_shown {
            let is_same = shown_args.as_str() == &**args && shown_result.as_ref().map(JsonText::as_str) == result;
            _ = self.is_as_shown.set(is_same);
        }
        view(connection, &self.command, self.deadline, shown_args, shown_result)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

    use std::sync::Arc;

    use wilco_ledger::{Command, State, Submission};

    use super::CommandSnapshot;
    use crate::{fleet, views};

    #[test]
    fn a_command_is_shown_alike_each_time_and_its_json_is_checked_once() {
        let check = |args: &str, result: Option<&str>, as_shown: bool| {
            let mut command = Command::clone(&fleet::tests::snapshot("pump-7", State::Succeeded, 1).command);
            command.submission = Arc::new(Submission { args: args.into(), ..Submission::clone(&command.submission) });
            command.result = result.map(Into::into);
            let expected = views::command("plant", &command, None);
            let snapshot = CommandSnapshot::new(command.into(), None);
            for _ in 0..3 {
                assert_eq!(snapshot.view("plant"), expected, "{args} {result:?}");
                assert_eq!(snapshot.is_as_shown.get().copied().unwrap(), as_shown, "{args} {result:?}");
            }
        };
        check("{}", None, true);
        check(r#"{"on":true}"#, Some(r#"{"led":true,"n":1.50}"#), true);
        // Another console wrote spaces, and a device no JSON.
        check(r#"{"on": true}"#, None, false);
        check("{}", Some("[1, 2]"), false);
        check("{}", Some("done"), false);
        check("ON", Some("1"), false);
    }
}
