//! The passwords of devices that require signed requests.

use std::sync::Arc;

use serde_json::json;
use tokio::task::spawn_blocking;
use zeroize::Zeroizing;

use super::{Handle, defect, not_found};
use crate::{
    api::{AuditKind, Failure, invalid},
    controller::Request,
    profile::{Before, DevicePasswords, device_id, device_passwords::LONGEST},
};

impl Handle {
    /// Sets the password of a device, or of all devices of the connection that have none set. It is stored with the
    /// secrets of the connection, whose session continues.
    ///
    /// # Errors
    /// [`FailureCode::NotFound`](crate::api::FailureCode) for the connection; `Invalid` for an empty or too long
    /// password, or an invalid device ID; `Keyring` when it cannot be kept, and `Store`.
    pub async fn set_device_password(
        &self,
        connection: &str,
        device: Option<String>,
        password: Option<String>,
    ) -> Result<(), Failure> {
        let password = password.map(Zeroizing::new);
        let device = device.as_deref().map(device_id).transpose()?;
        if let Some(password) = &password
            && (password.is_empty() || password.len() > LONGEST)
        {
            return Err(invalid(
                format!("A device password has from 1 to {LONGEST} bytes."),
                "Enter the password that is set on the device.",
            ));
        }
        let Before { mut profile, mut bundle } =
            self.before(Some(connection)).await?.ok_or_else(|| not_found("connection", connection))?;
        let did = if password.is_some() { "Set" } else { "Removed" };
        let of = device.as_ref().map_or("all other devices", |device| device.as_str());
        let entry = self.audit.entry(AuditKind::Device, format!("{did} the password of {of}"));
        let entry = entry.on(&profile.id, &profile.name);
        let entry = entry.with(&json!({ "device": device.as_ref().map(|device| device.as_str()) }));
        let mut passwords = DevicePasswords::of(&bundle);
        passwords.set(device.as_ref(), password);
        passwords.put(&mut bundle);
        profile.has = bundle.has();
        let _replacing = self.secrets.replacing(&profile.id).await;
        let (vault, id, in_memory) = (Arc::clone(&self.vault), profile.id.clone(), profile.in_memory_secrets);
        spawn_blocking(move || bundle.keep(&vault, id.as_str(), in_memory)).await.map_err(defect)??;
        self.store.audited(entry).save_connection(&profile).await?;
        self.request(|reply| Request::DevicePasswords(profile.id.clone(), passwords, profile.has, reply)).await
    }
}
