//! Tests a .deb as a user would: installs it, starts the app from its desktop entry, uses it with the installed command
//! line, and removes it again. `cargo xtask bundle --test` runs it.
//!
//! The arguments are the package and a `wilco-device` to command. It changes this machine while it runs, so it needs
//! root and refuses to touch an installed Wilco.

#![expect(clippy::print_stdout, reason = "it prints what it saw to the terminal")]

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use wilco_tests::{Broker, Child, Display, Keyring, Session, soon};

const PACKAGE: &str = "wilco";
const ENTRY: &str = "/usr/share/applications/Wilco.desktop";
const APP: &str = "/usr/bin/wilco-desktop";
const COMMAND_LINE: &str = "/usr/bin/wilco";

/// Where a package, or a program that it brought, could leave something behind.
const WATCHED: [&str; 4] = ["/usr", "/etc", "/opt", "/var/lib"];
/// What the package tools keep there for themselves.
const THEIRS: [&str; 2] = ["/var/lib/dpkg", "/var/lib/apt"];

fn main() -> Result<()> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let package = arguments.next().context("which package is to be tried?")?.canonicalize()?;
    let device = arguments.next().context("which wilco-device is to be commanded?")?;
    if !rustix::process::getuid().is_root() {
        bail!("installing a package needs root. Start it as root, best in a container.");
    }
    if installed() {
        bail!("{PACKAGE} is installed on this machine, and would be gone afterwards. Try it where it is not.");
    }
    let before = everything()?;
    let removal = Removal;
    said("apt-get", &["install", "--yes", "--no-install-recommends", &package.to_string_lossy()])?;
    let brought = brought()?;
    println!("Installed: {} files.", brought.len());

    let session = Session::start(Keyring::Unlocked)?;
    try_app(&session, &device)?;

    drop(removal);
    ensure!(!installed(), "{PACKAGE} is still installed after its removal");
    let after = everything()?;
    let left: Vec<_> = after.difference(&before).collect();
    ensure!(left.is_empty(), "the removal has left behind: {left:?}");
    let lost: Vec<_> = before.difference(&after).collect();
    ensure!(lost.is_empty(), "the removal has taken with it: {lost:?}");
    let kept = session.home().join(".local/share/wilco/wilco.sqlite3");
    ensure!(kept.is_file(), "the person's data is gone: {}", kept.display());
    println!("Removed: nothing is left of it, and the person's data is still there.");
    Ok(())
}

/// Starts the app from its desktop entry, sees its window, and commands a device through it.
fn try_app(session: &Session, device: &Path) -> Result<()> {
    let icon = checked_entry()?;
    println!("The desktop entry is valid, and its icon {icon} is there in several sizes.");
    let display = Display::start()?;
    let running = Running { home: session.home() };
    // The app has the outputs of what launches it, and holds them for as long as it runs: they are no pipe.
    let log = File::create(session.home().join("app.log"))?;
    let mut launch = Command::new("gio");
    launch
        .args(["launch", ENTRY])
        .envs(session.variables())
        .env("DISPLAY", display.name())
        .env_remove("WAYLAND_DISPLAY")
        .env_remove("WILCO_DATA_DIR")
        .env("NO_AT_BRIDGE", "1")
        .env("LIBGL_ALWAYS_SOFTWARE", "1")
        .env("WEBKIT_SKIA_ENABLE_CPU_RENDERING", "1")
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log);
    ensure!(launch.status().context("`gio` could not be started")?.success(), "the desktop entry starts nothing");

    soon("window called Wilco", Duration::from_secs(60), || {
        let windows = heard(Command::new("xwininfo").args(["-root", "-tree", "-display", display.name()])).ok()?;
        windows.lines().any(|line| line.contains("\"Wilco\"")).then_some(())
    })?;
    // Text has its edges smoothed, so that a page has many colours where an empty window has a few.
    let colours = soon("page in the window", Duration::from_secs(60), || {
        display.picture().ok().map(|picture| picture.colours()).filter(|colours| *colours > 100)
    })?;
    println!("Started from the desktop entry: the window is there, and its page is painted in {colours} colours.");

    // While the app runs nobody else can be the engine of its data: what the command line does, it does through it.
    let broker = Broker::plain()?;
    let mut command = Child::command(device);
    command.args(["--url", &broker.url(), "--id", "bench-1"]);
    let _device = Child::start(&mut command, &session.home().join("device.log"))?;
    let wilco = |arguments: &[&str]| {
        let mut command = Command::new(COMMAND_LINE);
        heard(command.args(arguments).envs(session.variables()).env_remove("WILCO_DATA_DIR"))
    };
    wilco(&["connections", "add", "bench", "--url", &broker.url()])?;
    let told = wilco(&["send", "-c", "bench", "-d", "bench-1", "led", "on=true"])?;
    println!("{}", told.trim_end());
    ensure!(running.id().is_some(), "the app has ended by itself");
    println!("The command line attached to the running app, and the device has acknowledged.");
    Ok(())
}

/// That the desktop entry is one, starts the app, and has an icon. Returns the icon's name.
fn checked_entry() -> Result<String> {
    said("desktop-file-validate", &[ENTRY])?;
    let entry = std::fs::read_to_string(ENTRY)?;
    let value = |key: &str| {
        let found = entry.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        found.map(str::to_owned).with_context(|| format!("the desktop entry has no {key}"))
    };
    ensure!(value("Exec")? == "wilco-desktop", "the desktop entry starts {}", value("Exec")?);
    let icon = value("Icon")?;
    for size in ["32x32", "128x128", "256x256@2", "512x512"] {
        let path = format!("/usr/share/icons/hicolor/{size}/apps/{icon}.png");
        ensure!(Path::new(&path).is_file(), "there is no {path}");
    }
    Ok(icon)
}

/// The app as the desktop has started it: no child of ours, so it is known by its program and its home.
struct Running<'a> {
    home: &'a Path,
}

impl Running<'_> {
    fn id(&self) -> Option<Pid> {
        let home = format!("HOME={}", self.home.display());
        let processes = std::fs::read_dir("/proc").ok()?.flatten();
        let found = processes.map(|entry| entry.path()).find(|process| {
            std::fs::read_link(process.join("exe")).is_ok_and(|program| program == Path::new(APP))
                && std::fs::read(process.join("environ"))
                    .is_ok_and(|variables| variables.split(|byte| *byte == 0).any(|one| one == home.as_bytes()))
        })?;
        Pid::from_raw(found.file_name()?.to_str()?.parse().ok()?)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if let Some(id) = self.id() {
            // It may end at this very moment.
            let _ = kill_process(id, Signal::TERM);
            let _ = soon("end of the app", Duration::from_secs(20), || self.id().is_none().then_some(()));
        }
    }
}

/// Removes the package at the end, also when something did not work.
struct Removal;

impl Drop for Removal {
    fn drop(&mut self) {
        if installed()
            && let Err(error) = said("apt-get", &["remove", "--yes", PACKAGE])
        {
            println!("{PACKAGE} could not be removed: {error:#}");
        }
    }
}

fn installed() -> bool {
    said("dpkg-query", &["--show", "--showformat=${db:Status-Status}", PACKAGE]).is_ok()
}

/// The files that the package has brought, without the directories in which they lie.
fn brought() -> Result<Vec<PathBuf>> {
    let listed = said("dpkg-query", &["--listfiles", PACKAGE])?;
    let files: Vec<PathBuf> = listed.lines().map(PathBuf::from).filter(|path| path.is_file()).collect();
    for wanted in [ENTRY, APP, COMMAND_LINE, "/usr/share/doc/wilco/copyright"] {
        ensure!(files.iter().any(|path| path == Path::new(wanted)), "the package has no {wanted}");
    }
    Ok(files)
}

/// Every path below the watched directories.
fn everything() -> Result<BTreeSet<PathBuf>> {
    let mut found = BTreeSet::new();
    let mut waiting: Vec<PathBuf> = WATCHED.map(PathBuf::from).into();
    while let Some(directory) = waiting.pop() {
        let Ok(entries) = std::fs::read_dir(&directory) else { continue };
        for entry in entries {
            let entry = entry?;
            let path = entry.path();
            if entry.file_type()?.is_dir() && !THEIRS.iter().any(|theirs| path == Path::new(theirs)) {
                waiting.push(path.clone());
            }
            found.insert(path);
        }
    }
    Ok(found)
}

fn said(program: &str, arguments: &[&str]) -> Result<String> {
    heard(Command::new(program).args(arguments).env("DEBIAN_FRONTEND", "noninteractive"))
}

/// The output of a program, or why it failed.
fn heard(command: &mut Command) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let Output { status, stdout, stderr } =
        command.output().with_context(|| format!("`{name}` could not be started"))?;
    let (stdout, stderr) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    ensure!(status.success(), "`{name}` did not work ({status}): {stdout}{stderr}");
    Ok(stdout.into_owned())
}
