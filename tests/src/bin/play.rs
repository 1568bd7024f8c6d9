//! Plays the app's main job in its real window on a virtual display: the demo fleet, an LED switched on, the device's
//! acknowledgement. `cargo xtask run` does this where there is no display. The argument is where the picture goes.

#![expect(clippy::print_stdout, reason = "it prints the outcome to the terminal")]

use std::path::PathBuf;

use anyhow::{Result, bail};
use wilco_tests::{Desk, Keyring, target};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let picture = std::env::args_os()
        .nth(1)
        .map(PathBuf::from)
        .map_or_else(|| Ok(target()?.join("wilco-run.png")), Ok::<_, anyhow::Error>)?;
    let desk = Desk::new(Keyring::Unlocked)?;
    let console = desk.open().await?;
    println!("The window is open.");

    console.try_demo().await?;
    let device = console.online_device(":has([data-on=false])").await?;
    println!("The demo fleet is alive; {device} is online and its LED is off.");

    console.choose(&device).await?;
    let end = console.flip_led().await?;
    if end.state != "succeeded" {
        console.screenshot_to(&picture).await?;
        bail!(
            "{device} did not switch its LED on: {}\n{}\nA picture is at {}",
            end.state,
            end.ladder,
            picture.display()
        );
    }
    console.wait_for_led(true).await?;
    console.screenshot_to(&picture).await?;
    println!("Acknowledged by {device}: {} {}, command {}", end.title, end.state, end.id);
    println!("    {}", end.ladder.split_whitespace().collect::<Vec<_>>().join(" "));
    println!("The picture of the window: {}", picture.display());
    console.close().await
}
