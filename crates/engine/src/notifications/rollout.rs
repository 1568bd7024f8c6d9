//! Notifications about rollouts: one halts, waits for a person, or finishes.

use wilco_ledger::{Millis, grouped};

use super::span;
use crate::{
    api::{MemberState, NotificationContent, NotificationSubject, RolloutState, RolloutView, Settings, WaitsFor},
    audit::devices,
};

/// An event of a rollout that is notified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum News {
    Halted,
    WaitsForPerson,
    Finished,
}

/// The notification, if there is one that was not due before. `name`: its connection's.
pub(super) fn content(
    before: &RolloutView,
    now: &RolloutView,
    name: &str,
    settings: &Settings,
) -> Option<NotificationContent> {
    let news = news_of(now)?;
    if (news_of(before), before.stage) == (Some(news), now.stage) || !is_wanted(news, now, settings) {
        return None;
    }
    let RolloutView { number, counts, why, stage, stages, .. } = now;
    let what = match news {
        News::Halted => "halted",
        News::WaitsForPerson => "waits for you",
        News::Finished => "finished",
    };
    let label = now.spec.name.as_deref().unwrap_or(&now.spec.command.name);
    let body = match news {
        News::Halted => {
            let pending = match counts.pending {
                0 => "Every device was sent the command.".to_owned(),
                1 => "1 device was not sent the command.".to_owned(),
                many => format!("{} were not sent the command.", devices(many as usize)),
            };
            format!("{} {pending}", why.as_deref().unwrap_or_default())
        }
        News::WaitsForPerson => format!("Stage {} of {} has finished: {}.", stage + 1, stages.len(), ends(now)),
        News::Finished => format!("{}. It took {}.", ends(now), span(took(now))),
    };
    let connection = now.spec.connection.clone();
    Some(NotificationContent {
        title: format!("Rollout {number} {what}: {label}"),
        body: format!("On {name}: {}", body.trim_start()),
        subject: NotificationSubject {
            connection,
            command: None,
            rollout: Some(now.id.clone()),
            bad: counts.failed() > 0,
        },
    })
}

fn news_of(view: &RolloutView) -> Option<News> {
    match (view.state, &view.waits_for) {
        (RolloutState::Halted, _) => Some(News::Halted),
        (RolloutState::Waiting, Some(WaitsFor::Person)) => Some(News::WaitsForPerson),
        (RolloutState::Finished, _) => Some(News::Finished),
        _ => None,
    }
}

fn is_wanted(news: News, view: &RolloutView, settings: &Settings) -> bool {
    match news {
        News::Halted => settings.notify_failed,
        News::WaitsForPerson => settings.notify_failed || settings.notify_long,
        News::Finished => {
            let took_long = took(view) >= Millis::seconds(settings.long_after_s.into());
            settings.notify_failed && view.counts.failed() > 0 || settings.notify_long && took_long
        }
    }
}

/// How long it has lasted.
fn took(view: &RolloutView) -> Millis {
    Millis(view.changed_at.saturating_sub(view.started_at).try_into().unwrap_or_default())
}

/// How many members are in each state.
fn ends(view: &RolloutView) -> String {
    let counts = view.counts.by_state().into_iter().filter(|(_, count)| *count > 0);
    let counts = counts.map(|(state, count)| match state {
        MemberState::Pending => format!("{} not started", grouped(count)),
        MemberState::Released(state) => format!("{} {}", grouped(count), state.words()),
    });
    counts.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::content;
    use crate::api::{
        MemberCounts, NewRollout, RolloutCommand, RolloutState, RolloutView, Settings, StageView, WaitsFor,
    };

    const RUNNING: (RolloutState, Option<WaitsFor>) = (RolloutState::Running, None);
    const HALTED: (RolloutState, Option<WaitsFor>) = (RolloutState::Halted, None);
    const FINISHED: (RolloutState, Option<WaitsFor>) = (RolloutState::Finished, None);
    const ASKS: (RolloutState, Option<WaitsFor>) = (RolloutState::Waiting, Some(WaitsFor::Person));
    const PAUSES: (RolloutState, Option<WaitsFor>) = (RolloutState::Waiting, Some(WaitsFor::Pause { until: 9 }));

    /// A rollout of 2,000 devices in two stages that has lasted so long, milliseconds.
    fn rollout((state, waits_for): (RolloutState, Option<WaitsFor>), failed: u32, lasted: i64) -> RolloutView {
        let stage = |members| StageView {
            members,
            counts: MemberCounts::default(),
            waiting_for_offline: 0,
            started_at: None,
            ended_at: None,
            closed: false,
        };
        let pending = if state == RolloutState::Finished { 0 } else { 1_900 };
        RolloutView {
            id: "3".into(),
            number: 3,
            spec: NewRollout {
                connection: "plant".into(),
                command: RolloutCommand { name: "led".into(), ..RolloutCommand::default() },
                ..NewRollout::default()
            },
            state,
            waits_for,
            why: (state == RolloutState::Halted).then(|| "41 of 100 finished devices failed.".to_owned()),
            approval: None,
            stages: vec![stage(100), stage(1_900)],
            stage: 0,
            counts: MemberCounts { succeeded: 2_000 - pending - failed, failed, pending, ..MemberCounts::default() },
            members: 2_000,
            ended_before: 0,
            failed_before: 0,
            started_at: 1_000,
            changed_at: 1_000 + lasted,
            ended_at: None,
        }
    }

    #[test]
    fn a_rollout_that_halts_waits_for_a_person_or_finishes_is_notified() {
        let check = |before: &RolloutView, now: &RolloutView, change: fn(&mut Settings), expected: Option<&str>| {
            let mut settings = Settings::default();
            change(&mut settings);
            let text = content(before, now, "Plant", &settings).map(|content| {
                assert_eq!(content.subject.rollout.as_deref(), Some("3"));
                assert_eq!(content.subject.bad, now.counts.failed > 0);
                format!("{} | {}", content.title, content.body)
            });
            assert_eq!(text.as_deref(), expected, "{:?} to {:?}", before.state, now.state);
        };
        let running = rollout(RUNNING, 0, 0);
        let halted = rollout(HALTED, 41, 500);
        let halts = "Rollout 3 halted: led | On Plant: 41 of 100 finished devices failed. 1,900 devices were not sent \
                     the command.";
        check(&running, &halted, |_| {}, Some(halts));
        check(&running, &halted, |settings| settings.notify_failed = false, None);
        // Once, also when a late answer changes its counts.
        check(&halted, &halted, |_| {}, None);

        let asks = rollout(ASKS, 0, 500);
        let waits =
            "Rollout 3 waits for you: led | On Plant: Stage 1 of 2 has finished: 100 succeeded, 1,900 not started.";
        check(&running, &asks, |_| {}, Some(waits));
        check(&rollout(PAUSES, 0, 400), &asks, |_| {}, Some(waits));
        check(&running, &rollout(PAUSES, 0, 400), |_| {}, None);
        check(&asks, &running, |_| {}, None);
        let later = RolloutView { stage: 1, ..asks.clone() };
        assert!(content(&asks, &later, "Plant", &Settings::default()).is_some());

        // Good, and quick or not.
        check(&running, &rollout(FINISHED, 0, 9_999), |_| {}, None);
        let finished = "Rollout 3 finished: led | On Plant: 2,000 succeeded. It took 12 min.";
        check(&running, &rollout(FINISHED, 0, 720_000), |_| {}, Some(finished));
        check(&running, &rollout(FINISHED, 0, 720_000), |settings| settings.notify_long = false, None);
        let failed = "Rollout 3 finished: led | On Plant: 1,980 succeeded, 20 failed. It took 2.0 s.";
        check(&running, &rollout(FINISHED, 20, 2_000), |_| {}, Some(failed));
        let named = NewRollout { name: Some("Night lights".into()), ..running.spec.clone() };
        let named = RolloutView { spec: named, ..rollout(HALTED, 41, 500) };
        let content = content(&running, &named, "Plant", &Settings::default());
        assert_eq!(content.map(|content| content.title).as_deref(), Some("Rollout 3 halted: Night lights"));
    }
}
