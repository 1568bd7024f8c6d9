//! The catalogue of commands, and buttons made of them.

use std::path::PathBuf;

use tauri::State;
use wilco_engine::api::{
    CatalogueEntry, CommandButton, CommandDefinition, CommandPreview, CommandToPreview, FileToWrite, ImportLine,
};

use super::Answer;
use crate::shell::Shell;

#[tauri::command]
pub(crate) async fn catalogue(shell: State<'_, Shell>) -> Answer<Vec<CatalogueEntry>> {
    Ok(shell.engine()?.catalogue())
}

#[tauri::command]
pub(crate) async fn save_definition(
    shell: State<'_, Shell>,
    id: Option<String>,
    definition: CommandDefinition,
) -> Answer<CatalogueEntry> {
    shell.engine()?.save_definition(id, definition).await
}

#[tauri::command]
pub(crate) async fn remove_definition(shell: State<'_, Shell>, id: String) -> Answer<()> {
    shell.engine()?.remove_definition(&id).await
}

#[tauri::command]
pub(crate) async fn preview_command(shell: State<'_, Shell>, command: CommandToPreview) -> Answer<CommandPreview> {
    shell.engine()?.preview_command(command)
}

#[tauri::command]
pub(crate) async fn read_catalogue(shell: State<'_, Shell>, path: PathBuf) -> Answer<Vec<ImportLine>> {
    shell.engine()?.read_catalogue(path).await
}

#[tauri::command]
pub(crate) async fn import_catalogue(
    shell: State<'_, Shell>,
    path: PathBuf,
    replace: Vec<String>,
) -> Answer<Vec<ImportLine>> {
    shell.engine()?.import_catalogue(path, &replace).await
}

#[tauri::command]
pub(crate) async fn export_catalogue(shell: State<'_, Shell>, ids: Vec<String>, to: FileToWrite) -> Answer<PathBuf> {
    shell.engine()?.export_catalogue(&ids, to).await
}

#[tauri::command]
pub(crate) async fn buttons(shell: State<'_, Shell>) -> Answer<Vec<CommandButton>> {
    shell.engine()?.buttons().await
}

#[tauri::command]
pub(crate) async fn save_button(shell: State<'_, Shell>, button: CommandButton) -> Answer<CommandButton> {
    shell.engine()?.save_button(button).await
}

#[tauri::command]
pub(crate) async fn order_buttons(shell: State<'_, Shell>, ids: Vec<String>) -> Answer<()> {
    shell.engine()?.order_buttons(ids).await
}

#[tauri::command]
pub(crate) async fn remove_button(shell: State<'_, Shell>, id: String) -> Answer<()> {
    shell.engine()?.remove_button(&id).await
}
