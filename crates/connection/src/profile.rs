//! A connection as it is stored, and its validation. It contains no secrets.

use wilco_dialect::{Dialect, Filter, Subscriptions, is_aws_endpoint};
use wilco_failure::{Failure, excerpt, invalid};
use wilco_ledger::{DeviceId, Timestamp, grouped};

use crate::{
    Address, ConnectionId, ConnectionSettings, EnabledDialects, MqttVersion, Preset, SecondsRange, Secrets, Trust,
};

/// The profile of a connection. Contains no secrets, only their kinds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Its ID, which never changes.
    pub id: ConnectionId,
    /// The name. Unique.
    pub name: String,
    /// `mqtt://`, `mqtts://`, `ws://` or `wss://`, with port, and a WebSocket's path.
    pub url: String,
    /// The client id.
    pub client_id: String,
    /// Its settings.
    pub settings: ConnectionSettings,
    /// Dialects that are not offered again, although devices that use them were found.
    pub declined: Vec<String>,
    /// Whether it is the demo fleet inside the app.
    pub demo: bool,
    /// The subject of the client certificate.
    pub certificate_subject: Option<String>,
    /// The end of the client certificate's validity.
    pub certificate_expires_at: Option<Timestamp>,
    /// The kinds of secrets in the vault.
    pub has: Secrets,
    /// The secrets were kept only in memory, during the run in which it was added.
    pub in_memory_secrets: bool,
    /// Its position in the list.
    pub position: u32,
}

impl Profile {
    /// Checks that the profile is valid as a whole.
    ///
    /// # Errors
    /// [`FailureCode::Invalid`](wilco_failure::FailureCode) for the first value that is invalid, or incompatible with
    /// another one.
    pub fn check(&self) -> Result<(), Failure> {
        let (profile, settings) = (self, &self.settings);
        if settings.mqtt == MqttVersion::V311 && settings.username.is_none() && profile.has.password {
            return Err(invalid(
                "MQTT 3.1.1 does not allow a password without a user name.".into(),
                "Enter a user name, or use MQTT 5.",
            ));
        }
        let bounds = settings.preset.bounds();
        let SecondsRange { least, most } = bounds.keep_alive;
        if !bounds.keep_alive.contains(settings.keep_alive_s.into()) {
            return Err(invalid(
                format!("The keep-alive interval cannot be {} s.", settings.keep_alive_s),
                &format!("Enter a value from {least} s to {most} s."),
            ));
        }
        if !bounds.session_expiry.contains(settings.session_expiry_s) {
            return Err(invalid(
                format!("The session expiry interval of {} s is too long.", settings.session_expiry_s),
                &format!("The maximum is {} s (7 days).", grouped(bounds.session_expiry.most)),
            ));
        }
        if let Some(bad) = settings.alpn.iter().find(|name| name.len() > 255) {
            return Err(invalid(
                format!("'{bad}' is too long for an ALPN protocol name."),
                "Enter a name such as x-amzn-mqtt-ca or mqtt.",
            ));
        }
        match settings.trust {
            Trust::Authorities if !profile.has.authorities => {
                return Err(invalid(
                    "The connection trusts only your own CA certificates, but has none.".into(),
                    "Add the CA certificate, or trust this computer's roots.",
                ));
            }
            Trust::Pinned if !profile.has.server => {
                return Err(invalid(
                    "The connection trusts only a pinned certificate, but has none.".into(),
                    "Add the server certificate, or trust this computer's roots.",
                ));
            }
            _ => {}
        }
        let client_id = &profile.client_id;
        let beyond = wishing(profile, |enabled, wishes| enabled.own.beyond_aws(client_id, wishes))?;
        match beyond.filter(|_| settings.preset == Preset::Aws) {
            Some(beyond) => Err(invalid(beyond, "If this is not AWS IoT Core, choose another kind of broker.")),
            None => Ok(()),
        }
    }
}

/// The topics of Wilco's own dialect on a connection, which the preflight tests.
///
/// # Errors
/// [`FailureCode::Invalid`](wilco_failure::FailureCode): see [`EnabledDialects::of`].
pub fn dialect(profile: &Profile) -> Result<Dialect, Failure> {
    Ok(EnabledDialects::of(profile)?.own)
}

/// The topic filters of a connection, without optional ones that the broker has refused.
///
/// # Errors
/// [`FailureCode::Invalid`](wilco_failure::FailureCode): see [`EnabledDialects::of`].
pub fn filters(profile: &Profile) -> Result<Vec<Filter>, Failure> {
    let mut filters = wishing(profile, EnabledDialects::filters)?;
    filters.retain(|filter| filter.required || !profile.settings.denied.contains(&filter.filter));
    Ok(filters)
}

fn wishing<T>(profile: &Profile, ask: impl FnOnce(&EnabledDialects, &Subscriptions<'_>) -> T) -> Result<T, Failure> {
    let settings = &profile.settings;
    let devices: Vec<_> = settings.devices_named.iter().map(|device| device_id(device)).collect::<Result<_, _>>()?;
    let devices = (!devices.is_empty()).then_some(&devices[..]);
    let lifecycle = settings.preset.bounds().lifecycle;
    Ok(ask(&EnabledDialects::of(profile)?, &Subscriptions { devices, lifecycle }))
}

/// Whether part of a connection's configuration is stored with the secrets.
#[must_use]
pub fn has_secrets(profile: &Profile) -> bool {
    profile.has != Secrets::default() || Address::has_kept_query(&profile.url)
}

/// Whether the broker is AWS IoT Core, by the preset or by its address.
#[must_use]
pub fn is_aws(preset: Preset, url: &str) -> bool {
    preset == Preset::Aws || Address::parse(url).is_ok_and(|address| is_aws_endpoint(&address.host))
}

/// Validates a device ID that a user entered.
///
/// # Errors
/// [`FailureCode::Invalid`](wilco_failure::FailureCode).
pub fn device_id(text: &str) -> Result<DeviceId, Failure> {
    DeviceId::new(text).map_err(|error| {
        invalid(
            format!("'{}' is not a valid device ID: {error}.", excerpt(text)),
            "The device ID is the part of the request topic before /req.",
        )
    })
}

/// A new client ID. It differs for each installation and connection, so that it is never used twice at the same time.
#[must_use]
pub fn made_client_id(installation: &str, connection: &str) -> String {
    let short = |text: &str| text.chars().take(8).collect::<String>();
    format!("wilco-{}-{}", short(installation), short(connection))
}

/// Whether a client ID was generated by a console.
#[must_use]
pub fn is_made_client_id(client_id: &str) -> bool {
    let parts: Vec<_> = client_id.split('-').collect();
    matches!(parts[..], ["wilco", installation, connection, ..] if installation.len() == 8 && connection.len() >= 4)
}

/// Validates an entered client ID: MQTT section 3.1.3.1; AWS allows 128 bytes and no leading `$`.
///
/// # Errors
/// [`FailureCode::Invalid`](wilco_failure::FailureCode).
pub fn client_id(id: String) -> Result<String, Failure> {
    if id.len() > 128 || id.starts_with('$') || id.chars().any(char::is_control) {
        return Err(invalid(
            format!("'{id}' is not a valid client ID."),
            "Use at most 128 bytes, no '$' at the beginning, and no control characters.",
        ));
    }
    Ok(id)
}
