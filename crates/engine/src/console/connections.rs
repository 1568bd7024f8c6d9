//! Adds, edits, orders and removes connections, and stages their certificate files.

use std::sync::Arc;

use tokio::task::spawn_blocking;
use wilco_dialect::{Dialect, DialectFile, shipped};

use super::{DEMO, Handle, defect, drafts::settings, not_found};
use crate::{
    api::{
        AuditKind, ConnectionEntry, ConnectionSettings, ConnectionView, DialectView, Failure, FilesToRead, KitView,
        Preset, PresetView, Secrets, invalid,
    },
    audit,
    controller::{Request, SerialChange},
    profile::{self, Before, Bundle, Draft, Opening},
    store::{ConnectionId, NewAuditEntry, Profile},
    vault::SecretKind,
};

impl Handle {
    /// The presets for each kind of broker.
    ///
    /// # Errors
    /// None.
    pub async fn presets(&self) -> Result<Vec<PresetView>, Failure> {
        Ok(Preset::ALL.into_iter().map(Preset::view).collect())
    }

    /// The dialects that come with Wilco, Wilco's own first.
    ///
    /// # Errors
    /// None.
    pub async fn dialects(&self) -> Result<Vec<DialectView>, Failure> {
        let view = |file: &DialectFile| DialectView {
            name: file.name().to_owned(),
            title: file.title().to_owned(),
            about: file.about().to_owned(),
            own: Dialect::NAMES.contains(&file.name()),
            finds_devices: file.reader().is_some(),
            on_request: file.is_on_request(),
            settings: settings(file),
        };
        Ok(shipped().iter().map(view).collect())
    }

    /// Reads certificate files of any kind, and keeps their content in memory until a connection is saved with it. The
    /// files are not needed afterwards. Problems are in the view.
    ///
    /// # Errors
    /// [`FailureCode::NotFound`](crate::api::FailureCode) when the collection to be added to is no longer there.
    pub async fn read_files(&self, files: FilesToRead) -> Result<KitView, Failure> {
        let (staged, now) = (Arc::clone(&self.staged), self.clock.now());
        let shown = files.shown.as_deref().map(|sha256| self.shown_certificate(sha256)).transpose()?;
        spawn_blocking(move || staged.read(files, shown, now)).await.map_err(defect)?
    }

    /// Removes one item from staged files.
    ///
    /// # Errors
    /// [`FailureCode::NotFound`](crate::api::FailureCode).
    pub async fn leave_out(&self, kit: &str, item: u32) -> Result<KitView, Failure> {
        self.staged.leave_out(kit, item, self.clock.now())
    }

    /// Discards staged files.
    ///
    /// # Errors
    /// None.
    pub async fn forget_kit(&self, kit: &str) -> Result<(), Failure> {
        self.staged.forget(kit);
        Ok(())
    }

    /// Validates, stores and starts a connection, new or changed.
    ///
    /// # Errors
    /// [`FailureCode::Invalid`](crate::api::FailureCode), `File`, `Keyring` or `Store`, each with a message; then
    /// nothing is changed.
    pub async fn save_connection(&self, entry: ConnectionEntry) -> Result<ConnectionView, Failure> {
        let kit = entry.kit.clone();
        let before = self.before(entry.id.as_deref()).await?;
        let old = before.as_ref().map(|before| before.bundle.clone());
        let secrets = secrets_of(&entry);
        let draft = self.draft(entry, before)?;
        let view = self.keep(draft, old, &secrets).await?;
        if let Some(kit) = kit {
            self.staged.forget(&kit);
        }
        Ok(view)
    }

    /// Replaces the client certificate of a connection; everything else stays.
    ///
    /// # Errors
    /// As [`Handle::save_connection`], and `NotFound`.
    pub async fn renew_certificate(&self, id: &str, kit: &str) -> Result<ConnectionView, Failure> {
        let brought = self.staged.credentials(kit, self.clock.now())?;
        if !brought.is_mutual() {
            return Err(invalid(
                "These files contain no client certificate.".into(),
                "Add the new certificate and its private key.",
            ));
        }
        let Before { mut profile, mut bundle } =
            self.before(Some(id)).await?.ok_or_else(|| not_found("connection", id))?;
        let old = bundle.clone();
        for (kind, secret) in brought.to_secrets() {
            if matches!(kind, SecretKind::CertificateChain | SecretKind::PrivateKey) {
                bundle.set(kind, Some(secret));
            }
        }
        profile.has = bundle.has();
        let view = self.keep(Draft::with(profile, bundle)?, Some(old), &["client certificate"]).await?;
        self.staged.forget(kit);
        Ok(view)
    }

    /// Duplicates a connection with its secrets, under a new client ID.
    ///
    /// # Errors
    /// As [`Handle::save_connection`], and `NotFound`.
    pub async fn duplicate_connection(&self, id: &str) -> Result<ConnectionView, Failure> {
        let Before { mut profile, bundle } = self.before(Some(id)).await?.ok_or_else(|| not_found("connection", id))?;
        profile.name = self.free_name(&format!("{} copy", profile.name)).await?;
        self.begin(Draft::with(profile, bundle)?).await
    }

    /// Sets the order of the connections; those that are not listed come last.
    ///
    /// # Errors
    /// [`FailureCode::Store`](crate::api::FailureCode).
    pub async fn order_connections(&self, ids: &[String]) -> Result<(), Failure> {
        let mut order: Vec<ConnectionId> = Vec::new();
        let given = ids.iter().map(|id| ConnectionId::from(id.as_str()));
        let stored = self.store.connections().await?.into_iter().map(|profile| profile.id);
        for id in given.chain(stored) {
            if !order.contains(&id) {
                order.push(id);
            }
        }
        let entry = self.audit.entry(AuditKind::Connection, "Changed the order of the connections");
        self.store.audited(entry).order_connections(order.clone()).await?;
        self.request(|reply| Request::Order(order, reply)).await
    }

    /// Stops a connection, and deletes its secrets, devices and history.
    ///
    /// # Errors
    /// [`FailureCode::NotFound`](crate::api::FailureCode); `Keyring` when its secrets cannot be removed and `Store` when
    /// nothing can be written, and then it stays as it is.
    pub async fn remove_connection(&self, id: &str) -> Result<(), Failure> {
        let profile = self.profile(id).await?;
        if profile.in_memory_secrets || !profile::has_secrets(&profile) {
            return self.forget(&profile.id).await;
        }
        // Unreadable secrets cannot be restored, and do not prevent the removal.
        let secrets = self.before(Some(id)).await.ok().flatten().map(|before| before.bundle);
        self.forget_secrets(&profile.id).await?;
        let forgotten = self.forget(&profile.id).await;
        if forgotten.is_err() && self.profile(id).await.is_ok() {
            self.put_back(&profile, secrets).await?;
        }
        forgotten
    }

    /// Ends a connection and forgets all of it that is not in the keyring.
    pub(super) async fn forget(&self, id: &ConnectionId) -> Result<(), Failure> {
        self.request(|reply| Request::InTurn(SerialChange::Remove(id.clone(), reply))).await??;
        self.reread_catalogue().await?;
        Ok(self.store.sweep().await?)
    }

    /// Starts (or restarts) the connection to the demo fleet, whose broker listens at `url`.
    ///
    /// # Errors
    /// [`FailureCode::Store`](crate::api::FailureCode).
    pub async fn open_demo(&self, url: &str) -> Result<ConnectionView, Failure> {
        // One that was removed a moment ago had the same id, and what is left of it is not this one's.
        self.store.sweep().await?;
        let others = self.store.connections().await?;
        let before = others.iter().find(|profile| profile.demo);
        let profile = Profile {
            id: ConnectionId::from(DEMO),
            name: "Demo fleet".into(),
            url: url.into(),
            client_id: profile::made_client_id(&self.installation, DEMO),
            settings: ConnectionSettings::default(),
            declined: Vec::new(),
            demo: true,
            certificate_subject: None,
            certificate_expires_at: None,
            has: Secrets::default(),
            in_memory_secrets: false,
            position: before.map_or(u32::try_from(others.len()).unwrap_or(u32::MAX), |before| before.position),
        };
        // Each start of it gives it another port, which nobody has changed.
        let store = match before {
            Some(_) => self.store.clone(),
            None => self.store.audited(self.audit_connection(None, &profile, &[])),
        };
        store.save_connection(&profile).await?;
        self.open(profile).await
    }

    /// Begins a connection that is new here, under an id, a client id and a place of its own.
    pub(super) async fn begin(&self, mut draft: Draft) -> Result<ConnectionView, Failure> {
        let id = uuid::Uuid::new_v4().simple().to_string();
        let profile = &mut draft.profile;
        profile.client_id = profile::made_client_id(&self.installation, &id);
        profile.id = ConnectionId::from(id);
        profile.position = u32::MAX;
        self.keep(draft, None, &[]).await
    }

    /// A name that no connection has, made of the one that is wished for.
    pub(super) async fn free_name(&self, wished: &str) -> Result<String, Failure> {
        let taken: Vec<_> = self.store.connections().await?.into_iter().map(|profile| profile.name).collect();
        let numbered = (2..).map(|number| format!("{wished} {number}"));
        let free = std::iter::once(wished.to_owned()).chain(numbered).find(|name| !taken.contains(name));
        Ok(free.unwrap_or_else(|| wished.to_owned()))
    }

    pub(super) fn draft(&self, entry: ConnectionEntry, before: Option<Before>) -> Result<Draft, Failure> {
        let brought = entry.kit.as_deref().map(|kit| self.staged.credentials(kit, self.clock.now())).transpose()?;
        Draft::of(entry, brought.as_ref(), before, &self.installation)
    }

    /// A stored connection as it is, secrets and all, before it is changed.
    pub(super) async fn before(&self, id: Option<&str>) -> Result<Option<Before>, Failure> {
        let Some(id) = id else { return Ok(None) };
        let profile = self.profile(id).await?;
        if profile.demo {
            return Err(invalid(
                "The connection of the demo fleet cannot be edited.".into(),
                "Add your own connection.",
            ));
        }
        let vault = Arc::clone(&self.vault);
        let fetched = spawn_blocking(move || profile::fetch(&profile, &vault).map(|bundle| Before { profile, bundle }));
        fetched.await.map_err(defect)?.map(Some)
    }

    pub(super) async fn profile(&self, id: &str) -> Result<Profile, Failure> {
        self.store.connection(&ConnectionId::from(id)).await?.ok_or_else(|| not_found("connection", id))
    }

    /// Stores a connection's secrets and profile, both or neither, and starts it. `secrets` lists the kinds that are
    /// replaced.
    async fn keep(&self, draft: Draft, old: Option<Bundle>, secrets: &[&str]) -> Result<ConnectionView, Failure> {
        let Draft { mut profile, bundle, certificates } = draft;
        let others = self.store.connections().await?;
        if others.iter().any(|other| other.name == profile.name && other.id != profile.id) {
            return Err(invalid(
                format!("A connection named '{}' already exists.", profile.name),
                "Choose another name.",
            ));
        }
        if profile.position == u32::MAX {
            profile.position = u32::try_from(others.len()).unwrap_or(u32::MAX);
        }
        let _replacing = self.secrets.replacing(&profile.id).await;
        if let Err(failure) = self.keep_secrets(&profile, bundle).await {
            // Secrets stored before the failure; a second failure changes nothing.
            let _ = self.put_back(&profile, old).await;
            return Err(failure);
        }
        let before = others.iter().find(|other| other.id == profile.id);
        let entry = self.audit_connection(before, &profile, secrets);
        if let Err(error) = self.store.audited(entry).save_connection(&profile).await {
            self.put_back(&profile, old).await?;
            return Err(error.into());
        }
        self.open(Opening { profile, certificates: Some(certificates) }).await
    }

    /// The stored form of a saved connection.
    fn audit_connection(&self, before: Option<&Profile>, after: &Profile, secrets: &[&str]) -> NewAuditEntry {
        let did = if before.is_some() { "Changed" } else { "Added" };
        let before = before.map(audit::of_profile);
        let mut changes = audit::between(before.as_ref(), &audit::of_profile(after));
        if !secrets.is_empty() {
            changes["secrets_replaced"] = secrets.into();
        }
        let entry = self.audit.entry(AuditKind::Connection, format!("{did} connection {}", after.name));
        entry.on(&after.id, &after.name).with(&changes)
    }

    async fn put_back(&self, profile: &Profile, old: Option<Bundle>) -> Result<(), Failure> {
        self.keep_secrets(profile, old.unwrap_or_default()).await
    }

    async fn keep_secrets(&self, profile: &Profile, bundle: Bundle) -> Result<(), Failure> {
        // A broker without secrets needs no keyring; but one that had some must lose them.
        if bundle.is_empty() && !self.has_stored_secrets(&profile.id).await? {
            return Ok(());
        }
        let (vault, id, in_memory) = (Arc::clone(&self.vault), profile.id.clone(), profile.in_memory_secrets);
        Ok(spawn_blocking(move || bundle.keep(&vault, id.as_str(), in_memory)).await.map_err(defect)??)
    }

    async fn has_stored_secrets(&self, id: &ConnectionId) -> Result<bool, Failure> {
        let stored = self.store.connection(id).await?;
        Ok(stored.is_some_and(|profile| profile::has_secrets(&profile) && !profile.in_memory_secrets))
    }

    async fn forget_secrets(&self, id: &ConnectionId) -> Result<(), Failure> {
        let (vault, id) = (Arc::clone(&self.vault), id.clone());
        Ok(spawn_blocking(move || vault.remove_all(id.as_str())).await.map_err(defect)??)
    }
}

/// The secrets that an entry replaces, by what they are called.
fn secrets_of(entry: &ConnectionEntry) -> Vec<&'static str> {
    let certificates = entry.kit.is_some() || entry.without_certificates;
    let proxy_password = entry.settings.proxy.is_some() && entry.proxy_password.is_some();
    let replaced =
        [(entry.password.is_some(), "password"), (proxy_password, "proxy password"), (certificates, "certificates")];
    replaced.into_iter().filter(|(is_replaced, _)| *is_replaced).map(|(_, name)| name).collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

    use crate::{
        api::{CommandDefinition, ConnectionEntry, ConnectionSettings, FailureCode},
        console::fixture::engine,
        store::{ConnectionId, FILE_NAME},
    };

    #[tokio::test]
    async fn a_connection_that_cannot_be_removed_keeps_its_secrets() {
        let (data, engine, handle) = engine().await;
        let entry = ConnectionEntry {
            name: "plant".into(),
            url: "mqtt://127.0.0.1:9".into(),
            settings: ConnectionSettings { username: Some("me".into()), ..ConnectionSettings::default() },
            password: Some("right".into()),
            ..ConnectionEntry::default()
        };
        let id = handle.save_connection(entry).await.unwrap().id;
        let described = CommandDefinition {
            name: "flush".into(),
            title: "Flush".into(),
            connection: Some(id.clone()),
            ..crate::catalogue::definition::described(wilco_dialect::command("led").unwrap())
        };
        handle.save_definition(None, described).await.unwrap();
        let own = async || handle.catalogue().await.unwrap().iter().filter(|entry| !entry.built_in).count();

        let database = rusqlite::Connection::open(data.path().join(FILE_NAME)).unwrap();
        let refuse = "CREATE TRIGGER full BEFORE DELETE ON connections BEGIN SELECT raise(ABORT, 'full'); END";
        database.execute_batch(refuse).unwrap();
        assert_eq!(handle.remove_connection(&id).await.unwrap_err().code, FailureCode::Store);
        assert_eq!(handle.connections().await.unwrap().len(), 1);
        let kept = handle.before(Some(&id)).await.unwrap().unwrap();
        assert!(kept.bundle.has().password);
        assert_eq!(own().await, 1);

        database.execute_batch("DROP TRIGGER full").unwrap();
        handle.remove_connection(&id).await.unwrap();
        assert_eq!(handle.connections().await.unwrap(), []);
        assert!(
            !crate::profile::Bundle::fetch(&handle.vault, ConnectionId::from(id.as_str()).as_str())
                .unwrap()
                .has()
                .password
        );
        // Definitions of this connection alone are removed from memory as well.
        assert_eq!(own().await, 0);
        engine.stop().await;
    }
}
