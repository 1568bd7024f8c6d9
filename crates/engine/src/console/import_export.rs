//! Imports and exports connections.

use std::{path::PathBuf, sync::Arc};

use tokio::task::spawn_blocking;
use wilco_connection::Address;
use zeroize::Zeroizing;

use super::{Handle, defect, not_found};
use crate::{
    api::{Failure, FailureCode, FileToWrite, Imported, Secrets},
    import_export::{self, Found, Opened},
    profile::{self, Draft},
    store::ConnectionId,
};

impl Handle {
    /// Writes connections to a file (all except the demo fleet's if none are given): with secrets if there is a
    /// passphrase, otherwise without. Returns the file's path.
    ///
    /// # Errors
    /// [`FailureCode::NotFound`](crate::api::FailureCode), `Keyring`, `File` if it cannot be written, `Exists` if the
    /// file exists and must not be replaced, `Invalid` for a passphrase that is too short.
    pub async fn export_connections(
        &self,
        ids: &[String],
        to: FileToWrite,
        passphrase: Option<String>,
    ) -> Result<PathBuf, Failure> {
        let passphrase = passphrase.map(Zeroizing::new);
        let mut profiles = self.store.connections().await?;
        if let Some(unknown) = ids.iter().find(|id| !profiles.iter().any(|profile| profile.id.as_str() == *id)) {
            return Err(not_found("connection", unknown));
        }
        profiles.retain(|profile| !profile.demo && (ids.is_empty() || ids.iter().any(|id| profile.id.as_str() == id)));
        let vault = Arc::clone(&self.vault);
        let exported = spawn_blocking(move || {
            let with_secrets = passphrase.is_some();
            let connections = profiles.into_iter().map(|profile| {
                let bundle = with_secrets.then(|| profile::fetch(&profile, &vault)).transpose()?;
                Ok((profile, bundle))
            });
            let connections = connections.collect::<Result<Vec<_>, Failure>>()?;
            import_export::write(&to, &connections, passphrase.as_ref().map(|passphrase| passphrase.as_str()))
        });
        exported.await.map_err(defect)?
    }

    /// Adds the connections of an exported file; connections whose name is already in use get another one. All of them
    /// or none.
    ///
    /// # Errors
    /// [`FailureCode::File`](crate::api::FailureCode) for a file that Wilco did not export, `Keyring`, `Store`.
    pub async fn import_connections(
        &self,
        path: PathBuf,
        passphrase: Option<String>,
        without_keyring: bool,
    ) -> Result<Imported, Failure> {
        let passphrase = passphrase.filter(|passphrase| !passphrase.is_empty()).map(Zeroizing::new);
        let opened = spawn_blocking(move || {
            import_export::read(&path, passphrase.as_ref().map(|passphrase| passphrase.as_str()))
        });
        let Opened::Connections(found) = opened.await.map_err(defect)?? else {
            return Ok(Imported { locked: true, names: Vec::new(), without_secrets: Vec::new() });
        };
        let mut added = Vec::new();
        let mut imported = Imported { locked: false, names: Vec::new(), without_secrets: Vec::new() };
        for one in found {
            match self.import(one, without_keyring, &mut imported).await {
                Ok(id) => added.push(id),
                Err(failure) => {
                    for id in added {
                        self.take_back(&id).await?;
                    }
                    return Err(failure);
                }
            }
        }
        Ok(imported)
    }

    /// Removes a connection that was just added, whatever the state of the keyring.
    async fn take_back(&self, id: &str) -> Result<(), Failure> {
        match self.remove_connection(id).await {
            Err(failure) if failure.code == FailureCode::Keyring => self.forget(&ConnectionId::from(id)).await,
            removed => removed,
        }
    }

    async fn import(&self, found: Found, without_keyring: bool, imported: &mut Imported) -> Result<String, Failure> {
        let Found { mut entry, had, bundle } = found;
        entry.name = self.free_name(&entry.name).await?;
        entry.without_keyring = without_keyring;
        if bundle.is_none() && (had != Secrets::default() || Address::has_kept_query(&entry.url)) {
            imported.without_secrets.push(entry.name.clone());
        }
        let name = entry.name.clone();
        let draft =
            Draft::imported(entry, bundle.unwrap_or_default(), had, &self.installation).map_err(|failure| Failure {
                message: format!("The connection {name} of this file cannot be imported. {}", failure.message),
                ..failure
            })?;
        let view = self.begin(draft).await?;
        imported.names.push(view.name);
        Ok(view.id)
    }
}
