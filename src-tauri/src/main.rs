//! The desktop shell: a window onto the engine. It owns no logic: its commands only forward.

#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

mod commands;
mod demo;
mod shell;

use tauri::{Manager, RunEvent, async_runtime};
use tracing_subscriber::EnvFilter;

use shell::Shell;

fn main() -> tauri::Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_env("WILCO_LOG").unwrap_or_else(|_| EnvFilter::new("warn")))
        .with_writer(std::io::stderr)
        .init();
    let app = tauri::Builder::default()
        .plugin(tauri_plugin_dialog::init())
        .plugin(tauri_plugin_store::Builder::default().build())
        .invoke_handler(tauri::generate_handler![
            commands::connections,
            commands::add_connection,
            commands::test_connection,
            commands::remove_connection,
            commands::start_demo,
            commands::devices,
            commands::device,
            commands::send_command,
            commands::cancel_command,
            commands::history,
            commands::command,
            commands::subscribe,
            commands::about,
        ])
        .setup(|app| {
            app.manage(async_runtime::block_on(Shell::start()));
            Ok(())
        })
        .build(tauri::generate_context!())?;
    app.run(|app, event| {
        if matches!(event, RunEvent::Exit) {
            async_runtime::block_on(app.state::<Shell>().stop());
        }
    });
    Ok(())
}
