//! The state of a command, as one line.

use serde::Serialize;
use wilco_engine::api::{AnswerMatch, CommandState, CommandView, JsonText, Outcome, UnreadableView};

use super::{clean, paint, state_name, state_style, visible_name};

/// A command at one rung of its ladder.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct CommandLine {
    pub(crate) id: String,
    pub(crate) device: String,
    pub(crate) command: String,
    pub(crate) state: CommandState,
    /// When it came to that state, Unix milliseconds.
    pub(crate) at: i64,
    pub(crate) late: bool,
    pub(crate) duplicates: u32,
    #[serde(rename = "match")]
    pub(crate) matched: Option<AnswerMatch>,
    pub(crate) message: Option<String>,
    #[serde(serialize_with = "JsonText::embedded_if_any")]
    pub(crate) result: Option<JsonText>,
    pub(crate) attempts: u32,
    pub(crate) progress: Option<u8>,
    pub(crate) unreadable: Option<UnreadableView>,
    pub(crate) conflict: bool,
    pub(crate) contradicted: Option<Outcome>,
    pub(crate) nobody_listening: bool,
    /// The operator whom the request names.
    pub(crate) operator: Option<String>,
    #[serde(skip)]
    pub(crate) clocks_differ: bool,
    #[serde(skip)]
    pub(crate) queued_at: i64,
}

impl CommandLine {
    /// A command in its current state.
    pub(crate) fn of(view: &CommandView) -> CommandLine {
        let reached = match view.state {
            CommandState::Queued => Some(view.queued_at),
            CommandState::Sent => view.sent_at,
            CommandState::AtBroker => view.at_broker_at,
            _ if view.is_final => view.finished_at,
            _ => None,
        };
        CommandLine {
            id: view.id.clone(),
            device: view.device.clone(),
            command: view.command.clone(),
            state: view.state,
            at: reached.unwrap_or(view.changed_at),
            late: view.late,
            duplicates: view.duplicates,
            matched: view.matched,
            message: view.message.clone(),
            result: view.result.clone(),
            attempts: view.attempts,
            progress: view.progress,
            unreadable: view.unreadable.clone(),
            conflict: view.conflict,
            contradicted: view.contradicted,
            nobody_listening: view.nobody_listening,
            operator: view.operator.clone(),
            clocks_differ: view.clocks_differ,
            queued_at: view.queued_at,
        }
    }

    /// The line for people, with the device in a column of that width.
    pub(crate) fn text(&self, width: usize) -> String {
        let state = format!("{:<13}", state_name(self.state));
        let mut line = format!(
            "{:<width$}  {}  {:>9}",
            visible_name(&self.device),
            paint(&state, state_style(self.state)),
            elapsed(self.at - self.queued_at)
        );
        if self.state == CommandState::Running
            && let Some(progress) = self.progress
        {
            line.push_str(&format!("  {progress} %"));
        }
        match (&self.message, &self.result) {
            (Some(message), _) => line.push_str(&format!("  {}", clean(message))),
            (None, Some(result)) => line.push_str(&format!("  {}", clean(&result.to_string()))),
            (None, None) => {}
        }
        let operator = self.operator.as_ref().map(|operator| format!("by {}", clean(operator)));
        for remark in self.remarks().into_iter().chain(operator) {
            line.push_str(&format!("  [{remark}]"));
        }
        line
    }

    /// Remarks about the command.
    pub(crate) fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        if self.late {
            remarks.push("late".to_owned());
        }
        if let Some(matched) = self.matched.filter(|matched| *matched != AnswerMatch::Exact) {
            remarks.push(matched.as_str().to_owned());
        }
        match self.duplicates {
            0 => {}
            1 => remarks.push("1 duplicate".to_owned()),
            more => remarks.push(format!("{more} duplicates")),
        }
        match self.unreadable.as_ref().map(|answers| answers.count) {
            None => {}
            Some(1) => remarks.push("1 unreadable answer".to_owned()),
            Some(more) => remarks.push(format!("{more} unreadable answers")),
        }
        if self.conflict {
            remarks.push("a different final answer was also received".to_owned());
        }
        if let Some(outcome) = self.contradicted {
            remarks.push(format!("but the device reported {}", outcome.as_str()));
        }
        if self.clocks_differ {
            remarks.push("the clocks of this computer and the device probably differ".to_owned());
        }
        if self.attempts > 1 {
            remarks.push(format!("sent {} times", self.attempts));
        }
        if self.nobody_listening && matches!(self.state, CommandState::AtBroker | CommandState::TimedOut) {
            remarks.push("no subscriber on this topic".to_owned());
        }
        remarks
    }
}

fn elapsed(milliseconds: i64) -> String {
    match milliseconds.max(0) {
        short @ 0..10_000 => format!("+{short} ms"),
        long => format!("+{}.{} s", long / 1_000, long % 1_000 / 100),
    }
}
