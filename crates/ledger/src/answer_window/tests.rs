use super::AnswerWindow;
use crate::Timestamp;

/// An input of a window, at a time in milliseconds.
#[derive(Clone, Copy)]
enum Happens {
    Commands(usize),
    Probed,
    Confirmed,
    Messages(usize),
    Returned,
    Refused,
    Tick,
    Disconnected,
}

use Happens::{Commands, Confirmed, Disconnected, Messages, Probed, Refused, Returned, Tick};

/// The free capacity of a connected window after each input, and the time of the next probe at the end.
fn check(steps: &[(i64, Happens, usize)], probe_due_at: Option<i64>) {
    let mut window = AnswerWindow::default();
    window.connected(true);
    for (place, (at, happens, spare)) in steps.iter().enumerate() {
        let now = Timestamp(*at);
        match happens {
            Commands(count) => (0..*count).for_each(|_| _ = window.sent(now)),
            Probed => window.probe_sent(now),
            Confirmed => window.probe_confirmed(now),
            Messages(count) => (0..*count).for_each(|_| window.message()),
            Returned => {
                window.probe_returned(now);
                window.probe_settled(now);
            }
            Refused => window.probe_refused(),
            Tick => window.tick(now),
            Disconnected => window.disconnected(),
        }
        assert_eq!(window.spare(), *spare, "after step {place}");
    }
    assert_eq!(window.probe_due_at(), probe_due_at.map(Timestamp));
}

#[test]
fn a_probe_without_a_queue_before_it_lets_more_commands_out() {
    check(&[], Some(i64::MIN));
    check(&[(0, Probed, 0)], None);
    let up_to_a_hundred = |count| [(0, Probed, 0), (1, Confirmed, 0), (2, Messages(count), 0)];
    check(&[&up_to_a_hundred(100)[..], &[(3, Returned, 6)]].concat(), None);
    check(&[&up_to_a_hundred(101)[..], &[(3, Returned, 0)]].concat(), Some(203));
    // Messages before the PUBACK were not queued.
    check(&[(0, Probed, 0), (1, Messages(900), 0), (2, Confirmed, 0), (3, Returned, 6)], None);
    // A broker may send the PUBACK behind the message.
    check(&[(0, Probed, 0), (1, Returned, 6), (2, Confirmed, 6), (3, Messages(900), 6)], None);
}

#[test]
fn a_probe_does_not_cover_later_sends() {
    check(
        &[
            (0, Probed, 0),
            (1, Commands(1), 0),
            (2, Returned, 5),
            (3, Commands(1), 4),
            (3, Commands(1), 3),
            (4, Probed, 3),
            (5, Commands(2), 1),
            (6, Commands(1), 0),
            // Those before it brought nothing, so there is room for more.
            (7, Returned, 3),
        ],
        Some(i64::MIN),
    );
}

#[test]
fn a_queue_a_late_probe_and_a_lost_connection_end_it() {
    let shown = || vec![(0, Probed, 0), (1, Returned, 6), (2, Commands(2), 4), (3, Probed, 4)];
    let with = |steps: Vec<(i64, Happens, usize)>| shown().into_iter().chain(steps).collect::<Vec<_>>();
    check(&with(vec![(4, Confirmed, 4), (5, Messages(100), 4), (6, Messages(1), 0), (9, Returned, 0)]), Some(209));
    check(&with(vec![(1_003, Tick, 4), (1_004, Tick, 0), (1_005, Returned, 0)]), Some(1_205));
    check(&with(vec![(1_004, Confirmed, 0), (1_005, Returned, 0)]), Some(1_205));
    check(&with(vec![(900, Confirmed, 4), (1_900, Tick, 4), (1_901, Tick, 0)]), None);
    check(&with(vec![(10_003, Tick, 0), (10_004, Returned, 0)]), Some(70_003));
    check(&with(vec![(4, Disconnected, 0), (5, Returned, 0)]), None);
    check(&with(vec![(4, Refused, 0), (5, Returned, 0)]), None);
    // The result of the probe two seconds ago.
    check(&[(0, Probed, 0), (1, Returned, 6), (2_000, Tick, 6), (2_001, Tick, 0)], Some(i64::MIN));
}

#[test]
fn the_messages_per_command_decide_how_many_may_wait() {
    // Commands, how many of them are answered, messages, and how many may wait and be spared afterwards.
    let check = |rounds: &[(usize, usize, usize, usize, usize)]| {
        let mut window = AnswerWindow::default();
        window.connected(true);
        assert_eq!(window.always(), 200);
        for (commands, answered, messages, always, spare) in rounds {
            let sent: Vec<_> = (0..*commands).map(|_| window.sent(Timestamp(0))).collect();
            // Long ago, so that they prove nothing.
            sent.into_iter().take(*answered).for_each(|sent| window.ended(sent, true, Timestamp(500)));
            (0..*messages).for_each(|_| window.message());
            window.probe_sent(Timestamp(500));
            window.probe_returned(Timestamp(500));
            window.probe_settled(Timestamp(500));
            assert_eq!((window.always(), window.spare()), (*always, *spare), "{rounds:?}");
        }
    };
    // They are counted once there are enough of them; more is believed at once, less by and by.
    check(&[(20, 20, 120, 100, 3), (20, 20, 20, 120, 3), (20, 20, 20, 141, 4)]);
    check(&[(19, 19, 0, 200, 6), (20, 20, 900, 60, 1)]);
    check(&[(20, 20, 9_000, 60, 1)]);
    // Less is believed only of devices that have answered.
    check(&[(20, 9, 20, 200, 6), (20, 10, 20, 218, 6)]);
    check(&[(20, 0, 0, 200, 6), (20, 0, 90, 133, 4)]);
}

/// A probe, with nothing queued before it.
fn probe(window: &mut AnswerWindow, at: i64) {
    window.probe_sent(Timestamp(at));
    window.probe_returned(Timestamp(at));
    window.probe_settled(Timestamp(at));
}

#[test]
fn a_probe_counts_once_what_came_before_it_is_stored_and_what_comes_behind_it_is_no_queue() {
    let mut window = AnswerWindow::default();
    window.connected(true);
    window.probe_sent(Timestamp(0));
    window.probe_settled(Timestamp(1));
    assert_eq!(window.spare(), 0, "it has not come back");
    window.probe_confirmed(Timestamp(1));
    window.probe_returned(Timestamp(2));
    assert!(window.has_read(Timestamp(0)));
    (0..900).for_each(|_| window.message());
    assert_eq!((window.spare(), window.probe_due_at()), (0, None));
    window.probe_settled(Timestamp(30));
    assert_eq!(window.spare(), 6);
}

#[test]
fn answered_commands_need_no_proof_and_prompt_answers_are_one() {
    let mut window = AnswerWindow::default();
    window.connected(true);
    probe(&mut window, 0);
    let sent: Vec<_> = (0..6).map(|_| window.sent(Timestamp(1))).collect();
    assert_eq!(window.spare(), 0);
    window.probe_sent(Timestamp(1));
    for (place, sent) in sent.into_iter().enumerate() {
        window.ended(sent, place < 5, Timestamp(2));
        assert_eq!(window.spare(), place + 1);
    }
    window.probe_returned(Timestamp(3));
    window.probe_settled(Timestamp(3));
    assert_eq!(window.spare(), 26, "four for each of the five that were answered");
    // An answer that took longer than half a second proves nothing.
    let slow = window.sent(Timestamp(4));
    window.probe_sent(Timestamp(700));
    window.ended(slow, true, Timestamp(701));
    window.probe_returned(Timestamp(702));
    window.probe_settled(Timestamp(702));
    assert_eq!(window.spare(), 6);
}

#[test]
fn commands_of_an_earlier_connection_that_end_make_no_room() {
    let mut window = AnswerWindow::default();
    window.connected(true);
    let earlier: Vec<_> = (0..6).map(|_| window.sent(Timestamp(0))).collect();
    window.disconnected();
    window.connected(true);
    probe(&mut window, 1);
    (0..6).for_each(|_| _ = window.sent(Timestamp(2)));
    earlier.into_iter().for_each(|sent| window.ended(sent, false, Timestamp(3)));
    assert_eq!(window.spare(), 0);
}

#[test]
fn slow_devices_get_as_many_commands_as_fit_into_the_brokers_queue() {
    let check = |devices: usize, seconds: u64| {
        assert_eq!(AnswerWindow::send_to_slow(devices).0.div_ceil(1_000), seconds, "{devices}");
    };
    check(0, 0);
    check(200, 0);
    check(733, 1);
    check(100_000, 188);
}

#[test]
fn the_commands_of_half_a_second_fit_into_the_brokers_queue() {
    let mut window = AnswerWindow::default();
    window.connected(true);
    let mut sent = Vec::new();
    for at in 0..60 {
        probe(&mut window, at);
        let spare = window.spare();
        sent.extend((0..spare).map(|_| window.sent(Timestamp(at))));
    }
    // They cause three messages each, as far as is known: 800 in all.
    assert_eq!(sent.len(), 266);
    assert_eq!((window.spare(), window.more_spare_at()), (0, Some(Timestamp(500))));
    probe(&mut window, 499);
    assert_eq!(window.spare(), 0);
    window.tick(Timestamp(500));
    assert_eq!((window.spare(), window.more_spare_at()), (6, None));
}

#[test]
fn only_a_probe_that_was_sent_later_shows_that_everything_before_was_read() {
    let mut window = AnswerWindow::default();
    assert!(window.has_read(Timestamp(9)), "nothing can be learnt");
    window.connected(true);
    assert!(!window.has_read(Timestamp(0)));
    window.probe_sent(Timestamp(5));
    window.tick(Timestamp(9_000));
    assert!(!window.has_read(Timestamp(5)), "a late one is still on its way");
    window.probe_returned(Timestamp(9_001));
    assert!(window.has_read(Timestamp(5)) && !window.has_read(Timestamp(6)));
    window.probe_sent(Timestamp(9_002));
    window.tick(Timestamp(19_002));
    assert!(window.has_read(Timestamp(19_002)), "a lost one shows nothing any more");
    window.probe_sent(Timestamp(80_000));
    window.probe_returned(Timestamp(80_001));
    assert!(window.has_read(Timestamp(80_000)) && !window.has_read(Timestamp(80_001)));
    window.disconnected();
    assert!(window.has_read(Timestamp(90_000)), "nothing can be learnt");
}

#[test]
fn a_client_that_may_not_send_messages_to_itself_has_none_to_spare() {
    let mut window = AnswerWindow::default();
    window.connected(false);
    assert_eq!((window.spare(), window.probe_due_at()), (0, None));
}
