//! Embeds the page and the icon, and gives each of our own commands a permission, so that the page may call only what
//! `capabilities/main.json` names.

use tauri_build::{AppManifest, Attributes};

const COMMANDS: &[&str] = &[
    "call",
    "stop_stream",
    "start_demo",
    "demo_faults",
    "set_demo_faults",
    "rehearse",
    "stop_rehearsal",
    "about",
    "preferences",
    "save_preferences",
    "open_data_folder",
    "ask_before_closing",
    "show_window",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    Ok(tauri_build::try_build(Attributes::new().app_manifest(AppManifest::new().commands(COMMANDS)))?)
}
