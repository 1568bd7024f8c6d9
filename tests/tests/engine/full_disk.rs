//! A full disk: nothing is sent that is not stored, and no answer is lost.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use wilco_engine::api::{Client, CommandState, Failure, FailureCode, HistoryQuery, LinkState};
use wilco_engine::paths::DataDir;
use wilco_engine::store::FILE_NAME;
use wilco_engine::vault::Vault;
use wilco_engine::{Engine, Options};
use wilco_tests::{Broker, Child, soon};

use crate::desk::{Desk, PATIENCE, Watch, answer, led, plain};
use crate::wire::{EVERY_PACKET, acknowledged, handed_out, published};

const DISK: &str = "WILCO_TEST_SMALL_DISK";
const MOUNTED: &str = "WILCO_TEST_SMALL_DISK_IS_MOUNTED";

/// Where the data lies, and how its room is taken and given back.
enum Disk {
    /// A file system of its own, small, in memory.
    Mounted(PathBuf),
    /// Where nothing can be mounted: files may not grow any more.
    Limited(PathBuf),
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_full_disk_nothing_is_sent_or_lost_and_work_continues_automatically() -> Result<()> {
    // Where nothing can be mounted, a limit has to stand for the full disk.
    on_a_small_disk("full_disk::on_a_full_disk_nothing_is_sent_or_lost_and_work_continues_automatically", mounting())
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_used_up_quota_nothing_is_sent_or_lost_and_work_continues_automatically() -> Result<()> {
    on_a_small_disk("full_disk::with_a_used_up_quota_nothing_is_sent_or_lost_and_work_continues_automatically", None)
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_starts_on_a_full_disk_shows_the_history_and_continues_automatically() -> Result<()> {
    let test = "full_disk::an_engine_that_starts_on_a_full_disk_shows_the_history_and_continues_automatically";
    on_a_small_disk(test, mounting()).await
}

/// Runs the test of that name again, in a process of its own that has a small disk.
async fn on_a_small_disk(test: &str, mounting: Option<&[&str]>) -> Result<()> {
    if let Some(directory) = std::env::var_os(DISK) {
        let directory = PathBuf::from(directory);
        let mounted = std::env::var_os(MOUNTED).is_some();
        let disk = if mounted { Disk::Mounted(directory) } else { Disk::Limited(directory) };
        return if test.contains("starts") { start_scenario(&disk).await } else { scenario(&disk).await };
    }
    let directory = tempfile::tempdir()?;
    let data = directory.path().join("data");
    std::fs::create_dir(&data)?;
    let mut command = match mounting {
        Some(arguments) => {
            let mut command = Child::command("unshare");
            command
                .args(arguments)
                .args(["sh", "-c", r#"mount -t tmpfs -o size=6m none "$0" && exec "$@""#])
                .arg(&data);
            command.env(MOUNTED, "1");
            command
        }
        None => {
            // Otherwise a write beyond the limit kills the process before it can be told.
            let mut command = Child::command("sh");
            command.args(["-c", r#"trap "" XFSZ; exec "$@""#, "sh"]);
            command
        }
    };
    let log = directory.path().join("log");
    command.arg(std::env::current_exe()?).args(["--exact", test, "--nocapture"]);
    command.env(DISK, &data).stdout(File::create(&log)?);
    let mut child = Child::start(&mut command, &log)?;
    let status = soon("end of the run on a small disk", PATIENCE, || child.ended()).with_context(|| child.log())?;
    ensure!(status.success(), "{}", child.log());
    Ok(())
}

async fn scenario(disk: &Disk) -> Result<()> {
    let broker = Broker::start(&EVERY_PACKET)?;
    let desk = Desk::at(disk.path(), Vault::in_memory()).await?;
    let connection = desk.connect(plain("bench", &broker)).await?;
    let client = desk.console().connections().await?[0].client_id.clone();
    let asked = desk.send(led(&connection, "before")).await?;
    desk.reaches("before", &asked, CommandState::AtBroker).await?;

    let more_room = disk.fill()?;
    broker.publish("before/resp", &answer(&asked, "succeeded"), false)?;
    desk.link(&connection, "sentence about the disk", |link| match link {
        LinkState::Waiting { message, .. } => message.contains(disk.sentence()).then_some(()),
        _ => None,
    })
    .await?;
    assert_eq!((handed_out(&broker, &client, "before/resp"), acknowledged(&broker, &client, "before/resp")), (1, 0));
    assert_eq!(desk.evidence(&connection, "before", &asked).await?.command.state, CommandState::AtBroker);
    let shown = desk.seen().states.iter().any(|(_, id, state)| *id == asked && *state == CommandState::Succeeded);
    assert!(!shown, "it was shown as succeeded before that was written down");

    let failure: Failure = desk.console().send(led(&connection, "refused")).await.err().context("it was sent")?;
    assert_eq!(failure.code, FailureCode::Store);
    assert!(failure.message.contains(disk.sentence()) && failure.hint.is_some(), "{failure:?}");
    let kept = desk.console().history(HistoryQuery { limit: 10, ..HistoryQuery::default() }).await?;
    ensure!(kept.commands.len() == 1 && kept.commands[0].id == asked, "{kept:?}");
    desk.notice(disk.sentence()).await?;
    if let Disk::Mounted(path) = disk {
        // A limit on the size of a file lets a small one through.
        let export = path.join("connections.json");
        let refused = desk.console().export_connections(&[], export.clone().into(), None).await;
        let failure = refused.err().context("it was exported")?;
        ensure!(failure.code == FailureCode::File && failure.message.contains("The disk is full"), "{failure:?}");
        ensure!(!export.exists() && !export.with_added_extension("part").exists(), "half a file was left");
    }

    disk.free(more_room)?;
    desk.online(&connection).await?;
    let settled = desk.ended("before", &asked).await?;
    assert_eq!((settled.state, settled.late, settled.duplicates), (CommandState::Succeeded, false, 0), "{settled:#?}");
    soon("acknowledgement to the broker", PATIENCE, || {
        (acknowledged(&broker, &client, "before/resp") == 1).then_some(())
    })?;
    let after = desk.send(led(&connection, "after")).await?;
    desk.reaches("after", &after, CommandState::AtBroker).await?;
    for (device, times) in [("before", 1), ("refused", 0), ("after", 1)] {
        assert_eq!(published(&broker, &format!("{device}/req")), times, "{device}");
    }
    Ok(())
}

async fn start_scenario(disk: &Disk) -> Result<()> {
    let broker = Broker::start(&EVERY_PACKET)?;
    let vault = Vault::in_memory();
    let mut desk = Desk::at(disk.path(), vault.clone()).await?;
    let connection = desk.connect(plain("bench", &broker)).await?;
    let client = desk.console().connections().await?[0].client_id.clone();
    let asked = desk.send(led(&connection, "before")).await?;
    desk.reaches("before", &asked, CommandState::AtBroker).await?;
    desk.close().await;
    broker.publish("before/resp", &answer(&asked, "succeeded"), false)?;

    let more_room = disk.fill_at_rest()?;
    let options = || -> Result<Options> {
        Ok(Options { data_dir: DataDir::open(Some(disk.path()))?, vault: vault.clone(), passing: false })
    };
    let failure = Engine::start(options()?).await.err().context("it has started")?;
    ensure!(failure.code == FailureCode::Store && failure.message.contains("disk is full"), "{failure:?}");
    let engine = Engine::begin(options()?).await?;
    let watch = Watch::on(Client::new(engine.handle())).await?;
    watch.notice("disk is full").await?;
    watch
        .link(&connection, "sentence about the disk", |link| match link {
            LinkState::Waiting { message, hint, .. } => (message.contains("disk is full")
                && hint.as_ref().is_some_and(|hint| hint.contains("automatically")))
            .then_some(()),
            _ => None,
        })
        .await?;
    let query = || HistoryQuery { limit: 10, ..HistoryQuery::default() };
    let kept = watch.console().history(query()).await?;
    ensure!(kept.commands.len() == 1 && kept.commands[0].state == CommandState::AtBroker, "{kept:?}");
    let refused = watch.console().send(led(&connection, "refused")).await.err().context("it was sent")?;
    ensure!(refused.code == FailureCode::Store, "{refused:?}");
    let settings = watch.console().settings().await?;
    ensure!(watch.console().change_settings(settings).await.is_err(), "a setting was changed");
    assert_eq!(watch.console().history(query()).await?.commands, kept.commands);
    assert_eq!(acknowledged(&broker, &client, "before/resp"), 0);

    disk.free(more_room)?;
    watch.online(&connection).await?;
    let settled = watch.ended("before", &asked).await?;
    assert_eq!((settled.state, settled.duplicates), (CommandState::Succeeded, 0), "{settled:#?}");
    let after = watch.send(led(&connection, "after")).await?;
    watch.reaches("after", &after, CommandState::AtBroker).await?;
    for (device, times) in [("before", 1), ("refused", 0), ("after", 1)] {
        assert_eq!(published(&broker, &format!("{device}/req")), times, "{device}");
    }
    engine.stop().await;
    desk.open().await?;
    let kept = desk.console().history(query()).await?;
    assert_eq!(kept.commands.len(), 2, "{kept:?}");
    Ok(())
}

/// What `unshare` needs to be told so that something can be mounted; `None` where that is not allowed at all.
fn mounting() -> Option<&'static [&'static str]> {
    let ways: [&[&str]; 2] = [&["--mount"], &["--user", "--map-root-user", "--mount"]];
    let works = |way: &&[&str]| {
        let tried = Command::new("unshare").args(*way).args(["mount", "-t", "tmpfs", "none", "/mnt"]).output();
        tried.is_ok_and(|output| output.status.success())
    };
    ways.into_iter().find(works)
}

impl Disk {
    fn path(&self) -> &Path {
        match self {
            Disk::Mounted(path) | Disk::Limited(path) => path,
        }
    }

    fn sentence(&self) -> &'static str {
        match self {
            Disk::Mounted(_) => "he disk is full",
            Disk::Limited(_) => "cannot be written to",
        }
    }

    /// Takes all the room; returns what gives it back.
    fn fill(&self) -> Result<Room> {
        match self {
            Disk::Mounted(path) => {
                let path = path.join("filler");
                let mut filler = File::create(&path)?;
                for size in [4_096, 1] {
                    while filler.write_all(&vec![0; size]).is_ok() {}
                }
                Ok(Room::Filler(path))
            }
            Disk::Limited(path) => {
                let before = getrlimit(Resource::Fsize);
                let log = path.join(format!("{FILE_NAME}-wal"));
                let current = Some(std::fs::metadata(log)?.len());
                setrlimit(Resource::Fsize, Rlimit { current, maximum: before.maximum })?;
                Ok(Room::Limit(before))
            }
        }
    }

    /// The same while no engine has the data.
    fn fill_at_rest(&self) -> Result<Room> {
        match self {
            Disk::Mounted(_) => self.fill(),
            Disk::Limited(_) => {
                let before = getrlimit(Resource::Fsize);
                setrlimit(Resource::Fsize, Rlimit { current: Some(0), maximum: before.maximum })?;
                Ok(Room::Limit(before))
            }
        }
    }

    fn free(&self, room: Room) -> Result<()> {
        match (self, room) {
            (Disk::Mounted(_), Room::Filler(path)) => Ok(std::fs::remove_file(path)?),
            (Disk::Limited(_), Room::Limit(before)) => Ok(setrlimit(Resource::Fsize, before)?),
            _ => bail!("room of another disk"),
        }
    }
}

enum Room {
    Filler(PathBuf),
    Limit(Rlimit),
}
