//! Records desktop notifications: the notification service on a session's bus.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use parking_lot::Mutex;
use zbus::object_server::SignalEmitter;
use zbus::zvariant::OwnedValue;

use crate::{Session, soon_async};

const PATH: &str = "/org/freedesktop/Notifications";

/// A notification that somebody wanted to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// Its line.
    pub title: String,
    /// Its text.
    pub body: String,
}

/// The service, for as long as it lives.
#[derive(Debug)]
pub struct Notifications {
    shown: Arc<Mutex<Vec<Notification>>>,
    connection: zbus::Connection,
}

struct Service(Arc<Mutex<Vec<Notification>>>);

#[zbus::interface(name = "org.freedesktop.Notifications")]
impl Service {
    #[expect(clippy::too_many_arguments, reason = "the specification has so many")]
    fn notify(
        &self,
        _app: &str,
        _replaces: u32,
        _icon: &str,
        summary: String,
        body: String,
        _actions: Vec<String>,
        _hints: HashMap<String, OwnedValue>,
        _timeout: i32,
    ) -> u32 {
        let mut shown = self.0.lock();
        shown.push(Notification { title: summary, body });
        u32::try_from(shown.len()).unwrap_or(u32::MAX)
    }

    fn close_notification(&self, _id: u32) {}

    fn get_capabilities(&self) -> Vec<String> {
        vec!["actions".to_owned(), "body".to_owned()]
    }

    #[zbus(signal)]
    async fn action_invoked(emitter: &SignalEmitter<'_>, id: u32, action: &str) -> zbus::Result<()>;

    fn get_server_information(&self) -> (String, String, String, String) {
        let text = |text: &str| text.to_owned();
        (text("wilco-tests"), text("wilco"), text("1"), text("1.2"))
    }
}

impl Notifications {
    /// Starts the service on a session's bus.
    ///
    /// # Errors
    /// When the bus has one already, or is gone.
    pub async fn start(session: &Session) -> Result<Notifications> {
        let shown = Arc::default();
        let connection = zbus::connection::Builder::address(session.bus_address())?
            .name("org.freedesktop.Notifications")?
            .serve_at(PATH, Service(Arc::clone(&shown)))?
            .build()
            .await?;
        Ok(Notifications { shown, connection })
    }

    /// The notifications so far.
    pub fn shown(&self) -> Vec<Notification> {
        self.shown.lock().clone()
    }

    /// Clicks the first that was shown, as a person would.
    ///
    /// # Errors
    /// When the bus is gone.
    pub async fn click_first(&self) -> Result<()> {
        let service = self.connection.object_server().interface::<_, Service>(PATH).await?;
        Ok(Service::action_invoked(service.signal_emitter(), 1, "default").await?)
    }

    /// Waits for the first that is shown.
    ///
    /// # Errors
    /// When none is within that time.
    pub async fn first(&self, within: Duration) -> Result<Notification> {
        soon_async("notification", within, async || Ok(self.shown().into_iter().next())).await
    }
}
