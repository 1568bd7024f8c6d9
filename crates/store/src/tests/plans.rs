//! Query plans: with millions of commands, no query may scan a table.

use std::{
    cell::RefCell,
    collections::{BTreeSet, HashSet},
};

use rusqlite::{
    Connection,
    trace::{TraceEvent, TraceEventCodes},
};
use wilco_ledger::{Outcome, State, Timestamp};

use super::{connection, device, id, life, store, submit};
use crate::{
    ConnectionId, Cursor, HistoryFilter, history, open,
    table::{commands, commands::Place, events, removed},
};

/// Tables with a row for each connection or each setting of FTS5, for each command that somebody has dismissed, or for each
/// that has changed since the tables were up to date: these may be read as a whole.
const SHORT: [&str; 4] = ["counters", "dismissed", "main.command_search_config", "changed"];
/// Events and commands, under the names that queries give them.
const LONG: [&str; 4] = ["events", "e", "commands", "c"];
/// Indexes with the few commands only that are not finished, or that failed.
const SELECTIVE: [&str; 2] = ["commands_open", "commands_ended_badly"];

thread_local! {
    static ASKED: RefCell<BTreeSet<String>> = const { RefCell::new(BTreeSet::new()) };
}

/// What is asked of a database while `ask` runs.
fn asked(sqlite: &Connection, ask: impl FnOnce(&Connection)) -> BTreeSet<String> {
    let note = |event: TraceEvent<'_>| {
        // SQLite reports what FTS5 does within a statement as a comment.
        if let TraceEvent::Stmt(_, statement) = event
            && !statement.starts_with("--")
        {
            ASKED.with_borrow_mut(|asked| asked.insert(statement.to_owned()));
        }
    };
    sqlite.trace_v2(TraceEventCodes::SQLITE_TRACE_STMT, Some(note));
    ask(sqlite);
    sqlite.trace_v2(TraceEventCodes::empty(), None);
    ASKED.take()
}

/// How a statement is carried out, step by step.
fn plan(sqlite: &Connection, statement: &str) -> Vec<String> {
    let mut explain = sqlite.prepare(&format!("EXPLAIN QUERY PLAN {statement}")).unwrap();
    let nothing = vec![""; explain.parameter_count()];
    let steps = explain.query_map(rusqlite::params_from_iter(nothing), |row| row.get(3)).unwrap();
    steps.collect::<Result<_, _>>().unwrap()
}

/// Whether a step reads all events or all commands of a connection.
fn is_whole_connection(step: &str) -> bool {
    let Some((table, rest)) = step.strip_prefix("SEARCH ").and_then(|rest| rest.split_once(' ')) else { return false };
    let is_selective = SELECTIVE.iter().any(|index| rest.contains(&format!("INDEX {index} ")));
    LONG.contains(&table) && rest.ends_with("(connection=?)") && !is_selective
}

/// No step reads a table, or what a connection has in it, from end to end.
fn check(sqlite: &Connection, what: &str, ask: impl FnOnce(&Connection)) {
    let asked = asked(sqlite, ask);
    assert!(!asked.is_empty(), "{what} asks nothing");
    for statement in asked {
        let steps = plan(sqlite, &statement);
        let is_long = |step: &&String| {
            // FTS5 with a MATCH (M in its plan) reads only the rows that have the words.
            let is_match = step.split_once("VIRTUAL TABLE INDEX ").is_some_and(|(_, plan)| plan.contains(":M"));
            let step = if is_match { "" } else { step.as_str() };
            let table = step.strip_prefix("SCAN ").and_then(|rest| rest.split(' ').next());
            table.is_some_and(|table| !SHORT.contains(&table) && !table.starts_with('(')) || is_whole_connection(step)
        };
        assert_eq!(steps.iter().find(is_long), None, "{what}: {statement}\n{steps:#?}");
    }
}

/// Filters of each kind, and everything that can stand beside it.
fn filters() -> Vec<HistoryFilter> {
    let mut filters = Vec::new();
    let some = vec![State::Failed, State::TimedOut, State::Queued];
    for of in [None, Some(connection())] {
        for only in [None, Some(device("kitchen"))] {
            for states in [vec![], vec![State::Succeeded], some.clone()] {
                for since in [None, Some(Timestamp(5))] {
                    for before in [None, Some(Cursor(Place { submitted_at: 20, row: 9 }))] {
                        for needs_attention_since in [None, Some(Timestamp(5))] {
                            filters.push(HistoryFilter {
                                connection: of.clone(),
                                device: only.clone(),
                                states: states.clone(),
                                since,
                                automatic: before.is_some(),
                                search: if since.is_some() { "kit le".into() } else { String::new() },
                                needs_attention_since,
                                before,
                                limit: 2,
                            });
                        }
                    }
                }
            }
        }
    }
    filters
}

#[tokio::test]
async fn with_millions_of_commands_nothing_is_read_from_end_to_end() {
    let (dir, store) = store();
    let mut changes = life("kitchen", "c1", 1, Outcome::Succeeded);
    changes.extend(life("kitchen", "c2", 20, Outcome::Failed));
    changes.extend([submit("hall", "c3", 30), submit("kitchen", "c4", 40)]);
    store.commit(changes).await.unwrap();
    store.command_count(None).await.unwrap();
    let sqlite = open::reader(&dir.path().join(crate::FILE_NAME)).unwrap();
    let of: ConnectionId = connection();
    let kitchen = device("kitchen");

    for filter in filters() {
        check(&sqlite, &format!("{filter:?}"), |sqlite| drop(history::page(sqlite, &filter).unwrap()));
    }
    // What a start reads.
    check(&sqlite, "unfinished commands", |sqlite| drop(events::unsettled(sqlite, &of).unwrap()));
    check(&sqlite, "what has changed since", |sqlite| {
        events::each_command_after(sqlite, 3, |_, _| Ok(())).unwrap();
    });
    check(&sqlite, "the last row", |sqlite| assert!(events::last_row(sqlite).unwrap() > 0));
    check(&sqlite, "bad ends", |sqlite| drop(commands::ended_badly_since(sqlite, &of, Timestamp(1)).unwrap()));
    check(&sqlite, "last commands", |sqlite| drop(commands::latest_per_device(sqlite, &of).unwrap()));
    // What a screen and an answer read.
    for only in [None, Some(&kitchen)] {
        check(&sqlite, "answer times", |sqlite| drop(commands::answered(sqlite, &of, only, 9).unwrap()));
        let seen = HashSet::new();
        check(&sqlite, "attention", |sqlite| {
            drop(commands::needing(sqlite, &of, only, Timestamp(1), &seen).unwrap());
        });
    }
    check(&sqlite, "a command", |sqlite| drop(events::of_command(sqlite, &of, &kitchen, &id("c1")).unwrap()));
    check(&sqlite, "all IDs", |sqlite| assert_eq!(commands::ids(sqlite, &of, &kitchen, 9).unwrap().len(), 3));
    check(&sqlite, "any command", |sqlite| assert!(commands::has_any(sqlite, &of, &kitchen).unwrap()));
    check(&sqlite, "whether there is more of a device", |sqlite| {
        assert!(removed::has_device(sqlite, &of, &kitchen).unwrap());
    });
    check(&sqlite, "unmatched", |sqlite| drop(events::unmatched(sqlite, &of, &kitchen, 9).unwrap()));
    store.close().await.unwrap();

    let writer = open::writer(&dir.path().join(crate::FILE_NAME)).unwrap();
    check(
        &writer,
        "a device that is forgotten",
        |sqlite| {
            while removed::sweep_device(sqlite, &of, &kitchen, 9).unwrap() {}
        },
    );
}
