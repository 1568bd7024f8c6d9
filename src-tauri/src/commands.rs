//! The commands of the shell: one for all calls of the engine, and those that only a window can carry out.

use serde::Serialize;
use tauri::{
    AppHandle, State, Webview, WebviewWindow, async_runtime,
    ipc::{Channel, InvokeResponseBody, JavaScriptChannelId, Response},
    window::Color,
};
use tokio::sync::mpsc;
use wilco_engine::{
    DEMO,
    api::{Call, ConnectionView, Dispatch, Failure, FailureCode, FaultDials, Json, NewRollout, RehearsalView},
};

use crate::{
    front::CloseQuestion,
    preferences::{self, Preferences},
    shell::Shell,
};

type Answer<T> = Result<T, Failure>;

/// Items that may wait to be handed to the page.
const UNREAD: usize = 4;

/// Makes a call to the engine. Its progress and its stream are sent over the channel.
#[tauri::command]
pub(crate) async fn call(
    webview: Webview,
    shell: State<'_, Shell>,
    call: Call,
    items: Option<JavaScriptChannelId>,
) -> Answer<Response> {
    if !call.is_for_page() {
        return Err(Failure {
            code: FailureCode::Invalid,
            message: "Only the command line can do that.".into(),
            hint: None,
        });
    }
    let (is_stream, removes_demo) = (call.is_stream(), matches!(&call, Call::remove_connection { id } if id == DEMO));
    let (to, told) = mpsc::channel(UNREAD);
    let channel = items.map(|items| items.channel_on(webview));
    let id = channel.as_ref().map(Channel::id);
    let passing_on = channel.map(|channel| async_runtime::spawn(pass_on(told, channel)));
    let answer = shell.engine()?.dispatch(call, to).await?;
    if removes_demo {
        shell.stop_demo().await;
    }
    match (id, passing_on) {
        (Some(id), Some(passing_on)) if is_stream => shell.keep_stream(id, passing_on).await,
        // All reported items are sent before the reply.
        (_, Some(passing_on)) => drop(passing_on.await),
        _ => {}
    }
    Ok(Response::new(body(answer)))
}

/// Hands items to the page until there are no more, or it is gone.
async fn pass_on(mut items: mpsc::Receiver<Json>, channel: Channel<InvokeResponseBody>) {
    while let Some(item) = items.recv().await {
        if channel.send(body(item)).is_err() {
            break;
        }
    }
}

fn body(json: Json) -> InvokeResponseBody {
    InvokeResponseBody::Json(Box::<str>::from(json).into())
}

/// Ends what a call streams over that channel.
#[tauri::command]
pub(crate) async fn stop_stream(shell: State<'_, Shell>, items: u32) -> Answer<()> {
    shell.stop_stream(items).await;
    Ok(())
}

#[tauri::command]
pub(crate) async fn start_demo(shell: State<'_, Shell>) -> Answer<ConnectionView> {
    shell.demo().await
}

/// The faults of the demo fleet.
#[tauri::command]
pub(crate) async fn demo_faults(shell: State<'_, Shell>) -> Answer<FaultDials> {
    shell.demo_faults()
}

#[tauri::command]
pub(crate) async fn set_demo_faults(shell: State<'_, Shell>, faults: FaultDials) -> Answer<()> {
    shell.set_demo_faults(faults).await
}

/// Rehearses a rollout on virtual devices. Each change goes over the channel, the result is the answer.
#[tauri::command]
pub(crate) async fn rehearse(
    shell: State<'_, Shell>,
    rollout: NewRollout,
    faults: FaultDials,
    items: Channel<RehearsalView>,
) -> Answer<RehearsalView> {
    let plan = shell.engine()?.plan_rehearsal(rollout).await?;
    shell
        .rehearsals
        .run(plan, &faults, |view| {
            // A page that is gone does not see it; the rehearsal ends with the window.
            let _ = items.send(view.clone());
        })
        .await
}

/// Ends the rehearsal that is running.
#[tauri::command]
pub(crate) async fn stop_rehearsal(shell: State<'_, Shell>) -> Answer<()> {
    shell.rehearsals.stop();
    Ok(())
}

/// Facts about the app.
#[derive(Serialize)]
pub(crate) struct About {
    version: &'static str,
    data_dir: String,
}

#[tauri::command]
pub(crate) async fn about(shell: State<'_, Shell>) -> Answer<About> {
    let data_dir = shell.engine()?.data_dir().display().to_string();
    Ok(About { version: env!("CARGO_PKG_VERSION"), data_dir })
}

/// The preferences of the page. None without an engine: then the page says why there is none, and needs no others.
#[tauri::command]
pub(crate) async fn preferences(app: AppHandle, shell: State<'_, Shell>) -> Answer<Preferences> {
    Ok(shell.engine().map(|engine| preferences::read(&app, engine.data_dir())).unwrap_or_default())
}

#[tauri::command]
pub(crate) async fn save_preferences(app: AppHandle, shell: State<'_, Shell>, preferences: Preferences) -> Answer<()> {
    preferences::write(&app, shell.engine()?.data_dir(), preferences)
}

/// No path comes from the page: it cannot have anything else opened.
#[tauri::command]
pub(crate) async fn open_data_folder(shell: State<'_, Shell>) -> Answer<()> {
    let folder = shell.engine()?.data_dir();
    tauri_plugin_opener::open_path(folder, None::<&str>).map_err(|error| Failure {
        code: FailureCode::Internal,
        message: format!("Could not open the folder {}: {error}.", folder.display()),
        hint: Some("Copy the path and open it in your file manager.".into()),
    })
}

/// The page was asked to close its window, and asks the user first.
#[tauri::command]
pub(crate) fn ask_before_closing(asked: State<'_, CloseQuestion>) {
    asked.notify();
}

/// Shows the window, which is hidden until its page is drawn. `background` is the page's own colour as red, green and
/// blue, from 0 to 255 each: nothing else is seen before the first frame, or where the window grows.
#[tauri::command]
pub(crate) fn show_window(window: WebviewWindow, background: [u8; 3]) -> Answer<()> {
    let [red, green, blue] = background;
    let shown = window.set_background_color(Some(Color(red, green, blue, u8::MAX))).and_then(|()| window.show());
    shown.map_err(|error| Failure {
        code: FailureCode::Internal,
        message: format!("Could not show the window: {error}."),
        hint: None,
    })
}
