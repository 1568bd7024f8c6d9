//! Other users of the computer cannot read a data directory.

use std::fs;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, ensure};
use wilco_tests::{Broker, Device, soon};

use crate::bench::Bench;

const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn files_and_folders_are_for_their_owner_alone_whatever_the_umask() -> Result<()> {
    let broker = Broker::plain()?;
    let _device = Device::start(&broker, "lamp-1", None)?;
    let bench = Bench::new()?;
    let data = bench.data.path().join("data");
    let mut added = bench.start_with_umask_0(&["connections", "add", "bench", "--url", &broker.url()])?;
    soon("end of the first run", PATIENCE, || added.ended())?;
    let watch = bench.start_with_umask_0(&["watch", "-c", "bench"])?;
    soon("socket", PATIENCE, || data.join("run/engine.sock").exists().then_some(()))?;
    bench.run(&["send", "-c", "bench", "-d", "lamp-1", "led", "on=true"])?.ended(0)?;
    bench.run(&["log", "-c", "bench", "-d", "lamp-1"])?.ended(0)?;

    let found = below(&data)?;
    ensure!(found.iter().any(|path| path.ends_with("wilco.sqlite3-wal")), "{found:?}");
    ensure!(found.iter().any(|path| is_socket(path)), "{found:?}");
    for path in found.iter().chain([&data]) {
        let mode = fs::metadata(path)?.permissions().mode() & 0o777;
        let expected = if path.is_dir() { 0o700 } else { 0o600 };
        ensure!(mode == expected, "{} has mode {mode:o}", path.display());
    }
    // Memory with secrets in it would be written to the disk.
    let limits = fs::read_to_string(format!("/proc/{}/limits", watch.id()))?;
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap_or_default();
    ensure!(core.split_whitespace().rev().nth(1) == Some("1"), "{core}");
    Ok(())
}

#[test]
fn a_long_path_has_its_socket_in_the_data_directory_too_and_not_where_others_write() -> Result<()> {
    let broker = Broker::plain()?;
    let bench = Bench::new()?;
    let data = bench.data.path().join("deep/".repeat(30));
    let path = data.display().to_string();
    let there = |arguments: &[&str]| bench.run(&[&["--data-dir", &path], arguments].concat());
    there(&["connections", "add", "bench", "--url", &broker.url()])?.ended(0)?;
    let mut watch = bench.start(&["--data-dir", &path, "watch", "-c", "bench"])?;
    soon("socket", PATIENCE, || is_socket(&data.join("run/engine.sock")).then_some(()))?;
    // The other run has the data, so this is its answer.
    ensure!(there(&["connections", "list"])?.ended(0)?.out.contains("bench"));

    // Somebody else's socket in a folder that others may enter is not asked: the folder is closed to them first.
    fs::set_permissions(data.join("run"), fs::Permissions::from_mode(0o777))?;
    there(&["connections", "list"])?.ended(0)?;
    ensure!(fs::metadata(data.join("run"))?.permissions().mode() & 0o777 == 0o700);
    watch.stop()?;
    Ok(())
}

#[test]
fn a_link_in_the_place_of_a_file_of_ours_is_not_followed() -> Result<()> {
    for name in ["wilco.sqlite3", "engine.lock"] {
        let bench = Bench::new()?;
        let data = bench.data.path().join("data");
        fs::create_dir(&data)?;
        let target = bench.data.path().join("theirs");
        fs::write(&target, "")?;
        std::os::unix::fs::symlink(&target, data.join(name))?;
        let refused = bench.run(&["connections", "add", "bench", "--url", "mqtt://localhost"])?;
        ensure!(refused.code == 2 && refused.err.contains("link"), "{name}: {refused:?}");
        ensure!(fs::read(&target)?.is_empty(), "{name} was written to");
    }
    Ok(())
}

fn is_socket(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|data| data.file_type().is_socket())
}

/// Everything below a directory.
fn below(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(below(&path)?);
        }
        found.push(path);
    }
    Ok(found)
}
