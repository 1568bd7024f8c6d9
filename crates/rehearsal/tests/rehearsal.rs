//! Rehearsals on real virtual devices, a real broker inside the process and a real engine.

use wilco_engine::api::{
    CommandDefinition, FailureCode, FaultDials, HaltLimit, HaltRule, NewRollout, Presence, RehearsalPlan,
    RehearsalView, RehearsedDevice, RolloutCommand, RolloutState, Settings, StageSize,
};
use wilco_rehearsal::{MOST_DEVICES, Rehearsal};

fn device(n: usize) -> RehearsedDevice {
    RehearsedDevice {
        device: format!("pump-{n}"),
        firmware: Some("2.3.0".into()),
        tags: vec!["hall".into()],
        led: false,
        presence: Presence::Online,
        p50_ms: 5.0,
        p95_ms: 9.0,
        args: None,
    }
}

fn settings() -> Settings {
    Settings {
        history_days: None,
        audit_days: None,
        telemetry_days: 1,
        evidence_bytes: 1_000_000_000,
        device_evidence_bytes: 1_000_000,
        timeout_s: 10,
        time_to_live_s: 60,
        notify_failed: false,
        notify_long: false,
        long_after_s: 60,
        operator_name: None,
    }
}

fn plan(devices: Vec<RehearsedDevice>, command: &str, args: &str) -> RehearsalPlan {
    let command = RolloutCommand { name: command.into(), args: args.to_owned().into(), ..RolloutCommand::default() };
    let rollout = NewRollout { command, ..NewRollout::default() };
    RehearsalPlan { rollout, devices, definition: None, settings: settings(), pause_ms: 0, remarks: Vec::new() }
}

async fn rehearse(plan: RehearsalPlan, dials: FaultDials) -> RehearsalView {
    let rehearsal = Rehearsal::prepare(plan, &dials).await.expect("prepared");
    let mut told = 0;
    let ended = rehearsal.run(|_| told += 1).await.expect("run");
    assert!(ended.ended && told > 1, "{told} changes");
    rehearsal.stop().await;
    ended
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rehearsal_goes_through_all_stages_with_the_arguments_of_each_device() {
    let own = r#"{"changes":{"made-up":1},"apply":"now"}"#;
    let devices = (0..10).map(|n| RehearsedDevice { args: Some(own.to_owned().into()), ..device(n) }).collect();
    let mut plan = plan(devices, "config.set", "{}");
    plan.rollout.stages = vec![StageSize::Devices { count: 2 }, StageSize::Percent { percent: 100.0 }];
    plan.pause_ms = 60_000;
    let ended = rehearse(plan, FaultDials::default()).await;
    // The reference device has no such key; a rehearsed one accepts what the real one may have.
    assert_eq!((ended.rollout.state, ended.rollout.counts.succeeded), (RolloutState::Finished, 10), "{ended:?}");
    assert_eq!((ended.rollout.stages.len(), ended.left_out_ms, ended.answer_times.count), (2, 60_000, 10));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rehearsal_halts_and_says_why() {
    let mut plan = plan((0..20).map(device).collect(), "restart", "{}");
    plan.rollout.in_flight = Some(1);
    plan.rollout.halt = Some(HaltRule { above: HaltLimit::Members { count: 2 }, after: 1, count_timeouts: true });
    let ended = rehearse(plan, FaultDials { fail: 1.0, ..FaultDials::default() }).await;
    let counts = ended.rollout.counts;
    assert_eq!((ended.rollout.state, counts.failed, counts.pending), (RolloutState::Halted, 3, 17), "{ended:?}");
    assert!(ended.rollout.why.is_some() && !ended.causes.is_empty(), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn devices_that_are_offline_are_not_waited_for() {
    let devices = (0..6).map(|n| match n {
        0 | 5 => RehearsedDevice { presence: Presence::Offline, ..device(n) },
        _ => device(n),
    });
    let mut plan = plan(devices.collect(), "led", r#"{"on":true}"#);
    plan.rollout.stages = vec![StageSize::Devices { count: 2 }, StageSize::Percent { percent: 100.0 }];
    let ended = rehearse(plan, FaultDials::default()).await;
    assert_eq!((ended.rollout.counts.succeeded, ended.waiting_for_offline), (4, 2), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_of_ones_own_keeps_its_timeout_and_what_cannot_be_is_refused() {
    let mut own = plan((0..3).map(device).collect(), "flush", "{}");
    own.definition = Some(CommandDefinition {
        name: "flush".into(),
        title: "Flush".into(),
        connection: None,
        schema: serde_json::json!({ "type": "object" }).into(),
        topic: None,
        payload: None,
        plain: false,
        timeout_ms: 300,
        ttl_ms: 5_000,
        safe_to_repeat: false,
        dangerous: true,
        answer_expected: true,
        icon: "wrench".into(),
    });
    let ended = rehearse(own.clone(), FaultDials { drop: 1.0, ..FaultDials::default() }).await;
    assert_eq!(ended.rollout.counts.timed_out, 3, "{ended:?}");

    let code = async |plan, dials: FaultDials| Rehearsal::prepare(plan, &dials).await.err().map(|failure| failure.code);
    assert_eq!(code(own, FaultDials { fail: 2.0, ..FaultDials::default() }).await, Some(FailureCode::Invalid));
    let many = plan((0..=MOST_DEVICES).map(device).collect(), "led", r#"{"on":true}"#);
    assert_eq!(code(many, FaultDials::default()).await, Some(FailureCode::Invalid));
}
