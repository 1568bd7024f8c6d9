//! A user's actions in the app's window, and what the user reads there.

use std::ops::Deref;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::window::{Window, WindowSettings};
use crate::{Identity, soon_async};

/// A command as its ladder shows it, once it has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// The command's id.
    pub id: String,
    /// What it asked, as it is shown: `led on`.
    pub title: String,
    /// Its state, by the name that is used everywhere: `succeeded`.
    pub state: String,
    /// The ladder as text.
    pub ladder: String,
}

/// A connection as it is typed into the form.
#[derive(Debug, Clone, Copy)]
pub struct Connection<'a> {
    /// The name.
    pub name: &'a str,
    /// The broker's address.
    pub url: &'a str,
    /// The authority's certificate.
    pub ca: Option<&'a Path>,
    /// The console's certificate and key.
    pub identity: Option<&'a Identity>,
}

/// The app's window, as a person uses it.
#[derive(Debug)]
pub struct Console {
    window: Window,
}

impl Deref for Console {
    type Target = Window;

    fn deref(&self) -> &Window {
        &self.window
    }
}

impl Console {
    /// Starts the app.
    ///
    /// # Errors
    /// When its window does not open.
    pub async fn open(settings: WindowSettings<'_>) -> Result<Self> {
        Ok(Self { window: Window::open(settings).await? })
    }

    /// Closes the app.
    ///
    /// # Errors
    /// When the driver is gone.
    pub async fn close(self) -> Result<()> {
        self.window.close().await
    }

    /// From the first launch to a living fleet, with all its devices there.
    ///
    /// # Errors
    /// When no device comes online.
    pub async fn try_demo(&self) -> Result<()> {
        self.click("button", "Try the demo fleet").await?;
        self.wait_for_fleet().await.context("the demo fleet")
    }

    /// Waits until devices are online and no more of them come.
    ///
    /// # Errors
    /// When no device comes online.
    pub async fn wait_for_fleet(&self) -> Result<()> {
        self.wait_for_online(None).await?;
        let (mut known, mut steady) = (Value::Null, 0);
        soon_async("end of devices coming online", Duration::from_secs(60), async || {
            let now = self.run("return document.querySelector('[role=grid]')?.ariaRowCount ?? null", vec![]).await?;
            steady = if now == known { steady + 1 } else { 0 };
            known = now;
            Ok((steady == 15).then_some(()))
        })
        .await
    }

    /// Goes to a screen by the rail.
    ///
    /// # Errors
    /// When there is no such screen.
    pub async fn go(&self, screen: &str) -> Result<()> {
        let rail = self.one("navigation", "Main").await?;
        // It may continue with what asks for attention there.
        let link = self.one_like_in(&rail, "link", screen).await?;
        self.click_on(&link, screen).await
    }

    /// Waits until a device, or any, is listed as online; returns its id.
    ///
    /// # Errors
    /// When none is within half a minute.
    pub async fn wait_for_online(&self, device: Option<&str>) -> Result<String> {
        let what = format!("device {} that is online", device.unwrap_or(""));
        let found = soon_async(&what, Duration::from_secs(30), async || {
            let online = self.listed("[data-presence=online]").await?;
            Ok(online.into_iter().find(|id| device.is_none_or(|wanted| wanted == id)))
        });
        match found.await {
            Ok(id) => Ok(id),
            Err(error) => Err(error.context(format!("the window shows:\n{}\n\n{}", self.text().await?, self.log()))),
        }
    }

    /// The ids of the devices in view, in the order of the list. `which` narrows them by CSS.
    ///
    /// # Errors
    /// When the page does not answer.
    pub async fn listed(&self, which: &str) -> Result<Vec<String>> {
        let script = "return [...document.querySelectorAll('[role=grid] [role=row][data-device]' + arguments[0])].map((row) => row.dataset.device)";
        let ids = self.run(script, vec![json!(which)]).await?;
        Ok(strings(&ids))
    }

    /// Chooses a device in the list, and waits until the inspector shows it and its LED.
    ///
    /// # Errors
    /// When it is not listed, or has no LED.
    pub async fn choose(&self, device: &str) -> Result<()> {
        self.inspect(device).await?;
        self.one("switch", "LED").await?;
        Ok(())
    }

    /// Chooses a device in the list, whatever it has, and waits until the inspector shows it.
    ///
    /// # Errors
    /// When it is not listed.
    pub async fn inspect(&self, device: &str) -> Result<()> {
        let grid = self.one("grid", "Devices").await?;
        let cell = self.one_in(&grid, "cell", device).await?;
        self.click_on(&cell, device).await?;
        self.one("complementary", &format!("Inspector: {device}")).await?;
        Ok(())
    }

    /// Whether the chosen device *reports* its LED as on.
    ///
    /// # Errors
    /// When no device is chosen.
    pub async fn led_is_on(&self) -> Result<bool> {
        let switch = self.one("switch", "LED").await?;
        Ok(self.attribute(&switch, "aria-checked").await? == "true")
    }

    /// Waits until the chosen device reports its LED so.
    ///
    /// # Errors
    /// When it does not within 10 s.
    pub async fn wait_for_led(&self, on: bool) -> Result<()> {
        let what = format!("report of the LED as {}", if on { "on" } else { "off" });
        soon_async(&what, Duration::from_secs(10), async || Ok((self.led_is_on().await? == on).then_some(()))).await
    }

    /// Switches the chosen device's LED, and waits until that command has ended.
    ///
    /// # Errors
    /// When it does not end.
    pub async fn flip_led(&self) -> Result<Ended> {
        let before = self.ladders().await?;
        self.click("switch", "LED").await?;
        self.next_end("led", &before).await
    }

    /// Restarts the chosen device, confirming it, and waits until that command has ended.
    ///
    /// # Errors
    /// When it does not end.
    pub async fn restart(&self, device: &str) -> Result<Ended> {
        let before = self.ladders().await?;
        self.click("button", "Restart…").await?;
        let dialog = self.one("dialog", &format!("Restart {device}?")).await?;
        let confirm = self.one_in(&dialog, "button", &format!("Restart {device}")).await?;
        self.click_on(&confirm, "Restart").await?;
        self.next_end("restart", &before).await
    }

    /// Sends the chosen device a free text, and waits until that command has ended.
    ///
    /// # Errors
    /// When it does not end.
    pub async fn say(&self, device: &str, text: &str, answer_expected: bool) -> Result<Ended> {
        let before = self.ladders().await?;
        self.click("button", "Command…").await?;
        let dialog = self.one("dialog", &format!("Command for {device}")).await?;
        self.fill("Text", text).await?;
        if !answer_expected {
            self.click("checkbox", "No answer expected").await?;
        }
        self.press_in(&dialog, "Send").await?;
        self.next_end(&format!("“{text}”"), &before).await
    }

    /// Changes one value of the chosen device's configuration, by the button that is named, and waits for the end of
    /// that command.
    ///
    /// # Errors
    /// When there is no such value, or it does not end.
    pub async fn configure(&self, key: &str, value: &str, button: &str) -> Result<Ended> {
        let before = self.ladders().await?;
        let cell = self.one_like("button", &format!("Edit {key}: ")).await?;
        self.click_on(&cell, key).await?;
        // What was there is selected, so that typing replaces it.
        self.type_into(&format!("{key} after restart"), &format!("{value}\n")).await?;
        self.click("button", button).await?;
        self.next_end("config.set", &before).await
    }

    /// A value of the chosen device's configuration as it is shown: running, and after the next restart.
    ///
    /// # Errors
    /// When there is no such value.
    pub async fn configuration(&self, key: &str) -> Result<(String, String)> {
        let script = "const row = document.querySelector(`table.config tr[data-key=\"${arguments[0]}\"]`);
            return row ? [...row.cells].slice(1).map((cell) => cell.innerText.trim()) : []";
        let cells = strings(&self.run(script, vec![json!(key)]).await?);
        ensure!(cells.len() == 2, "no configuration {key} is shown");
        Ok((cells[0].clone(), cells[1].clone()))
    }

    /// Waits until a value of the configuration is shown so.
    ///
    /// # Errors
    /// When it is not within 10 s.
    pub async fn wait_for_configuration(&self, key: &str, running: &str, saved: &str) -> Result<()> {
        let mut shown = Ok(Default::default());
        let result =
            soon_async(&format!("{key} {running}, {saved} after restart"), Duration::from_secs(10), async || {
                shown = self.configuration(key).await;
                Ok(shown
                    .as_ref()
                    .is_ok_and(|shown| (shown.0.as_str(), shown.1.as_str()) == (running, saved))
                    .then_some(()))
            })
            .await;
        result.with_context(|| format!("it is {shown:?}"))
    }

    /// The rows of the history in view, newest first: device, what was asked, state.
    ///
    /// # Errors
    /// When the page does not answer.
    pub async fn history(&self) -> Result<Vec<[String; 3]>> {
        let script = "return [...document.querySelectorAll('[role=treegrid] [role=row][data-command-id]')]
            .map((row) => [row.dataset.device, row.children[3].innerText, row.dataset.state])";
        let rows = self.run(script, vec![]).await?;
        rows.as_array()
            .context("no rows")?
            .iter()
            .map(|row| {
                let cells: [String; 3] =
                    strings(row).try_into().map_err(|cells| anyhow::anyhow!("a row of {cells:?}"))?;
                Ok(cells)
            })
            .collect()
    }

    /// The rows of the history, once they are as they should be.
    ///
    /// # Errors
    /// When they are not within ten seconds; then it says how they are.
    pub async fn history_with(&self, are_right: impl Fn(&[[String; 3]]) -> bool) -> Result<Vec<[String; 3]>> {
        let mut last = Vec::new();
        let read = soon_async("history as it should be", Duration::from_secs(10), async || {
            last = self.history().await?;
            Ok(are_right(&last).then(|| last.clone()))
        });
        read.await.with_context(|| format!("it is {last:?}"))
    }

    /// A device in the list that is `online` and whatever else `which` selects, waited for.
    ///
    /// # Errors
    /// When there is none within half a minute.
    pub async fn online_device(&self, which: &str) -> Result<String> {
        let which = format!("[data-presence=online]{which}");
        soon_async("such a device that is online", Duration::from_secs(30), async || {
            Ok(self.listed(&which).await?.into_iter().next())
        })
        .await
    }

    /// Unfolds a command in the history, and returns all that is shown of it.
    ///
    /// # Errors
    /// When it is not in view.
    pub async fn unfold(&self, id: &str) -> Result<String> {
        let script = "document.querySelector(`[role=treegrid] [data-command-id=\"${arguments[0]}\"][aria-expanded=false]`)?.click();
            return document.querySelector('[role=treegrid] .expanded')?.innerText ?? ''";
        soon_async("evidence of that command", Duration::from_secs(10), async || {
            let text = self.run(script, vec![json!(id)]).await?.as_str().unwrap_or_default().to_owned();
            Ok((text.contains(id) && text.contains("Request")).then_some(text))
        })
        .await
    }

    async fn ladders(&self) -> Result<Vec<Ended>> {
        let script = "return [...document.querySelectorAll('[role=group][data-command-id]')]
            .map((one) => [one.dataset.commandId, one.getAttribute('aria-label'), one.dataset.state, one.innerText])";
        let ladders = self.run(script, vec![]).await?;
        let ladders = ladders.as_array().map(|all| all.iter().map(strings).collect::<Vec<_>>()).unwrap_or_default();
        Ok(ladders.into_iter().filter_map(ended).collect())
    }

    /// The first command, not among `before`, whose title begins so and that has ended.
    async fn next_end(&self, title: &str, before: &[Ended]) -> Result<Ended> {
        let mut last = None;
        let what = format!("end of {title}");
        let end = soon_async(&what, Duration::from_secs(60), async || {
            let fresh = self
                .ladders()
                .await?
                .into_iter()
                .find(|ladder| ladder.title.starts_with(title) && before.iter().all(|other| other.id != ladder.id));
            last = fresh.clone();
            Ok(fresh.filter(|ladder| FINAL.contains(&ladder.state.as_str())))
        });
        match end.await {
            Ok(end) => Ok(end),
            Err(error) => {
                Err(error.context(format!("it stands at {last:?}; the window shows:\n{}", self.text().await?)))
            }
        }
    }
}

const FINAL: [&str; 8] =
    ["succeeded", "failed", "rejected", "undeliverable", "unconfirmed", "timed_out", "expired", "cancelled"];

fn ended(cells: Vec<String>) -> Option<Ended> {
    let [id, label, state, ladder] = cells.try_into().ok()?;
    let title = label.rsplit_once(": ").map_or(label.as_str(), |(title, _)| title).to_owned();
    Some(Ended { id, title, state, ladder })
}

fn strings(value: &Value) -> Vec<String> {
    value.as_array().map(|all| all.iter().filter_map(Value::as_str).map(str::to_owned).collect()).unwrap_or_default()
}
