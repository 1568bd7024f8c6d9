//! Pictures to be looked at.

use anyhow::Result;
use wilco_tests::Console;

/// The screen that is open, in both themes and at both sizes; ends with the light one at the small size.
pub(crate) async fn in_both_themes(console: &Console, name: &str) -> Result<()> {
    let screen = console.run("return location.hash", vec![]).await?;
    for theme in ["Dark", "Light"] {
        console.go("Settings").await?;
        console.click("radio", theme).await?;
        console.run("location.hash = arguments[0]", vec![screen.clone()]).await?;
        for (width, height) in [(1920, 1080), (1280, 800)] {
            console.resize(width, height).await?;
            console.screenshot(&format!("{name}-{}-{width}", theme.to_lowercase())).await?;
        }
    }
    Ok(())
}
