#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use serde_json::{Value, json};
use tokio::net::TcpListener;
use wilco_ledger::DeviceId;

use crate::{
    Handle,
    api::{
        ConnectionEntry, ConnectionSettings, Delivery, ExpectedMembers, FailureCode, JsonText, LeaveOut, MemberQuery,
        NewCommand, NewRollout, Presence, Preset, RolloutAction, RolloutCommand, RolloutPlan, RolloutTarget, StageSize,
    },
    console::fixture::engine,
};

/// A broker that lets everybody in and says nothing: a connection to it neither stands nor fails, and with it stays what
/// is known of its devices.
struct Silent(TcpListener);

impl Silent {
    async fn start() -> Silent {
        Silent(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    async fn connection(&self, handle: &Handle, preset: Preset) -> String {
        let url = format!("mqtt://{}", self.0.local_addr().unwrap());
        let settings = ConnectionSettings { preset, ..ConnectionSettings::default() };
        let entry = ConnectionEntry { name: "plant".into(), url, settings, ..ConnectionEntry::default() };
        handle.save_connection(entry).await.unwrap().id
    }
}

/// Devices in a given state.
async fn fleet(handle: &Handle, connection: &str, devices: u32) {
    let fleet = handle.shared(connection).await.unwrap().fleet;
    let mut fleet = fleet.write();
    for number in 0..devices {
        fleet.update(&DeviceId::new(format!("pump-{number}")).unwrap(), |device| {
            device.presence = if number % 10 == 9 { Presence::Offline } else { Presence::Online };
            device.report(json!({"led": number % 10 == 0}).to_string(), None);
            device.trip_ms = Some(100.0);
        });
    }
}

fn rollout(connection: &str) -> NewRollout {
    let command =
        RolloutCommand { name: "led".into(), args: JsonText::of(r#"{"on":true}"#), ..RolloutCommand::default() };
    let target = RolloutTarget::Search { search: "pump".into() };
    NewRollout { connection: connection.into(), target, command, ..NewRollout::default() }
}

#[tokio::test]
async fn a_plan_says_what_would_be_done_and_does_nothing() {
    let (_data, engine, handle) = engine().await;
    let broker = Silent::start().await;
    let connection = broker.connection(&handle, Preset::Plain).await;
    fleet(&handle, &connection, 100).await;
    let stages = vec![StageSize::Devices { count: 5 }, StageSize::Percent { percent: 50.0 }];
    let plan = handle.plan_rollout(NewRollout { stages, ..rollout(&connection) }).await.unwrap();
    assert_eq!((plan.members, plan.stages), (100, vec![5, 45, 50]));
    assert_eq!((plan.offline, plan.already, plan.presence_unknown), (10, 10, 0));
    assert_eq!(plan.offline_examples, ["pump-9", "pump-19", "pump-29", "pump-39", "pump-49"]);
    // A request, accepted and done; the broker holds those of the absent.
    assert_eq!((plan.messages, plan.dangerous), (300, false));
    assert_eq!(plan.expected_ms, Some(300));
    let first = &plan.samples[0];
    assert_eq!((plan.samples.len(), &*first.device, &*first.request.topic), (5, "pump-0", "pump-0/req"));
    let payload: Value = serde_json::from_str(&first.request.payload).unwrap();
    assert_eq!((&payload["command"], &payload["args"]), (&json!("led"), &json!({"on": true})));
    assert_eq!(payload["id"], "{id}", "its ID is not known yet");
    assert_eq!(first.request.bytes as usize, first.request.payload.len());
    let remarks = plan.remarks.join("\n");
    assert!(remarks.contains("not online") && remarks.contains("10 devices are offline"), "{remarks}");

    assert!(handle.rollouts().await.unwrap().is_empty());
    assert_eq!(handle.connections().await.unwrap()[0].counts.kept, 0);
    let command = RolloutCommand { name: "restart".into(), ..RolloutCommand::default() };
    let restart = handle.plan_rollout(NewRollout { command, ..rollout(&connection) }).await.unwrap();
    // What must go out at once is not sent to those that are away.
    assert_eq!((restart.dangerous, restart.messages), (true, 270));
    engine.stop().await;
}

#[tokio::test]
async fn whom_a_rollout_leaves_out_it_does_not_release() {
    let (_data, engine, handle) = engine().await;
    let broker = Silent::start().await;
    let connection = broker.connection(&handle, Preset::Plain).await;
    fleet(&handle, &connection, 20).await;
    let busy = NewCommand {
        connection: connection.clone(),
        devices: vec!["pump-3".into()],
        command: "identify".into(),
        delivery: Some(Delivery::HoldHere),
        ..NewCommand::default()
    };
    handle.send(busy).await.unwrap();
    let leave_out = LeaveOut { offline: true, already: true, busy: true };
    let new = NewRollout { leave_out, ..rollout(&connection) };
    let plan = handle.plan_rollout(new.clone()).await.unwrap();
    // They are counted anyway.
    assert_eq!((plan.members, plan.offline, plan.already, plan.busy_here), (15, 2, 2, 1));
    assert_eq!((plan.stages, plan.messages, plan.busy_examples), (vec![15], 45, vec!["pump-3".to_owned()]));

    let view = handle.start_rollout(new).await.unwrap();
    assert_eq!((view.members, view.counts.pending + view.counts.queued), (15, 15));
    let query = MemberQuery { rollout: view.id.clone(), ..MemberQuery::default() };
    let page = handle.rollout_members(query, 0, 100).await.unwrap();
    let members: Vec<_> = page.rows.iter().map(|member| member.device.as_str()).collect();
    assert_eq!(members.len(), 15);
    for left_out in ["pump-0", "pump-3", "pump-9", "pump-10", "pump-19"] {
        assert!(!members.contains(&left_out), "{left_out}");
    }

    // Another one for some of the same devices.
    let plan = handle.plan_rollout(rollout(&connection)).await.unwrap();
    let overlap = plan.overlap_here.unwrap();
    assert!(overlap.starts_with("Rollout 1 (led) has not finished and still has to send to "), "{overlap}");
    handle.act_on_rollout(&view.id, RolloutAction::Stop).await.unwrap();
    assert_eq!(handle.plan_rollout(rollout(&connection)).await.unwrap().overlap_here, None);

    let all_lit = NewRollout {
        target: RolloutTarget::Devices { devices: vec!["pump-0".into(), "pump-10".into()] },
        leave_out: LeaveOut { already: true, ..LeaveOut::default() },
        ..rollout(&connection)
    };
    let plan = handle.plan_rollout(all_lit.clone()).await.unwrap();
    assert_eq!((plan.members, plan.already, plan.messages, plan.expected_ms), (0, 2, 0, Some(0)));
    let refused = handle.start_rollout(all_lit).await.unwrap_err();
    assert_eq!((refused.code, &*refused.message), (FailureCode::Invalid, "All devices of this rollout are left out."));
    assert_eq!(handle.rollouts().await.unwrap().len(), 1);
    engine.stop().await;
}

#[tokio::test]
async fn a_rollout_goes_to_the_confirmed_devices_or_to_none() {
    let (_data, engine, handle) = engine().await;
    let broker = Silent::start().await;
    let connection = broker.connection(&handle, Preset::Plain).await;
    fleet(&handle, &connection, 20).await;
    let plan = handle.plan_rollout(rollout(&connection)).await.unwrap();
    let exactly = |plan: &RolloutPlan| {
        let expected = ExpectedMembers { count: plan.members, fingerprint: Some(plan.fingerprint.clone()) };
        NewRollout { expected: Some(expected), ..rollout(&connection) }
    };
    // Another device appears between the confirmation and the start.
    fleet(&handle, &connection, 21).await;
    let refused = handle.start_rollout(exactly(&plan)).await.unwrap_err();
    let message = "20 devices were confirmed, but now there are 21, so nothing was sent.";
    assert_eq!((refused.code, &*refused.message), (FailureCode::Changed, message));
    assert!(handle.rollouts().await.unwrap().is_empty());
    let again = handle.plan_rollout(rollout(&connection)).await.unwrap();
    assert_ne!(again.fingerprint, plan.fingerprint);
    let started = handle.start_rollout(exactly(&again)).await.unwrap();
    assert_eq!((started.members, started.spec.expected), (21, None), "it is not kept");
    engine.stop().await;
}

#[tokio::test]
async fn every_request_of_a_plan_can_be_seen() {
    let (_data, engine, handle) = engine().await;
    let broker = Silent::start().await;
    let connection = broker.connection(&handle, Preset::Plain).await;
    fleet(&handle, &connection, 20).await;
    let page = async |from: u32, count: u32| {
        let page = handle.planned_requests(rollout(&connection), from, count).await.unwrap();
        let devices: Vec<_> = page.requests.into_iter().map(|request| request.device).collect();
        (devices, page.from, page.total)
    };
    let (all, from, total) = page(0, u32::MAX).await;
    assert_eq!((all.len(), &*all[0], &*all[19], from, total), (20, "pump-0", "pump-19", 0, 20));
    assert_eq!(page(18, 5).await, (vec!["pump-18".into(), "pump-19".into()], 18, 20));
    assert_eq!(page(30, 5).await, (Vec::new(), 20, 20));
    assert!(handle.rollouts().await.unwrap().is_empty());
    engine.stop().await;
}

#[tokio::test]
async fn a_plan_names_devices_that_may_be_mistyped() {
    let (_data, engine, handle) = engine().await;
    let broker = Silent::start().await;
    let connection = broker.connection(&handle, Preset::Plain).await;
    fleet(&handle, &connection, 2).await;
    let plan = async |devices: &[&str]| {
        let devices = devices.iter().map(|device| (*device).to_owned()).collect();
        let target = RolloutTarget::Devices { devices };
        handle.plan_rollout(NewRollout { target, ..rollout(&connection) }).await.unwrap()
    };
    let mistyped = plan(&["pump-0", "pmup-1"]).await;
    let remark = "pmup-1 is not in the list of devices. Check the device ID.";
    assert!(mistyped.remarks.iter().any(|said| said == remark), "{:?}", mistyped.remarks);
    assert_eq!((mistyped.members, mistyped.presence_unknown), (2, 1));
    let known = plan(&["pump-0", "pump-1"]).await;
    assert!(known.remarks.iter().all(|said| !said.contains("list of devices")), "{:?}", known.remarks);
    engine.stop().await;
}

#[tokio::test]
async fn a_plan_knows_the_rate_of_its_broker() {
    let (_data, engine, handle) = engine().await;
    let broker = Silent::start().await;
    let connection = broker.connection(&handle, Preset::Aws).await;
    fleet(&handle, &connection, 1_001).await;
    let new = NewRollout { rate: Some(5_000), ..rollout(&connection) };
    let plan = handle.plan_rollout(new).await.unwrap();
    // 901 are online: 90 a second, and the last one's answer.
    assert_eq!(plan.expected_ms, Some(10_100));
    let remark = "Wilco sends at most 90 commands per second to AWS IoT Core, so a rate of 5,000 cannot be reached.";
    assert!(plan.remarks.iter().any(|said| said == remark), "{:?}", plan.remarks);
    engine.stop().await;
}
