//! The window on the desktop: brings it to the front, shows notifications while it is in the background, and closes it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use notify_rust::Notification;
use tauri::{AppHandle, Emitter, Manager, WebviewWindow, Window, WindowEvent, async_runtime};
use tokio::{sync::Notify, time::timeout};
use wilco_engine::{
    Handle,
    api::{NotificationContent, NotificationSubject},
};

/// The maximum number of notifications whose clicks are awaited: some systems never report that one has gone.
const WAITED_FOR: usize = 8;

/// The event that has the page show what news were about.
const SHOW: &str = "show";

/// How long the page may take to be drawn before its window is shown anyway.
const DRAWING_LIMIT: Duration = Duration::from_secs(5);

/// How long the page may take to report that it asks the user before closing.
const PAGE_TIMEOUT: Duration = Duration::from_secs(3);

/// Notified when the page asks the user whether to close: something is not saved.
#[derive(Default)]
pub(crate) struct CloseQuestion(Arc<Notify>);

impl CloseQuestion {
    pub(crate) fn notify(&self) {
        self.0.notify_waiters();
    }

    /// Whether nothing was reported in all that time, from this call on, polled or not.
    fn is_silent(&self) -> impl Future<Output = bool> + use<> {
        let asked = Arc::clone(&self.0).notified_owned();
        async move { timeout(PAGE_TIMEOUT, asked).await.is_err() }
    }
}

/// A window that is to be closed is closed. A page that listens for that decides by itself, and one that has
/// come to a standstill decides nothing.
pub(crate) fn close_if_page_hangs(window: &Window, event: &WindowEvent) {
    if !matches!(event, WindowEvent::CloseRequested { .. }) {
        return;
    }
    // Before the page receives the event, because it may answer quickly.
    let (window, silence) = (window.clone(), window.state::<CloseQuestion>().is_silent());
    async_runtime::spawn(async move {
        if silence.await {
            tracing::warn!("the page did not answer whether it may be closed");
            // The window may have been closed meanwhile.
            drop(window.destroy());
        }
    });
}

/// Brings the window to the front whenever requested.
pub(crate) fn raise_when_asked(app: AppHandle, raise: Arc<Notify>) {
    async_runtime::spawn(async move {
        loop {
            raise.notified().await;
            bring(&app);
        }
    });
}

/// Shows the window if its page has not done so in time, so that a failing page does not hide it.
pub(crate) fn show_at_the_latest(app: AppHandle) {
    async_runtime::spawn(async move {
        tokio::time::sleep(DRAWING_LIMIT).await;
        if window(&app).is_some_and(|window| !window.is_visible().unwrap_or(false)) {
            tracing::warn!("the page has not shown its window in time");
            bring(&app);
        }
    });
}

/// Shows what is news by the system's notifications, while the window is not in front.
pub(crate) fn tell_while_away(app: AppHandle, engine: Handle) {
    async_runtime::spawn(async move {
        let Ok(mut news) = engine.notifications().await else { return };
        let waiting = Arc::new(AtomicUsize::new(0));
        while let Some(news) = news.recv().await {
            if !is_in_front(&app) {
                let (app, waiting) = (app.clone(), Arc::clone(&waiting));
                // A notification can be clicked an hour later, so a thread waits for it that holds up nothing else.
                thread::spawn(move || show(&app, &news, &waiting));
            }
        }
    });
}

fn show(app: &AppHandle, news: &NotificationContent, waiting: &AtomicUsize) {
    let mut notification = Notification::new();
    notification.appname("Wilco").summary(&news.title).body(&body(&news.body));
    #[cfg(all(unix, not(target_os = "macos")))]
    notification.icon("wilco").hint(notify_rust::Hint::DesktopEntry("wilco".into())).action("default", "Show");
    let shown = match notification.show() {
        Ok(shown) => shown,
        Err(error) => {
            tracing::debug!(%error, "the system shows no notifications");
            return;
        }
    };
    if waiting.fetch_add(1, Ordering::Relaxed) < WAITED_FOR {
        wait_for_click(app, shown, &news.subject);
    }
    waiting.fetch_sub(1, Ordering::Relaxed);
}

/// The text as a system shows it that takes it for markup.
#[cfg(all(unix, not(target_os = "macos")))]
fn body(text: &str) -> String {
    let is_markup = notify_rust::get_capabilities()
        .is_ok_and(|capabilities| capabilities.iter().any(|capability| capability == "body-markup"));
    if is_markup { escaped(text) } else { text.to_owned() }
}

#[cfg(not(all(unix, not(target_os = "macos"))))]
fn body(text: &str) -> String {
    text.to_owned()
}

#[cfg(all(unix, not(target_os = "macos")))]
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(all(unix, not(target_os = "macos")))]
fn wait_for_click(app: &AppHandle, shown: notify_rust::NotificationHandle, subject: &NotificationSubject) {
    shown.wait_for_action(|action| {
        if action == "default" {
            bring(app);
            if let Err(error) = app.emit(SHOW, subject) {
                tracing::debug!(%error, "the page did not receive the view to show");
            }
        }
    });
}

/// On other systems, clicking a notification brings the app to the front without our help.
#[cfg(not(all(unix, not(target_os = "macos"))))]
fn wait_for_click(_: &AppHandle, _: notify_rust::NotificationHandle, _: &NotificationSubject) {}

fn is_in_front(app: &AppHandle) -> bool {
    window(app).is_some_and(|window| window.is_focused().unwrap_or(false) && !window.is_minimized().unwrap_or(false))
}

fn bring(app: &AppHandle) {
    let Some(window) = window(app) else { return };
    let raised = window.unminimize().and_then(|()| window.show()).and_then(|()| window.set_focus());
    tracing::info!(?raised, "the window was brought to the front");
}

fn window(app: &AppHandle) -> Option<WebviewWindow> {
    app.webview_windows().into_values().next()
}

#[cfg(test)]
mod tests {
    use super::CloseQuestion;

    #[cfg(all(unix, not(target_os = "macos")))]
    #[test]
    fn the_name_of_a_connection_is_no_markup() {
        assert_eq!(
            super::escaped("After 1 s on <b>Plant & Yard</b>."),
            "After 1 s on &lt;b&gt;Plant &amp; Yard&lt;/b&gt;."
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_window_is_closed_unless_its_page_asks() {
        let asked = CloseQuestion::default();
        assert!(asked.is_silent().await, "a page that hangs");
        let silence = asked.is_silent();
        asked.notify();
        assert!(!silence.await, "a page that asks, and at once");
    }
}
