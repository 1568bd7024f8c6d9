//! Searching the history: against a naive filter over random commands, and the repair of a damaged index.

use std::collections::BTreeMap;

use proptest::{collection::vec, prelude::*, sample::select};
use tempfile::TempDir;
use wilco_ledger::{Command, State, Timestamp};

use super::{connection, device, in_state, indexed, store};
use crate::{Change, ConnectionId, Cursor, Forgotten, HistoryFilter, Job, Store, StoreError};

/// A command of that device, in that state and with that message.
fn said(device: &str, command: &str, at: i64, state: State, message: &str) -> Change {
    match in_state(device, command, at, state) {
        Change::Event { connection, event, command: Some(command) } => {
            let command = Command { message: Some(message.into()), ..Command::clone(&command) };
            Change::Event { connection, event, command: Some(command.into()) }
        }
        other => other,
    }
}

/// The ids that a filter finds, over all of its pages.
async fn found(store: &Store, filter: HistoryFilter) -> Vec<String> {
    let mut ids = Vec::new();
    let mut next = filter;
    loop {
        let page = store.history(next.clone()).await.unwrap();
        ids.extend(page.rows.iter().map(|(_, command)| command.submission.id.to_string()));
        let Some(cursor) = page.next else { return ids };
        next.before = Cursor::parse(&cursor.to_string());
    }
}

fn search(text: &str, limit: u32) -> HistoryFilter {
    HistoryFilter { search: text.to_owned(), limit, ..HistoryFilter::default() }
}

#[tokio::test]
async fn commands_are_found_by_the_beginnings_of_their_words() {
    let (_dir, store) = store();
    let changes = vec![
        said("pump-07", "c1", 1, State::Failed, "Supply voltage too low: 3.1 V"),
        said("pump-71", "c2", 2, State::Failed, "supply VOLTAGE too low: 2.9 V"),
        said("K\u{fc}che", "c3", 3, State::Succeeded, "it is on"),
        said("pump-07", "c4", 4, State::Sent, "Not finished, so this is not searched"),
        said("a\"b", "c5", 5, State::TimedOut, "No answer within 10 s."),
    ];
    store.commit(changes).await.unwrap();
    let check = async |filter: HistoryFilter, expected: &[&str]| {
        assert_eq!(found(&store, filter.clone()).await, expected, "{filter:?}");
    };
    check(search("volt", 9), &["c2", "c1"]).await;
    check(search("volt", 1), &["c2", "c1"]).await;
    check(search("VOLT 3", 9), &["c1"]).await;
    check(search("pump-07", 9), &["c4", "c1"]).await;
    check(search("kuch", 9), &["c3"]).await;
    check(search("Ku\u{308}che", 9), &["c3"]).await;
    // In the arguments.
    check(search("\"on\":true", 9), &["c5", "c4", "c3", "c2", "c1"]).await;
    check(search("searched", 9), &[]).await;
    check(search("a\"b", 9), &["c5"]).await;
    check(search("oltage", 9), &[]).await;
    check(search(" - ", 9), &["c5", "c4", "c3", "c2", "c1"]).await;
    // What is stored beside the words is not found.
    check(search("failed", 9), &[]).await;
    check(search("bench", 9), &[]).await;
    let of = |device_name: &str, states: &[State]| HistoryFilter {
        connection: Some(connection()),
        device: Some(device(device_name)),
        states: states.to_vec(),
        ..search("pump", 9)
    };
    check(of("pump-07", &[]), &["c4", "c1"]).await;
    check(of("pump-07", &[State::Failed, State::Succeeded]), &["c1"]).await;
    check(of("pump-07", &[State::Sent]), &["c4"]).await;
    check(of("pump-07", &[State::Queued]), &[]).await;
    check(of("pump", &[]), &[]).await;
    check(HistoryFilter { since: Some(Timestamp(2)), ..search("volt", 9) }, &["c2"]).await;
    check(HistoryFilter { connection: Some("elsewhere".into()), ..search("volt", 9) }, &[]).await;
    check(HistoryFilter { needs_attention_since: Some(Timestamp(2)), ..search("low", 9) }, &["c2"]).await;
}

#[tokio::test]
async fn causes_are_counted_whatever_the_numbers_in_them() {
    let (_dir, store) = store();
    let changes = vec![
        said("a", "c1", 1, State::Failed, "Supply voltage too low: 3.1 V"),
        said("b", "c2", 2, State::Failed, "Supply voltage too low: 12.95 V"),
        said("c", "c3", 3, State::TimedOut, "No answer within 10 s."),
        said("d", "c4", 4, State::Succeeded, "it is on"),
        said("e", "c5", 5, State::Rejected, "Supply voltage too low: 2 V"),
    ];
    store.commit(changes).await.unwrap();
    let check = async |filter: HistoryFilter, expected: &[(State, &str, u32)], commands: u32| {
        let found = store.causes(filter).await.unwrap();
        let causes: Vec<_> = found.causes.iter().map(|one| (one.state, one.message.as_str(), one.count)).collect();
        assert_eq!((causes, found.commands, found.more), (expected.to_vec(), commands, false));
    };
    let low = (State::Failed, "Supply voltage too low: 12.95 V", 2);
    let rejected = (State::Rejected, "Supply voltage too low: 2 V", 1);
    let silent = (State::TimedOut, "No answer within 10 s.", 1);
    check(search("", 9), &[low, rejected, silent], 4).await;
    check(search("", 1), &[low], 4).await;
    check(search("volt", 9), &[low, rejected], 3).await;
    let in_states = |states: &[State]| HistoryFilter { states: states.to_vec(), ..search("", 9) };
    check(in_states(&[State::Succeeded, State::TimedOut]), &[silent], 1).await;
    check(in_states(&[State::Succeeded]), &[], 0).await;
    let needing = HistoryFilter { needs_attention_since: Some(Timestamp(2)), ..search("", 9) };
    check(needing, &[rejected, silent, (low.0, low.1, 1)], 3).await;
}

/// What is done with the store, in numbers that shrink.
#[derive(Debug, Clone)]
enum Step {
    /// So many commands begin in one transaction.
    Begin(Vec<Begun>),
    /// The same on a disk that has no room for it.
    BeginInVain(Vec<Begun>),
    /// Every so many-th of the open commands ends.
    End {
        every: usize,
        message: String,
    },
    ForgetEnded {
        limit: usize,
    },
    ForgetDevice(String),
    RemoveConnection,
    Restart,
}

#[derive(Debug, Clone)]
struct Begun {
    device: String,
    name: String,
    args: String,
}

fn word() -> impl Strategy<Value = String> {
    select(vec!["pump", "pump-7", "pumpe", "on", "Voltage", "too low", "3.1", "K\u{fc}che", "s", "open"])
        .prop_map(str::to_owned)
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let begun = || {
        let begun = (word(), word(), word()).prop_map(|(device, name, args)| Begun { device, name, args });
        vec(begun, 1..90)
    };
    let step = prop_oneof![
        6 => begun().prop_map(Step::Begin),
        2 => begun().prop_map(Step::BeginInVain),
        5 => (1_usize..4, vec(word(), 0..3)).prop_map(|(every, words)| Step::End { every, message: words.join(" ") }),
        1 => (1_usize..60).prop_map(|limit| Step::ForgetEnded { limit }),
        1 => word().prop_map(Step::ForgetDevice),
        1 => Just(Step::RemoveConnection),
        1 => Just(Step::Restart),
    ];
    vec(step, 1..12)
}

/// A command by its id, which grows as the commands begin.
type Known = BTreeMap<String, (ConnectionId, Command)>;

struct World {
    dir: TempDir,
    store: Store,
    commands: Known,
    begun: usize,
}

impl World {
    async fn play(&mut self, step: Step) {
        match step {
            Step::Begin(commands) => {
                let (changes, after) = self.begin(commands);
                self.store.commit(changes).await.unwrap();
                self.commands = after;
            }
            Step::BeginInVain(commands) => {
                let (changes, after) = self.begin(commands);
                self.store.fill_disk(true);
                match self.store.commit(changes).await {
                    Ok(()) => self.commands = after,
                    Err(error) => assert!(matches!(error, StoreError::Full { .. }), "{error:?}"),
                }
                self.store.fill_disk(false);
            }
            Step::End { every, message } => {
                let open = self.commands.values_mut().filter(|(_, command)| command.rungs.finished.is_none());
                let mut changes = Vec::new();
                // The last first: answers come in any order.
                for (connection, command) in open.step_by(every).collect::<Vec<_>>().into_iter().rev() {
                    command.state = State::Failed;
                    command.rungs.finished = Some(Timestamp(9));
                    command.message = Some(message.as_str().into());
                    let command = std::sync::Arc::new(command.clone());
                    changes.push(Change::CommandSnapshot { connection: connection.clone(), command });
                }
                self.store.commit(changes).await.unwrap();
            }
            Step::ForgetEnded { limit } => {
                for Forgotten { id, .. } in self.store.forget_ended(Timestamp(i64::MAX), limit).await.unwrap() {
                    self.commands.remove(id.as_str());
                }
            }
            Step::ForgetDevice(name) => {
                let of_it =
                    |(of, command): &(ConnectionId, Command)| *of == connection() && command.device().as_str() == name;
                if self.commands.values().any(|known| of_it(known) && known.1.rungs.finished.is_none()) {
                    return;
                }
                while self.store.forget_device(&connection(), &device(&name), 7).await.unwrap().1 {}
                self.commands.retain(|_, known| !of_it(known));
            }
            Step::RemoveConnection => {
                let id = ConnectionId::from("elsewhere");
                self.store.remove_connection(&id).await.unwrap();
                self.commands.retain(|_, (of, _)| *of != id);
                self.check().await;
                self.store.sweep().await.unwrap();
            }
            Step::Restart => {
                self.store.clone().close().await.unwrap();
                self.store = Store::open(self.dir.path()).unwrap();
            }
        }
        self.check().await;
    }

    /// Commands that begin, and all commands after that.
    fn begin(&mut self, commands: Vec<Begun>) -> (Vec<Change>, Known) {
        let mut after = self.commands.clone();
        let mut changes = Vec::new();
        for Begun { device: name, name: asked_for, args } in commands {
            self.begun += 1;
            let id = format!("c{:06}", self.begun);
            let of = if self.begun.is_multiple_of(4) { ConnectionId::from("elsewhere") } else { connection() };
            let mut event = super::submitted(&name, &id, 1);
            let submission =
                wilco_ledger::Submission { name: asked_for.into(), args: args.into(), ..super::submission(&name, &id) };
            event.fact =
                wilco_ledger::Fact::Submitted { submission: submission.into(), origin: wilco_ledger::Origin::Here };
            let command = Command::begin(&event).unwrap();
            after.insert(id, (of.clone(), command.clone()));
            changes.push(Change::Event { connection: of, event, command: Some(command.into()) });
        }
        (changes, after)
    }

    async fn check(&self) {
        let texts = ["pump", "pump-7", "PUMPE o", "volt", "low 3", "kuche", "s", "open", "bench", "failed", "xyz"];
        for text in texts {
            let by_state = HistoryFilter { states: vec![State::Failed], ..search(text, 1_000) };
            let by_device =
                HistoryFilter { connection: Some(connection()), device: Some(device("pump")), ..search(text, 7) };
            for filter in [search(text, 30), by_state, by_device] {
                let expected: Vec<&String> = self
                    .commands
                    .iter()
                    .rev()
                    .filter(|(_, (of, command))| is_expected(of, command, &filter))
                    .map(|(id, _)| id)
                    .collect();
                assert_eq!(found(&self.store, filter.clone()).await.iter().collect::<Vec<_>>(), expected, "{filter:?}");
            }
        }
    }
}

/// The filter, plainly.
fn is_expected(of: &ConnectionId, command: &Command, filter: &HistoryFilter) -> bool {
    let words = |text: &str| -> Vec<String> {
        let text = text.to_lowercase().replace('\u{fc}', "u");
        text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
    };
    let submission = &command.submission;
    let mut texts = format!("{} {} {}", submission.device.as_str(), submission.name, submission.args);
    if command.rungs.finished.is_some() {
        texts.extend([" ", command.message.as_deref().unwrap_or_default()]);
    }
    let texts = words(&texts);
    filter.connection.as_ref().is_none_or(|id| id == of)
        && filter.device.as_ref().is_none_or(|device| device == command.device())
        && (filter.states.is_empty() || filter.states.contains(&command.state))
        && words(&filter.search).iter().all(|wanted| texts.iter().any(|word| word.starts_with(wanted)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_search_finds_what_a_plain_filter_finds(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (dir, store) = store();
            let mut world = World { dir, store, commands: Known::new(), begun: 0 };
            for step in steps {
                world.play(step).await;
            }
            indexed(&world.dir);
        });
    }
}

#[tokio::test]
async fn nothing_of_a_command_that_is_forgotten_stays_in_the_index() {
    let (dir, store) = store();
    store
        .commit(vec![said("a", "c1", 1, State::Failed, "secret"), said("b", "c2", 2, State::Failed, "public")])
        .await
        .unwrap();
    store.forget_device(&connection(), &device("a"), 9).await.unwrap();
    let tokens: Vec<String> = indexed(&dir).into_iter().map(|(token, _)| token).collect();
    assert!(tokens.iter().any(|token| token.ends_with("wpublic")), "{tokens:?}");
    assert!(!tokens.iter().any(|token| token.ends_with("wsecret")), "{tokens:?}");
}

#[tokio::test]
async fn a_damaged_index_is_rebuilt_when_it_is_noticed() {
    let (dir, store) = store();
    let damage = || {
        let damage = |connection: &mut rusqlite::Connection| {
            // The first two rows are the number of rows and the list of segments.
            connection.execute("DELETE FROM command_search_data WHERE id > 10", []).unwrap();
        };
        store.jobs.send(Job::Meddle(Box::new(damage))).unwrap();
    };
    let mut commands = Vec::new();
    for n in 0..300 {
        let id = format!("c{n:03}");
        store.commit(vec![said("pump-07", &id, n, State::Failed, "Supply voltage too low")]).await.unwrap();
        commands.insert(0, id);
    }
    damage();
    assert_eq!(found(&store, search("voltage", 50)).await, commands);
    damage();
    for n in 300..400 {
        let id = format!("c{n:03}");
        store.commit(vec![said("pump-07", &id, n, State::Failed, "Supply voltage too low")]).await.unwrap();
        commands.insert(0, id);
    }
    assert_eq!(found(&store, search("voltage", 50)).await, commands);
    indexed(&dir);
}
