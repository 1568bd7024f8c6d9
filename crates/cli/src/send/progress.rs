//! The states of one command, in the order of its events, for printing.

use wilco_engine::api::{
    AnswerMatch, AnswerOutcome, AnswerReading, AnswerView, CommandDetail, CommandState, CommandView, EventKind,
    EventView,
};

use crate::output::CommandLine;

/// A line to print.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    /// The command has another state.
    Change(CommandLine),
    /// The device reported progress in the same state.
    Progress(CommandLine),
    /// The number of progress answers that were not read.
    LeftOut(String, u32),
}

/// Tracks which states of a command have been printed.
#[derive(Debug, Default)]
pub(super) struct CommandProgress {
    state: Option<CommandState>,
    /// The place of the first event that was not printed.
    next: u32,
    /// The progress and the message that were printed last.
    said: (Option<u8>, Option<String>),
    duplicates: u32,
    conflict: bool,
}

impl CommandProgress {
    /// The state that was printed last.
    pub(super) fn state(&self) -> CommandState {
        self.state.unwrap_or(CommandState::Queued)
    }

    pub(super) fn is_final(&self) -> bool {
        self.state().is_final()
    }

    /// The new steps in its events: every state that it has reached.
    pub(super) fn new_steps(&mut self, detail: &CommandDetail) -> Vec<Step> {
        let view = &detail.command;
        let mut steps = Vec::new();
        let next = self.next;
        for event in detail.events.iter().filter(|event| event.place >= next) {
            if event.place > self.next {
                steps.push(Step::LeftOut(view.device.clone(), event.place - self.next));
                self.next = event.place;
                // The answers in between may have had other progress.
                self.said = (None, None);
            }
            match self.step(event, view) {
                Ok(step) => steps.extend(step),
                // The command was read just before this event happened: the next read includes it.
                Err(TooNew) => break,
            }
            self.next += 1;
        }
        steps
    }

    fn step(&mut self, event: &EventView, view: &CommandView) -> Result<Option<Step>, TooNew> {
        let reading = event.answer.as_ref().map(|answer| answer.reading);
        let state = match reading {
            Some(AnswerReading::Moved | AnswerReading::Inferred | AnswerReading::Late) => {
                event.answer.as_ref().and_then(|answer| said(answer.outcome))
            }
            Some(AnswerReading::Duplicate) => {
                self.duplicates += 1;
                None
            }
            Some(AnswerReading::Conflict) => {
                self.conflict = true;
                None
            }
            Some(AnswerReading::Heartbeat) => return Ok(self.progressed(event, view)),
            _ => match event.kind {
                // A repeat may be refused without ending the command.
                EventKind::Undeliverable if view.state != CommandState::Undeliverable => None,
                kind => kind.state(),
            },
        };
        let Some(state) = state.filter(|state| self.is_new(*state, reading)) else { return Ok(None) };
        if state.is_final() && view.state != state && (!view.is_final || reading == Some(AnswerReading::Late)) {
            return Err(TooNew);
        }
        self.state = Some(state);
        let line = if view.state == state && (state.is_final() || event.answer.is_none()) {
            CommandLine { at: event.at, ..CommandLine::of(view) }
        } else {
            self.earlier_line(event, event.answer.as_ref(), view, state)
        };
        self.said = (line.progress, line.message.clone());
        Ok(Some(Step::Change(line)))
    }

    fn is_new(&self, state: CommandState, reading: Option<AnswerReading>) -> bool {
        match self.state {
            None => true,
            // A timeout is Wilco's own conclusion, and a held command can be queued again.
            Some(CommandState::Held) if state == CommandState::Queued => true,
            Some(printed) => state > printed || (reading == Some(AnswerReading::Late) && state != printed),
        }
    }

    fn progressed(&mut self, event: &EventView, view: &CommandView) -> Option<Step> {
        let answer = event.answer.as_ref()?;
        let said = (answer.progress, answer.message.clone());
        if said == self.said {
            return None;
        }
        self.said = said;
        let state = self.state();
        Some(Step::Progress(self.earlier_line(event, Some(answer), view, state)))
    }

    /// A line about an earlier state of the command, with the facts of that time.
    fn earlier_line(
        &self,
        event: &EventView,
        answer: Option<&AnswerView>,
        view: &CommandView,
        state: CommandState,
    ) -> CommandLine {
        let matched = answer.map(|answer| match answer.reading {
            AnswerReading::Inferred => AnswerMatch::Inferred,
            _ => AnswerMatch::Exact,
        });
        CommandLine {
            state,
            at: event.at,
            late: false,
            duplicates: self.duplicates,
            matched,
            message: match answer {
                Some(answer) => answer.message.clone(),
                None => state.is_final().then(|| format!("{}.", event.text)),
            },
            result: None,
            attempts: event.attempt.unwrap_or(if state < CommandState::Sent { 0 } else { view.attempts }),
            progress: answer.and_then(|answer| answer.progress),
            conflict: self.conflict,
            contradicted: None,
            nobody_listening: state == CommandState::AtBroker && view.nobody_listening,
            clocks_differ: false,
            ..CommandLine::of(view)
        }
    }
}

/// The state for an outcome.
fn said(outcome: AnswerOutcome) -> Option<CommandState> {
    match outcome {
        AnswerOutcome::Read(outcome) => Some(outcome.state()),
        AnswerOutcome::Unreadable => None,
    }
}

/// The event is newer than the view beside it.
struct TooNew;

#[cfg(test)]
mod tests {
    use serde_json::json;
    use wilco_engine::api::{CommandDetail, CommandView, EventView, RequestOrigin};

    use super::{CommandProgress, Step};

    fn view(state: &str, changed_at: i64) -> CommandView {
        serde_json::from_value(json!({
            "connection": "c", "device": "d", "id": "1", "command": "led", "args": "{}", "by": "you", "state": state,
            "final": matches!(state, "succeeded" | "failed" | "timed_out" | "expired" | "cancelled"),
            "queued_at": 1, "sent_at": null, "at_broker_at": null, "accepted_at": null,
            "finished_at": null, "deadline": null, "changed_at": changed_at, "attempts": 1, "progress": null,
            "message": "said", "result": "{\"on\":true}", "match": "exact", "late": false, "duplicates": 0,
            "conflict": false, "contradicted": null, "nobody_listening": false, "again_of": null
        }))
        .expect("a command")
    }

    fn events(kinds: &[&str]) -> Vec<EventView> {
        let event = |(place, kind): (usize, &&str)| {
            let (kind, answer) = match kind.split_once(' ') {
                None => (*kind, serde_json::Value::Null),
                Some((outcome, reading)) => {
                    let raw = json!({"topic": "d/resp", "qos": 1, "bytes": 0, "payload": "", "binary": false});
                    let (outcome, progress) = outcome.split_once('@').unwrap_or((outcome, "0"));
                    let progress: u8 = progress.parse().expect("a number");
                    let answer = json!({
                        "outcome": outcome, "reading": reading, "progress": progress, "message": null, "raw": raw
                    });
                    ("answered", answer)
                }
            };
            serde_json::from_value(json!({
                "place": place, "at": place, "kind": kind, "text": "No answer in time", "attempt": null, "answer": answer
            }))
            .expect("an event")
        };
        kinds.iter().enumerate().map(event).collect()
    }

    fn detail(command: CommandView, events: Vec<EventView>) -> CommandDetail {
        let request_is = RequestOrigin::Planned;
        CommandDetail {
            command,
            request: None,
            request_is,
            events,
            left_out: 0,
            discarded: None,
            disagrees: None,
            shell_line: None,
        }
    }

    /// The printed states; those with only progress are in brackets.
    fn printed(steps: &[Step]) -> Vec<String> {
        let name = |step: &Step| match step {
            Step::Change(line) => line.state.to_string(),
            Step::Progress(line) => format!("({} {})", line.state, line.progress.unwrap_or_default()),
            Step::LeftOut(device, count) => format!("(… {count} of {device})"),
        };
        steps.iter().map(name).collect()
    }

    #[test]
    fn events_tell_each_state_once() {
        let check = |state: &str, kinds: &[&str], expected: &[&str]| {
            let detail = detail(view(state, 9), events(kinds));
            let mut command = CommandProgress::default();
            assert_eq!(printed(&command.new_steps(&detail)), expected, "{kinds:?}");
            assert_eq!(printed(&command.new_steps(&detail)), [""; 0], "the same again");
        };
        let out = ["submitted", "handed", "sent", "at_broker"];
        check("at_broker", &out, &["queued", "sent", "at_broker"]);
        check(
            "succeeded",
            &[&out[..], &["accepted moved", "succeeded moved", "succeeded duplicate"]].concat(),
            &["queued", "sent", "at_broker", "accepted", "succeeded"],
        );
        check("succeeded", &["submitted", "handed", "succeeded moved", "sent", "at_broker"], &["queued", "succeeded"]);
        check(
            "running",
            &["submitted", "running@10 moved", "running@10 heartbeat", "running@40 heartbeat"],
            &["queued", "running", "(running 40)"],
        );
        check(
            "succeeded",
            &["submitted", "handed", "sent", "handed", "sent", "timed_out", "at_broker", "succeeded late"],
            &["queued", "sent", "timed_out", "succeeded"],
        );
        check("sent", &["submitted", "held", "released", "handed", "sent"], &["queued", "held", "queued", "sent"]);
        check("timed_out", &["submitted", "sent", "undeliverable", "timed_out"], &["queued", "sent", "timed_out"]);
        check("cancelled", &["submitted", "cancelled", "succeeded contradiction"], &["queued", "cancelled"]);
    }

    #[test]
    fn an_answer_after_a_gap_is_told_although_it_says_what_was_last_told() {
        let all = events(&["submitted", "running@10 moved", "running@20 heartbeat", "running@10 heartbeat"]);
        let mut command = CommandProgress::default();
        let first = detail(view("running", 9), all[..2].to_vec());
        assert_eq!(printed(&command.new_steps(&first)), ["queued", "running"]);
        let without_its_middle = [&all[..2], &all[3..]].concat();
        let second = detail(view("running", 9), without_its_middle);
        assert_eq!(printed(&command.new_steps(&second)), ["(… 1 of d)", "(running 10)"]);
    }

    #[test]
    fn a_new_message_is_told_at_the_same_progress_and_without_any() {
        let mut all = events(&["submitted", "running@10 moved", "running@10 heartbeat", "running@10 heartbeat"]);
        for (event, message) in all[1..].iter_mut().zip(["erasing", "writing", "writing"]) {
            let answer = event.answer.as_mut().expect("an answer");
            (answer.progress, answer.message) = (None, Some(message.to_owned()));
        }
        let mut command = CommandProgress::default();
        let steps = command.new_steps(&detail(view("sent", 9), all));
        let message = |step: &Step| match step {
            Step::Change(line) | Step::Progress(line) => line.message.clone(),
            Step::LeftOut(..) => None,
        };
        let messages: Vec<_> = steps.iter().filter_map(message).collect();
        assert_eq!(messages, ["erasing", "writing"]);
    }

    #[test]
    fn an_end_is_told_with_its_result() {
        let mut command = CommandProgress::default();
        let kinds = ["submitted", "sent", "succeeded moved"];
        let early = detail(view("sent", 1), events(&kinds));
        assert_eq!(printed(&command.new_steps(&early)), ["queued", "sent"]);
        assert!(!command.is_final());
        let whole = detail(view("succeeded", 2), events(&kinds));
        let steps = command.new_steps(&whole);
        assert_eq!(printed(&steps), ["succeeded"]);
        let [Step::Change(end)] = steps.as_slice() else { panic!("{steps:?}") };
        assert_eq!(end.result, Some(json!({"on": true}).into()));
        assert!(command.is_final());
    }

    #[test]
    fn each_progress_is_told_once_however_many_are_left_out_of_what_is_read() {
        let said: Vec<String> = (0..20_000).map(|number| format!("running@{} heartbeat", number % 100)).collect();
        let mut kinds = vec!["submitted", "sent", "running@0 moved"];
        kinds.extend(said.iter().map(String::as_str));
        kinds.push("succeeded moved");
        let all = events(&kinds);
        let mut command = CommandProgress::default();
        // As much of it as has come, without its middle.
        let mut new_steps = |state: &str, come: usize| {
            let left_out = if come > 500 { 10..come - 240 } else { 0..0 };
            let read = all[..come].iter().filter(|event| !left_out.contains(&(event.place as usize)));
            printed(&command.new_steps(&detail(view(state, 9), read.cloned().collect())))
        };
        let progress = |places: std::ops::Range<usize>| places.map(|place| format!("(running {})", (place - 3) % 100));

        // The first heartbeat repeats what the answer before it said.
        let first: Vec<_> =
            ["queued", "sent", "running"].map(str::to_owned).into_iter().chain(progress(4..300)).collect();
        assert_eq!(new_steps("running", 300), first);
        assert_eq!(new_steps("running", 300), [""; 0], "nothing new");
        assert_eq!(
            new_steps("running", 520),
            progress(300..520).collect::<Vec<_>>(),
            "nothing that is new is left out"
        );
        assert_eq!(new_steps("running", 530), progress(520..530).collect::<Vec<_>>());
        let leap: Vec<_> = std::iter::once("(… 14230 of d)".to_owned()).chain(progress(14_760..15_000)).collect();
        assert_eq!(new_steps("running", 15_000), leap);
        // The end is new, whatever was printed before it.
        let mut last: Vec<_> = std::iter::once("(… 4764 of d)".to_owned()).chain(progress(19_764..20_003)).collect();
        last.push("succeeded".to_owned());
        assert_eq!(new_steps("succeeded", all.len()), last);
        assert_eq!(new_steps("succeeded", all.len()), [""; 0]);
    }
}
