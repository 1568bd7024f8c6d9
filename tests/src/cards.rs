//! The cards of the connections screen.

use std::time::Duration;

use anyhow::{Context, Result};
use fantoccini::elements::Element;
use serde_json::json;

use crate::console::Console;
use crate::soon_async;

/// How long a connection may take to come about.
const PATIENCE: Duration = Duration::from_secs(30);

impl Console {
    /// The names of the connections, in their order.
    ///
    /// # Errors
    /// When the page does not answer.
    pub async fn cards(&self) -> Result<Vec<String>> {
        let script = "return [...document.querySelectorAll('article[data-connection]')].map(card => card.ariaLabel)";
        Ok(serde_json::from_value(self.run(script, vec![]).await?)?)
    }

    /// Waits until the connections stand in this order.
    ///
    /// # Errors
    /// When they do not within half a minute.
    pub async fn wait_for_order(&self, names: &[&str]) -> Result<()> {
        let mut order = Vec::new();
        let found = soon_async(&format!("order {names:?}"), PATIENCE, async || {
            order = self.cards().await?;
            Ok((order == names).then_some(()))
        })
        .await;
        found.with_context(|| format!("it is {order:?}"))
    }

    /// The text of a connection's card.
    ///
    /// # Errors
    /// When there is none of that name.
    pub async fn card(&self, name: &str) -> Result<String> {
        let card = self.one("article", name).await?;
        self.text_of(&card).await
    }

    /// Waits until a connection's card says this, and returns all that it says.
    ///
    /// # Errors
    /// When it does not within half a minute.
    pub async fn wait_for_card(&self, name: &str, text: &str) -> Result<String> {
        let mut said = String::new();
        let found = soon_async(&format!("“{text}” on the card of {name}"), PATIENCE, async || {
            said = self.card(name).await?;
            Ok(said.contains(text).then(|| said.clone()))
        })
        .await;
        found.with_context(|| format!("it says:\n{said}"))
    }

    /// Does one of the things that stand under *More* on a connection's card.
    ///
    /// # Errors
    /// When there is no such connection or thing.
    pub async fn card_menu(&self, name: &str, what: &str) -> Result<()> {
        let card = self.one("article", name).await?;
        self.press_in(&card, "More").await?;
        let menu = self.one("dialog", &format!("More for {name}")).await?;
        self.press_in(&menu, what).await
    }

    /// Presses a button on a connection's card.
    ///
    /// # Errors
    /// When there is no such connection or button.
    pub async fn card_button(&self, name: &str, button: &str) -> Result<()> {
        let card = self.one("article", name).await?;
        self.press_in(&card, button).await
    }

    /// Goes to a connection's fleet by its card, and waits until it is connected.
    ///
    /// # Errors
    /// When it is not within half a minute.
    pub async fn open_fleet(&self, name: &str) -> Result<()> {
        self.go("Connections").await?;
        self.card_button(name, "Open fleet").await?;
        let shown = "return document.querySelector('.topbar .connection')?.ariaLabel === arguments[0]";
        let label = format!("Connection: {name}, connected");
        soon_async(&label, PATIENCE, async || {
            Ok((self.run(shown, vec![json!(label)]).await? == json!(true)).then_some(()))
        })
        .await
        .with_context(|| self.log())
    }

    /// Presses a button inside something.
    ///
    /// # Errors
    /// When there is none of that name.
    pub async fn press_in(&self, scope: &Element, button: &str) -> Result<()> {
        let control = self.one_in(scope, "button", button).await?;
        self.click_on(&control, button).await
    }
}
