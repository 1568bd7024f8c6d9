//! A user's desktop: a session with a keyring, a display, and the app's data.

use std::path::Path;
use std::process::{Command, Output};

use anyhow::Result;
use parking_lot::{Mutex, MutexGuard};

use crate::child::Child;
use crate::console::Console;
use crate::display::Display;
use crate::program;
use crate::session::{Keyring, Session};
use crate::window::WindowSettings;

/// WebKit paints on the processor here: two windows at once would only take each other's time.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// A desktop on which a test starts, closes and restarts the app. One at a time in a process; a second one waits.
#[derive(Debug)]
pub struct Desk {
    session: Session,
    display: Display,
    data: tempfile::TempDir,
    _turn: MutexGuard<'static, ()>,
}

impl Desk {
    /// One with such a keyring, and an app that was never started.
    ///
    /// # Errors
    /// When a session or a display will not start.
    pub fn new(keyring: Keyring) -> Result<Self> {
        let turn = ONE_AT_A_TIME.lock();
        let data = tempfile::Builder::new().prefix("wilco-data-").tempdir()?;
        Ok(Self { session: Session::start(keyring)?, display: Display::start()?, data, _turn: turn })
    }

    /// Starts the app.
    ///
    /// # Errors
    /// When its window does not open.
    pub async fn open(&self) -> Result<Console> {
        Console::open(WindowSettings { session: &self.session, display: &self.display, data: self.data.path() }).await
    }

    /// Starts the app as somebody does who clicks its icon, with nobody at its window but the person.
    ///
    /// # Errors
    /// When it is missing.
    pub fn start_beside(&self, data: &Path, log: &Path) -> Result<Child> {
        let mut command = Child::command(program("wilco-desktop")?);
        command
            .envs(self.session.variables())
            .env("DISPLAY", self.display.name())
            .env_remove("WAYLAND_DISPLAY")
            .env("GDK_BACKEND", "x11")
            .env("NO_AT_BRIDGE", "1")
            .env("WILCO_LOG", "warn,wilco_desktop=info")
            .arg("--data-dir")
            .arg(data);
        Child::start(&mut command, log)
    }

    /// Runs `wilco` at a shell beside the app, whose session it uses.
    ///
    /// # Errors
    /// When it is missing.
    pub fn wilco(&self, arguments: &[&str]) -> Result<Output> {
        let mut command = Command::new(program("wilco")?);
        command.args(arguments).env("WILCO_DATA_DIR", self.data()).envs(self.session.variables());
        Ok(command.output()?)
    }

    /// The app's data directory.
    pub fn data(&self) -> &Path {
        self.data.path()
    }

    /// The display that its window is on.
    pub fn display(&self) -> &Display {
        &self.display
    }

    /// The person's session.
    pub fn session(&self) -> &Session {
        &self.session
    }
}
