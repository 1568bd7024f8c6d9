//! Runs axe-core on a page, for users of screen readers and keyboards.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::Window;

/// Where npm has put it.
const AXE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../ui/node_modules/axe-core/axe.min.js");

/// The checked rules: WCAG 2.2 at level AA, and axe's best practices.
const CHECK: &str = "
    const done = arguments[arguments.length - 1];
    const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
    axe.run(document, { runOnly: rules, resultTypes: ['violations'] }).then(
      ({ violations }) => done(violations.flatMap((violation) => violation.nodes.map((node) =>
        `${violation.id}: ${node.target.join(' ')}: ${node.failureSummary.replace(/\\s+/g, ' ')}`))),
      (reason) => done([`axe could not look: ${reason}`]),
    );";

impl Window {
    /// That axe finds nothing on what is shown now. `what` names it if it does.
    ///
    /// # Errors
    /// What axe finds, or that it is not there.
    pub async fn check_accessible(&self, what: &str) -> Result<()> {
        let found = self.inaccessible(what).await?;
        ensure!(found.is_empty(), "{}", found.join("\n"));
        Ok(())
    }

    /// Runs axe on the current page, and returns a line for each violation.
    ///
    /// # Errors
    /// When axe is not there.
    pub async fn inaccessible(&self, what: &str) -> Result<Vec<String>> {
        if self.run("return typeof axe", vec![]).await? != "object" {
            let axe = std::fs::read_to_string(Path::new(AXE)).context("axe-core is not there: `npm ci` in ui")?;
            // As a function of the page, whose rules forbid scripts from elsewhere.
            self.run(&format!("{axe}; window.axe = axe;"), vec![]).await?;
        }
        // Whatever moves has come to rest.
        tokio::time::sleep(Duration::from_millis(300)).await;
        let found = self.run_async(CHECK, vec![]).await?;
        Ok(found
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(|fault| format!("{what}: {fault}"))
            .collect())
    }
}
