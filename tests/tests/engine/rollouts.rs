//! Rollouts whose devices, connection or consoles change while they run: every member ends in a state, and everything
//! that cannot continue gives a reason.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use wilco_engine::api::{
    BetweenStages, CommandState, ConnectionEntry, FailureCode, MemberQuery, MemberState, MemberView, NewRollout,
    Presence, RolloutAction, RolloutCommand, RolloutState, RolloutTarget, RolloutView, StageSize, WaitsFor,
};
use wilco_tests::{Broker, Fleet, soon_async};

use crate::desk::{Desk, PATIENCE, plain};

/// `led` for these devices, with a short timeout and time to live.
fn led(connection: &str, devices: &[&str]) -> NewRollout {
    NewRollout {
        connection: connection.into(),
        target: RolloutTarget::Devices { devices: devices.iter().map(|device| (*device).to_owned()).collect() },
        command: RolloutCommand {
            name: "led".into(),
            args: json!({"on": true}).into(),
            timeout_ms: Some(2_000),
            ttl_ms: Some(3_000),
            retries: Some(0),
            ..RolloutCommand::default()
        },
        ..NewRollout::default()
    }
}

/// The same in two stages, the first of which has so many devices; a person starts the second one.
fn in_two(connection: &str, devices: &[&str], first: u32) -> NewRollout {
    NewRollout {
        stages: vec![StageSize::Devices { count: first }],
        between: BetweenStages::Ask,
        ..led(connection, devices)
    }
}

async fn stands(desk: &Desk, id: &str, what: &str, is_it: impl Fn(&RolloutView) -> bool) -> Result<RolloutView> {
    let mut last = None;
    let found = soon_async(what, PATIENCE, async || {
        let view = desk.console().rollouts().await?.into_iter().find(|view| view.id == id);
        last.clone_from(&view);
        Ok(view.filter(|view| is_it(view)))
    });
    found.await.with_context(|| format!("it is {last:#?}"))
}

async fn waits_for_person(desk: &Desk, id: &str) -> Result<RolloutView> {
    stands(desk, id, "rollout between two stages", |view| view.waits_for == Some(WaitsFor::Person)).await
}

async fn finished(desk: &Desk, id: &str) -> Result<RolloutView> {
    stands(desk, id, "end of the rollout", |view| view.state == RolloutState::Finished).await
}

/// How each member has ended, by its device.
async fn members(desk: &Desk, id: &str) -> Result<BTreeMap<String, MemberView>> {
    let query = MemberQuery { rollout: id.into(), ..MemberQuery::default() };
    let page = desk.console().rollout_members(query, 0, 1_000).await?;
    Ok(page.rows.into_iter().map(|member| (member.device.clone(), member)).collect())
}

fn states(members: &BTreeMap<String, MemberView>) -> Vec<(&str, MemberState)> {
    members.iter().map(|(device, member)| (device.as_str(), member.state)).collect()
}

const FOUR: [&str; 4] = ["pump-0001", "pump-0002", "pump-0003", "pump-0004"];

#[tokio::test(flavor = "multi_thread")]
async fn devices_that_vanish_in_the_middle_end_in_a_state_with_a_name() -> Result<()> {
    let broker = Broker::plain()?;
    let fleet = Fleet::start(&broker, "pump", 4, &[])?;
    let desk = Desk::new().await?;
    let connection = desk.connect(plain("bench", &broker)).await?;
    desk.sees_online(&connection, 4).await?;
    let id = desk.console().start_rollout(in_two(&connection, &FOUR, 1)).await?.id;
    waits_for_person(&desk, &id).await?;
    // All of them lose power, and one is forgotten here: not while the rollout is still to send to it.
    drop(fleet);
    let all = || FOUR.map(str::to_owned).to_vec();
    let forgotten = desk.engine().handle().forget_devices(&connection, all()).await?;
    assert_eq!((forgotten.devices, forgotten.busy), (all()[..1].to_vec(), all()[1..].to_vec()));
    let refused = desk.console().forget_device(&connection, "pump-0002").await.err().context("it is forgotten")?;
    assert_eq!(refused.message, format!("'pump-0002' has not been sent the command of rollout {id} yet."));
    // While it is paused a device can be forgotten; the command still goes to it once the rollout continues.
    desk.console().act_on_rollout(&id, RolloutAction::Pause).await?;
    let forgotten = desk.engine().handle().forget_devices(&connection, vec!["pump-0004".into()]).await?;
    assert_eq!(forgotten.devices, ["pump-0004"]);
    desk.console().act_on_rollout(&id, RolloutAction::Resume).await?;
    desk.console().act_on_rollout(&id, RolloutAction::StartNextStage).await?;
    let view = finished(&desk, &id).await?;
    let members = members(&desk, &id).await?;
    assert_eq!(members.len(), 4);
    assert_eq!(members["pump-0001"].state, CommandState::Succeeded.into());
    for device in &FOUR[1..] {
        let MemberView { state, message, finished_at, .. } = &members[*device];
        assert!(state.has_failed() && finished_at.is_some(), "{device}: {state:?}");
        ensure!(message.as_ref().is_some_and(|message| message.ends_with('.')), "{device}: {message:?}");
    }
    assert_eq!((view.counts.succeeded, view.counts.failed(), view.counts.pending), (1, 3, 0));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn devices_that_answer_late_are_counted_in_a_rollout_that_ended_before_wilco_was_restarted() -> Result<()> {
    let broker = Broker::plain()?;
    let _fleet = Fleet::start(&broker, "pump", 2, &["--delay-ms", "8000"])?;
    let mut desk = Desk::new().await?;
    let connection = desk.connect(plain("bench", &broker)).await?;
    desk.sees_online(&connection, 2).await?;
    let id = desk.console().start_rollout(led(&connection, &FOUR[..2])).await?.id;
    let ended = finished(&desk, &id).await?;
    assert_eq!(ended.counts.timed_out, 2, "{:?}", ended.counts);
    // They answer while Wilco is closed, or later: the broker keeps it.
    desk.reopen().await?;
    desk.online(&connection).await?;
    let late = stands(&desk, &id, "late answers", |view| view.counts.succeeded == 2).await?;
    assert_eq!((late.state, late.counts.timed_out), (RolloutState::Finished, 0));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_narrowed_sends_to_no_device_outside_and_says_so() -> Result<()> {
    let broker = Broker::plain()?;
    let _fleet = Fleet::start(&broker, "pump", 4, &[])?;
    let heard = broker.listen("+/req")?;
    let desk = Desk::new().await?;
    let connection = desk.connect(plain("bench", &broker)).await?;
    desk.sees_online(&connection, 4).await?;
    let id = desk.console().start_rollout(in_two(&connection, &FOUR, 2)).await?.id;
    waits_for_person(&desk, &id).await?;
    let edit = desk.edit(&connection, |entry| {
        entry.name = "Bench 2".into();
        entry.settings.keep_alive_s = 45;
        entry.settings.devices_named = FOUR[..3].iter().map(|device| (*device).to_owned()).collect();
    });
    edit.await?;
    desk.console().act_on_rollout(&id, RolloutAction::StartNextStage).await?;
    finished(&desk, &id).await?;
    let members = members(&desk, &id).await?;
    let expected = [
        CommandState::Succeeded.into(),
        CommandState::Succeeded.into(),
        CommandState::Succeeded.into(),
        CommandState::Undeliverable.into(),
    ];
    assert_eq!(states(&members), FOUR.into_iter().zip(expected).collect::<Vec<_>>());
    let said = members["pump-0004"].message.clone().unwrap_or_default();
    ensure!(
        said.contains("This connection is limited to certain devices, and 'pump-0004' is not one of them"),
        "{said}"
    );
    ensure!(!heard.log().contains("pump-0004/req"), "{}", heard.log());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollout_whose_connection_is_removed_ends_with_it_and_sends_nothing_more() -> Result<()> {
    let broker = Broker::plain()?;
    let _fleet = Fleet::start(&broker, "pump", 4, &[])?;
    let heard = broker.listen("+/req")?;
    let desk = Desk::new().await?;
    let connection = desk.connect(plain("bench", &broker)).await?;
    desk.sees_online(&connection, 4).await?;
    let rollout = NewRollout { rate: Some(1), ..led(&connection, &FOUR) };
    let id = desk.console().start_rollout(rollout).await?.id;
    stands(&desk, &id, "first member done", |view| view.counts.succeeded > 0).await?;
    desk.console().remove_connection(&connection).await?;
    let sent = heard.log().matches("/req ").count();
    assert_eq!(desk.console().rollouts().await?, []);
    for action in [RolloutAction::Pause, RolloutAction::Stop, RolloutAction::StartNextStage] {
        let gone = desk.console().act_on_rollout(&id, action).await.err().context("it is still there")?;
        assert_eq!((gone.code, gone.message), (FailureCode::NotFound, format!("There is no rollout '{id}'.")));
        assert!(gone.hint.is_some_and(|hint| hint.contains("removed together with its connection")));
    }
    // Another one under the same name starts again, and gets a number that no rollout had before.
    let again = desk.connect(plain("bench", &broker)).await?;
    let next = desk.console().start_rollout(led(&again, &FOUR[..1])).await?;
    assert_eq!(next.number.to_string(), "2");
    finished(&desk, &next.id).await?;
    assert!(heard.log().matches("/req ").count() <= sent + 2, "{}", heard.log());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_renames_itself_is_a_member_under_its_old_name_only() -> Result<()> {
    let broker = Broker::plain()?;
    let _fleet = Fleet::start(&broker, "pump", 2, &[])?;
    broker.publish("pump-0003/status", br#"{"online":true,"boot":"a"}"#, true)?;
    let desk = Desk::new().await?;
    let connection = desk.connect(plain("bench", &broker)).await?;
    desk.sees_online(&connection, 3).await?;
    let id = desk.console().start_rollout(in_two(&connection, &FOUR[..3], 1)).await?.id;
    waits_for_person(&desk, &id).await?;
    broker.publish("pump-0003/status", br#"{"online":false}"#, true)?;
    broker.publish("boiler-3/status", br#"{"online":true,"boot":"b"}"#, true)?;
    desk.sees_online(&connection, 3).await?;
    desk.console().act_on_rollout(&id, RolloutAction::StartNextStage).await?;
    let view = finished(&desk, &id).await?;
    let members = members(&desk, &id).await?;
    assert_eq!((view.members, view.counts.succeeded), (3, 2));
    assert!(members["pump-0003"].state.has_failed(), "{members:?}");
    assert!(!members.contains_key("boiler-3"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_its_hub_no_longer_knows_is_sent_nothing_and_says_why() -> Result<()> {
    const LAMP: &str = "0x0017880100000001";
    let broker = Broker::plain()?;
    let _fleet = Fleet::start(&broker, "pump", 1, &[])?;
    let heard = broker.listen("#")?;
    let hub = json!({"ieee_address": "0x00124b0000000000", "friendly_name": "Coordinator", "type": "Coordinator"});
    let feature = json!({"type": "binary", "property": "state", "name": "state", "access": 7, "value_on": "ON", "value_off": "OFF"});
    let lamp = json!({"ieee_address": LAMP, "friendly_name": "lamp", "type": "Router",
        "definition": {"model": "LWA001", "vendor": "Philips", "exposes": [{"type": "light", "features": [feature]}]}});
    let known = |devices: Value| broker.publish("zigbee2mqtt/bridge/devices", devices.to_string().as_bytes(), true);
    known(json!([&hub, &lamp]))?;
    let desk = Desk::new().await?;
    let both = |entry: &mut ConnectionEntry| entry.settings.dialects = vec!["wilco".into(), "zigbee2mqtt".into()];
    let connection = desk.connect(plain("bench", &broker).with(both)).await?;
    let is_known = async || Ok(desk.console().device(&connection, LAMP).await.ok());
    soon_async("lamp", PATIENCE, is_known).await?;
    let id = desk.console().start_rollout(in_two(&connection, &[FOUR[0], LAMP], 1)).await?.id;
    waits_for_person(&desk, &id).await?;
    known(json!([&hub]))?;
    let is_gone = async || {
        let lamp = desk.console().device(&connection, LAMP).await?;
        Ok((lamp.row.presence == Presence::Offline).then_some(()))
    };
    soon_async("lamp that is gone", PATIENCE, is_gone).await?;
    desk.console().act_on_rollout(&id, RolloutAction::StartNextStage).await?;
    finished(&desk, &id).await?;
    let members = members(&desk, &id).await?;
    assert_eq!(
        (members[FOUR[0]].state, members[LAMP].state),
        (CommandState::Succeeded.into(), CommandState::Undeliverable.into())
    );
    let said = members[LAMP].message.clone().unwrap_or_default();
    ensure!(said.contains("uses Zigbee2MQTT, but is not announced on this connection now"), "{said}");
    ensure!(!heard.log().contains(&format!("{LAMP}/req")) && !heard.log().contains("lamp/set"), "{}", heard.log());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_consoles_that_roll_out_to_the_same_devices_see_each_other_and_lose_nothing() -> Result<()> {
    let broker = Broker::plain()?;
    let _fleet = Fleet::start(&broker, "pump", 4, &["--work-ms", "300..400"])?;
    let heard = broker.listen("+/req")?;
    let (ours, theirs) = (Desk::new().await?, Desk::new().await?);
    let here = ours.connect(plain("bench", &broker)).await?;
    let there = theirs.connect(plain("bench", &broker)).await?;
    ours.sees_online(&here, 4).await?;
    theirs.sees_online(&there, 4).await?;
    let first = ours.console().start_rollout(led(&here, &FOUR)).await?.id;
    // The second one is told which devices are busy with the first one's commands.
    let plan = soon_async("devices busy with another console's command", PATIENCE, async || {
        let plan = theirs.console().plan_rollout(led(&there, &FOUR)).await?;
        Ok((plan.busy_elsewhere > 0).then_some(plan))
    });
    assert!(plan.await?.busy_examples.iter().all(|device| FOUR.contains(&device.as_str())));
    let second = theirs.console().start_rollout(led(&there, &FOUR)).await?.id;
    finished(&ours, &first).await?;
    finished(&theirs, &second).await?;
    for (desk, id) in [(&ours, &first), (&theirs, &second)] {
        let members = members(desk, id).await?;
        assert!(members.values().all(|member| member.state == CommandState::Succeeded.into()), "{members:#?}");
    }
    assert_eq!(heard.log().matches("/req ").count(), 8, "each console has sent to each device once");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_parameters_start_nothing_and_give_a_short_message() -> Result<()> {
    let broker = Broker::plain()?;
    let desk = Desk::new().await?;
    let connection = desk.connect(plain("bench", &broker)).await?;
    desk.console().add_devices(&connection, vec![]).await?;
    let long = "x".repeat(10_000);
    let searched = |search: String| NewRollout { target: RolloutTarget::Search { search }, ..led(&connection, &[]) };
    let check = async |rollout: NewRollout, expected: &str| -> Result<()> {
        let refused = desk.console().start_rollout(rollout).await.err().context("it has started")?;
        assert_eq!(refused.code, FailureCode::Invalid, "{refused:?}");
        ensure!(refused.message.contains(expected), "{refused:?}");
        ensure!(refused.message.chars().count() < 300 && refused.hint.is_some(), "{refused:?}");
        Ok(())
    };
    check(searched("state:blue".into()), "`state:` has no value `blue`.").await?;
    check(searched(format!("state:{long}")), "has no value `xxx").await?;
    check(searched("(pump".into()), "this parenthesis is not closed").await?;
    check(searched(format!("tag:{long}")), "The rollout contains no devices.").await?;
    check(NewRollout { name: Some(long.clone()), ..led(&connection, &FOUR) }, "name").await?;
    check(NewRollout { note: Some("x".repeat(20_001)), ..led(&connection, &FOUR) }, "note").await?;
    check(led(&connection, &[&long]), "is not a valid device ID").await?;
    let group = RolloutTarget::Broadcast { group: Some(long), search: String::new() };
    check(NewRollout { target: group, ..led(&connection, &[]) }, "cannot be a group").await?;
    assert_eq!(desk.console().rollouts().await?, []);
    Ok(())
}
