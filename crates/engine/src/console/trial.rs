//! Trying a connection before it is saved, or once more.

use std::sync::{Mutex, PoisonError};

use tokio::sync::{Notify, mpsc::UnboundedSender};

use super::Handle;
use crate::{
    api::{ConnectionEntry, Failure, PreflightView, Step},
    preflight::{self, Board, Plan},
    profile,
};

/// The preflight that is under way, and what the last one has shown.
#[derive(Default)]
pub(super) struct Trial {
    stop: Notify,
    last: Mutex<Option<PreflightView>>,
}

impl Handle {
    /// Tries a connection step by step, keeps nothing, and tells through `tell` how it goes. Begun again from a step,
    /// what the last one has shown before it stays as it was, unless it goes otherwise now.
    ///
    /// One at a time: a second one stops the first.
    ///
    /// # Errors
    /// [`FailureCode::Invalid`](crate::api::FailureCode), `NotFound` or `Keyring` when it does not come to a try.
    pub async fn preflight(
        &self,
        mut entry: ConnectionEntry,
        from: Option<Step>,
        tell: UnboundedSender<PreflightView>,
    ) -> Result<PreflightView, Failure> {
        if entry.name.trim().is_empty() {
            entry.name = "test".into();
        }
        // What was refused before may be allowed by now.
        entry.denied.clear();
        let before = self.before(entry.id.as_deref()).await?;
        let stored = before.is_some();
        let draft = self.draft(entry, before)?;
        let mut settings = draft.settings(true)?;
        let client_id = settings.client_id.clone();
        if stored {
            // Its own id would throw out the session that may be running.
            let end = client_id.floor_char_boundary(client_id.len().min(120));
            settings.client_id = format!("{}-test", &client_id[..end]);
        }
        let websocket = settings.route.address.scheme.is_websocket();
        let dialect = profile::dialect(&draft.profile)?;
        let names_devices = !draft.profile.devices.is_empty();
        let plan = Plan { settings, dialect, client_id, names_devices };

        self.trial.stop.notify_waiters();
        let stopped = self.trial.stop.notified();
        let last = from.and_then(|_| self.trial.last().clone());
        let mut board = Board::new(websocket, from, last, tell);
        let finished = tokio::select! {
            () = preflight::run(&plan, &mut board) => true,
            () = stopped => false,
        };
        if !finished {
            board.stopped();
        }
        let view = board.view().clone();
        *self.trial.last() = Some(view.clone());
        Ok(view)
    }

    /// Stops the preflight that is under way, if one is.
    pub fn stop_preflight(&self) {
        self.trial.stop.notify_waiters();
    }
}

impl Trial {
    fn last(&self) -> std::sync::MutexGuard<'_, Option<PreflightView>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
