//! Compares the history with what the devices did and with the recorded packets.

use std::collections::{HashMap, HashSet};

use wilco_engine::api::{CommandState, CommandView, SentBy};

use crate::wiretap::Wire;

/// The deviations, by kind, as the report counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Wrong {
    /// A command, or an answer that the console had acknowledged, is missing in the history.
    Lost,
    /// A command is in the history twice, or a device got two for one.
    Doubled,
    /// A command that must not be repeated was published twice.
    UnsafeDoubled,
    /// A command has not finished.
    NeverFinal,
    /// The history says something that is not so.
    False,
    /// The run itself did not work.
    Broken,
}

/// One wrong thing, as a sentence.
#[derive(Debug, Clone)]
pub(crate) struct Finding {
    pub(crate) wrong: Wrong,
    pub(crate) what: String,
}

/// A fan-out, and the console's replies to it.
#[derive(Debug, Clone)]
pub(crate) struct FanOut {
    /// The arguments by which its commands are told from those of the other one.
    pub(crate) args: String,
    /// It was accepted: its commands' ids, none for a rollout. `None` when the console was killed before it said so.
    pub(crate) accepted: Option<Vec<String>>,
    pub(crate) refused: bool,
    /// The console was killed since it was asked.
    pub(crate) asker_is_gone: bool,
}

impl FanOut {
    /// It is known what became of it, or nobody will say so any more.
    pub(crate) fn is_settled(&self) -> bool {
        self.accepted.is_some() || self.refused || self.asker_is_gone
    }
}

/// The devices' log.
#[derive(Debug, Default)]
pub(crate) struct Executions {
    /// How often each command was carried out, or failed, by id.
    pub(crate) done: HashMap<String, (u32, HashSet<String>)>,
    /// Every id that a device was asked under, with the device.
    pub(crate) asked: HashMap<String, String>,
}

impl Executions {
    pub(crate) fn read(log: &str) -> Executions {
        let mut executions = Executions::default();
        for line in log.lines() {
            match line.split(' ').collect::<Vec<_>>()[..] {
                ["done", _, id, _, outcome] => {
                    let (count, outcomes) = executions.done.entry(id.to_owned()).or_default();
                    *count += 1;
                    outcomes.insert(outcome.to_owned());
                }
                ["asked", device, id, _] => drop(executions.asked.insert(id.to_owned(), device.to_owned())),
                _ => {}
            }
        }
        executions
    }

    fn came_to(&self, id: &str, outcome: &str) -> bool {
        self.done.get(id).is_some_and(|(_, outcomes)| outcomes.contains(outcome))
    }
}

/// Everything that is wrong.
pub(crate) fn judge(
    history: &[CommandView],
    executions: &Executions,
    wire: &Wire,
    fan_outs: &[FanOut],
    devices: usize,
    is_safe: bool,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut find = |wrong, what| findings.push(Finding { wrong, what });
    let mut by_id: HashMap<&str, &CommandView> = HashMap::new();
    for command in history.iter().filter(|command| command.by == SentBy::You) {
        if by_id.insert(&command.id, command).is_some() {
            find(Wrong::Doubled, format!("{} is in the history twice", command.id));
        }
    }
    for fan_out in fan_outs {
        let own: Vec<_> = by_id.values().filter(|command| command.args.as_str() == fan_out.args).collect();
        let distinct: HashSet<_> = own.iter().map(|command| &command.device).collect();
        if distinct.len() < own.len() {
            find(Wrong::Doubled, format!("{} commands for {} devices", own.len(), distinct.len()));
        }
        match &fan_out.accepted {
            Some(ids) => {
                if own.len() < devices {
                    find(Wrong::Lost, format!("{} of {devices} commands of an accepted fan-out are known", own.len()));
                }
                for id in ids.iter().filter(|id| !by_id.contains_key(id.as_str())) {
                    find(Wrong::Lost, format!("{id} was accepted and is not in the history"));
                }
            }
            None if fan_out.refused && !own.is_empty() => {
                find(Wrong::False, format!("a fan-out was refused and {} of its commands are there", own.len()));
            }
            None if !own.is_empty() && own.len() < devices => {
                find(Wrong::Lost, format!("{} of {devices} commands of a fan-out are known", own.len()));
            }
            None => {}
        }
    }
    for ((device, id), count) in &wire.published {
        if !by_id.contains_key(id.as_str()) {
            find(Wrong::Lost, format!("{id} was published to {device} and is not in the history"));
        }
        if !is_safe && *count > 1 {
            find(Wrong::UnsafeDoubled, format!("{id} was published {count} times to {device}"));
        }
    }
    for (id, device) in executions.asked.iter().filter(|(id, _)| !by_id.contains_key(id.as_str())) {
        find(Wrong::Lost, format!("{device} was asked under {id}, which is not in the history"));
    }
    for command in by_id.values() {
        if let Some((wrong, what)) = judge_one(command, executions, wire) {
            let CommandView { id, device, attempts, message, .. } = command;
            find(wrong, format!("{device} {id} is {}: {what} ({attempts} sends; {message:?})", command.state));
        }
    }
    for (device, id, status) in &wire.acknowledged {
        let Some(command) = by_id.get(id.as_str()).filter(|command| command.device == *device) else { continue };
        let is_known = command.state.as_str() == status || command.conflict || command.contradicted.is_some();
        if !is_known {
            let what = format!("{device} said {status} of {id}, which was acknowledged, and it is {}", command.state);
            find(Wrong::Lost, what);
        }
    }
    findings
}

fn judge_one(command: &CommandView, executions: &Executions, wire: &Wire) -> Option<(Wrong, &'static str)> {
    let was_published = wire.published.contains_key(&(command.device.clone(), command.id.clone()));
    let has_run = executions.done.contains_key(&command.id);
    match command.state {
        _ if !command.is_final => Some((Wrong::NeverFinal, "it is not final")),
        CommandState::Succeeded | CommandState::Failed if !executions.came_to(&command.id, command.state.as_str()) => {
            Some((Wrong::False, "its device says otherwise"))
        }
        CommandState::Expired | CommandState::Cancelled | CommandState::Undeliverable
            if has_run && command.contradicted.is_none() =>
        {
            Some((Wrong::False, "it was carried out, and is not marked"))
        }
        CommandState::Expired | CommandState::Cancelled if was_published && command.contradicted.is_none() => {
            Some((Wrong::False, "it was published"))
        }
        CommandState::Rejected | CommandState::Unconfirmed => Some((Wrong::False, "no device said so")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use serde_json::{Value, json};
    use wilco_engine::api::CommandView;

    use super::{Executions, FanOut, Wrong, judge};
    use crate::wiretap::Wire;

    fn command(id: &str, state: &str) -> Value {
        json!({
            "connection": "c", "device": "unit-0000", "id": id, "command": "restart", "args": r#"{"delay_ms":0}"#,
            "by": "you", "state": state, "final": state != "at_broker", "queued_at": 0, "sent_at": null,
            "at_broker_at": null, "accepted_at": null, "finished_at": null, "deadline": null, "changed_at": 0,
            "attempts": 1, "progress": null, "message": null, "result": null, "match": null, "late": false,
            "duplicates": 0, "conflict": false, "contradicted": null, "nobody_listening": false, "again_of": null,
        })
    }

    /// What is found of a history, the devices' log, how often `a` was published, and what was acknowledged of it.
    fn check(history: &[Value], log: &str, published: u32, acknowledged: Option<&str>, expected: &[Wrong]) {
        let history: Vec<CommandView> =
            history.iter().map(|view| serde_json::from_str(&view.to_string()).expect("a command")).collect();
        let key = |id: &str| ("unit-0000".to_owned(), id.to_owned());
        let wire = Wire {
            published: HashMap::from([(key("a"), published)]).into_iter().filter(|(_, count)| *count > 0).collect(),
            acknowledged: acknowledged.map(|status| (key("a").0, key("a").1, status.to_owned())).into_iter().collect(),
            subscribed: Vec::new(),
        };
        let accepted = Some(vec!["a".to_owned()]);
        let fan_outs =
            [FanOut { args: r#"{"delay_ms":0}"#.to_owned(), accepted, refused: false, asker_is_gone: false }];
        let found = judge(&history, &Executions::read(log), &wire, &fan_outs, 1, false);
        let found: Vec<_> = found.into_iter().map(|finding| finding.wrong).collect();
        assert_eq!(found, expected, "{log}");
    }

    #[test]
    fn every_kind_of_mistake_is_found() {
        let done = "asked unit-0000 a restart\ndone unit-0000 a restart succeeded\nsaid a\n";
        check(&[command("a", "succeeded")], done, 1, Some("succeeded"), &[]);
        check(&[command("a", "succeeded")], "asked unit-0000 a restart\n", 1, None, &[Wrong::False]);
        check(&[command("a", "failed")], done, 1, None, &[Wrong::False]);
        check(&[command("a", "timed_out")], done, 1, None, &[]);
        check(&[command("a", "timed_out")], done, 1, Some("succeeded"), &[Wrong::Lost]);
        check(&[command("a", "expired")], done, 0, None, &[Wrong::False]);
        check(&[command("a", "expired")], "", 1, None, &[Wrong::False]);
        check(&[command("a", "expired")], "", 0, None, &[]);
        check(&[command("a", "undeliverable")], done, 1, None, &[Wrong::False]);
        check(&[command("a", "at_broker")], done, 1, None, &[Wrong::NeverFinal]);
        check(&[command("a", "timed_out")], "", 2, None, &[Wrong::UnsafeDoubled]);
        let twice = [command("a", "succeeded"), command("b", "succeeded")];
        check(&twice, done, 1, None, &[Wrong::Doubled, Wrong::False]);
        check(&[command("a", "succeeded"), command("a", "succeeded")], done, 1, None, &[Wrong::Doubled]);
        check(&[], "", 0, None, &[Wrong::Lost, Wrong::Lost]);
        let mut expired = command("a", "expired");
        expired["contradicted"] = json!("succeeded");
        check(&[expired], done, 1, Some("succeeded"), &[]);
    }
}
