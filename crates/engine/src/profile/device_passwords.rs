//! The passwords of devices that require signed requests: one for all devices of a connection, and others for single
//! devices.

use std::collections::BTreeMap;

use wilco_ledger::DeviceId;
use zeroize::Zeroizing;

use super::Bundle;
use crate::vault::{Secret, SecretKind};

/// The longest password of a device, bytes.
pub(crate) const LONGEST: usize = 512;

/// The key of the password for all devices without a password of their own.
const OF_ALL: &str = "";

/// The known passwords. They cannot be printed or serialised except into a [`Secret`].
#[derive(Clone, Default)]
pub(crate) struct DevicePasswords(BTreeMap<String, Zeroizing<String>>);

impl DevicePasswords {
    /// Those in a bundle. What cannot be read is as good as none.
    pub(crate) fn of(bundle: &Bundle) -> DevicePasswords {
        let Some(secret) = bundle.get(SecretKind::DevicePasswords) else { return DevicePasswords::default() };
        let read: BTreeMap<String, String> = serde_json::from_slice(secret.expose()).unwrap_or_default();
        DevicePasswords(read.into_iter().map(|(device, password)| (device, Zeroizing::new(password))).collect())
    }

    /// Puts them into a bundle, in the place of those that were there.
    pub(crate) fn put(&self, bundle: &mut Bundle) {
        let secret = (!self.0.is_empty()).then(|| {
            let shown: BTreeMap<&str, &str> =
                self.0.iter().map(|(device, password)| (device.as_str(), password.as_str())).collect();
            // Large enough from the start: a vector that grows leaves copies behind.
            let size = self.0.iter().map(|(device, password)| 6 * (device.len() + password.len()) + 8).sum::<usize>();
            let mut bytes = Vec::with_capacity(size + 2);
            // Texts are always JSON.
            let _ = serde_json::to_writer(&mut bytes, &shown);
            Secret::new(bytes)
        });
        bundle.set(SecretKind::DevicePasswords, secret);
    }

    /// Sets the password of a device, or of all that have none of their own; removes it where there is none.
    pub(crate) fn set(&mut self, device: Option<&DeviceId>, password: Option<Zeroizing<String>>) {
        let device = device.map_or(OF_ALL, DeviceId::as_str);
        match password {
            Some(password) => drop(self.0.insert(device.to_owned(), password)),
            None => drop(self.0.remove(device)),
        }
    }

    /// The password of a device.
    pub(crate) fn get(&self, device: &DeviceId) -> Option<&str> {
        self.own(device).or_else(|| self.0.get(OF_ALL).map(|password| password.as_str()))
    }

    /// The password that only that device has.
    pub(crate) fn own(&self, device: &DeviceId) -> Option<&str> {
        self.0.get(device.as_str()).map(|password| password.as_str())
    }
}

impl std::fmt::Debug for DevicePasswords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DevicePasswords(…)")
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

    use wilco_ledger::DeviceId;
    use zeroize::Zeroizing;

    use super::{Bundle, DevicePasswords};
    use crate::vault::SecretKind;

    #[test]
    fn a_device_without_a_password_uses_the_connections_password() {
        let (one, other) = (DeviceId::new("plug-1").unwrap(), DeviceId::new("plug-2").unwrap());
        let mut passwords = DevicePasswords::default();
        assert_eq!(passwords.get(&one), None);
        passwords.set(None, Some(Zeroizing::new("of all".into())));
        passwords.set(Some(&one), Some(Zeroizing::new("of \"one\"".into())));
        let mut bundle = Bundle::default();
        passwords.put(&mut bundle);
        assert!(bundle.has().device_passwords);
        let read = DevicePasswords::of(&Bundle::read(&bundle.write()).unwrap());
        assert_eq!((read.get(&one), read.get(&other), read.own(&other)), (Some("of \"one\""), Some("of all"), None));
        assert!(!format!("{read:?}").contains("of"));
        passwords.set(None, None);
        passwords.set(Some(&one), None);
        passwords.put(&mut bundle);
        assert!(bundle.get(SecretKind::DevicePasswords).is_none());
    }
}
