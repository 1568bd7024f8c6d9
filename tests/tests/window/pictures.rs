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

/// What stands on the screen just now, a dialog too, in both themes and at both sizes.
pub(crate) async fn as_it_stands(console: &Console, name: &str) -> Result<()> {
    let dress =
        "const [theme] = arguments; const { dataset } = document.documentElement; const was = dataset.theme ?? '';
        if (theme === '') delete dataset.theme; else dataset.theme = theme; return was";
    let was = console.run("return document.documentElement.dataset.theme ?? ''", vec![]).await?;
    for theme in ["dark", "light"] {
        console.run(dress, vec![theme.into()]).await?;
        for (width, height) in [(1920, 1080), (1280, 800)] {
            console.resize(width, height).await?;
            console.screenshot(&format!("{name}-{theme}-{width}")).await?;
        }
    }
    console.run(dress, vec![was]).await.map(drop)
}
