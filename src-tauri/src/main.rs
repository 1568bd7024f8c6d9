//! The desktop shell: a window onto the engine. It owns no logic: its commands only forward.

#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

mod commands;
mod demo;
mod front;
mod readings;
mod shell;

use std::{ffi::OsString, path::PathBuf, sync::Arc};

use tauri::{Manager, RunEvent, async_runtime};
use tauri_plugin_window_state::StateFlags;
use tokio::sync::Notify;
use tracing_subscriber::EnvFilter;

use shell::Shell;

/// The one option: as the command line's, it keeps a run apart from the person's own data.
const DATA_DIR_OPTION: &str = "--data-dir";

fn main() -> tauri::Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_env("WILCO_LOG").unwrap_or_else(|_| EnvFilter::new("warn")))
        .with_writer(std::io::stderr)
        .init();
    let raise = Arc::new(Notify::new());
    let given = data_dir(std::env::args_os().skip(1));
    let Some(shell) = async_runtime::block_on(Shell::start(given.as_deref(), Arc::clone(&raise))) else {
        return Ok(());
    };
    let geometry = StateFlags::SIZE | StateFlags::POSITION | StateFlags::MAXIMIZED;
    let app = tauri::Builder::default()
        .plugin(tauri_plugin_dialog::init())
        .plugin(tauri_plugin_window_state::Builder::default().with_state_flags(geometry).build())
        .plugin(tauri_plugin_store::Builder::default().build())
        .invoke_handler(tauri::generate_handler![
            commands::connections,
            commands::presets,
            commands::read_files,
            commands::leave_out,
            commands::forget_kit,
            commands::save_connection,
            commands::preflight,
            commands::stop_preflight,
            commands::duplicate_connection,
            commands::order_connections,
            commands::renew_certificate,
            commands::export_connections,
            commands::import_connections,
            commands::remove_connection,
            commands::start_demo,
            commands::devices,
            commands::device,
            commands::forget_device,
            commands::send_command,
            commands::cancel_command,
            commands::history,
            commands::command,
            commands::send_again,
            commands::export_history,
            commands::stop_export,
            readings::telemetry,
            readings::logs,
            readings::log,
            readings::save_log,
            readings::forget_log,
            commands::catalogue::catalogue,
            commands::catalogue::save_definition,
            commands::catalogue::remove_definition,
            commands::catalogue::preview_command,
            commands::catalogue::read_catalogue,
            commands::catalogue::import_catalogue,
            commands::catalogue::export_catalogue,
            commands::catalogue::buttons,
            commands::catalogue::save_button,
            commands::catalogue::order_buttons,
            commands::catalogue::remove_button,
            commands::subscribe,
            commands::about,
            commands::settings,
            commands::change_settings,
            commands::count_older,
            commands::forget_older,
            commands::data_size,
            commands::open_data_folder,
            commands::watch_traffic,
            commands::stop_traffic,
            commands::ask_before_closing,
        ])
        .on_window_event(front::close_if_page_hangs)
        .setup(|app| {
            app.manage(front::Asked::default());
            front::raise_when_asked(app.handle().clone(), raise);
            if let Ok(engine) = shell.engine() {
                front::tell_while_away(app.handle().clone(), engine.clone());
            }
            app.manage(shell);
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

/// The folder named after `--data-dir`. The system may start an app with options of its own, so others are left alone.
fn data_dir(arguments: impl Iterator<Item = OsString>) -> Option<PathBuf> {
    arguments.skip_while(|argument| argument != DATA_DIR_OPTION).nth(1).map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::data_dir;

    #[test]
    fn the_data_directory_is_the_one_that_is_named() {
        let check = |arguments: &[&str], expected: Option<&str>| {
            assert_eq!(data_dir(arguments.iter().map(Into::into)), expected.map(PathBuf::from), "{arguments:?}");
        };
        check(&[], None);
        check(&["--data-dir", "/tmp/apart"], Some("/tmp/apart"));
        check(&["--from-the-desktop", "--data-dir", "a b"], Some("a b"));
        check(&["--data-dir"], None);
    }
}
