//! The desktop shell: a window for the engine. It contains no logic: it passes the page's calls to the engine.

#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

mod commands;
mod demo;
mod front;
mod preferences;
mod rehearsal;
mod shell;

use std::{ffi::OsString, path::PathBuf, sync::Arc};

use tauri::{App, Manager, RunEvent, WebviewWindowBuilder, async_runtime};
use tauri_plugin_window_state::StateFlags;
use tokio::sync::Notify;
use tracing_subscriber::EnvFilter;

use shell::Shell;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The one option: as the command line's, it keeps a run apart from the person's own data.
const DATA_DIR_OPTION: &str = "--data-dir";

fn main() -> tauri::Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_env("WILCO_LOG").unwrap_or_else(|_| EnvFilter::new("warn")))
        .with_writer(std::io::stderr)
        .init();
    wilco_engine::disable_core_files();
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
            commands::call,
            commands::stop_stream,
            commands::start_demo,
            commands::demo_faults,
            commands::set_demo_faults,
            commands::rehearse,
            commands::stop_rehearsal,
            commands::about,
            commands::preferences,
            commands::save_preferences,
            commands::open_data_folder,
            commands::ask_before_closing,
            commands::show_window,
        ])
        .on_window_event(front::close_if_page_hangs)
        .setup(|app| {
            app.manage(front::CloseQuestion::default());
            front::raise_when_asked(app.handle().clone(), raise);
            front::show_at_the_latest(app.handle().clone());
            if let Ok(engine) = shell.engine() {
                front::tell_while_away(app.handle().clone(), engine.clone());
            }
            app.manage(shell);
            Ok(create_window(app)?)
        })
        .build(tauri::generate_context!())?;
    app.run(|app, event| {
        if matches!(event, RunEvent::Exit) {
            async_runtime::block_on(app.state::<Shell>().stop());
        }
    });
    Ok(())
}

/// Creates the window, once there is everything that its page calls. The page may use the clipboard, so that its own menu
/// can paste; no configuration file can say that.
fn create_window(app: &App) -> tauri::Result<()> {
    for window in &app.config().app.windows {
        WebviewWindowBuilder::from_config(app, window)?.enable_clipboard_access().build()?;
    }
    Ok(())
}

/// The folder named after `--data-dir`. The system may start an app with options of its own, so others are left alone.
fn data_dir(arguments: impl Iterator<Item = OsString>) -> Option<PathBuf> {
    arguments.skip_while(|argument| argument != DATA_DIR_OPTION).nth(1).map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use serde_json::{Value, json};

    use super::data_dir;

    #[test]
    fn the_page_can_reach_nothing_but_its_own_files_and_our_calls() {
        let configuration: Value = serde_json::from_str(include_str!("../tauri.conf.json")).expect("JSON");
        let security = &configuration["app"]["security"];
        let policy = security["csp"].as_str().expect("a Content Security Policy");
        let directives: Vec<_> = policy.split("; ").collect();
        let expected = [
            "default-src 'self'",
            // The origin of Tauri's calls; not a network address.
            "connect-src ipc: http://ipc.localhost",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'none'",
        ];
        assert_eq!(directives, expected);
        // Nothing weakens it: no other policy for development, no server of Tauri's assets, no global API.
        let mut members: Vec<_> = security.as_object().expect("an object").keys().map(String::as_str).collect();
        members.sort_unstable();
        assert_eq!(members, ["capabilities", "csp", "freezePrototype"]);
        assert_eq!((&security["capabilities"], &security["freezePrototype"]), (&json!(["main"]), &json!(true)));
        assert!(configuration["app"].get("withGlobalTauri").is_none());
        assert_eq!(configuration["app"]["windows"].as_array().map(Vec::len), Some(1));
        // The shell creates it: created from this file it could not paste, and both would be two.
        assert_eq!(configuration["app"]["windows"][0]["create"], json!(false));
    }

    #[test]
    fn the_page_may_use_these_calls_of_the_shell_and_no_others() {
        let capability: Value = serde_json::from_str(include_str!("../capabilities/main.json")).expect("JSON");
        assert_eq!(capability["windows"], json!(["main"]));
        assert!(capability.get("remote").is_none() && capability.get("webviews").is_none());
        let permissions: Vec<_> = capability["permissions"].as_array().expect("a list").iter().collect();
        let expected = [
            "allow-call",
            "allow-stop-stream",
            "allow-start-demo",
            "allow-demo-faults",
            "allow-set-demo-faults",
            "allow-rehearse",
            "allow-stop-rehearsal",
            "allow-about",
            "allow-preferences",
            "allow-save-preferences",
            "allow-open-data-folder",
            "allow-ask-before-closing",
            "allow-show-window",
            "core:event:allow-listen",
            "core:event:allow-unlisten",
            "core:window:allow-destroy",
            "core:webview:allow-set-webview-zoom",
            "dialog:allow-open",
            "dialog:allow-save",
        ];
        assert_eq!(permissions, expected);
        let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/capabilities")).expect("a directory");
        assert_eq!(files.count(), 1, "another file grants more");
    }

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
