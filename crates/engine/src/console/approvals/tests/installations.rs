//! The fixture: installations that trust each other, and a rollout that waits for an approval.

#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    Engine, Handle,
    api::{
        ApprovalAnswer, AuditKind, AuditQuery, ConnectionEntry, ConnectionSettings, Failure, NewDevice, NewRollout,
        RolloutCommand, RolloutState, RolloutTarget, RolloutView, Settings, Verdict, WaitsFor,
    },
    chance::Chance,
    clock::{Source, tests::Played},
    console::fixture,
    paths::DataDir,
    vault::Vault,
};

const NOON: i64 = 1_795_435_200_000;
pub(super) const DAY: i64 = 86_400_000;

/// One installation: its data, its keyring and its clock.
pub(super) struct Installation {
    pub(super) data: tempfile::TempDir,
    pub(super) vault: Vault,
    pub(super) time: Arc<Played>,
}

impl Installation {
    pub(super) fn new() -> Installation {
        let time = Played::at("a", DAY, NOON);
        Installation { data: tempfile::tempdir().unwrap(), vault: Vault::in_memory(), time }
    }

    pub(super) async fn start(&self) -> Engine {
        let data_dir = DataDir::open(Some(self.data.path())).unwrap();
        let clocks = Source::Played(Arc::clone(&self.time));
        fixture::engine_with(&data_dir, self.vault.clone(), clocks, Chance::Computer).await
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.data.path().join(name)
    }
}

/// Ana's installation and Bo's.
pub(super) struct Installations {
    pub(super) ours: Installation,
    pub(super) theirs: Installation,
    pub(super) engine: Engine,
    pub(super) other: Engine,
    pub(super) ana: Handle,
    pub(super) bo: Handle,
}

impl Installations {
    /// Both run, and Ana's trusts Bo's.
    pub(super) async fn start() -> Installations {
        let two = Installations::strangers().await;
        trust(&two.ana, &two.bo, "Bo").await;
        two
    }

    /// Two that do not trust each other.
    pub(super) async fn strangers() -> Installations {
        let (ours, theirs) = (Installation::new(), Installation::new());
        let (engine, other) = (ours.start().await, theirs.start().await);
        let (ana, bo) = (engine.handle(), other.handle());
        Installations { ours, theirs, engine, other, ana, bo }
    }

    /// Starts a rollout at Ana's that waits for Bo's answer, which is not imported yet.
    pub(super) async fn answered(&self, verdict: Verdict) -> Answered {
        let plant = plant(&self.ana).await;
        let rollout = self.ana.start_rollout(restart(&plant)).await.unwrap();
        let answer = answered((&self.ana, &self.ours), &self.bo, &rollout.id, verdict).await;
        Answered { plant, rollout, answer }
    }

    pub(super) async fn stop(self) {
        self.engine.stop().await;
        self.other.stop().await;
    }
}

/// A rollout, its connection, and the file of the answer to its request.
pub(super) struct Answered {
    pub(super) plant: String,
    pub(super) rollout: RolloutView,
    pub(super) answer: PathBuf,
}

pub(super) async fn name_operator(handle: &Handle, name: &str) {
    let settings = Settings { operator_name: Some(name.into()), ..handle.settings().await.unwrap() };
    handle.change_settings(settings).await.unwrap();
}

pub(super) fn entry(needs_approval: bool) -> ConnectionEntry {
    let url = "mqtt://127.0.0.1:9".into();
    let settings = ConnectionSettings { needs_approval, ..ConnectionSettings::default() };
    ConnectionEntry { name: "plant".into(), url, settings, ..ConnectionEntry::default() }
}

/// A connection that requires approvals, with two devices.
pub(super) async fn plant(handle: &Handle) -> String {
    let id = handle.save_connection(entry(true)).await.unwrap().id;
    let device = |device: &str| NewDevice { device: device.into(), tags: vec!["all".into()], ..NewDevice::default() };
    handle.add_devices(&id, vec![device("pump-1"), device("pump-2")]).await.unwrap();
    id
}

pub(super) fn restart(connection: &str) -> NewRollout {
    NewRollout {
        connection: connection.into(),
        target: RolloutTarget::Devices { devices: vec!["pump-1".into(), "pump-2".into()] },
        command: RolloutCommand { name: "restart".into(), args: "{}".to_owned().into(), ..RolloutCommand::default() },
        rate: Some(20),
        note: Some("new firmware".into()),
        ..NewRollout::default()
    }
}

pub(super) fn waits(view: &RolloutView) -> bool {
    view.state == RolloutState::Waiting && view.waits_for == Some(WaitsFor::Approval)
}

/// Saves the request of a rollout, has it answered, and says where the answer lies.
pub(super) async fn answered(from: (&Handle, &Installation), by: &Handle, rollout: &str, verdict: Verdict) -> PathBuf {
    let (requester, at) = from;
    let (request, answer) = (at.path(&format!("{rollout}.request")), at.path(&format!("{rollout}.answer")));
    requester.save_approval_request(rollout, request.clone().into()).await.unwrap();
    answer_request(by, &request, &answer, verdict).await.unwrap();
    answer
}

pub(super) async fn answer_request(
    by: &Handle,
    request: &Path,
    to: &Path,
    verdict: Verdict,
) -> Result<PathBuf, Failure> {
    let seen = by.read_approval_request(request.to_owned()).await?;
    let note = Some("seen on the plan".to_owned());
    let answer = ApprovalAnswer { request: request.to_owned(), sha256: seen.sha256, verdict, note };
    by.answer_approval_request(answer, to.to_owned().into()).await
}

pub(super) async fn trust(handle: &Handle, other: &Handle, name: &str) {
    let key = other.identity().await.unwrap().public_key;
    handle.trust_installation(name, &key).await.unwrap();
}

pub(super) async fn audited(handle: &Handle, kind: AuditKind) -> Vec<String> {
    let query = AuditQuery { kinds: vec![kind], limit: 100, ..AuditQuery::default() };
    handle.audit(query).await.unwrap().entries.into_iter().map(|entry| entry.what).collect()
}
