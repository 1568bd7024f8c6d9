//! Recorded exchanges, each replayed: see `Exchange::play`.

use std::fmt::Write as _;

use wilco_dialect::{Exchange, shipped};

fn play(name: &str, lines: &str) {
    let mut wrong = String::new();
    let mut count = 0;
    for line in lines.lines().filter(|line| !line.trim().is_empty()) {
        let exchange: Exchange = serde_json::from_str(line).expect("an exchange");
        count += 1;
        match exchange.play(shipped()) {
            Ok(played) if played.wrong.is_empty() => {}
            Ok(played) => {
                let _ = writeln!(wrong, "{}: {}: {}", exchange.dialect, exchange.name, played.wrong.join(" "));
            }
            Err(why) => {
                let _ = writeln!(wrong, "{}: {}: {why}", exchange.dialect, exchange.name);
            }
        }
    }
    assert!(wrong.is_empty(), "{name}, of {count}:\n{wrong}");
    assert!(count > 0, "{name} is empty");
}

#[test]
fn recorded_exchanges_are_interpreted_correctly() {
    play("recorded", include_str!("exchanges/recorded.jsonl"));
}

#[test]
fn further_exchanges_are_interpreted_correctly() {
    play("composed", include_str!("exchanges/composed.jsonl"));
}

#[test]
fn exchanges_from_each_firmwares_sources_and_manuals_are_interpreted_correctly() {
    play("further", include_str!("exchanges/further.jsonl"));
}

#[test]
fn the_requests_in_each_firmwares_manual_are_interpreted_correctly() {
    play("manuals", include_str!("exchanges/manuals.jsonl"));
}
