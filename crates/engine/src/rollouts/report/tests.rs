#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use serde_json::json;

use super::{Report, report};
use crate::api::{
    AnswerTimes, Cause, CommandState, MemberCounts, MemberView, NewRollout, ReportFormat, RolloutCommand,
    RolloutDetail, RolloutState, RolloutTarget, RolloutView, SharedTrait, SlowAnswers, SlowTrait, StageView, TraitKind,
    UnexpectedDevice,
};

fn detail() -> RolloutDetail {
    let counts =
        MemberCounts { succeeded: 2_096, unconfirmed: 4, failed: 2, cancelled: 3, held: 1, ..MemberCounts::default() };
    let command = RolloutCommand { name: "led".into(), args: json!({"on": true}).into(), ..RolloutCommand::default() };
    let spec = NewRollout {
        name: Some("Lights <on>".into()),
        note: Some("Asked for by *Ann*.\nSee ticket 7.".into()),
        target: RolloutTarget::Search { search: "tag:hall".into() },
        command,
        ..NewRollout::default()
    };
    let stage = StageView {
        members: 2_106,
        counts,
        waiting_for_offline: 0,
        started_at: Some(0),
        ended_at: Some(9),
        closed: true,
    };
    let rollout = RolloutView {
        id: "3".into(),
        number: 3,
        spec,
        state: RolloutState::Finished,
        waits_for: None,
        approval: None,
        why: None,
        stages: vec![stage],
        stage: 0,
        counts,
        members: 2_106,
        ended_before: 0,
        failed_before: 0,
        started_at: 0,
        changed_at: 9,
        ended_at: Some(9),
    };
    RolloutDetail {
        rollout,
        answer_times: AnswerTimes {
            count: 2_106,
            bucket_ms: 5.0,
            buckets: vec![2_000, 0, 106],
            p50_ms: Some(4.0),
            p95_ms: Some(5.0),
            p99_ms: Some(14.0),
            max_ms: Some(900.0),
        },
        firmware_times: Vec::new(),
        causes: vec![Cause { message: "<b>jammed</b>".into(), state: CommandState::Failed, count: 2 }],
        shared: vec![SharedTrait {
            kind: TraitKind::Firmware,
            value: "2.3.0".into(),
            failed_with: 2,
            failed: 2,
            succeeded_with: 1,
            succeeded: 2_104,
            search: "firmware:=2.3.0".into(),
        }],
        slow: Some(SlowAnswers {
            above_ms: 254.0,
            count: 106,
            shared: vec![SlowTrait {
                kind: TraitKind::Tag,
                value: "kitchen".into(),
                slow_with: 104,
                quick_with: 3,
                quick: 2_000,
                search: "tag:kitchen".into(),
            }],
        }),
        disagree: 2,
        disagreed: 3,
        followed_by: vec!["4".into()],
        unexpected_devices: vec![UnexpectedDevice {
            device: "lamp-9".into(),
            state: CommandState::Succeeded,
            message: None,
            at: 1_000,
        }],
        unexpected_count: 7,
    }
}

fn failed() -> MemberView {
    MemberView {
        device: "pump-7".into(),
        stage: 0,
        state: CommandState::Failed.into(),
        command: None,
        message: Some("<b>jammed</b>".into()),
        attempts: 1,
        released_at: None,
        finished_at: Some(9),
        took_ms: None,
        firmware: Some("2.3.0".into()),
        args: None,
        earlier: None,
        disagrees: None,
    }
}

#[test]
fn a_report_says_what_was_done_and_what_failed() {
    let detail = detail();
    let failed = [failed()];
    let slow = MemberView { took_ms: Some(900.4), device: "<b>slow</b>".into(), ..failed[0].clone() };
    let slowest = [slow, failed[0].clone()];
    let written = Report { detail: &detail, connection: "plant", failed: &failed, slowest: &slowest, at: 1_000 };
    let check = |format: ReportFormat, expected: &[&str]| {
        let text = report(&written, format).unwrap();
        for expected in expected {
            assert!(text.contains(expected), "{expected} is missing:\n{text}");
        }
        assert!(!text.contains("<b>") && !text.contains("<on>"), "{text}");
    };
    check(
        ReportFormat::Markdown,
        &[
            "# Rollout 3: Lights \\<on\\>",
            "| Target | devices that match tag:hall |",
            "| Command | led \\{\"on\":true\\} |",
            "| Followed by | 4 |",
            "> Asked for by \\*Ann\\*.\\\n> See ticket 7.",
            "| succeeded | 2,096 |",
            "| cancelled | 3 |",
            "| 1 | 2,106 | 2,096 | 4 | 2 | 3 | 1 | 1970-01-01T00:00:00.000Z | 1970-01-01T00:00:00.009Z, closed \
             manually |",
            "| \\<b\\>slow\\</b\\> | 900 ms | failed | 2.3.0 |",
            "3 devices answered that they succeeded, but reported other values afterwards. 2 still do.",
            "1 of 7 are listed.",
            "| 2,106 | 4 ms | 5 ms | 14 ms | 900 ms |",
            "| 10 ms and more | 106 | ██ |",
            "Common traits of the devices that took longer than 254 ms:",
            "| Tag kitchen | 104 of 106 | 3 of 2,000 | tag:kitchen |",
            "| 2 | failed | \\<b\\>jammed\\</b\\> |",
            "| Firmware 2.3.0 | 2 of 2 | 1 of 2,104 | firmware:=2.3.0 |",
            "| pump-7 | 1 | failed | 2.3.0 |",
            "| lamp-9 | succeeded | 1970-01-01T00:00:01.000Z |",
            "1 of 5 failed devices are listed.",
        ],
    );
    check(
        ReportFormat::Html,
        &[
            "<title>Rollout 3: Lights &lt;on&gt;</title>",
            "default-src 'none'",
            "<tr><th>Target</th><td>devices that match tag:hall</td></tr>",
            "<blockquote>Asked for by *Ann*.\nSee ticket 7.</blockquote>",
            "<td>&lt;b&gt;jammed&lt;/b&gt;</td>",
            "<td>Firmware 2.3.0</td><td>2 of 2</td>",
        ],
    );
    assert!(report(&written, ReportFormat::Csv).is_none());
}
