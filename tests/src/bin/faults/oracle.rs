//! Compares the history with what the devices did and with the recorded packets.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::{Deserialize, Serialize};
use wilco_engine::api::{CommandState, CommandView, SentBy};

use crate::console::{EndedRollout, KeptUnmatched};
use crate::plan::{Plan, SendMode};
use crate::wiretap::{Wire, is_end};

/// The deviations, by kind, as the report counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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
#[derive(Debug, Clone, Serialize, Deserialize)]
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
    /// It was refused: why, as a sentence.
    pub(crate) refused: Option<String>,
    /// The console was killed since it was asked.
    pub(crate) asker_is_gone: bool,
}

impl FanOut {
    /// It is known what became of it, or nobody will say so any more.
    pub(crate) fn is_settled(&self) -> bool {
        self.accepted.is_some() || self.refused.is_some() || self.asker_is_gone
    }
}

/// What the devices did under one id.
#[derive(Debug, Default)]
pub(crate) struct Done {
    /// The device, or several where something is wrong.
    devices: HashSet<String>,
    times: u32,
    outcomes: HashSet<String>,
}

/// The devices' log.
#[derive(Debug, Default)]
pub(crate) struct Executions {
    /// What was carried out, or failed, by id.
    pub(crate) done: HashMap<String, Done>,
    /// Every id that a device was asked under, with the device.
    pub(crate) asked: HashMap<String, String>,
}

/// Everything that is known when a run has ended.
pub(crate) struct Evidence<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) fan_outs: &'a [FanOut],
    pub(crate) history: &'a [CommandView],
    pub(crate) rollouts: &'a [EndedRollout],
    /// The kept answers that belong to no command, by device.
    pub(crate) unmatched: &'a BTreeMap<String, KeptUnmatched>,
    pub(crate) executions: &'a Executions,
    pub(crate) wire: &'a Wire,
}

impl Executions {
    pub(crate) fn read(log: &str) -> Executions {
        let mut executions = Executions::default();
        for line in log.lines() {
            match line.split(' ').collect::<Vec<_>>()[..] {
                ["done", device, id, _, outcome] => {
                    let done = executions.done.entry(id.to_owned()).or_default();
                    done.times += 1;
                    done.devices.insert(device.to_owned());
                    done.outcomes.insert(outcome.to_owned());
                }
                ["asked", device, id, _] => drop(executions.asked.insert(id.to_owned(), device.to_owned())),
                _ => {}
            }
        }
        executions
    }

    fn came_to(&self, id: &str, outcome: &str) -> bool {
        self.done.get(id).is_some_and(|done| done.outcomes.contains(outcome))
    }
}

/// Commands that a device carried out more than once although the console had published them once: at QoS 1 a broker may
/// deliver a request again (MQTT 5 section 4.3.2), and these devices do not deduplicate.
pub(crate) fn delivered_again(executions: &Executions, wire: &Wire) -> usize {
    let published: HashMap<&str, u32> = wire.published.iter().map(|((_, id), count)| (id.as_str(), *count)).collect();
    let is_once = |id: &&String| published.get(id.as_str()).is_none_or(|count| *count <= 1);
    executions.done.iter().filter(|(_, done)| done.times > 1).filter(|(id, _)| is_once(id)).count()
}

/// The devices of which an answer was acknowledged that belongs to no command of theirs.
pub(crate) fn devices_with_strays(history: &[CommandView], wire: &Wire) -> Vec<String> {
    let known: HashSet<_> = history.iter().map(|command| (command.device.as_str(), command.id.as_str())).collect();
    let unmatched = wire.acknowledged.iter().filter(|(device, id, _)| !known.contains(&(device.as_str(), id.as_str())));
    let devices: HashSet<_> = unmatched.map(|(device, ..)| device.clone()).collect();
    devices.into_iter().collect()
}

/// Everything that is wrong.
pub(crate) fn judge(evidence: &Evidence<'_>) -> Vec<Finding> {
    let Evidence { plan, history, executions, wire, .. } = *evidence;
    let mut findings = Vec::new();
    let mut find = |wrong, what| findings.push(Finding { wrong, what });
    let mut by_id: HashMap<&str, &CommandView> = HashMap::new();
    for command in history {
        if by_id.insert(&command.id, command).is_some() {
            find(Wrong::Doubled, format!("{} is in the history twice", command.id));
        }
        if command.by != SentBy::You {
            find(Wrong::False, format!("{} is said to be another console's, and there is none", command.id));
        }
    }
    if history.is_empty() {
        find(Wrong::Broken, "no command was sent, so nothing was tested".to_owned());
    }
    judge_fan_outs(evidence, &by_id, &mut find);
    for ((device, id), count) in &wire.published {
        if by_id.get(id.as_str()).is_none_or(|command| command.device != *device) {
            find(Wrong::Lost, format!("{id} was published to {device} and is not in the history"));
        }
        if !plan.safe && *count > 1 {
            find(Wrong::UnsafeDoubled, format!("{id} was published {count} times to {device}"));
        }
    }
    for (id, device) in &executions.asked {
        if by_id.get(id.as_str()).is_none_or(|command| command.device != *device) {
            find(Wrong::Lost, format!("{device} was asked under {id}, which is not in the history"));
        }
    }
    for (id, done) in &executions.done {
        if by_id.get(id.as_str()).is_some_and(|command| done.devices.iter().any(|device| *device != command.device)) {
            find(Wrong::False, format!("{id} was carried out by {:?}", done.devices));
        }
        if plan.deduplicates && done.times > 1 {
            find(Wrong::Broken, format!("{id} was carried out {} times by a device that deduplicates", done.times));
        }
    }
    for command in by_id.values() {
        if let Some((wrong, what)) = judge_one(command, evidence) {
            let CommandView { id, device, attempts, message, .. } = command;
            find(wrong, format!("{device} {id} is {}: {what} ({attempts} sends; {message:?})", command.state));
        }
    }
    for (device, id, status) in &wire.acknowledged {
        let is_known = match by_id.get(id.as_str()).filter(|command| command.device == *device) {
            Some(command) if is_end(status) => {
                command.state.as_str() == status || command.conflict || command.contradicted.is_some()
            }
            Some(command) => command.accepted_at.is_some() || command.is_final,
            None => evidence.unmatched.get(device).is_some_and(|kept| {
                kept.discarded > 0 || kept.payloads.iter().any(|payload| payload.contains(id.as_str()))
            }),
        };
        if !is_known {
            let state = by_id.get(id.as_str()).map_or("of no command", |command| command.state.as_str());
            find(Wrong::Lost, format!("{device} said {status} of {id}, which was acknowledged, and it is {state}"));
        }
    }
    findings
}

fn judge_fan_outs(evidence: &Evidence<'_>, by_id: &HashMap<&str, &CommandView>, find: &mut impl FnMut(Wrong, String)) {
    let devices = evidence.plan.devices;
    for fan_out in evidence.fan_outs {
        let own: Vec<_> = by_id.values().filter(|command| command.args.as_str() == fan_out.args).collect();
        let distinct: HashSet<_> = own.iter().map(|command| &command.device).collect();
        if distinct.len() < own.len() {
            find(Wrong::Doubled, format!("{} commands for {} devices", own.len(), distinct.len()));
        }
        match (&fan_out.accepted, &fan_out.refused) {
            (Some(ids), _) => {
                if own.len() < devices {
                    find(Wrong::Lost, format!("{} of {devices} commands of an accepted fan-out are known", own.len()));
                }
                for id in ids.iter().filter(|id| !by_id.contains_key(id.as_str())) {
                    find(Wrong::Lost, format!("{id} was accepted and is not in the history"));
                }
            }
            (None, Some(_)) if !own.is_empty() => {
                find(Wrong::False, format!("a fan-out was refused and {} of its commands are there", own.len()));
            }
            (None, Some(why)) if !evidence.plan.fills_disk() => {
                find(Wrong::Broken, format!("a fan-out was refused: {why}"));
            }
            (None, _) if !own.is_empty() && own.len() < devices => {
                find(Wrong::Lost, format!("{} of {devices} commands of a fan-out are known", own.len()));
            }
            (None, _) => {}
        }
        if evidence.plan.way == SendMode::Rollout && !own.is_empty() {
            judge_rollout(evidence.rollouts, &fan_out.args, &own, find);
        }
    }
}

/// A rollout counts its members as the history has them.
fn judge_rollout(rollouts: &[EndedRollout], args: &str, own: &[&&CommandView], find: &mut impl FnMut(Wrong, String)) {
    let mut counts = BTreeMap::<String, u32>::new();
    for command in own {
        *counts.entry(command.state.as_str().to_owned()).or_default() += 1;
    }
    let rollouts: Vec<_> = rollouts.iter().filter(|rollout| rollout.args == args).collect();
    match rollouts[..] {
        [] => find(Wrong::Lost, "the rollout of commands in the history is not there".to_owned()),
        [rollout] if rollout.counts == counts => {}
        [rollout] => find(Wrong::False, format!("a rollout counts {:?}, and the history {counts:?}", rollout.counts)),
        _ => find(Wrong::Doubled, format!("{} rollouts for one", rollouts.len())),
    }
}

/// A command ends for a reason that the devices, the packets or the plan confirm.
fn judge_one(command: &CommandView, evidence: &Evidence<'_>) -> Option<(Wrong, &'static str)> {
    let Evidence { plan, executions, wire, .. } = *evidence;
    let key = (command.device.clone(), command.id.clone());
    let was_published = wire.published.contains_key(&key);
    let has_run = executions.done.contains_key(&command.id);
    let is_marked = command.contradicted.is_some();
    // Times are those of the console, which neither a clock that is set nor sleep makes shorter.
    let Some(took) = command.finished_at.map(|at| at - command.queued_at).filter(|_| command.is_final) else {
        return Some((Wrong::NeverFinal, "it is not final"));
    };
    let is_within = |limit: u64| took < i64::try_from(limit).unwrap_or(i64::MAX);
    match command.state {
        CommandState::Succeeded | CommandState::Failed if !executions.came_to(&command.id, command.state.as_str()) => {
            Some((Wrong::False, "its device says otherwise"))
        }
        CommandState::Expired | CommandState::Cancelled | CommandState::Undeliverable if has_run && !is_marked => {
            Some((Wrong::False, "it was carried out, and is not marked"))
        }
        CommandState::Expired | CommandState::Cancelled if was_published && !is_marked => {
            Some((Wrong::False, "it was published"))
        }
        CommandState::Expired if is_within(plan.ttl_ms) => Some((Wrong::False, "its time to live had not passed")),
        CommandState::Cancelled if !plan.cancels() => Some((Wrong::False, "nobody cancelled it")),
        CommandState::TimedOut if command.attempts == 0 => Some((Wrong::False, "it was never sent")),
        CommandState::TimedOut if !plan.cancels() && is_within(plan.timeout_ms.min(plan.ttl_ms)) => {
            Some((Wrong::False, "neither its timeout nor its time to live had passed"))
        }
        CommandState::Undeliverable if !wire.refused.contains(&key) => {
            Some((Wrong::False, "the broker did not refuse it"))
        }
        CommandState::Rejected | CommandState::Unconfirmed => Some((Wrong::False, "no device said so")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashMap};

    use serde_json::{Value, json};
    use wilco_engine::api::CommandView;

    use super::{Evidence, Executions, FanOut, Wrong, delivered_again, devices_with_strays, judge};
    use crate::console::{EndedRollout, KeptUnmatched};
    use crate::plan::{Act, Disk, Plan, Scenario, SendMode};
    use crate::wiretap::Wire;

    const DONE: &str = "asked unit-0000 a restart\ndone unit-0000 a restart succeeded\nsaid a\n";
    const ASKED: &str = "asked unit-0000 a restart\n";
    const ARGS: &str = r#"{"delay_ms":0}"#;

    fn command(id: &str, state: &str) -> Value {
        let is_final = state != "at_broker";
        json!({
            "connection": "c", "device": "unit-0000", "id": id, "command": "restart", "args": ARGS,
            "by": "you", "state": state, "final": is_final, "queued_at": 0, "sent_at": null,
            "at_broker_at": null, "accepted_at": null, "finished_at": is_final.then_some(10_000), "deadline": null,
            "changed_at": 0, "attempts": 1, "progress": null, "message": null, "result": null, "match": null,
            "late": false, "duplicates": 0, "conflict": false, "contradicted": null, "nobody_listening": false,
            "again_of": null,
        })
    }

    /// The same command with another value of a member.
    fn with(mut command: Value, member: &str, value: Value) -> Value {
        command[member] = value;
        command
    }

    /// A run of one command, `a`, which must not be repeated.
    struct Case {
        plan: Plan,
        history: Vec<Value>,
        log: &'static str,
        /// How often `a` was published.
        published: u32,
        refused: bool,
        /// What was acknowledged: device, id, status.
        acknowledged: Vec<(&'static str, &'static str, &'static str)>,
        unmatched: BTreeMap<String, KeptUnmatched>,
        rollouts: Vec<EndedRollout>,
        fan_out: FanOut,
    }

    impl Case {
        fn new(history: &[Value], log: &'static str, published: u32) -> Case {
            let plan = Plan {
                devices: 1,
                deduplicates: false,
                safe: false,
                ttl_ms: 2_000,
                timeout_ms: 1_500,
                way: SendMode::Send,
                acts: vec![(0, Act::Send(0))],
                ..Plan::new(Scenario::Pairs, 1)
            };
            let accepted = Some(vec!["a".to_owned()]);
            let fan_out = FanOut { args: ARGS.to_owned(), accepted, refused: None, asker_is_gone: false };
            Case {
                plan,
                history: history.to_vec(),
                log,
                published,
                refused: false,
                acknowledged: Vec::new(),
                unmatched: BTreeMap::new(),
                rollouts: Vec::new(),
                fan_out,
            }
        }

        fn acknowledged(mut self, device: &'static str, id: &'static str, status: &'static str) -> Case {
            self.acknowledged.push((device, id, status));
            self
        }

        fn changed(mut self, change: impl FnOnce(&mut Case)) -> Case {
            change(&mut self);
            self
        }

        fn finds(&self, expected: &[Wrong]) {
            let read = |view: &Value| serde_json::from_str(&view.to_string()).expect("a command");
            let history: Vec<CommandView> = self.history.iter().map(read).collect();
            let key = ("unit-0000".to_owned(), "a".to_owned());
            let acknowledged = self.acknowledged.iter();
            let acknowledged = acknowledged.map(|(device, id, said)| ((*device).into(), (*id).into(), (*said).into()));
            let wire = Wire {
                published: HashMap::from([(key.clone(), self.published)]).into_iter().filter(|(_, n)| *n > 0).collect(),
                refused: self.refused.then_some(key).into_iter().collect(),
                acknowledged: acknowledged.collect(),
                subscribed: Vec::new(),
            };
            let executions = Executions::read(self.log);
            let found = judge(&Evidence {
                plan: &self.plan,
                fan_outs: std::slice::from_ref(&self.fan_out),
                history: &history,
                rollouts: &self.rollouts,
                unmatched: &self.unmatched,
                executions: &executions,
                wire: &wire,
            });
            let kinds: Vec<_> = found.iter().map(|finding| finding.wrong).collect();
            assert_eq!(kinds, expected, "{found:#?} of {:#?}", self.history);
        }
    }

    fn check(history: &[Value], log: &'static str, published: u32, expected: &[Wrong]) {
        Case::new(history, log, published).finds(expected);
    }

    #[test]
    fn a_wrong_statement_of_the_history_about_a_device_is_found() {
        check(&[command("a", "succeeded")], DONE, 1, &[]);
        check(&[command("a", "succeeded")], ASKED, 1, &[Wrong::False]);
        check(&[command("a", "failed")], DONE, 1, &[Wrong::False]);
        check(&[command("a", "rejected")], DONE, 1, &[Wrong::False]);
        check(&[command("a", "timed_out")], DONE, 1, &[]);
        check(&[command("a", "expired")], DONE, 0, &[Wrong::False]);
        check(&[command("a", "expired")], "", 1, &[Wrong::False]);
        check(&[command("a", "expired")], "", 0, &[]);
        check(&[with(command("a", "expired"), "contradicted", json!("succeeded"))], DONE, 1, &[]);
        check(&[command("a", "at_broker")], DONE, 1, &[Wrong::NeverFinal]);
        let elsewhere = "asked unit-0001 a restart\ndone unit-0001 a restart succeeded\n";
        check(&[command("a", "succeeded")], elsewhere, 1, &[Wrong::Lost, Wrong::False]);
        check(&[with(command("a", "succeeded"), "by", json!("another console"))], DONE, 1, &[Wrong::False]);
    }

    #[test]
    fn a_command_that_ends_without_a_reason_is_found() {
        let early = |state| with(command("a", state), "finished_at", json!(1_000));
        check(&[early("expired")], "", 0, &[Wrong::False]);
        check(&[early("timed_out")], ASKED, 1, &[Wrong::False]);
        check(&[with(command("a", "timed_out"), "attempts", json!(0))], "", 0, &[Wrong::False]);
        check(&[command("a", "cancelled")], "", 0, &[Wrong::False]);
        let cancelled = |case: &mut Case| case.plan.acts.push((1, Act::Cancel));
        Case::new(&[command("a", "cancelled")], "", 0).changed(cancelled).finds(&[]);
        Case::new(&[early("timed_out")], ASKED, 1).changed(cancelled).finds(&[]);
        check(&[command("a", "undeliverable")], "", 1, &[Wrong::False]);
        Case::new(&[command("a", "undeliverable")], "", 1).changed(|case| case.refused = true).finds(&[]);
        Case::new(&[command("a", "undeliverable")], DONE, 1).changed(|case| case.refused = true).finds(&[Wrong::False]);
    }

    #[test]
    fn missing_and_duplicate_rows_are_found() {
        check(&[command("a", "timed_out")], "", 2, &[Wrong::UnsafeDoubled]);
        let twice = [command("a", "succeeded"), command("b", "succeeded")];
        check(&twice, DONE, 1, &[Wrong::Doubled, Wrong::False]);
        check(&[command("a", "succeeded"), command("a", "succeeded")], DONE, 1, &[Wrong::Doubled]);
        check(&[], "", 0, &[Wrong::Broken, Wrong::Lost, Wrong::Lost]);
        let gone = |case: &mut Case| (case.fan_out.accepted, case.fan_out.asker_is_gone) = (None, true);
        // A run that sent nothing proves nothing.
        Case::new(&[], "", 0).changed(gone).finds(&[Wrong::Broken]);
        Case::new(&[], ASKED, 1).changed(gone).finds(&[Wrong::Broken, Wrong::Lost, Wrong::Lost]);
        let refused = |case: &mut Case| {
            (case.fan_out.accepted, case.fan_out.refused) = (None, Some("no".to_owned()));
        };
        Case::new(&[command("a", "succeeded")], DONE, 1).changed(refused).finds(&[Wrong::False]);
        let other = with(command("b", "expired"), "args", json!("{}"));
        Case::new(std::slice::from_ref(&other), "", 0).changed(refused).finds(&[Wrong::Broken]);
        let full = |case: &mut Case| case.plan.acts.push((1, Act::Disk(Disk::Full(10))));
        Case::new(&[other], "", 0).changed(refused).changed(full).finds(&[]);
    }

    #[test]
    fn an_acknowledged_answer_that_is_nowhere_is_found() {
        let of_a = |state: &str| Case::new(&[command("a", state)], DONE, 1);
        of_a("succeeded").acknowledged("unit-0000", "a", "succeeded").finds(&[]);
        of_a("timed_out").acknowledged("unit-0000", "a", "succeeded").finds(&[Wrong::Lost]);
        of_a("timed_out").acknowledged("unit-0000", "a", "rejected").finds(&[Wrong::Lost]);
        of_a("timed_out").acknowledged("unit-0000", "a", "accepted").finds(&[]);
        let open = || of_a("at_broker").acknowledged("unit-0000", "a", "accepted");
        open().finds(&[Wrong::NeverFinal, Wrong::Lost]);
        open().changed(|case| case.history[0]["accepted_at"] = json!(5)).finds(&[Wrong::NeverFinal]);
        // Answers of no command of that device are kept, or counted.
        let unmatched = || of_a("succeeded").acknowledged("unit-0009", "a", "rejected");
        let keeps = |payloads: Vec<String>, discarded| {
            move |case: &mut Case| {
                drop(case.unmatched.insert("unit-0009".into(), KeptUnmatched { payloads, discarded }))
            }
        };
        unmatched().finds(&[Wrong::Lost]);
        unmatched().changed(keeps(vec![r#"{"id":"b"}"#.into()], 0)).finds(&[Wrong::Lost]);
        unmatched().changed(keeps(vec![r#"{"id":"a"}"#.into()], 0)).finds(&[]);
        unmatched().changed(keeps(Vec::new(), 1)).finds(&[]);
        let history: Vec<CommandView> =
            vec![serde_json::from_str(&command("a", "succeeded").to_string()).expect("a command")];
        let said = |device: &str, id: &str| (device.to_owned(), id.to_owned(), "failed".to_owned());
        let acknowledged = vec![said("unit-0000", "a"), said("unit-0009", "a"), said("unit-0009", "b")];
        let wire = Wire { acknowledged, ..Wire::default() };
        assert_eq!(devices_with_strays(&history, &wire), ["unit-0009"]);
    }

    #[test]
    fn a_rollout_that_counts_otherwise_than_the_history_is_found() {
        let rollout = |state: &str| EndedRollout { args: ARGS.into(), counts: [(state.to_owned(), 1)].into() };
        let of = |rollouts: Vec<EndedRollout>| {
            let case = Case::new(&[command("a", "succeeded")], DONE, 1);
            case.changed(|case| (case.plan.way, case.rollouts) = (SendMode::Rollout, rollouts))
        };
        of(vec![rollout("succeeded")]).finds(&[]);
        of(vec![rollout("failed")]).finds(&[Wrong::False]);
        of(vec![rollout("succeeded"), rollout("succeeded")]).finds(&[Wrong::Doubled]);
        of(Vec::new()).finds(&[Wrong::Lost]);
    }

    #[test]
    fn redeliveries_by_the_broker_are_distinguished_from_resends_by_the_console() {
        let twice = Executions::read(&DONE.repeat(2));
        let published =
            |count| Wire { published: [(("unit-0000".into(), "a".into()), count)].into(), ..Wire::default() };
        assert_eq!(delivered_again(&twice, &published(1)), 1);
        assert_eq!(delivered_again(&twice, &published(2)), 0);
        assert_eq!(delivered_again(&Executions::read(DONE), &published(1)), 0);
        let deduplicating = |case: &mut Case| (case.log, case.plan.deduplicates) = (TWICE, true);
        Case::new(&[command("a", "succeeded")], DONE, 1).changed(deduplicating).finds(&[Wrong::Broken]);
    }

    const TWICE: &str =
        "asked unit-0000 a restart\ndone unit-0000 a restart succeeded\ndone unit-0000 a restart succeeded\n";
}
