//! What the page may ask. Each forwards to the engine, and nothing else.

pub(crate) mod catalogue;

use std::path::PathBuf;

use serde::Serialize;
use tauri::{
    State, async_runtime,
    ipc::{Channel, IpcResponse},
};
use tokio::sync::mpsc;
use wilco_engine::api::{
    Batch, CommandDetail, ConnectionEntry, ConnectionView, DeviceDetail, DevicePage, DeviceQuery, ExportFormat,
    ExportView, Failure, FailureCode, FileToWrite, FilesToRead, HistoryPage, HistoryQuery, Imported, KitView,
    NewCommand, Older, PreflightView, PresetView, Sent, Settings, Step, TrafficBatch, TrafficQuery,
};

use crate::{front::Asked, shell::Shell};

pub(crate) type Answer<T> = Result<T, Failure>;

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
pub(crate) async fn presets(shell: State<'_, Shell>) -> Answer<Vec<PresetView>> {
    Ok(shell.engine()?.presets())
}

#[tauri::command]
pub(crate) async fn read_files(shell: State<'_, Shell>, files: FilesToRead) -> Answer<KitView> {
    shell.engine()?.read_files(files).await
}

#[tauri::command]
pub(crate) async fn leave_out(shell: State<'_, Shell>, kit: String, item: u32) -> Answer<KitView> {
    shell.engine()?.leave_out(&kit, item)
}

#[tauri::command]
pub(crate) async fn forget_kit(shell: State<'_, Shell>, kit: String) -> Answer<()> {
    shell.engine()?.forget_kit(&kit);
    Ok(())
}

#[tauri::command]
pub(crate) async fn save_connection(shell: State<'_, Shell>, entry: ConnectionEntry) -> Answer<ConnectionView> {
    shell.engine()?.save_connection(entry).await
}

/// Tells over a channel how it goes, and answers with how it ended.
#[tauri::command]
pub(crate) async fn preflight(
    shell: State<'_, Shell>,
    entry: ConnectionEntry,
    from: Option<Step>,
    channel: Channel<PreflightView>,
) -> Answer<PreflightView> {
    let (tell, views) = mpsc::unbounded_channel();
    forward(views, channel);
    shell.engine()?.preflight(entry, from, tell).await
}

#[tauri::command]
pub(crate) async fn stop_preflight(shell: State<'_, Shell>) -> Answer<()> {
    shell.engine()?.stop_preflight();
    Ok(())
}

#[tauri::command]
pub(crate) async fn duplicate_connection(shell: State<'_, Shell>, id: String) -> Answer<ConnectionView> {
    shell.engine()?.duplicate_connection(&id).await
}

#[tauri::command]
pub(crate) async fn order_connections(shell: State<'_, Shell>, ids: Vec<String>) -> Answer<()> {
    shell.engine()?.order_connections(&ids).await
}

#[tauri::command]
pub(crate) async fn renew_certificate(shell: State<'_, Shell>, id: String, kit: String) -> Answer<ConnectionView> {
    shell.engine()?.renew_certificate(&id, &kit).await
}

#[tauri::command]
pub(crate) async fn export_connections(
    shell: State<'_, Shell>,
    ids: Vec<String>,
    to: FileToWrite,
    passphrase: Option<String>,
) -> Answer<PathBuf> {
    shell.engine()?.export_connections(&ids, to, passphrase).await
}

#[tauri::command]
pub(crate) async fn import_connections(
    shell: State<'_, Shell>,
    path: PathBuf,
    passphrase: Option<String>,
    without_keyring: bool,
) -> Answer<Imported> {
    shell.engine()?.import_connections(path, passphrase, without_keyring).await
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
pub(crate) async fn forget_device(shell: State<'_, Shell>, connection: String, device: String) -> Answer<()> {
    shell.engine()?.forget_device(&connection, &device).await
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

#[tauri::command]
pub(crate) async fn send_again(
    shell: State<'_, Shell>,
    connection: String,
    device: String,
    id: String,
) -> Answer<Sent> {
    shell.engine()?.send_again(&connection, &device, &id).await
}

/// Tells over a channel how far it is, and answers with how it ended.
#[tauri::command]
pub(crate) async fn export_history(
    shell: State<'_, Shell>,
    query: HistoryQuery,
    to: FileToWrite,
    format: ExportFormat,
    channel: Channel<ExportView>,
) -> Answer<ExportView> {
    let (tell, views) = mpsc::unbounded_channel();
    forward(views, channel);
    shell.engine()?.export_history(query, to, format, tell).await
}

#[tauri::command]
pub(crate) async fn stop_export(shell: State<'_, Shell>) -> Answer<()> {
    shell.engine()?.stop_export();
    Ok(())
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

/// Hands on what is told until the page is gone.
fn forward<T: IpcResponse + Send + 'static>(mut views: mpsc::UnboundedReceiver<T>, channel: Channel<T>) {
    async_runtime::spawn(async move {
        while let Some(view) = views.recv().await {
            if channel.send(view).is_err() {
                break;
            }
        }
    });
}

#[tauri::command]
pub(crate) async fn about(shell: State<'_, Shell>) -> Answer<About> {
    let data_dir = shell.engine()?.data_dir().display().to_string();
    Ok(About { version: env!("CARGO_PKG_VERSION"), data_dir })
}

#[tauri::command]
pub(crate) async fn settings(shell: State<'_, Shell>) -> Answer<Settings> {
    Ok(shell.engine()?.settings())
}

#[tauri::command]
pub(crate) async fn change_settings(shell: State<'_, Shell>, settings: Settings) -> Answer<()> {
    shell.engine()?.change_settings(settings).await
}

#[tauri::command]
pub(crate) async fn count_older(shell: State<'_, Shell>, days: u32) -> Answer<Older> {
    shell.engine()?.count_older(days).await
}

#[tauri::command]
pub(crate) async fn forget_older(shell: State<'_, Shell>, days: u32) -> Answer<Older> {
    shell.engine()?.forget_older(days).await
}

#[tauri::command]
pub(crate) async fn data_size(shell: State<'_, Shell>) -> Answer<u64> {
    shell.engine()?.data_size().await
}

/// No path comes from the page: it cannot have anything else opened.
#[tauri::command]
pub(crate) async fn open_data_folder(shell: State<'_, Shell>) -> Answer<()> {
    let folder = shell.engine()?.data_dir();
    tauri_plugin_opener::open_path(folder, None::<&str>).map_err(|error| Failure {
        code: FailureCode::Internal,
        message: format!("The folder {} could not be opened: {error}.", folder.display()),
        hint: Some("Copy its path and open it in your file manager.".into()),
    })
}

/// Batches go over the channel until other traffic is asked for, or none any more.
#[tauri::command]
pub(crate) async fn watch_traffic(
    shell: State<'_, Shell>,
    query: TrafficQuery,
    channel: Channel<TrafficBatch>,
) -> Answer<()> {
    let mut batches = shell.engine()?.traffic(query).await?;
    let shown = async_runtime::spawn(async move {
        while let Some(batch) = batches.recv().await {
            if channel.send(batch).is_err() {
                break;
            }
        }
    });
    shell.show_traffic(Some(shown)).await;
    Ok(())
}

#[tauri::command]
pub(crate) async fn stop_traffic(shell: State<'_, Shell>) -> Answer<()> {
    shell.show_traffic(None).await;
    Ok(())
}

/// The page was told that its window is to be closed, and asks first.
#[tauri::command]
pub(crate) fn ask_before_closing(asked: State<'_, Asked>) {
    asked.notify();
}
