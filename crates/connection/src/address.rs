//! The address of a broker, as a user enters it.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use wilco_failure::{Failure, invalid};

use crate::{
    Secret,
    typed::{Typed, Unreadable, bracketed, without_zone},
};

/// The address of a broker.
#[derive(Debug, Clone)]
pub struct Address {
    /// The transport.
    pub scheme: Scheme,
    /// The host in ASCII; an IPv6 address can have a zone.
    pub host: String,
    /// The TCP port.
    pub port: u16,
    /// The path of a WebSocket, with its leading `/`; empty otherwise.
    pub path: String,
    /// The query of a WebSocket address.
    pub query: Query,
}

/// The query of a WebSocket address. It often contains a token, so it is a secret like a password.
#[derive(Debug, Clone)]
pub enum Query {
    /// None.
    None,
    /// Stored with the secrets, and shown as `…`.
    Kept,
    /// Entered or fetched.
    Given(Secret),
}

/// Shown in place of a query.
const KEPT_QUERY: &str = "…";

/// How to connect to a broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Scheme {
    /// TCP.
    Mqtt,
    /// TLS.
    Mqtts,
    /// A WebSocket.
    Ws,
    /// A WebSocket over TLS.
    Wss,
}

const HINT: &str = "Enter it like mqtts://broker.example.net:8883 (TLS), mqtt://… (no TLS), or wss://broker.example.net/mqtt and ws://… \
     for a WebSocket.";

/// The default port of most brokers, including AWS IoT.
const WEBSOCKET_PATH: &str = "/mqtt";

impl Scheme {
    fn parse(scheme: &str) -> Option<Scheme> {
        Some(match scheme {
            "mqtt" | "tcp" => Scheme::Mqtt,
            "mqtts" | "ssl" | "tls" => Scheme::Mqtts,
            "ws" => Scheme::Ws,
            "wss" => Scheme::Wss,
            _ => return None,
        })
    }

    /// The scheme of an address.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Scheme::Mqtt => "mqtt",
            Scheme::Mqtts => "mqtts",
            Scheme::Ws => "ws",
            Scheme::Wss => "wss",
        }
    }

    /// Whether it is encrypted.
    #[must_use]
    pub fn is_tls(self) -> bool {
        matches!(self, Scheme::Mqtts | Scheme::Wss)
    }

    /// Whether it is a WebSocket.
    #[must_use]
    pub fn is_websocket(self) -> bool {
        matches!(self, Scheme::Ws | Scheme::Wss)
    }

    /// The same transport with or without TLS, for a hint.
    #[must_use]
    pub fn other(self) -> Scheme {
        match self {
            Scheme::Mqtt => Scheme::Mqtts,
            Scheme::Mqtts => Scheme::Mqtt,
            Scheme::Ws => Scheme::Wss,
            Scheme::Wss => Scheme::Ws,
        }
    }

    fn default_port(self) -> u16 {
        match self {
            Scheme::Mqtt => 1883,
            Scheme::Mqtts => 8883,
            Scheme::Ws => 80,
            Scheme::Wss => 443,
        }
    }
}

impl Address {
    /// Parses `mqtt://`, `mqtts://`, `ws://` or `wss://`, a host and, if given, a port, a path and a query.
    ///
    /// # Errors
    /// [`FailureCode::Invalid`](wilco_failure::FailureCode), which never quotes the input, because it may contain a
    /// password.
    pub fn parse(text: &str) -> Result<Address, Failure> {
        let say = |message: &str| invalid(message.to_owned(), HINT);
        let unreadable = |error: Unreadable| invalid(format!("The address {error}."), error.hint().unwrap_or(HINT));
        let typed = Typed::read(text).map_err(unreadable)?;
        let scheme = match typed.scheme.as_deref() {
            None => Scheme::Mqtts,
            Some(scheme) => Scheme::parse(scheme).ok_or_else(|| match scheme {
                "http" | "https" => say(&format!("{scheme}:// is a web address, not the address of an MQTT broker.")),
                _ => say("Wilco does not support the scheme of the address."),
            })?,
        };
        let path = match &*typed.path {
            "" if scheme.is_websocket() => WEBSOCKET_PATH,
            path if scheme.is_websocket() => path,
            "" | "/" => "",
            _ => return Err(say("The address has a path, but only WebSocket addresses can have one.")),
        };
        let query = match (typed.typed_query, typed.query) {
            (None | Some(""), _) => Query::None,
            (Some(_), _) if !scheme.is_websocket() => {
                return Err(say("The address has a query ('?'), but only WebSocket addresses can have one."));
            }
            (Some(KEPT_QUERY), _) => Query::Kept,
            (Some(_), query) => query.map_or(Query::None, |query| Query::Given(Secret::from(query))),
        };
        let port = typed.port.unwrap_or(scheme.default_port());
        Ok(Address { scheme, host: typed.host, port, path: path.to_owned(), query })
    }

    /// The address for display and storage, without the content of the query.
    #[must_use]
    pub fn url(&self) -> String {
        let query = match self.query {
            Query::None => String::new(),
            Query::Kept | Query::Given(_) => format!("?{KEPT_QUERY}"),
        };
        format!("{}://{}:{}{}{query}", self.scheme.as_str(), bracketed(&self.host), self.port, self.path)
    }

    /// Whether an address as written by [`Address::url`] has a query among the secrets.
    #[must_use]
    pub fn has_kept_query(url: &str) -> bool {
        url.strip_suffix(KEPT_QUERY).is_some_and(|url| url.ends_with('?'))
    }

    /// The host as the broker knows it: without a zone, which has a meaning only on this computer.
    #[must_use]
    pub fn public_host(&self) -> &str {
        without_zone(&self.host)
    }

    /// The host as written in a request: an IPv6 address in brackets.
    #[must_use]
    pub fn authority(&self) -> String {
        format!("{}:{}", bracketed(self.public_host()), self.port)
    }

    /// Whether this is an AWS IoT endpoint.
    #[must_use]
    pub fn is_aws(&self) -> bool {
        let host = self.host.to_ascii_lowercase();
        host.contains(".iot.") && (host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Address, Query};
    use crate::Proxy;

    #[test]
    fn addresses_are_read_as_people_write_them() {
        let check = |text: &str, expected: Result<&str, &str>| match (Address::parse(text), expected) {
            (Ok(address), Ok(url)) => {
                assert_eq!(address.url(), url, "{text}");
                let again = Address::parse(url).expect("what was written can be read");
                assert_eq!(again.url(), url, "{text}");
            }
            (Err(failure), Err(part)) => assert!(failure.message.contains(part), "{text}: {}", failure.message),
            (outcome, _) => panic!("{text}: {outcome:?}"),
        };
        check("mqtts://broker.example.net", Ok("mqtts://broker.example.net:8883"));
        check("MQTT://10.0.0.7", Ok("mqtt://10.0.0.7:1883"));
        check("mqtt://10.0.0.7/", Ok("mqtt://10.0.0.7:1883"));
        check("mqtt://broker:80", Ok("mqtt://broker:80"));
        check("mqtts://broker:443", Ok("mqtts://broker:443"));
        check("broker.example.net:8884", Ok("mqtts://broker.example.net:8884"));
        check("mqtt://[::1]:1884", Ok("mqtt://[::1]:1884"));
        check("mqtt://[fe80::1%eth0]:1884", Ok("mqtt://[fe80::1%eth0]:1884"));
        check("mqtt://[fe80::1%25eth0]", Ok("mqtt://[fe80::1%eth0]:1883"));
        check("ws://broker", Ok("ws://broker:80/mqtt"));
        check("ws://broker:80/", Ok("ws://broker:80/"));
        check("ws://broker/?", Ok("ws://broker:80/"));
        check("wss://broker:8084/mqtt", Ok("wss://broker:8084/mqtt"));
        check("wss://broker/a b", Err("a space"));
        check("wss://broker/a/ü", Ok("wss://broker:443/a/%C3%BC"));
        check("wss://broker/mqtt?token=1", Ok("wss://broker:443/mqtt?…"));
        check("wss://broker?token=1", Ok("wss://broker:443/mqtt?…"));
        check("mqtt://bücher.test", Ok("mqtt://xn--bcher-kva.test:1883"));
        check("mqtts://bücher.test", Ok("mqtts://xn--bcher-kva.test:8883"));
        check("ws://bücher.test", Ok("ws://xn--bcher-kva.test:80/mqtt"));
        check("wss://bücher.test", Ok("wss://xn--bcher-kva.test:443/mqtt"));
        check("http://broker", Err("not the address of an MQTT broker"));
        check("ftp://broker", Err("does not support the scheme"));
        check("mqtt://", Err("no host"));
        check("mqtt://:1883", Err("no host"));
        check("mqtt://::1", Err("IPv6 address without brackets"));
        check("mqtt://[fe80::1%]", Err("neither a DNS name nor an IP address"));
        check("mqtt://a_b^c", Err("neither a DNS name nor an IP address"));
        check("mqtt://broker/path", Err("only WebSocket addresses can have one"));
        check("mqtt://broker?token=1", Err("only WebSocket addresses can have one"));
        check("mqtt://user:secret@broker", Err("user name or password"));
        check("mqtt://broker:99999", Err("port"));
        check("mqtt://broker:0", Err("port"));
    }

    #[test]
    fn a_query_is_kept_apart_and_a_kept_one_is_known() {
        let given = Address::parse("wss://broker/mqtt?token=a%20b&x=ü").expect("an address");
        let Query::Given(secret) = &given.query else { panic!("{:?}", given.query) };
        assert_eq!(secret.expose(), "token=a%20b&x=%C3%BC".as_bytes());
        assert!(!format!("{given:?}").contains("token"));
        let kept = Address::parse(&given.url()).expect("what was written can be read");
        assert!(matches!(kept.query, Query::Kept), "{kept:?}");
        assert!(Address::has_kept_query(&given.url()));
        assert!(!Address::has_kept_query("wss://broker/mqtt"));
    }

    #[test]
    fn the_zone_of_an_address_stays_on_this_computer() {
        let address = Address::parse("ws://[fe80::1%eth0]:9001").expect("an address");
        assert_eq!((&*address.host, &*address.authority()), ("fe80::1%eth0", "[fe80::1]:9001"));
    }

    proptest! {
        /// Whatever is mistyped around it, a password that was typed into an address is in no error and in nothing kept.
        #[test]
        fn a_password_in_an_address_is_never_shown(
            scheme in "(mqtt://|mqtts://|ws://|wss://|http://|https://|socks5://|amqp://|://|)",
            before in "[ -~]{0,4}",
            after in "[ -~]{0,4}",
            end in "(@broker|@broker:1883|@\\[::1\\]|@|@broker/mqtt|@broker\\?a=b)",
        ) {
            const CANARY: &str = "kanarienvogel";
            let text = format!("{scheme}ops:{before}{CANARY}{after}{end}");
            for outcome in [
                Address::parse(&text).map(|address| format!("{} {address:?}", address.url())),
                Proxy::parse(&text).map(|proxy| proxy.url()),
            ] {
                let told = match outcome {
                    Ok(shown) => shown,
                    Err(failure) => format!("{failure:?}"),
                };
                prop_assert!(!told.contains(CANARY), "{text}: {told}");
            }
        }
    }

    #[test]
    fn a_password_without_a_host_behind_it_is_never_shown() {
        for text in [
            "mqtt://ops:kanarienvogel",
            "ops:kanarienvogel",
            "mqtt://ops:kanarienvogel/",
            "mqtt://ops:12#kanarienvogel",
            "mqtt://ops:12/kanarienvogel",
            "mqtt://ops:12?kanarienvogel",
            "http://ops:12/kanarienvogel",
            "http://ops:12#kanarienvogel",
            "http://ops:12?kanarienvogel",
            "http://[kanarienvogel",
            "kanarienvogel://broker",
            "mqtt://ops:kana rienvogel@x",
        ] {
            for failure in [Address::parse(text).err(), Proxy::parse(text).err()].into_iter().flatten() {
                assert!(!format!("{failure:?}").contains("rienvogel"), "{text}: {failure:?}");
            }
            assert!(Address::parse(text).is_err() || Proxy::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_aws_endpoint_is_known_by_its_name() {
        let check = |host: &str, expected: bool| {
            let address = Address::parse(&format!("mqtts://{host}")).expect("an address");
            assert_eq!(address.is_aws(), expected, "{host}");
        };
        check("a3k9x2v7q-ats.iot.eu-central-1.amazonaws.com", true);
        check("a3k9.iot.cn-north-1.amazonaws.com.cn", true);
        check("iot.example.com", false);
        check("a.iot.amazonaws.com.evil.net", false);
    }
}
