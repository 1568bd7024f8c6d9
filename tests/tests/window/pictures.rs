//! Pictures to be looked at.

use anyhow::{Result, ensure};
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
    let dress = "const { dataset } = document.documentElement; const was = dataset.theme ?? '';
        if (arguments[0] === '') delete dataset.theme; else dataset.theme = arguments[0]; return was";
    let first = console.run("return document.documentElement.dataset.theme ?? ''", vec![]).await?;
    for (width, height) in [(1920, 1080), (1280, 800)] {
        console.resize(width, height).await?;
        for theme in ["dark", "light"] {
            // The page keeps its size half a second later, and dresses as it likes when it does.
            let mut stayed = false;
            for _ in 0..10 {
                console.run(dress, vec![theme.into()]).await?;
                console.screenshot(&format!("{name}-{theme}-{width}")).await?;
                stayed = console.run(dress, vec![theme.into()]).await? == theme;
                if stayed {
                    break;
                }
            }
            ensure!(stayed, "the page does not stay {theme} for a picture of {name}");
        }
    }
    console.run(dress, vec![first]).await.map(drop)
}
