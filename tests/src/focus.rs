//! Whether every control shows that it has the focus, for users of keyboards.

use anyhow::Result;
use serde_json::Value;

use crate::{Window, keys};

impl Window {
    /// A line for each control of the page that looks the same with and without the focus.
    ///
    /// # Errors
    /// When the page does not answer.
    pub async fn without_focus_ring(&self, what: &str) -> Result<Vec<String>> {
        // The keyboard was used last, so the page shows where the focus is.
        self.press(keys::TAB).await?;
        let found = self.run(include_str!("focus.js"), vec![]).await?;
        Ok(found
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(|control| format!("{what}: {control}"))
            .collect())
    }
}
