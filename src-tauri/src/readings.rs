//! What the page may ask of devices' measurements and logs. Each forwards to the engine, and nothing else.

use std::path::PathBuf;

use tauri::State;
use wilco_engine::api::{FileToWrite, KeptLog, LogView, TelemetryQuery, TelemetryView};

use crate::{commands::Answer, shell::Shell};

#[tauri::command]
pub(crate) async fn telemetry(shell: State<'_, Shell>, query: TelemetryQuery) -> Answer<TelemetryView> {
    shell.engine()?.telemetry(query).await
}

#[tauri::command]
pub(crate) async fn logs(shell: State<'_, Shell>, connection: String, device: String) -> Answer<Vec<KeptLog>> {
    shell.engine()?.logs(&connection, &device).await
}

#[tauri::command]
pub(crate) async fn log(
    shell: State<'_, Shell>,
    connection: String,
    device: String,
    id: String,
    with_text: bool,
) -> Answer<LogView> {
    shell.engine()?.log(&connection, &device, &id, with_text).await
}

#[tauri::command]
pub(crate) async fn save_log(
    shell: State<'_, Shell>,
    connection: String,
    device: String,
    id: String,
    to: FileToWrite,
) -> Answer<PathBuf> {
    shell.engine()?.save_log(&connection, &device, &id, to).await
}

#[tauri::command]
pub(crate) async fn forget_log(shell: State<'_, Shell>, connection: String, device: String, id: String) -> Answer<()> {
    shell.engine()?.forget_log(&connection, &device, &id).await
}
