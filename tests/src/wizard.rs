//! The steps of the connection wizard in the window: files, endpoint, topics, preflight, save.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;

use crate::console::{Connection, Console};
use crate::soon_async;

/// How a preflight ended.
#[derive(Debug, Clone)]
pub struct Tried {
    /// Its steps and how each went: `("connect", "passed")`.
    pub steps: Vec<(String, String)>,
    /// All that is said, the explanations too.
    pub text: String,
}

impl Tried {
    /// The step at which it stopped.
    #[must_use]
    pub fn stopped_at(&self) -> Option<&str> {
        self.steps.iter().find(|(_, state)| state == "failed").map(|(step, _)| step.as_str())
    }

    /// That no step failed and none was left out.
    ///
    /// # Errors
    /// When one did or was.
    pub fn passed(self) -> Result<()> {
        let well = |state: &str| matches!(state, "passed" | "warned" | "skipped");
        ensure!(!self.steps.is_empty() && self.steps.iter().all(|(_, state)| well(state)), "{self:#?}");
        Ok(())
    }
}

impl Console {
    /// Opens the wizard from the first screen or from the list of connections.
    ///
    /// # Errors
    /// When there is no way to it.
    pub async fn begin_connection(&self) -> Result<()> {
        if self.all_like("button", "Connect to my broker").await?.is_empty() {
            self.go("Connections").await?;
            self.click("button", "Add a connection…").await?;
        } else {
            self.click("button", "Connect to my broker").await?;
        }
        self.wait_for_text("Drop files here", Duration::from_secs(10)).await
    }

    /// Brings a file by its path, and waits until it was read.
    ///
    /// # Errors
    /// When it is not.
    pub async fn bring(&self, path: &Path) -> Result<()> {
        self.fill("File path", &path.display().to_string()).await?;
        self.click("button", "Add").await?;
        let script = "return [...document.querySelectorAll('.drop ~ .lines input')].every(field => field.type === 'password' || field.value === '')";
        soon_async("reading of the file", Duration::from_secs(20), async || {
            Ok((self.run(script, vec![]).await? == json!(true)).then_some(()))
        })
        .await
        .with_context(|| format!("bringing {}", path.display()))
    }

    /// Gives a passphrase for what is locked; says whether it opened it.
    ///
    /// # Errors
    /// When nothing is locked, or nothing comes of it.
    pub async fn unlock(&self, passphrase: &str) -> Result<bool> {
        self.fill("Passphrase", passphrase).await?;
        self.click("button", "Unlock").await?;
        let script = "const field = document.querySelector('[aria-label=Locked] input');
            return !field ? true : field.getAttribute('aria-invalid') === 'true' ? false : null";
        let opened = soon_async("word on the passphrase", Duration::from_secs(20), async || {
            Ok(self.run(script, vec![]).await?.as_bool())
        });
        opened.await
    }

    /// The problems of the files in the wizard.
    ///
    /// # Errors
    /// When the page does not answer.
    pub async fn problems(&self) -> Result<String> {
        let script = "return document.querySelector('[aria-label=\"Problems\"]')?.innerText ?? ''";
        Ok(self.run(script, vec![]).await?.as_str().unwrap_or_default().to_owned())
    }

    /// Goes from the files to the topics: brings what there is and types the rest.
    ///
    /// # Errors
    /// When a field is missing, or the window does not let it through.
    pub async fn enter_connection(&self, connection: Connection<'_>) -> Result<()> {
        self.bring_all(connection).await?;
        self.enter_endpoint(connection).await
    }

    /// Brings all files of a connection.
    ///
    /// # Errors
    /// When one is not read.
    pub async fn bring_all(&self, connection: Connection<'_>) -> Result<()> {
        let identity = connection.identity.map(|identity| [identity.certificate.as_path(), identity.key.as_path()]);
        for path in connection.ca.into_iter().chain(identity.into_iter().flatten()) {
            self.bring(path).await?;
        }
        Ok(())
    }

    /// Continues from the files and types where the broker is; ends at the topics.
    ///
    /// # Errors
    /// When a field is missing, or the window does not let it through.
    pub async fn enter_endpoint(&self, connection: Connection<'_>) -> Result<()> {
        self.begin_endpoint(connection).await?;
        self.go_on_to_topics().await
    }

    /// Continues from the files and types where the broker is; stays there.
    ///
    /// # Errors
    /// When a field is missing, or the window does not let it through.
    pub async fn begin_endpoint(&self, connection: Connection<'_>) -> Result<()> {
        self.click("button", "Next").await?;
        self.fill("Address", connection.url).await?;
        self.fill("Name", connection.name).await
    }

    /// Continues from the endpoint.
    ///
    /// # Errors
    /// When the window does not let it through.
    pub async fn go_on_to_topics(&self) -> Result<()> {
        self.click("button", "Next").await?;
        self.wait_for_text("Only these devices", Duration::from_secs(10)).await
    }

    /// Goes back from the preflight, types another address, and tries that.
    ///
    /// # Errors
    /// When the window does not let it through, or the preflight does not end.
    pub async fn preflight_of(&self, url: &str) -> Result<Tried> {
        self.click("button", "Endpoint").await?;
        self.fill("Address", url).await?;
        self.go_on_to_topics().await?;
        self.preflight().await
    }

    /// Unfolds what most connections never need.
    ///
    /// # Errors
    /// When there is no such part of the endpoint.
    pub async fn unfold_more(&self) -> Result<()> {
        if self.all_like("textbox", "Keep-alive").await?.is_empty() {
            self.click("button", "More").await?;
        }
        self.one("textbox", "Keep-alive").await.map(drop)
    }

    /// Continues from the topics and waits for the preflight's end.
    ///
    /// # Errors
    /// When it does not end.
    pub async fn preflight(&self) -> Result<Tried> {
        self.click("button", "Next").await?;
        self.preflight_ended().await
    }

    /// Waits for the end of a preflight that has begun.
    ///
    /// # Errors
    /// When it does not end.
    pub async fn preflight_ended(&self) -> Result<Tried> {
        // *Stop* stands there for as long as something is tried.
        let script = "const rows = [...document.querySelectorAll('[data-step]')];
            const running = [...document.querySelectorAll('button')].some(button => button.innerText.trim() === 'Stop');
            return running || rows.length === 0 ? null : {
                steps: rows.map(row => [row.dataset.step, row.dataset.stepState]),
                text: rows.map(row => row.innerText).join('\\n'),
            }";
        let ended = soon_async("end of the preflight", Duration::from_secs(60), async || {
            let ended = self.run(script, vec![]).await?;
            Ok((!ended.is_null()).then_some(ended))
        })
        .await?;
        let steps = serde_json::from_value(ended["steps"].clone())?;
        Ok(Tried { steps, text: ended["text"].as_str().unwrap_or_default().to_owned() })
    }

    /// Continues from the preflight and saves; waits for the connection's card.
    ///
    /// # Errors
    /// When it is not saved.
    pub async fn save_connection(&self) -> Result<()> {
        self.click("button", "Next").await?;
        self.press_save().await?;
        self.wait_for_text("Open fleet", Duration::from_secs(20)).await
    }

    /// Presses *Save this connection*, or *Save anyway* where a step failed.
    ///
    /// # Errors
    /// When there is neither.
    pub async fn press_save(&self) -> Result<()> {
        let anyway = !self.all_like("button", "Save anyway").await?.is_empty();
        self.click("button", if anyway { "Save anyway" } else { "Save this connection" }).await
    }

    /// All of it, for a connection that is expected to work.
    ///
    /// # Errors
    /// When it does not.
    pub async fn add_connection(&self, connection: Connection<'_>) -> Result<()> {
        self.begin_connection().await?;
        self.enter_connection(connection).await?;
        self.preflight().await?.passed()?;
        self.save_connection().await
    }
}
