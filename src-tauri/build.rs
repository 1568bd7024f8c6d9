//! Embeds the page and the icon, and gives each of our own commands a permission, so that the page may call only what
//! `capabilities/main.json` names.

use tauri_build::{AppManifest, Attributes};

const COMMANDS: &[&str] = &[
    "connections",
    "presets",
    "read_files",
    "leave_out",
    "forget_kit",
    "save_connection",
    "preflight",
    "stop_preflight",
    "duplicate_connection",
    "order_connections",
    "renew_certificate",
    "export_connections",
    "import_connections",
    "remove_connection",
    "start_demo",
    "devices",
    "device",
    "send_command",
    "cancel_command",
    "history",
    "command",
    "send_again",
    "export_history",
    "stop_export",
    "telemetry",
    "logs",
    "log",
    "save_log",
    "forget_log",
    "catalogue",
    "save_definition",
    "remove_definition",
    "preview_command",
    "read_catalogue",
    "import_catalogue",
    "export_catalogue",
    "buttons",
    "save_button",
    "order_buttons",
    "remove_button",
    "subscribe",
    "about",
    "settings",
    "change_settings",
    "count_older",
    "forget_older",
    "data_size",
    "open_data_folder",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    Ok(tauri_build::try_build(Attributes::new().app_manifest(AppManifest::new().commands(COMMANDS)))?)
}
