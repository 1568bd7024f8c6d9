//! A user's session for one test: a home directory, a session bus, and a keyring.

mod keyring;

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::child::Child;
use crate::soon;

/// The password of the keyring.
const PASSWORD: &str = "wilco";

/// The kind of keyring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keyring {
    /// gnome-keyring, unlocked, as after logging in.
    Unlocked,
    /// gnome-keyring, locked, and nobody there to type the password.
    Locked,
    /// None at all.
    Absent,
}

/// A running session bus with a home directory, both gone at the end.
#[derive(Debug)]
pub struct Session {
    home: tempfile::TempDir,
    address: String,
    keyring: Option<Child>,
    _bus: Child,
}

impl Session {
    /// Starts one.
    ///
    /// # Errors
    /// When dbus-daemon or gnome-keyring-daemon is not there or will not start.
    pub fn start(keyring: Keyring) -> Result<Self> {
        let home = tempfile::Builder::new().prefix("wilco-home-").tempdir()?;
        for directory in ["run", ".local/share", ".config", ".cache"] {
            std::fs::create_dir_all(home.path().join(directory))?;
        }
        let configuration = home.path().join("bus.conf");
        std::fs::write(&configuration, bus_configuration(home.path()))?;

        let mut command = Child::command("dbus-daemon");
        command.arg("--config-file").arg(&configuration).args(["--nofork", "--print-address=1"]).stdout(Stdio::piped());
        let mut bus = Child::start(&mut command, &home.path().join("bus.log"))?;
        let mut address = String::new();
        BufReader::new(bus.take_output().context("no output")?).read_line(&mut address)?;
        let address = address.trim().to_owned();
        anyhow::ensure!(!address.is_empty(), "the session bus did not start: {}", bus.log());

        let mut session = Self { home, address, keyring: None, _bus: bus };
        if keyring != Keyring::Absent {
            session.start_keyring()?;
            if keyring == Keyring::Locked {
                // The first daemon has made the collection; the second finds it and does not know its password.
                session.keyring = None;
                session.lock()?;
            }
        }
        Ok(session)
    }

    /// The variables by which a program belongs to this session.
    pub fn variables(&self) -> Vec<(&'static str, OsString)> {
        let below = |directory: &str| self.home.path().join(directory).into_os_string();
        vec![
            ("HOME", self.home.path().into()),
            ("XDG_RUNTIME_DIR", below("run")),
            ("XDG_DATA_HOME", below(".local/share")),
            ("XDG_CONFIG_HOME", below(".config")),
            ("XDG_CACHE_HOME", below(".cache")),
            ("DBUS_SESSION_BUS_ADDRESS", self.address.clone().into()),
        ]
    }

    /// The address of its bus.
    pub fn bus_address(&self) -> &str {
        &self.address
    }

    /// The home directory.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    fn start_keyring(&mut self) -> Result<()> {
        let mut command = Child::command("gnome-keyring-daemon");
        command.args(["--unlock", "--components=secrets", "--foreground"]).stdin(Stdio::piped());
        self.spawn_keyring(command, Some(PASSWORD))
    }

    fn lock(&mut self) -> Result<()> {
        let mut command = Child::command("gnome-keyring-daemon");
        command.args(["--start", "--components=secrets", "--foreground"]);
        self.spawn_keyring(command, None)
    }

    fn spawn_keyring(&mut self, mut command: Command, password: Option<&str>) -> Result<()> {
        command.envs(self.variables()).stdout(Stdio::null());
        let mut daemon = Child::start(&mut command, &self.home.path().join("keyring.log"))?;
        if let (Some(mut input), Some(password)) = (daemon.take_input(), password) {
            input.write_all(password.as_bytes())?;
        }
        soon("keyring on the session bus", Duration::from_secs(10), || self.has_secrets().then_some(()))
            .with_context(|| daemon.log())?;
        self.keyring = Some(daemon);
        Ok(())
    }

    /// Whether a secret could be kept in this session's keyring now.
    pub fn is_unlocked(&self) -> bool {
        let collection = "/org/freedesktop/secrets/aliases/default";
        let locked = ["string:org.freedesktop.Secret.Collection", "string:Locked"];
        let answer = self.ask("org.freedesktop.secrets", collection, "org.freedesktop.DBus.Properties.Get", &locked);
        answer.contains("boolean false")
    }

    fn has_secrets(&self) -> bool {
        let name = ["string:org.freedesktop.secrets"];
        let bus = "org.freedesktop.DBus";
        self.ask(bus, "/org/freedesktop/DBus", "org.freedesktop.DBus.NameHasOwner", &name).contains("boolean true")
    }

    fn ask(&self, whom: &str, object: &str, method: &str, arguments: &[&str]) -> String {
        let output = Command::new("dbus-send")
            .env("DBUS_SESSION_BUS_ADDRESS", &self.address)
            .args(["--session", "--print-reply", &format!("--dest={whom}"), object, method])
            .args(arguments)
            .output();
        output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default()
    }
}

/// A bus that starts no services by itself, so that a session has the keyring it was given and no other.
fn bus_configuration(home: &Path) -> String {
    format!(
        r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={}</listen>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"#,
        home.join("run/bus").display()
    )
}
