//! Takes pictures of screens.

use anyhow::{Result, ensure};
use wilco_tests::Console;

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
