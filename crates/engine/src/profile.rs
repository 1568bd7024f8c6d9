//! Converts an entered connection to a stored profile, and a stored profile to the settings of a session.

pub(crate) mod device_passwords;

use std::sync::Arc;

use tokio::task::spawn_blocking;
use uuid::Uuid;
use wilco_connection::{Address, ConnectionId, ConnectionSettings, Profile, Proxy, ProxySettings, Query, client_id};
use zeroize::Zeroizing;

pub(crate) use device_passwords::DevicePasswords;
pub(crate) use wilco_connection::{
    device_id, dialect, filters, has_secrets, is_aws, is_made_client_id, made_client_id,
};
pub(crate) use wilco_credentials::Bundle;

use crate::{
    api::{ConnectionEntry, EnabledDialect, Failure, FailureCode, Secrets, Trust, exact, invalid, legible},
    mqtt::{Proof, Route, Settings, Tls},
    tls::{self, CertificateFacts, Credentials},
    vault::{Secret, SecretKind, Vault},
};

/// A connection as it was entered, checked, and not yet kept.
pub(crate) struct Draft {
    pub(crate) profile: Profile,
    pub(crate) bundle: Bundle,
    pub(crate) certificates: Certificates,
}

/// The certificates and the key of a connection, read once, and what is to be seen of the client certificate.
pub(crate) struct Certificates {
    credentials: Credentials,
    facts: Option<CertificateFacts>,
}

impl Certificates {
    fn of(bundle: &Bundle) -> Result<Certificates, Failure> {
        let credentials = bundle.credentials()?;
        Ok(Certificates { facts: credentials.facts(), credentials })
    }
}

/// A stored connection whose session is to begin.
pub(crate) struct Opening {
    pub(crate) profile: Profile,
    /// Its certificates, where they were read to save it. Every change of them in the keyring opens the connection again.
    pub(crate) certificates: Option<Certificates>,
}

impl From<Profile> for Opening {
    fn from(profile: Profile) -> Opening {
        Opening { profile, certificates: None }
    }
}

/// The identity of a connection, besides the entered values.
struct Identity {
    id: ConnectionId,
    client_id: String,
    position: u32,
    /// Dialects that are not offered any more.
    declined: Vec<String>,
}

impl Identity {
    fn new(installation: &str) -> Identity {
        let id = Uuid::new_v4().simple().to_string();
        let client_id = made_client_id(installation, &id);
        Identity { client_id, id: ConnectionId::from(id), position: u32::MAX, declined: Vec::new() }
    }
}

/// The settings of a session.
pub(crate) struct Ready {
    pub(crate) settings: Settings,
    /// The client certificate that it will show.
    pub(crate) certificate: Option<CertificateFacts>,
    /// The passwords of its devices.
    pub(crate) passwords: DevicePasswords,
}

/// A stored connection that is to be changed.
pub(crate) struct Before {
    pub(crate) profile: Profile,
    pub(crate) bundle: Bundle,
}

impl Draft {
    /// A profile with these secrets.
    pub(crate) fn with(mut profile: Profile, bundle: Bundle) -> Result<Draft, Failure> {
        let certificates = Certificates::of(&bundle)?;
        certify(&mut profile, certificates.facts.clone());
        Ok(Draft { profile, bundle, certificates })
    }

    /// Validates an entered connection. `brought` has the staged files.
    pub(crate) fn of(
        entry: ConnectionEntry,
        brought: Option<&Credentials>,
        before: Option<Before>,
        installation: &str,
    ) -> Result<Draft, Failure> {
        let known = before.as_ref().map(|before| {
            let profile = &before.profile;
            Identity {
                id: profile.id.clone(),
                client_id: profile.client_id.clone(),
                position: profile.position,
                declined: profile.declined.clone(),
            }
        });
        let identity = known.unwrap_or_else(|| Identity::new(installation));
        let mut bundle = before.map(|before| before.bundle).unwrap_or_default();
        if entry.without_certificates {
            bundle.forget_certificates();
        }
        if let Some(brought) = brought {
            let scheme = Address::parse(entry.url.trim())?.scheme;
            if !scheme.is_tls() && !brought.to_secrets().is_empty() {
                return Err(invalid(
                    format!("Certificates were added, but the address uses {}://, which has no TLS.", scheme.as_str()),
                    &format!("Use {}:// for a connection with TLS.", scheme.other().as_str()),
                ));
            }
            bundle.bring(brought);
        }
        Draft::enter(entry, bundle, identity, None)
    }

    /// A connection from elsewhere, which `had` these secrets there, whether or not they came along.
    pub(crate) fn imported(
        entry: ConnectionEntry,
        bundle: Bundle,
        had: Secrets,
        installation: &str,
    ) -> Result<Draft, Failure> {
        Draft::enter(entry, bundle, Identity::new(installation), Some(had))
    }

    fn enter(
        entry: ConnectionEntry,
        mut bundle: Bundle,
        identity: Identity,
        had: Option<Secrets>,
    ) -> Result<Draft, Failure> {
        let name = legible(&entry.name, "name")?.to_owned();
        if name.is_empty() {
            return Err(invalid(
                "The connection has no name.".into(),
                "Enter a name, for example the name of the fleet.",
            ));
        }
        let address = Address::parse(entry.url.trim())?;
        keep_query(&address, &mut bundle, had.is_some())?;
        let client_id = match text(entry.client_id, "client ID")? {
            Some(given) => client_id(given)?,
            None => identity.client_id,
        };
        change(&mut bundle, SecretKind::Password, entry.password);
        let mut settings = settings_of(entry.settings, address.scheme.is_tls())?;
        let proxy = settings.proxy.take();
        settings.proxy = proxy.map(|proxy| enter_proxy(proxy, entry.proxy_password, &mut bundle)).transpose()?;
        if settings.proxy.is_none() {
            bundle.set(SecretKind::ProxyPassword, None);
        }
        if !address.scheme.is_tls() {
            bundle.forget_certificates();
        }
        let profile = Profile {
            id: identity.id,
            name,
            url: address.url(),
            client_id,
            settings,
            declined: identity.declined,
            demo: false,
            certificate_subject: None,
            certificate_expires_at: None,
            has: had.unwrap_or_else(|| bundle.has()),
            in_memory_secrets: entry.without_keyring,
            position: identity.position,
        };
        let draft = Draft::with(profile, bundle)?;
        draft.profile.check()?;
        Ok(draft)
    }

    /// The settings of its session.
    pub(crate) fn settings(&self, passing: bool) -> Result<Settings, Failure> {
        assemble(&self.profile, &self.bundle, &self.certificates.credentials, passing)
    }
}

/// Fetches a stored connection's secrets and makes its session's settings of them.
pub(crate) async fn ready(opening: Opening, vault: Arc<Vault>, passing: bool) -> Result<Ready, Failure> {
    let fetched = spawn_blocking(move || {
        let Opening { profile, certificates } = opening;
        let bundle = fetch(&profile, &vault)?;
        if lacks(&bundle, &profile) {
            return Err(missing(&profile));
        }
        let Certificates { credentials, facts } = certificates.map_or_else(|| Certificates::of(&bundle), Ok)?;
        let passwords = DevicePasswords::of(&bundle);
        Ok(Ready { settings: assemble(&profile, &bundle, &credentials, passing)?, certificate: facts, passwords })
    });
    fetched.await.map_err(|error| Failure {
        code: FailureCode::Internal,
        message: format!("Reading the secrets failed: {error}."),
        hint: None,
    })?
}

/// Takes down what is to be seen of a client certificate.
pub(crate) fn certify(profile: &mut Profile, certificate: Option<CertificateFacts>) {
    profile.certificate_subject = certificate.as_ref().map(|facts| facts.subject.clone());
    profile.certificate_expires_at = certificate.map(|facts| facts.not_after);
}

/// The secrets of a stored connection. Blocks.
pub(crate) fn fetch(profile: &Profile, vault: &Vault) -> Result<Bundle, Failure> {
    if !has_secrets(profile) {
        // A broker without secrets needs no keyring.
        return Ok(Bundle::default());
    }
    match Bundle::fetch(vault, profile.id.as_str()) {
        // Secrets that were never in the keyring are not missing without one.
        Err(_) if profile.in_memory_secrets => Ok(Bundle::default()),
        fetched => Ok(fetched?),
    }
}

fn assemble(profile: &Profile, bundle: &Bundle, credentials: &Credentials, passing: bool) -> Result<Settings, Failure> {
    let mut address = Address::parse(&profile.url)?;
    if let (Query::Kept, Some(query)) = (&address.query, bundle.get(SecretKind::AddressQuery)) {
        address.query = Query::Given(query.clone());
    }
    let tls = address.scheme.is_tls().then(|| tls_of(profile, credentials)).transpose()?;
    let password = bundle.get(SecretKind::Password).map(|secret| Zeroizing::new(secret.expose().to_vec()));
    let settings = &profile.settings;
    Ok(Settings {
        route: Route { address, tls, proxy: proxy_of(profile, bundle)? },
        version: settings.mqtt,
        client_id: profile.client_id.clone(),
        username: settings.username.clone(),
        password,
        filters: filters(profile)?,
        keep_alive: settings.keep_alive_s,
        send_window: settings.preset.bounds().send_window,
        session_expiry: if passing { 0 } else { settings.session_expiry_s },
        publishes: settings.mode.publishes(),
    })
}

fn tls_of(profile: &Profile, credentials: &Credentials) -> Result<Tls, Failure> {
    let settings = &profile.settings;
    let alpn: Vec<Vec<u8>> = settings.alpn.iter().map(|protocol| protocol.clone().into_bytes()).collect();
    let (config, witness) = tls::client_config(credentials, settings.trust, &alpn)?;
    let proof = if settings.trust == Trust::Pinned { Proof::Pinned } else { Proof::Signed };
    Ok(Tls {
        config,
        witness,
        server_name: settings.server_name.clone(),
        proof,
        client_certificate: credentials.is_mutual(),
    })
}

fn proxy_of(profile: &Profile, bundle: &Bundle) -> Result<Option<Proxy>, Failure> {
    let Some(ProxySettings { url, username }) = &profile.settings.proxy else { return Ok(None) };
    let password = bundle.get(SecretKind::ProxyPassword).map(|secret| {
        // It was text when it was put in.
        Zeroizing::new(String::from_utf8_lossy(secret.expose()).into_owned())
    });
    Ok(Some(Proxy { username: username.clone(), password, ..Proxy::parse(url)? }))
}

/// The settings to be stored, of those that were entered; the proxy is left as it is. One that needs nothing of this stays
/// as it was entered.
fn settings_of(entered: ConnectionSettings, is_tls: bool) -> Result<ConnectionSettings, Failure> {
    let alpn = entered.alpn.into_iter().filter_map(|name| text(Some(name), "ALPN name").transpose());
    Ok(ConnectionSettings {
        username: entered.username.filter(|name| !name.is_empty()),
        dialects: enabled(entered.dialects),
        prefix: text(Some(entered.prefix), "topic prefix")?.unwrap_or_default(),
        devices_named: devices(&entered.devices_named)?,
        trust: if is_tls { entered.trust } else { Trust::Platform },
        server_name: text(entered.server_name, "server name")?,
        alpn: alpn.collect::<Result<_, _>>()?,
        ..entered
    })
}

/// A proxy as it was entered; its password goes to the secrets.
fn enter_proxy(entry: ProxySettings, password: Option<String>, bundle: &mut Bundle) -> Result<ProxySettings, Failure> {
    let username = entry.username.filter(|name| !name.is_empty());
    let url = Proxy::parse(entry.url.trim())?.url();
    change(bundle, SecretKind::ProxyPassword, password);
    if username.is_none() && bundle.get(SecretKind::ProxyPassword).is_some() {
        return Err(invalid(
            "The proxy has a password but no user name.".into(),
            "Enter a user name, or leave both empty.",
        ));
    }
    Ok(ProxySettings { url, username })
}

/// The query of an address goes to the secrets. Of an imported connection it may have stayed where it was.
fn keep_query(address: &Address, bundle: &mut Bundle, imported: bool) -> Result<(), Failure> {
    match &address.query {
        Query::None => bundle.set(SecretKind::AddressQuery, None),
        Query::Given(query) => bundle.set(SecretKind::AddressQuery, Some(query.clone())),
        Query::Kept if imported || bundle.get(SecretKind::AddressQuery).is_some() => {}
        Query::Kept => {
            return Err(invalid(
                "The address ends with '?…', but no query is stored for this connection.".into(),
                "Enter the whole query after '?'. Wilco stores it in the keyring and shows it as '…'.",
            ));
        }
    }
    Ok(())
}

/// `None` leaves what is there, nothing takes it away.
fn change(bundle: &mut Bundle, kind: SecretKind, entered: Option<String>) {
    if let Some(entered) = entered {
        bundle.set(kind, (!entered.is_empty()).then(|| Secret::from(entered)));
    }
}

/// A text as it was entered. One with a space at an end is probably a mistake, and the reason for a failure would be
/// invisible.
fn text(entered: Option<String>, what: &str) -> Result<Option<String>, Failure> {
    let entered = entered.filter(|text| !text.is_empty());
    entered.map(|text| exact(&text, what).map(str::to_owned)).transpose()
}

/// The dialects to enable, each once: Wilco's own where none is named.
fn enabled(entered: Vec<EnabledDialect>) -> Vec<EnabledDialect> {
    let mut dialects: Vec<EnabledDialect> = Vec::new();
    for dialect in entered.into_iter().filter(|dialect| !dialect.name.is_empty()) {
        match dialects.iter_mut().find(|known| known.name == dialect.name) {
            Some(known) => known.settings.extend(dialect.settings),
            None => dialects.push(dialect),
        }
    }
    if dialects.is_empty() { vec!["wilco".into()] } else { dialects }
}

fn devices(entered: &[String]) -> Result<Vec<String>, Failure> {
    let mut devices: Vec<String> = Vec::new();
    for device in entered.iter().filter(|device| !device.trim().is_empty()) {
        let device = device_id(device)?.as_str().to_owned();
        if !devices.contains(&device) {
            devices.push(device);
        }
    }
    Ok(devices)
}

/// Whether something that is needed is not there.
fn lacks(bundle: &Bundle, profile: &Profile) -> bool {
    let (found, needed) = (bundle.has(), profile.has);
    let lacks_query = Address::has_kept_query(&profile.url) && bundle.get(SecretKind::AddressQuery).is_none();
    lacks_query
        || (needed.password && !found.password)
        || (needed.certificate && !found.certificate)
        || (needed.authorities && !found.authorities)
        || (needed.server && !found.server)
        || (needed.proxy_password && !found.proxy_password)
}

fn missing(profile: &Profile) -> Failure {
    let (message, hint) = if profile.in_memory_secrets {
        (
            "were kept in memory and are lost after a restart",
            "Edit the connection and enter its files and passwords again.",
        )
    } else {
        (
            "are not in the keyring",
            "They were removed from the keyring, or were not in the imported file. Edit the connection and enter its \
             files and passwords again.",
        )
    };
    Failure {
        code: FailureCode::NotFound,
        message: format!("The secrets of '{}' {message}.", profile.name),
        hint: Some(hint.into()),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

    use std::sync::Arc;

    use super::{Bundle, Draft, Opening, ready};
    use crate::{
        api::{ConnectionEntry, Failure},
        vault::{Secret, SecretKind, Vault},
    };

    fn named(name: &str) -> Result<Draft, Failure> {
        let url = "mqtt://127.0.0.1:9".into();
        let entry = ConnectionEntry { name: name.into(), url, ..ConnectionEntry::default() };
        Draft::of(entry, None, None, "0123456789abcdef")
    }

    #[test]
    fn the_name_of_a_connection_can_be_told_from_others() {
        assert_eq!(named("Plant 2").unwrap().profile.name, "Plant 2");
        let check = |name: &str, expected: &str| {
            let failure = named(name).err().unwrap();
            assert!(failure.message.contains(expected), "{name:?}: {}", failure.message);
        };
        check("", "has no name");
        check("Plant ", "ends with a space");
        check("Plant\u{200b}", "invisible character U+200B");
        check("\u{202e}Plant", "invisible character U+202E");
        check("Pl\tant", "control character");
    }

    #[tokio::test]
    async fn certificates_that_were_read_to_save_a_connection_are_not_read_again() {
        let Draft { mut profile, certificates, .. } = named("plant").unwrap();
        // These cannot be read.
        let mut bundle = Bundle::default();
        bundle.set(SecretKind::AuthorityCertificates, Some(Secret::new(vec![9])));
        profile.has = bundle.has();
        let vault = Arc::new(Vault::in_memory());
        bundle.keep(&vault, profile.id.as_str(), false).unwrap();
        let opening = Opening { profile: profile.clone(), certificates: Some(certificates) };
        assert!(ready(opening, Arc::clone(&vault), true).await.is_ok());
        assert!(ready(profile.into(), vault, true).await.is_err());
    }
}
