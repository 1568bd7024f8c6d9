//! What the page may ask. Each forwards to the engine, and nothing else.

use serde::Serialize;
use tauri::{State, async_runtime, ipc::Channel};
use wilco_engine::api::{
    Batch, CommandDetail, ConnectionView, DeviceDetail, DevicePage, DeviceQuery, Failure, HistoryPage, HistoryQuery,
    NewCommand, NewConnection, Probe, Sent,
};

use crate::shell::Shell;

type Answer<T> = Result<T, Failure>;

/// What the app says of itself.
#[derive(Serialize)]
pub(crate) struct About {
    version: &'static str,
    data_dir: String,
}

#[tauri::command]
pub(crate) async fn connections(shell: State<'_, Shell>) -> Answer<Vec<ConnectionView>> {
    shell.engine()?.connections().await
}

#[tauri::command]
pub(crate) async fn add_connection(shell: State<'_, Shell>, connection: NewConnection) -> Answer<ConnectionView> {
    shell.engine()?.add_connection(connection).await
}

#[tauri::command]
pub(crate) async fn test_connection(shell: State<'_, Shell>, connection: NewConnection) -> Answer<Probe> {
    shell.engine()?.test_connection(connection).await
}

#[tauri::command]
pub(crate) async fn remove_connection(shell: State<'_, Shell>, id: String) -> Answer<()> {
    shell.remove(&id).await
}

#[tauri::command]
pub(crate) async fn start_demo(shell: State<'_, Shell>) -> Answer<ConnectionView> {
    shell.demo().await
}

#[tauri::command]
pub(crate) async fn devices(shell: State<'_, Shell>, query: DeviceQuery, from: u32, count: u32) -> Answer<DevicePage> {
    shell.engine()?.devices(query, from, count).await
}

#[tauri::command]
pub(crate) async fn device(shell: State<'_, Shell>, connection: String, device: String) -> Answer<DeviceDetail> {
    shell.engine()?.device(&connection, &device).await
}

#[tauri::command]
pub(crate) async fn send_command(shell: State<'_, Shell>, command: NewCommand) -> Answer<Sent> {
    shell.engine()?.send(command).await
}

#[tauri::command]
pub(crate) async fn cancel_command(
    shell: State<'_, Shell>,
    connection: String,
    device: String,
    id: String,
) -> Answer<()> {
    shell.engine()?.cancel(&connection, &device, &id).await
}

#[tauri::command]
pub(crate) async fn history(shell: State<'_, Shell>, query: HistoryQuery) -> Answer<HistoryPage> {
    shell.engine()?.history(query).await
}

#[tauri::command]
pub(crate) async fn command(
    shell: State<'_, Shell>,
    connection: String,
    device: String,
    id: String,
) -> Answer<CommandDetail> {
    shell.engine()?.command(&connection, &device, &id).await
}

/// Batches go over one ordered channel until the page is gone.
#[tauri::command]
pub(crate) async fn subscribe(shell: State<'_, Shell>, channel: Channel<Batch>) -> Answer<()> {
    let mut batches = shell.engine()?.listen().await?;
    async_runtime::spawn(async move {
        while let Some(batch) = batches.recv().await {
            if channel.send(batch).is_err() {
                break;
            }
        }
    });
    Ok(())
}

#[tauri::command]
pub(crate) async fn about(shell: State<'_, Shell>) -> Answer<About> {
    let data_dir = shell.engine()?.data_dir().display().to_string();
    Ok(About { version: env!("CARGO_PKG_VERSION"), data_dir })
}
