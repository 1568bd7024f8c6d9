//! Parses a URL that a user typed.
//!
//! An unreadable URL is never quoted: a password with `#`, `/` or `@` in it shifts every boundary in a URL, so no part
//! of it is safe to show. [`Unreadable`] therefore contains no text.

use std::net::Ipv6Addr;

use url::{Host, Url};

/// The parts of a URL.
pub(super) struct Typed<'a> {
    /// In lower case; `None` if there is none before `://`.
    pub(super) scheme: Option<String>,
    /// As it is dialled: in ASCII (RFC 5891), an IPv6 address without brackets, perhaps with a zone (RFC 4007).
    pub(super) host: String,
    pub(super) port: Option<u16>,
    /// Percent-encoded, with its leading `/`; empty where none was typed.
    pub(super) path: String,
    /// The part after `?`, percent-encoded.
    pub(super) query: Option<String>,
    /// The query as it was typed.
    pub(super) typed_query: Option<&'a str>,
}

/// Why a URL cannot be used, to follow *The address*.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unreadable {
    #[error("contains '@', which separates a user name or password from the host")]
    Credentials,
    #[error("contains a space, a backslash or a control character")]
    Character,
    #[error("contains '#', which is never sent to a broker or proxy")]
    Fragment,
    #[error("does not begin with a scheme such as mqtts://")]
    Scheme,
    #[error("has no host")]
    NoHost,
    #[error("has a host that is neither a DNS name nor an IP address")]
    Host,
    #[error("has an IPv6 address without brackets")]
    Brackets,
    #[error("has a port that is not a number from 1 to 65535")]
    Port,
}

impl Unreadable {
    /// How to fix it, if that differs by cause.
    pub(super) fn hint(self) -> Option<&'static str> {
        Some(match self {
            Unreadable::Credentials => {
                "Enter the user name and password in their own fields. Write '@' as %40 where it belongs to a path."
            }
            Unreadable::Brackets => "Write an IPv6 address in brackets, such as mqtt://[::1]:1883.",
            Unreadable::Fragment => {
                "Remove the '#'. If it is part of a user name or password, enter that in its own \
                                     field."
            }
            _ => return None,
        })
    }
}

impl<'a> Typed<'a> {
    /// Reads `scheme://host:port/path?query`; only the host must be there.
    pub(super) fn read(text: &'a str) -> Result<Typed<'a>, Unreadable> {
        // First: whatever else is wrong may be so because a password moved the boundaries.
        if text.contains('@') {
            return Err(Unreadable::Credentials);
        }
        if text.contains(|letter: char| letter.is_whitespace() || letter.is_control() || letter == '\\') {
            return Err(Unreadable::Character);
        }
        if text.contains('#') {
            return Err(Unreadable::Fragment);
        }
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) if is_scheme(scheme) => (Some(scheme.to_ascii_lowercase()), rest),
            Some(_) => return Err(Unreadable::Scheme),
            None => (None, text),
        };
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(end);
        let (host, port) = split(authority)?;
        let (path, query) = rest.split_once('?').map_or((rest, None), |(path, query)| (path, Some(query)));
        // The library encodes what HTTP needs encoded (RFC 3986 section 2.1).
        let encoded = Url::parse(&format!("ws://host{rest}")).map_err(|_| Unreadable::Character)?;
        Ok(Typed {
            scheme,
            host,
            port,
            path: if path.is_empty() { String::new() } else { encoded.path().to_owned() },
            query: query.and(encoded.query()).map(str::to_owned),
            typed_query: query,
        })
    }
}

fn is_scheme(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '+' | '-' | '.'))
}

fn split(authority: &str) -> Result<(String, Option<u16>), Unreadable> {
    if let Some(bracketed) = authority.strip_prefix('[') {
        let (inside, port) = bracketed.split_once(']').ok_or(Unreadable::Host)?;
        let port = match port.strip_prefix(':') {
            Some(port) => Some(number(port)?),
            None if port.is_empty() => None,
            None => return Err(Unreadable::Port),
        };
        return Ok((ipv6(inside)?, port));
    }
    let (name, port) = match authority.split_once(':') {
        Some((_, port)) if port.contains(':') => {
            let is_address = authority.parse::<Ipv6Addr>().is_ok();
            return Err(if is_address { Unreadable::Brackets } else { Unreadable::Port });
        }
        Some((name, port)) => (name, Some(number(port)?)),
        None => (authority, None),
    };
    if name.is_empty() {
        return Err(Unreadable::NoHost);
    }
    let host = Host::parse(name).map_err(|_| Unreadable::Host)?;
    Ok((host.to_string(), port))
}

/// An IPv6 address, perhaps with the network interface that it is reached by: `fe80::1%eth0`, or `%25eth0` as
/// RFC 6874 wrote it.
fn ipv6(text: &str) -> Result<String, Unreadable> {
    let (address, zone) = text.split_once('%').map_or((text, None), |(address, zone)| (address, Some(zone)));
    let address: Ipv6Addr = address.parse().map_err(|_| Unreadable::Host)?;
    let Some(zone) = zone else { return Ok(address.to_string()) };
    let zone = zone.strip_prefix("25").filter(|zone| !zone.is_empty()).unwrap_or(zone);
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_');
    if zone.is_empty() || !zone.chars().all(is_plain) {
        return Err(Unreadable::Host);
    }
    Ok(format!("{address}%{zone}"))
}

fn number(port: &str) -> Result<u16, Unreadable> {
    if !port.chars().all(|digit| digit.is_ascii_digit()) {
        return Err(Unreadable::Port);
    }
    port.parse().ok().filter(|port| *port > 0).ok_or(Unreadable::Port)
}

/// A host as written in a URL: an IPv6 address in brackets.
#[must_use]
pub fn bracketed(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.to_owned() }
}

/// A host without its zone, which only this computer knows.
pub(super) fn without_zone(host: &str) -> &str {
    host.split_once('%').map_or(host, |(address, _)| address)
}
