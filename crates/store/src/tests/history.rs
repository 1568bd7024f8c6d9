//! Listing, filtering and paging.

use wilco_ledger::{Command, DeviceId, Fact, Origin, Outcome, State, Submission, Timestamp};

use super::{change, connection, device, event, id, in_state, life, projection, queued, store, submission, submit};
use crate::{
    Change, ConnectionId, Cursor, HistoryFilter, Store,
    table::commands::{EARLIER, REST_OF_THE_MILLISECOND, Run},
};

/// The ids that a filter finds, page by page.
async fn pages(store: &Store, filter: HistoryFilter) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut next = filter;
    loop {
        let page = store.history(next.clone()).await.unwrap();
        pages.push(page.rows.iter().map(|(_, command)| command.submission.id.to_string()).collect());
        let Some(cursor) = page.next else { return pages };
        next.before = Cursor::parse(&cursor.to_string());
        assert_eq!(next.before, Some(cursor));
    }
}

fn filter(limit: u32) -> HistoryFilter {
    HistoryFilter { limit, ..HistoryFilter::default() }
}

#[tokio::test]
async fn pages_are_newest_first_and_whole_even_within_one_millisecond() {
    let (_dir, store) = store();
    // Four at one instant, as in a fan-out, and one that came in later though it was submitted before.
    let changes = [("c1", 10), ("c2", 20), ("c3", 20), ("c4", 20), ("c5", 20), ("c6", 30), ("c0", 5)];
    store.commit(changes.map(|(command, at)| submit("kitchen", command, at)).to_vec()).await.unwrap();
    assert_eq!(pages(&store, filter(3)).await, [vec!["c6", "c5", "c4"], vec!["c3", "c2", "c1"], vec!["c0"]]);
    assert_eq!(pages(&store, filter(7)).await.len(), 1);
    let page = store.history(filter(3)).await.unwrap();
    assert_eq!((page.total, page.matching), (7, Some(7)));
}

#[tokio::test]
async fn a_page_stays_where_it_is_while_new_commands_come_in() {
    let (_dir, store) = store();
    store.commit((0..6).map(|n| submit("kitchen", &format!("c{n}"), n)).collect()).await.unwrap();
    let first = store.history(filter(2)).await.unwrap();
    store.commit(vec![submit("kitchen", "new", 100)]).await.unwrap();
    let second = store.history(HistoryFilter { before: first.next, ..filter(2) }).await.unwrap();
    let ids: Vec<_> = second.rows.iter().map(|(_, command)| command.submission.id.to_string()).collect();
    assert_eq!(ids, ["c3", "c2"]);
}

#[tokio::test]
async fn filters_by_connection_device_state_and_time() {
    let (_dir, store) = store();
    let states = [State::Succeeded, State::Failed, State::Sent, State::Succeeded, State::TimedOut, State::Failed];
    let mut changes = Vec::new();
    for (number, state) in (0..).zip(states) {
        let device = if number % 2 == 0 { "even" } else { "odd" };
        changes.push(in_state(device, &format!("c{number}"), i64::from(number), state));
    }
    let elsewhere = ConnectionId::from("elsewhere");
    changes.push(match in_state("odd", "far", 3, State::Failed) {
        Change::Event { event, command, .. } => Change::Event { connection: elsewhere.clone(), event, command },
        other => other,
    });
    store.commit(changes).await.unwrap();

    let check = async |filter: HistoryFilter, expected: &[&str], matching: Option<u32>| {
        let page = store.history(filter.clone()).await.unwrap();
        let ids: Vec<_> = page.rows.iter().map(|(_, command)| command.submission.id.to_string()).collect();
        assert_eq!((ids, page.matching), (expected.iter().map(ToString::to_string).collect(), matching), "{filter:?}");
    };
    let here = || Some(connection());
    let failed = vec![State::Failed];
    check(filter(9), &["c5", "c4", "far", "c3", "c2", "c1", "c0"], Some(7)).await;
    check(HistoryFilter { connection: here(), ..filter(2) }, &["c5", "c4"], Some(6)).await;
    check(HistoryFilter { device: Some(device("odd")), ..filter(9) }, &["c5", "far", "c3", "c1"], Some(4)).await;
    check(HistoryFilter { device: Some(device("odd")), ..filter(1) }, &["c5"], Some(4)).await;
    check(HistoryFilter { states: failed.clone(), ..filter(9) }, &["c5", "far", "c1"], Some(3)).await;
    check(HistoryFilter { states: failed.clone(), ..filter(1) }, &["c5"], None).await;
    let both = vec![State::Succeeded, State::TimedOut, State::Succeeded];
    check(HistoryFilter { states: both, connection: here(), ..filter(9) }, &["c4", "c3", "c0"], Some(3)).await;
    let odd_and_failed = HistoryFilter { connection: here(), device: Some(device("odd")), states: failed, ..filter(9) };
    check(odd_and_failed, &["c5", "c1"], Some(2)).await;
    check(HistoryFilter { since: Some(Timestamp(4)), ..filter(9) }, &["c5", "c4"], Some(2)).await;
    check(HistoryFilter { connection: Some("nowhere".into()), ..filter(9) }, &[], Some(0)).await;
    check(filter(0), &[], Some(7)).await;
}

#[tokio::test]
async fn counts_and_last_commands_follow_the_history() {
    let (_dir, store) = store();
    store.commit(vec![submit("a", "a2", 20), submit("a", "a1", 10), submit("b", "b1", 30)]).await.unwrap();
    store.commit(life("a", "a3", 40, Outcome::Succeeded)).await.unwrap();
    assert_eq!(store.command_count(None).await.unwrap(), 4);
    assert_eq!(store.command_count(Some(&connection())).await.unwrap(), 4);
    assert_eq!(store.command_count(Some(&"elsewhere".into())).await.unwrap(), 0);
    let latest = store.latest_per_device(&connection()).await.unwrap();
    let names: Vec<_> = latest.iter().map(|command| (command.submission.id.as_str(), command.state)).collect();
    assert_eq!(names, [("a3", State::Succeeded), ("b1", State::Queued)]);
    let (last, count) = store.last_commands(&connection(), &device("a"), 2).await.unwrap();
    assert_eq!((last[0].submission.id.clone(), &last[1], count), (id("a3"), &queued("a", "a2", 20), 3));
}

/// A page must be found in an index, in order: never by sorting, never by the wrong one of two indexes.
#[tokio::test]
async fn a_page_is_read_off_one_index() {
    let (dir, _store) = store();
    let connection = crate::open::reader(&dir.path().join(crate::FILE_NAME)).unwrap();
    let id = super::connection();
    let kitchen = device("kitchen");
    let check = |device: Option<&DeviceId>, state: State, part: &str, expected: &str| {
        let run = Run { connection: &id, device, automatic: false, states: vec![state] };
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {}", run.query(part))).unwrap();
        let nothing = vec![""; statement.parameter_count()];
        let plan: Vec<String> = statement
            .query_map(rusqlite::params_from_iter(nothing), |row| row.get(3))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        assert_eq!(plan, [format!("SEARCH commands USING INDEX {expected})")]);
    };
    let ended = "commands_ended (connection=? AND automatic=? AND state=? AND submitted_at";
    let ended_of_device =
        "commands_ended_of_device (connection=? AND device=? AND automatic=? AND state=? AND submitted_at";
    check(None, State::Failed, EARLIER, &format!("{ended}>? AND submitted_at<?"));
    check(None, State::Failed, REST_OF_THE_MILLISECOND, &format!("{ended}=? AND rowid<?"));
    check(Some(&kitchen), State::Failed, EARLIER, &format!("{ended_of_device}>? AND submitted_at<?"));
    check(Some(&kitchen), State::Failed, REST_OF_THE_MILLISECOND, &format!("{ended_of_device}=? AND rowid<?"));
    let open = "commands_open (connection=? AND automatic=? AND submitted_at";
    let open_of_device = "commands_open_of_device (connection=? AND device=? AND automatic=? AND submitted_at";
    check(None, State::Sent, EARLIER, &format!("{open}>? AND submitted_at<?"));
    check(None, State::Sent, REST_OF_THE_MILLISECOND, &format!("{open}=? AND rowid<?"));
    check(Some(&kitchen), State::Sent, EARLIER, &format!("{open_of_device}>? AND submitted_at<?"));
    check(Some(&kitchen), State::Sent, REST_OF_THE_MILLISECOND, &format!("{open_of_device}=? AND rowid<?"));
}

#[tokio::test]
async fn automatic_commands_are_listed_separately_and_are_not_last_commands() {
    let (dir, store) = store();
    let automatic = |command: &str, at: i64| {
        let submission = Submission { automatic: true, ..submission("a", command) };
        let fact = Fact::Submitted { submission: submission.clone().into(), origin: Origin::Here };
        change(event("a", command, at, fact), Command { submission: submission.into(), ..queued("a", command, at) })
    };
    store.commit(vec![submit("a", "c1", 1), automatic("c2", 2), automatic("c3", 3)]).await.unwrap();
    let of_wilco = HistoryFilter { automatic: true, ..filter(9) };
    assert_eq!(pages(&store, filter(9)).await.concat(), ["c1"]);
    assert_eq!(pages(&store, of_wilco.clone()).await.concat(), ["c3", "c2"]);
    let led = |filter: HistoryFilter| HistoryFilter { search: "led".into(), ..filter };
    assert_eq!(pages(&store, led(filter(9))).await.concat(), ["c1"]);
    assert_eq!(pages(&store, led(of_wilco.clone())).await.concat(), ["c3", "c2"]);
    assert_eq!((store.command_count(None).await.unwrap(), store.history(of_wilco).await.unwrap().total), (1, 2));
    let (last, count) = store.last_commands(&connection(), &device("a"), 9).await.unwrap();
    assert_eq!((last.len(), count), (1, 1));
    let latest = store.latest_per_device(&connection()).await.unwrap();
    assert_eq!(latest[0].submission.id.as_str(), "c1");
    let before = projection(&dir);
    store.rebuild_projection().await.unwrap();
    assert_eq!(projection(&dir), before);
    assert_eq!(store.forget_device(&connection(), &device("a"), 9).await.unwrap().0, 1);
    assert_eq!(projection(&dir)[2].len(), 0, "they are still counted");
}
