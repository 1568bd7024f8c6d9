//! Applies the options that describe a connection to a stored connection or a new one.

use std::path::Path;

use wilco_engine::api::{Client, ConnectionEntry, ConnectionSettings, EnabledDialect, KitView, ProxySettings, Trust};

use super::files;
use crate::{
    dialects,
    input::{prompted, secret_line},
    options::{BrokerOptions, ProxyOptions, SessionOptions, TrustOptions},
    problem::Problem,
};

/// The options of a connection with their secrets. The files are not read yet.
pub(crate) struct ConnectionInput {
    options: BrokerOptions,
    passphrase: Option<String>,
    password: Option<String>,
    proxy_password: Option<String>,
}

impl ConnectionInput {
    /// Reads the secrets: lines of standard input first, in order, then from prompts.
    pub(crate) fn read(options: BrokerOptions) -> Result<ConnectionInput, Problem> {
        let line = |wanted: bool, what: &str, option: &str| wanted.then(|| secret_line(what, option)).transpose();
        let (login, proxy) = (&options.login, &options.proxy);
        let passphrase = line(options.identity.passphrase_stdin, "passphrase", "--passphrase-stdin")?;
        let mut password = line(login.password_stdin, "password", "--password-stdin")?;
        let mut proxy_password = line(proxy.proxy_password_stdin, "proxy's password", "--proxy-password-stdin")?;
        if let (None, Some(user)) = (&password, named(login.username.as_deref())) {
            password = prompted(&format!("Password of {user} (leave empty for none, or to keep the stored one)"))?;
        }
        if let (None, Some(user)) = (&proxy_password, named(proxy.proxy_username.as_deref())) {
            proxy_password = prompted(&format!(
                "Proxy password of {user} (leave empty for none, or to keep the stored \
                                             one)"
            ))?;
        }
        Ok(ConnectionInput { options, passphrase, password, proxy_password })
    }

    /// Reads the files, and puts what was given in the place of what is there.
    pub(crate) async fn over(self, console: &Client, entry: ConnectionEntry) -> Result<ConnectionEntry, Problem> {
        let files = files::named(&self.options)?;
        let brought = files::bring(console, files, self.passphrase.clone(), &self.options.identity).await?;
        match self.entered(entry, brought.as_ref()) {
            Ok(entry) => Ok(entry),
            Err(problem) => {
                if let Some(kit) = brought {
                    console.forget_kit(&kit.id).await?;
                }
                Err(problem)
            }
        }
    }

    fn entered(self, mut entry: ConnectionEntry, brought: Option<&KitView>) -> Result<ConnectionEntry, Problem> {
        let BrokerOptions { session, login, trust: TrustOptions { platform_roots, sni, alpn, .. }, proxy, .. } =
            self.options;
        let SessionOptions { preset, mqtt, client_id, keep_alive, session_expiry, only_device, dialect, prefix } =
            session;
        let settings = &mut entry.settings;
        settings.preset = preset.unwrap_or(settings.preset);
        settings.mqtt = mqtt.unwrap_or(settings.mqtt);
        settings.keep_alive_s = keep_alive.unwrap_or(settings.keep_alive_s);
        settings.session_expiry_s = session_expiry.unwrap_or(settings.session_expiry_s);
        replace(&mut settings.devices_named, only_device);
        enable(settings, dialect)?;
        if let Some(prefix) = prefix {
            settings.prefix = prefix;
        }
        settings.username = login.username.or(settings.username.take());
        settings.server_name = sni.or(settings.server_name.take());
        replace(&mut settings.alpn, alpn);
        settings.trust = trust(platform_roots, brought, settings.trust);
        settings.proxy = proxied(proxy, self.proxy_password.is_some(), settings.proxy.take())?;
        entry.client_id = client_id.or(entry.client_id);
        entry.password = self.password.or(entry.password);
        entry.proxy_password = self.proxy_password.or(entry.proxy_password);
        entry.kit = brought.map(|kit| kit.id.clone());
        Ok(entry)
    }
}

/// Enables these dialects and no others, where any are named.
fn enable(settings: &mut ConnectionSettings, named: Vec<String>) -> Result<(), Problem> {
    if named.is_empty() {
        return Ok(());
    }
    settings.dialects.clear();
    for name in named.iter().map(String::as_str).filter(|name| !name.is_empty()) {
        // Settings may contain slashes: zigbee2mqtt:base=house/z2m.
        let is_file = name.ends_with(".toml") || (name.contains(['/', '\\']) && !name.contains('='));
        if !is_file {
            settings.dialects.push(name.parse()?);
            continue;
        }
        let (name, text) = dialects::file(Path::new(name))?;
        // The file takes the place of an earlier one of its name.
        settings.dialect_files.retain(|known| dialects::name_of(known).as_deref() != Some(&*name));
        settings.dialects.push(EnabledDialect::new(name));
        settings.dialect_files.push(text);
    }
    let dialects = &settings.dialects;
    settings
        .dialect_files
        .retain(|file| dialects::name_of(file).is_some_and(|name| dialects.iter().any(|one| one.name == *name)));
    Ok(())
}

/// The last files that were given apply.
fn trust(platform_roots: bool, brought: Option<&KitView>, before: Trust) -> Trust {
    match brought {
        _ if platform_roots => Trust::Platform,
        Some(kit) if kit.server.is_some() => Trust::Pinned,
        Some(kit) if !kit.authorities.is_empty() => Trust::Authorities,
        _ => before,
    }
}

fn proxied(
    options: ProxyOptions,
    has_password: bool,
    before: Option<ProxySettings>,
) -> Result<Option<ProxySettings>, Problem> {
    let ProxyOptions { proxy: url, proxy_username: username, .. } = options;
    let proxy = match (url, before) {
        (Some(url), _) if url.trim().is_empty() => None,
        (Some(url), before) => Some(ProxySettings { url, ..before.unwrap_or_default() }),
        (None, before) => before,
    };
    let Some(proxy) = proxy else {
        if username.is_none() && !has_password {
            return Ok(None);
        }
        return Err(Problem::new(
            "A proxy user name or password was given without a proxy.",
            "Add --proxy http://HOST:PORT or --proxy socks5://HOST:PORT.",
        ));
    };
    Ok(Some(ProxySettings { username: username.or(proxy.username), ..proxy }))
}

/// A list that was given takes the place of the one that is there.
fn replace(list: &mut Vec<String>, given: Vec<String>) {
    if !given.is_empty() {
        *list = given;
    }
}

/// A name that is not taken away.
fn named(user: Option<&str>) -> Option<&str> {
    user.filter(|user| !user.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use clap::{Args, Command, FromArgMatches};
    use serde_json::{Value, json};
    use wilco_engine::api::{ConnectionEntry, KitView, Trust};

    use super::ConnectionInput;
    use crate::options::BrokerOptions;

    fn described(line: &str) -> ConnectionInput {
        let command = BrokerOptions::augment_args(Command::new("wilco").no_binary_name(true));
        let matches = command.try_get_matches_from(line.split_whitespace()).expect("options");
        let options = BrokerOptions::from_arg_matches(&matches).expect("options");
        ConnectionInput { options, passphrase: None, password: None, proxy_password: None }
    }

    fn stored() -> ConnectionEntry {
        serde_json::from_value(json!({
            "id": "1", "name": "plant", "url": "mqtts://h:8883", "preset": "mosquitto", "mqtt": "3.1.1",
            "client_id": "me", "username": "ops", "dialects": [{"name": "text", "settings": {}}], "prefix": "cmd", "devices_named": ["a"],
            "keep_alive_s": 60, "session_expiry_s": 10, "trust": "authorities", "server_name": "n", "alpn": ["x"],
            "proxy": {"url": "http://p:1", "username": "u"}, "denied": ["+/log"]
        }))
        .expect("an entry")
    }

    fn kit(authorities: usize, server: bool) -> KitView {
        let certificate = json!({
            "subject": "CN=a", "issuer": "CN=a", "not_before": 0, "not_after": 1, "serial": "1", "sha256": "2", "key": "RSA"
        });
        serde_json::from_value(json!({
            "id": "k", "items": [], "certificate": null, "has_key": false, "locked": false, "usable": true,
            "authorities": vec![certificate.clone(); authorities], "problems": [],
            "server": server.then_some(certificate)
        }))
        .expect("a kit")
    }

    /// The changes.
    fn changes(line: &str, brought: Option<&KitView>) -> Value {
        let value = |entry: ConnectionEntry| serde_json::to_value(entry).expect("JSON");
        let before = value(stored());
        let after = value(described(line).entered(stored(), brought).expect("an entry"));
        let members = after.as_object().expect("an object").iter();
        members.filter(|(name, member)| before[*name] != **member).map(|(n, m)| (n.clone(), m.clone())).collect()
    }

    #[test]
    fn only_what_is_given_changes() {
        let check = |line: &str, expected: Value| assert_eq!(changes(line, None), expected, "{line}");
        check("", json!({}));
        check("--preset aws --mqtt 5", json!({"preset": "aws", "mqtt": "5"}));
        check("--client-id you --keep-alive 1m", json!({"client_id": "you"}));
        check("--session-expiry 0 --prefix=", json!({"session_expiry_s": 0, "prefix": ""}));
        check("--only-device b --only-device c", json!({"devices_named": ["b", "c"]}));
        check("--alpn mqtt --sni=", json!({"alpn": ["mqtt"], "server_name": ""}));
        check("--platform-roots", json!({"trust": "platform"}));
        let proxy = |url: &str, user: &str| json!({"proxy": {"url": url, "username": user}});
        check("--proxy socks5://q:2", proxy("socks5://q:2", "u"));
        check("--proxy-username v", proxy("http://p:1", "v"));
        check("--proxy=", json!({"proxy": null}));
    }

    #[test]
    fn trust_follows_from_the_added_files() {
        let check = |line: &str, kit: KitView, expected: Value| {
            let mut changes = changes(line, Some(&kit));
            assert_eq!(changes.as_object_mut().and_then(|members| members.remove("kit")), Some(json!("k")));
            assert_eq!(changes, expected, "{line}");
        };
        check("", kit(0, false), json!({}));
        check("", kit(2, false), json!({}));
        check("", kit(0, true), json!({"trust": "pinned"}));
        check("--platform-roots", kit(2, false), json!({"trust": "platform"}));
        let new = described("").entered(ConnectionEntry::default(), Some(&kit(1, false))).expect("an entry");
        assert_eq!(new.settings.trust, Trust::Authorities);
    }

    #[test]
    fn a_proxys_user_needs_a_proxy() {
        let outcome = described("--proxy-username u").entered(ConnectionEntry::default(), None);
        assert!(outcome.is_err());
        assert!(described("").entered(ConnectionEntry::default(), None).expect("an entry").settings.proxy.is_none());
    }
}
