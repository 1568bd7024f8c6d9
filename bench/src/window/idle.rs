//! Processor time of the app's process and of its page's, by screen.

use std::time::{Duration, Instant};

use anyhow::Result;
use wilco_tests::{Console, Desk, Keyring};

use super::{Size, WINDOW};
use crate::processes;

/// The process that draws the page.
const PAGE: &str = "WebKitWebProcess";
/// A screen is being entered for so long.
const ENTERING: Duration = Duration::from_secs(5);

/// One screen.
#[derive(Debug, Clone)]
pub(super) struct Idle {
    pub(super) screen: &'static str,
    /// In the first seconds after it was opened.
    pub(super) entering: Load,
    pub(super) at_rest: Load,
}

/// Processor time in per cent of one core.
#[derive(Debug, Clone, Copy)]
pub(super) struct Load {
    pub(super) app: f64,
    pub(super) page: f64,
}

/// The window's two processes.
struct Processes {
    app: u32,
    page: u32,
}

/// Watches each screen while nobody touches anything.
pub(super) async fn measure(size: &Size) -> Result<Vec<Idle>> {
    let desk = Desk::new(Keyring::Unlocked)?;
    let console = desk.open().await?;
    console.resize(WINDOW.0, WINDOW.1).await?;
    let processes = Processes::of(&console)?;
    let mut screens = vec![processes.watch("Welcome", size).await?];
    console.try_demo().await?;
    for screen in ["History", "Fleet"] {
        console.go(screen).await?;
        screens.push(processes.watch(screen, size).await?);
    }
    console.close().await?;
    Ok(screens)
}

impl Processes {
    fn of(console: &Console) -> Result<Self> {
        let root = console.process();
        Ok(Self { app: processes::named(root, "wilco-desktop")?, page: processes::named(root, PAGE)? })
    }

    async fn watch(&self, screen: &'static str, size: &Size) -> Result<Idle> {
        let entering = self.load(ENTERING).await?;
        tokio::time::sleep(size.settle).await;
        let at_rest = self.load(size.at_rest).await?;
        println!("{screen}: app {:.1} %, page {:.1} % of a core", at_rest.app, at_rest.page);
        Ok(Idle { screen, entering, at_rest })
    }

    async fn load(&self, span: Duration) -> Result<Load> {
        let taken =
            || Ok::<_, anyhow::Error>((processes::processor_time(self.app)?, processes::processor_time(self.page)?));
        let (before, begun) = (taken()?, Instant::now());
        tokio::time::sleep(span).await;
        let (after, took) = (taken()?, begun.elapsed().as_secs_f64());
        Ok(Load { app: (after.0 - before.0) / took * 100.0, page: (after.1 - before.1) / took * 100.0 })
    }
}
