//! A session's keyring from outside: its entries, and whether it is unlocked, through the Secret Service API
//! (<https://specifications.freedesktop.org/secret-service-spec/latest/>) and not through the program under test.

use std::collections::HashMap;

use anyhow::{Context, Result, ensure};
use zbus::blocking::{Connection, Proxy, connection};
use zbus::zvariant::{ObjectPath, OwnedObjectPath, OwnedValue, Value};

use super::{PASSWORD, Session};

const SERVICE: &str = "org.freedesktop.secrets";
const OBJECT: &str = "/org/freedesktop/secrets";
const COLLECTION: &str = "/org/freedesktop/secrets/collection/login";

/// A secret as it goes over the bus: session, parameters, value, content type.
type Sealed = (OwnedObjectPath, Vec<u8>, Vec<u8>, String);

impl Session {
    /// Locks the keyring, as a screen saver or a person may.
    ///
    /// # Errors
    /// When it does not lock.
    pub fn lock_keyring(&self) -> Result<()> {
        let bus = self.bus()?;
        let service = secret_service(&bus, "org.freedesktop.Secret.Service")?;
        let all = [ObjectPath::try_from(COLLECTION)?];
        let (_, prompt): (Vec<OwnedObjectPath>, OwnedObjectPath) = service.call("Lock", &(&all[..],))?;
        ensure!(prompt.as_str() == "/", "it wants to ask somebody first");
        ensure!(!self.is_unlocked(), "it has not locked");
        Ok(())
    }

    /// Unlocks the keyring, as somebody who knows the password.
    ///
    /// # Errors
    /// When it does not unlock.
    pub fn unlock_keyring(&self) -> Result<()> {
        let bus = self.bus()?;
        let session = open(&bus)?;
        // gnome-keyring's own way in, which log-in programs use: it asks nobody.
        let service = secret_service(&bus, "org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface")?;
        let password = (&session, &[] as &[u8], PASSWORD.as_bytes(), "text/plain");
        let () = service.call("UnlockWithMasterPassword", &(ObjectPath::try_from(COLLECTION)?, password))?;
        ensure!(self.is_unlocked(), "it has not unlocked");
        Ok(())
    }

    /// Every secret in the keyring, which has to be unlocked.
    ///
    /// # Errors
    /// When the keyring does not answer.
    pub fn kept(&self) -> Result<Vec<Vec<u8>>> {
        let bus = self.bus()?;
        let session = open(&bus)?;
        let service = secret_service(&bus, "org.freedesktop.Secret.Service")?;
        let everything = HashMap::<&str, &str>::new();
        let (items, _): (Vec<OwnedObjectPath>, Vec<OwnedObjectPath>) = service.call("SearchItems", &(everything,))?;
        let secrets: HashMap<OwnedObjectPath, Sealed> = service.call("GetSecrets", &(items, session))?;
        Ok(secrets.into_values().map(|(_, _, value, _)| value).collect())
    }

    fn bus(&self) -> Result<Connection> {
        let bus = connection::Builder::address(self.address.as_str())?.build();
        bus.context("the session bus does not answer")
    }
}

/// A session of the Secret Service, in which secrets go over the bus as they are.
fn open(bus: &Connection) -> Result<OwnedObjectPath> {
    let service = secret_service(bus, "org.freedesktop.Secret.Service")?;
    let (_, session): (OwnedValue, OwnedObjectPath) = service.call("OpenSession", &("plain", Value::from("")))?;
    Ok(session)
}

fn secret_service<'a>(bus: &'a Connection, interface: &'a str) -> Result<Proxy<'a>> {
    Ok(Proxy::new(bus, SERVICE, OBJECT, interface)?)
}
