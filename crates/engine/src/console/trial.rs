//! Runs the preflight of a connection, new or stored.

use parking_lot::{Mutex, MutexGuard};
use rustls_pki_types::CertificateDer;
use sha2::{Digest, Sha256};
use tokio::sync::{Notify, mpsc::UnboundedSender};
use zeroize::Zeroizing;

use super::Handle;
use crate::{
    api::{ConnectionEntry, Failure, FailureCode, FileRole, PreflightView, Step},
    mqtt::preflight::{self, Plan, Report},
    profile::{self, Draft},
    tls::{self, Source},
};

/// The preflight that is in progress, and what the last one has shown.
#[derive(Default)]
pub(super) struct Trial {
    stop: Notify,
    last: Mutex<Option<Last>>,
}

/// The report of a preflight, with its connection: the result applies only to what was tested.
struct Last {
    tried: Fingerprint,
    view: PreflightView,
    /// The certificate that the broker showed, and the name it was dialled by.
    shown: Option<(String, CertificateDer<'static>)>,
}

/// The SHA-256 of everything that a preflight depends on, secrets included.
type Fingerprint = [u8; 32];

impl Handle {
    /// Tests a connection step by step, stores nothing, and reports progress to `tell`. If it is restarted from a step,
    /// earlier steps keep their last result, unless they change now or the last test had other settings.
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
        // Topics that were refused before may be allowed by now.
        entry.settings.denied.clear();
        let before = self.before(entry.id.as_deref()).await?;
        let stored = before.is_some();
        let shown = entry.clone();
        let draft = self.draft(entry, before)?;
        let tried = fingerprint(&shown, &draft)?;
        let mut settings = draft.settings(true)?;
        let client_id = settings.client_id.clone();
        if stored {
            // Its own id would throw out the session that may be running.
            let end = client_id.floor_char_boundary(client_id.len().min(120));
            settings.client_id = format!("{}-test", &client_id[..end]);
        }
        let websocket = settings.route.address.scheme.is_websocket();
        let dialect = profile::dialect(&draft.profile)?;
        let names_devices = !draft.profile.settings.devices_named.is_empty();
        let plan = Plan { settings, dialect, client_id, names_devices };

        self.trial.stop.notify_waiters();
        let stopped = self.trial.stop.notified();
        let last = from.and_then(|_| self.trial.of(tried));
        let mut report = Report::new(websocket, from, last, tell);
        let finished = tokio::select! {
            () = preflight::run(&plan, &mut report) => true,
            () = stopped => false,
        };
        if !finished {
            report.stopped();
        }
        let view = report.view().clone();
        let route = &plan.settings.route;
        let shown = route.tls.as_ref().and_then(|tls| tls.witness.certificate());
        let shown = shown.map(|certificate| (route.address.host.clone(), certificate));
        *self.trial.last() = Some(Last { tried, view: view.clone(), shown });
        Ok(view)
    }

    /// The certificate with this SHA-256, if the broker showed it in the last preflight, as a file to trust.
    pub(super) fn shown_certificate(&self, sha256: &str) -> Result<Source, Failure> {
        let last = self.trial.last();
        let shown = last.as_ref().and_then(|last| last.shown.as_ref());
        let is_it = |(_, certificate): &&(String, CertificateDer<'static>)| tls::sha256(certificate) == sha256;
        match shown.filter(is_it) {
            Some((host, certificate)) => {
                Ok(Source { name: host.clone(), role: FileRole::Server, content: Zeroizing::new(certificate.to_vec()) })
            }
            None => Err(Failure {
                code: FailureCode::NotFound,
                message: "The certificate to pin is not the one that the broker sent most recently.".into(),
                hint: Some("Run the preflight again, and compare the fingerprint.".into()),
            }),
        }
    }

    /// Stops the current preflight.
    ///
    /// # Errors
    /// None.
    pub async fn stop_preflight(&self) -> Result<(), Failure> {
        self.trial.stop.notify_waiters();
        Ok(())
    }
}

impl Trial {
    /// The last report, if it was for exactly the same settings.
    fn of(&self, tried: Fingerprint) -> Option<PreflightView> {
        self.last().as_ref().filter(|last| last.tried == tried).map(|last| last.view.clone())
    }

    fn last(&self) -> MutexGuard<'_, Option<Last>> {
        self.last.lock()
    }
}

/// Of the entry and the secrets that go with it: a kit keeps its number when files are added to it.
fn fingerprint(entry: &ConnectionEntry, draft: &Draft) -> Result<Fingerprint, Failure> {
    let entry = ConnectionEntry { name: String::new(), kit: None, ..entry.clone() };
    let entry = serde_json::to_vec(&entry).map(Zeroizing::new).map_err(|_| Failure {
        code: FailureCode::Internal,
        message: "Could not save the connection for its preflight.".into(),
        hint: None,
    })?;
    Ok(Sha256::new().chain_update(&*entry).chain_update(draft.bundle.write().expose()).finalize().into())
}
