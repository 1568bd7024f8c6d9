//! Looking up the commands that messages name.

use wilco_ledger::Outcome;

use super::{connection, device, id, life, store, submit};
use crate::NamedCommands;

fn named(of: &str, commands: &[&str]) -> NamedCommands {
    let commands = commands.iter().map(|command| id(command)).collect();
    NamedCommands { connection: connection(), device: device(of), commands, log: None }
}

#[tokio::test]
async fn many_are_looked_up_at_once_and_a_device_without_any_is_said_to_have_none() {
    let (_dir, store) = store();
    let mut changes = life("kitchen", "c1", 1, Outcome::Succeeded);
    changes.extend([submit("kitchen", "c2", 20), submit("hall", "c3", 30)]);
    store.commit(changes).await.unwrap();
    // Brings the tables of commands up to what is committed.
    store.command_count(None).await.unwrap();
    let asked = vec![
        named("kitchen", &["c1"]),
        named("kitchen", &["nobody", "c2"]),
        named("kitchen", &["c3"]),
        named("cellar", &["c1"]),
    ];
    let found = store.look_up(asked).await.unwrap();
    let told: Vec<_> = found
        .iter()
        .map(|found| (found.commands.iter().map(|command| command.id().as_str()).collect::<Vec<_>>(), found.has_none))
        .collect();
    assert_eq!(told, [(vec!["c1"], false), (vec!["c2"], false), (vec![], false), (vec![], true)]);
}

#[tokio::test]
async fn the_ids_of_a_device_are_all_of_them_or_none_where_they_are_too_many() {
    let (_dir, store) = store();
    let mut changes = life("kitchen", "c1", 1, Outcome::Succeeded);
    changes.extend([submit("kitchen", "c2", 20), submit("hall", "c3", 30)]);
    store.commit(changes).await.unwrap();
    let ids = async |of: &str, limit| store.command_ids(&connection(), &device(of), limit).await.unwrap();
    let mut of_kitchen = ids("kitchen", 2).await.unwrap();
    of_kitchen.sort();
    assert_eq!(of_kitchen, [id("c1"), id("c2")]);
    assert_eq!(ids("kitchen", 1).await, None);
    assert_eq!(ids("cellar", 1).await, Some(Vec::new()));
}
