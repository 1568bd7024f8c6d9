#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

mod installations;

use std::{fs, path::Path, time::Duration};

use tokio::time::{sleep, timeout};

use self::installations::{
    Answered, DAY, Installation, Installations, answer_request, answered, audited, entry, name_operator, plant,
    restart, trust, waits,
};
use crate::api::{
    ApprovalAnswer, AuditKind, ConnectionEntry, ConnectionSettings, FollowReason, Follows, NewCommand, NewRollout,
    RolloutAction, RolloutCommand, RolloutState, RolloutTarget, Verdict, WhichMembers,
};

#[tokio::test]
async fn a_dangerous_rollout_starts_only_with_the_approval_of_a_second_installation() {
    let two = Installations::strangers().await;
    let Installations { ours, engine, other, ana, bo, .. } = two;
    name_operator(&ana, "Ana").await;
    name_operator(&bo, "Bo").await;
    let plant = plant(&ana).await;
    assert!(ana.plan_rollout(restart(&plant)).await.unwrap().needs_approval);
    let rollout = ana.start_rollout(restart(&plant)).await.unwrap();
    assert!(waits(&rollout), "{rollout:?}");
    for action in [RolloutAction::Resume, RolloutAction::Pause, RolloutAction::StartNextStage] {
        let refused = ana.act_on_rollout(&rollout.id, action).await.unwrap_err();
        assert_eq!(refused.message, "The rollout waits for the approval of a second installation.");
    }

    // The owner turns the requirement off: what waits goes on waiting, also after a restart.
    let id = Some(plant.clone());
    ana.save_connection(ConnectionEntry { id, ..entry(false) }).await.unwrap();
    engine.stop().await;
    let engine = ours.start().await;
    let ana = engine.handle();
    let view = ana.rollouts().await.unwrap().remove(0);
    assert!(waits(&view), "{view:?}");
    assert_eq!(view.counts.pending, 2);

    // What the colleague sees.
    let request = ours.path("request");
    ana.save_approval_request("1", request.clone().into()).await.unwrap();
    let seen = bo.read_approval_request(request.clone()).await.unwrap();
    assert_eq!(seen.summary, "Wilco sends restart to 2 devices on plant.");
    assert_eq!(seen.note.as_deref(), Some("new firmware"));
    assert!(seen.facts.iter().any(|fact| fact.value == "at most 20 per second"), "{:?}", seen.facts);
    assert!(
        seen.facts.iter().any(|fact| fact.label == "Broker" && fact.value.contains("127.0.0.1")),
        "{:?}",
        seen.facts
    );
    let [sample] = &seen.samples[..] else { panic!("one sample is expected: {:?}", seen.samples) };
    assert_eq!((&*sample.dialect, &*sample.device, &*sample.request.topic), ("Wilco", "pump-1", "pump-1/req"));
    let payload: serde_json::Value = serde_json::from_str(&sample.request.payload).unwrap();
    assert_eq!((&payload["id"], &payload["command"]), (&"{id}".into(), &"restart".into()));
    assert_eq!((&payload["issued_at"], &payload["args"]), (&seen.created_at.into(), &serde_json::json!({})));
    assert_eq!(seen.devices.iter().map(|device| &*device.device).collect::<Vec<_>>(), ["pump-1", "pump-2"]);
    assert!(seen.from.name.starts_with("Ana on ") && seen.from.trusted_as.is_none(), "{:?}", seen.from);
    assert_eq!((seen.expires_at - seen.created_at, seen.refused), (7 * DAY, None));
    let own = ana.read_approval_request(request.clone()).await.unwrap();
    assert_eq!(own.refused.as_deref(), Some("This request was made by this installation."));

    let answer = ours.path("answer");
    answer_request(&bo, &request, &answer, Verdict::Approved).await.unwrap();
    let import = async |path: &Path| ana.import_approval(path.to_owned(), Some("1".into())).await;
    let untrusted = import(&answer).await.unwrap_err();
    assert!(untrusted.message.contains(&bo.identity().await.unwrap().fingerprint), "{untrusted:?}");
    assert!(untrusted.message.contains("not trusted here"), "{untrusted:?}");
    trust(&ana, &bo, "Bo").await;
    let started = import(&answer).await.unwrap();
    assert!(!waits(&started), "{started:?}");
    let decision = started.approval.unwrap().decision.unwrap();
    assert_eq!(
        (decision.verdict, &*decision.by, decision.note.as_deref()),
        (Verdict::Approved, "Bo", Some("seen on the plan"))
    );
    assert_eq!(decision.fingerprint, bo.identity().await.unwrap().fingerprint);

    // Used before.
    let again = import(&answer).await.unwrap_err();
    assert_eq!(again.message, "Rollout 1 no longer waits for an approval.");

    let our_entries = audited(&ana, AuditKind::Rollout).await;
    assert_eq!(
        our_entries,
        ["Started rollout 1, which Bo approved", "Requested approval of rollout 1: restart to 2 devices"]
    );
    assert_eq!(audited(&ana, AuditKind::Approval).await, ["Added Bo to the trusted installations"]);
    let their_entries = audited(&bo, AuditKind::Approval).await;
    assert!(
        their_entries[0].starts_with("Approved rollout 1 of Ana on ")
            && their_entries[0].ends_with(": restart to 2 devices")
    );
    engine.stop().await;
    other.stop().await;
}

#[tokio::test]
async fn each_answer_that_does_not_count_is_refused_in_its_own_words() {
    let Installations { ours, theirs, engine, other, ana, bo } = Installations::start().await;
    let stranger = Installation::new();
    let third = stranger.start().await;
    let eve = third.handle();
    let plant = plant(&ana).await;
    let first = ana.start_rollout(restart(&plant)).await.unwrap();
    let second = ana.start_rollout(restart(&plant)).await.unwrap();
    let of_first = answered((&ana, &ours), &bo, &first.id, Verdict::Approved).await;
    let check = async |path: &Path, rollout: Option<&str>, expected: &str| {
        let refused = ana.import_approval(path.to_owned(), rollout.map(str::to_owned)).await.unwrap_err();
        assert!(refused.message.contains(expected) && refused.hint.is_some(), "{expected}: {refused:?}");
        assert!(ana.rollouts().await.unwrap().iter().all(waits));
    };
    let altered = |from: &Path, change: (&str, &str)| {
        let text = fs::read_to_string(from).unwrap();
        assert!(text.contains(change.0), "{text}");
        let path = ours.path("altered");
        fs::write(&path, text.replacen(change.0, change.1, 1)).unwrap();
        path
    };
    check(&of_first, Some(&second.id), "The answer is for rollout 1, not for rollout 2.").await;
    check(&altered(&of_first, ("\"approved\"", "\"declined\"")), None, "was altered after it was signed").await;
    check(&altered(&of_first, ("\"rollout\":1", "\"rollout\":2")), None, "was altered after it was signed").await;
    check(&ours.path("1.request"), None, "is not an answer to an approval request").await;
    check(&ours.path("nowhere"), None, "Could not read").await;

    // An altered request cannot be signed, nor one that is replaced after it was seen.
    let request = altered(&ours.path("1.request"), ("pump-2", "pump-3"));
    let refused = answer_request(&bo, &request, &ours.path("x"), Verdict::Approved).await.unwrap_err();
    assert!(refused.message.contains("was altered after it was signed"), "{refused:?}");
    ana.save_approval_request(&second.id, ours.path("2.request").into()).await.unwrap();
    let seen = bo.read_approval_request(ours.path("1.request")).await.unwrap();
    let other_one =
        ApprovalAnswer { request: ours.path("2.request"), sha256: seen.sha256, verdict: Verdict::Approved, note: None };
    let refused = bo.answer_approval_request(other_one, ours.path("x").into()).await.unwrap_err();
    assert!(refused.message.contains("no longer contains the request that was shown"), "{refused:?}");

    // A key that is not trusted, and our own.
    let by_eve = ours.path("eve");
    answer_request(&eve, &ours.path("1.request"), &by_eve, Verdict::Approved).await.unwrap();
    check(&by_eve, None, "which is not trusted here").await;
    let refused = answer_request(&ana, &ours.path("1.request"), &ours.path("x"), Verdict::Approved).await.unwrap_err();
    assert!(refused.message.contains("made by this installation"), "{refused:?}");
    let own_key = ana.identity().await.unwrap().public_key;
    let refused = ana.trust_installation("me", &own_key).await.unwrap_err();
    assert!(refused.message.contains("this installation's own key"), "{refused:?}");
    // The same keyring with other data: somebody who tries to approve their own request.
    let double = Installation { vault: ours.vault.clone(), ..Installation::new() };
    let doubled = double.start().await;
    let refused = answer_request(&doubled.handle(), &ours.path("1.request"), &ours.path("x"), Verdict::Approved).await;
    assert!(refused.unwrap_err().message.contains("made by this installation"));
    doubled.stop().await;

    // The answer to the request of another installation, and one to an earlier request for the same number.
    let twin = Installation::new();
    let twins = twin.start().await;
    let its_plant = installations::plant(&twins.handle()).await;
    twins.handle().start_rollout(restart(&its_plant)).await.unwrap();
    let of_twin = answered((&twins.handle(), &twin), &bo, "1", Verdict::Approved).await;
    check(&of_twin, None, "is for a rollout of another installation").await;
    twins.stop().await;

    // On a connection that was changed to another broker.
    let moved = ConnectionEntry { id: Some(plant.clone()), url: "mqtt://127.0.0.1:10".into(), ..entry(true) };
    ana.save_connection(moved).await.unwrap();
    check(&of_first, None, "is for mqtt://127.0.0.1:9, but the connection 'plant' has changed since").await;
    // In another dialect than the approved one.
    let settings = ConnectionSettings { dialects: vec!["text".into()], ..entry(true).settings };
    ana.save_connection(ConnectionEntry { id: Some(plant.clone()), settings, ..entry(true) }).await.unwrap();
    check(&of_first, None, "Rollout 1 was approved with an earlier version of the dialect wilco").await;
    ana.save_connection(ConnectionEntry { id: Some(plant.clone()), ..entry(true) }).await.unwrap();

    // Too late.
    ours.time.pass(7 * DAY);
    check(&of_first, None, "has expired").await;
    theirs.time.pass(7 * DAY);
    let late = bo.read_approval_request(ours.path("1.request")).await.unwrap();
    assert_eq!(late.refused.as_deref(), Some("This request has expired."));
    for engine in [engine, other, third] {
        engine.stop().await;
    }
}

#[tokio::test]
async fn a_declined_rollout_is_stopped_with_the_reason() {
    let two = Installations::start().await;
    let Answered { answer, .. } = two.answered(Verdict::Declined).await;
    let ana = &two.ana;
    let stopped = ana.import_approval(answer, None).await.unwrap();
    assert_eq!((stopped.state, stopped.counts.pending), (RolloutState::Stopped, 2));
    assert_eq!(stopped.why.as_deref(), Some("Bo declined it: seen on the plan."));
    assert!(stopped.ended_at.is_some());
    assert_eq!(audited(ana, AuditKind::Rollout).await[0], "Stopped rollout 1, which Bo declined");
    two.stop().await;
}

#[tokio::test]
async fn there_is_no_way_around_an_approval() {
    let ours = Installation::new();
    let engine = ours.start().await;
    let handle = engine.handle();
    let plant = plant(&handle).await;
    let first = handle.start_rollout(restart(&plant)).await.unwrap();
    handle.act_on_rollout(&first.id, RolloutAction::Stop).await.unwrap();
    let members = |which| RolloutTarget::Members { rollout: first.id.clone(), which };
    let follows = |reason| Some(Follows { rollout: first.id.clone(), reason });
    for (target, follows) in [
        (members(WhichMembers::All), follows(FollowReason::SendAgain)),
        (members(WhichMembers::FailedOrNotStarted), follows(FollowReason::RetryFailedAndNotStarted)),
        (RolloutTarget::Search { search: "pump".into() }, None),
        (RolloutTarget::Broadcast { group: None, search: String::new() }, None),
        (RolloutTarget::Broadcast { group: Some("all".into()), search: String::new() }, None),
        // Of a single device too: it is a rollout all the same.
        (RolloutTarget::Devices { devices: vec!["pump-1".into()] }, None),
    ] {
        // A broadcast has no rate.
        let new = NewRollout { target: target.clone(), follows, rate: None, ..restart(&plant) };
        let view = handle.start_rollout(new).await.unwrap();
        assert!(waits(&view), "{target:?}: {view:?}");
    }
    // Several at once are no rollout, and so cannot be approved.
    let send = |devices: &[&str]| NewCommand {
        connection: plant.clone(),
        devices: devices.iter().map(|device| (*device).to_owned()).collect(),
        command: "restart".into(),
        args: "{}".to_owned().into(),
        ..NewCommand::default()
    };
    let refused = handle.send(send(&["pump-1", "pump-2"])).await.unwrap_err();
    assert!(refused.message.contains("restart to several devices needs the approval"), "{refused:?}");
    let check = handle.check_command(send(&["pump-1", "pump-2"])).await.unwrap();
    assert_eq!(check.refused, Some(refused.message));
    // A single command needs none, and what is not dangerous neither.
    handle.send(send(&["pump-1"])).await.unwrap();
    let harmless =
        RolloutCommand { name: "identify".into(), args: "{}".to_owned().into(), ..RolloutCommand::default() };
    let view = handle.start_rollout(NewRollout { command: harmless, ..restart(&plant) }).await.unwrap();
    assert!(!waits(&view) && view.approval.is_none(), "{view:?}");
    engine.stop().await;
}

#[tokio::test]
async fn an_approved_rollout_is_paused_when_its_connection_reaches_another_broker() {
    let two = Installations::start().await;
    let Answered { plant, rollout, answer } = two.answered(Verdict::Approved).await;
    let ana = &two.ana;
    ana.import_approval(answer, None).await.unwrap();
    let moved = ConnectionEntry { id: Some(plant.clone()), url: "mqtt://127.0.0.1:10".into(), ..entry(true) };
    ana.save_connection(moved).await.unwrap();
    let refused = ana.act_on_rollout(&rollout.id, RolloutAction::Resume).await.unwrap_err();
    assert!(refused.message.contains("The approval of rollout 1 is for mqtt://127.0.0.1:9"), "{refused:?}");
    let paused = async {
        while ana.rollouts().await.unwrap()[0].state != RolloutState::Paused {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(20), paused).await.unwrap();
    ana.save_connection(ConnectionEntry { id: Some(plant), ..entry(true) }).await.unwrap();
    ana.act_on_rollout(&rollout.id, RolloutAction::Resume).await.unwrap();
    two.stop().await;
}

#[tokio::test]
async fn a_rollout_that_was_altered_after_its_request_does_not_start() {
    let two = Installations::start().await;
    let Answered { rollout, answer, .. } = two.answered(Verdict::Approved).await;
    let Installations { ours, engine, other, ana, .. } = two;
    ana.note_rollout(&rollout.id, Some("a note may change".into())).await.unwrap();
    engine.stop().await;
    let meddle = |sql: &str| {
        let database = rusqlite::Connection::open(ours.data.path().join(crate::store::FILE_NAME)).unwrap();
        assert_eq!(database.execute(sql, []).unwrap(), 1, "{sql}");
    };
    for (sql, back) in [
        (
            r#"template = json_set(template, '$.args', '{"delay_ms":1}')"#,
            "template = json_set(template, '$.args', '{}')",
        ),
        ("spec = json_set(spec, '$.rate', 500)", "spec = json_set(spec, '$.rate', 20)"),
        ("spec = json_set(spec, '$.command.name', 'identify')", "spec = json_set(spec, '$.command.name', 'restart')"),
    ] {
        meddle(&format!("UPDATE rollouts SET {sql}"));
        let engine = ours.start().await;
        let refused = engine.handle().import_approval(answer.clone(), None).await.unwrap_err();
        assert!(refused.message.contains("does not match its request"), "{sql}: {refused:?}");
        engine.stop().await;
        meddle(&format!("UPDATE rollouts SET {back}"));
    }
    // Started without any answer, it is found by the audit.
    meddle("UPDATE rollouts SET progress = json_remove(progress, '$.suspension')");
    let engine = ours.start().await;
    let found = engine.handle().verify_audit().await.unwrap();
    let [problem] = &found.problems[..] else { panic!("one problem is expected: {found:?}") };
    assert!(problem.text.ends_with("it is running, but no entry records its approval."), "{problem:?}");
    engine.stop().await;
    meddle(r#"UPDATE rollouts SET progress = json_set(progress, '$.suspension', json('{"kind":"unapproved"}'))"#);
    let engine = ours.start().await;
    assert!(!waits(&engine.handle().import_approval(answer, None).await.unwrap()));
    assert!(engine.handle().verify_audit().await.unwrap().holds());
    engine.stop().await;
    other.stop().await;
}

#[tokio::test]
async fn an_approval_is_not_used_again_in_an_older_copy_of_the_database() {
    let two = Installations::start().await;
    let Answered { answer, .. } = two.answered(Verdict::Approved).await;
    let Installations { ours, engine, other, .. } = two;
    engine.stop().await;
    let (file, copy) = (ours.path(crate::store::FILE_NAME), ours.path("copy"));
    fs::copy(&file, &copy).unwrap();
    let engine = ours.start().await;
    assert!(!waits(&engine.handle().import_approval(answer.clone(), None).await.unwrap()));
    engine.stop().await;

    fs::copy(&copy, &file).unwrap();
    let engine = ours.start().await;
    let ana = engine.handle();
    assert!(waits(&ana.rollouts().await.unwrap()[0]));
    let refused = ana.import_approval(answer.clone(), None).await.unwrap_err();
    assert!(refused.message.contains("may have been used before"), "{refused:?}");
    // Somebody has looked, and says why.
    ana.reseal_audit("restored the backup; the rollout had not begun").await.unwrap();
    assert!(!waits(&ana.import_approval(answer, None).await.unwrap()));
    engine.stop().await;
    other.stop().await;
}

#[tokio::test]
async fn an_installation_is_trusted_by_the_file_that_it_has_saved() {
    let two = Installations::strangers().await;
    let Installations { ours, engine, other, ana, bo, .. } = two;
    let file = ours.path("bo.wilco-identity");
    bo.export_identity(file.clone().into()).await.unwrap();
    let read = ana.read_identity(file.clone()).await.unwrap();
    assert_eq!(read, bo.identity().await.unwrap());
    let trusted = ana.trust_installation(&read.name, &read.public_key).await.unwrap();
    assert_eq!(
        (&trusted.fingerprint, ana.trusted_installations().await.unwrap()),
        (&read.fingerprint, vec![trusted.clone()])
    );
    let twice = ana.trust_installation("other", &read.public_key).await.unwrap_err();
    assert!(twice.message.contains("already trusted"), "{twice:?}");
    for key in ["", "ab", "zz"] {
        assert!(ana.trust_installation("Eve", key).await.unwrap_err().message.contains("not a public key"));
    }
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replacen(" on ", " at ", 1)).unwrap();
    assert!(ana.read_identity(file).await.unwrap_err().message.contains("was altered"));
    ana.distrust_installation(&trusted.name).await.unwrap();
    assert!(ana.distrust_installation(&trusted.name).await.is_err());
    assert_eq!(ana.trusted_installations().await.unwrap(), []);
    let expected = [
        format!("Removed {} from the trusted installations", read.name),
        format!("Added {} to the trusted installations", read.name),
    ];
    assert_eq!(audited(&ana, AuditKind::Approval).await, expected);
    engine.stop().await;
    other.stop().await;
}
