//! Where a broker listens, as people write it.

use url::Url;

use crate::api::{Failure, invalid};

/// Where a broker listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) scheme: Scheme,
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Of a WebSocket, with its leading `/`; empty otherwise.
    pub(crate) path: String,
}

/// How a broker is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    Mqtt,
    Mqtts,
    Ws,
    Wss,
}

/// What most brokers listen on, AWS IoT among them.
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

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Scheme::Mqtt => "mqtt",
            Scheme::Mqtts => "mqtts",
            Scheme::Ws => "ws",
            Scheme::Wss => "wss",
        }
    }

    pub(crate) fn is_tls(self) -> bool {
        matches!(self, Scheme::Mqtts | Scheme::Wss)
    }

    pub(crate) fn is_websocket(self) -> bool {
        matches!(self, Scheme::Ws | Scheme::Wss)
    }

    /// The same way with or without TLS, for a hint.
    pub(crate) fn other(self) -> Scheme {
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
    /// Reads `mqtt://`, `mqtts://`, `ws://` or `wss://`, a host, and where they are given a port and a path.
    pub(crate) fn parse(text: &str) -> Result<Address, Failure> {
        let say = |message: String| {
            invalid(
                message,
                "Write it like mqtts://broker.example.net:8883 (TLS), mqtt://… (without), or wss://broker.example.net/mqtt \
                 and ws://… for a WebSocket.",
            )
        };
        let with_scheme = if text.contains("://") { text.to_owned() } else { format!("mqtts://{text}") };
        let url = Url::parse(&with_scheme).map_err(|error| say(format!("'{text}' is not an address: {error}.")))?;
        let scheme = Scheme::parse(url.scheme())
            .ok_or_else(|| say(format!("'{}://' is not a way Wilco can connect.", url.scheme())))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(invalid(
                "The address has a user name or password in it.".into(),
                "Give them in their own fields: an address is kept and shown as it stands.",
            ));
        }
        let host = url.host_str().filter(|host| !host.is_empty());
        let host = host.ok_or_else(|| say(format!("'{text}' names no host.")))?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let path = match url.path() {
            _ if url.query().is_some() || url.fragment().is_some() => {
                return Err(say(format!("'{text}' has more behind its path than an address has.")));
            }
            "" | "/" if scheme.is_websocket() => WEBSOCKET_PATH.to_owned(),
            "" | "/" => String::new(),
            path if scheme.is_websocket() => path.to_owned(),
            _ => return Err(say(format!("'{text}' has a path, which only a WebSocket has."))),
        };
        // The parser knows the usual port of a WebSocket and leaves it out.
        let port = url.port().unwrap_or(scheme.default_port());
        Ok(Address { scheme, host, port, path })
    }

    pub(crate) fn url(&self) -> String {
        format!("{}://{}:{}{}", self.scheme.as_str(), self.bracketed_host(), self.port, self.path)
    }

    /// The host as it stands in an address: an IPv6 address in brackets.
    pub(crate) fn bracketed_host(&self) -> String {
        if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() }
    }

    /// Whether this is an AWS IoT endpoint.
    pub(crate) fn is_aws(&self) -> bool {
        let host = self.host.to_ascii_lowercase();
        host.contains(".iot.") && (host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn"))
    }
}

#[cfg(test)]
mod tests {
    use super::Address;

    #[test]
    fn addresses_are_read_as_people_write_them() {
        let check = |text: &str, expected: Result<&str, &str>| match (Address::parse(text), expected) {
            (Ok(address), Ok(url)) => assert_eq!(address.url(), url, "{text}"),
            (Err(failure), Err(part)) => assert!(failure.message.contains(part), "{text}: {}", failure.message),
            (outcome, _) => panic!("{text}: {outcome:?}"),
        };
        check("mqtts://broker.example.net", Ok("mqtts://broker.example.net:8883"));
        check("mqtt://10.0.0.7", Ok("mqtt://10.0.0.7:1883"));
        check("mqtt://10.0.0.7/", Ok("mqtt://10.0.0.7:1883"));
        check("broker.example.net:8884", Ok("mqtts://broker.example.net:8884"));
        check("mqtt://[::1]:1884", Ok("mqtt://[::1]:1884"));
        check("ws://broker", Ok("ws://broker:80/mqtt"));
        check("ws://broker:80/", Ok("ws://broker:80/mqtt"));
        check("wss://broker:8084/mqtt", Ok("wss://broker:8084/mqtt"));
        check("wss://broker/a/b", Ok("wss://broker:443/a/b"));
        check("http://broker", Err("not a way Wilco can connect"));
        check("mqtt://", Err("'mqtt://'"));
        check("mqtt://broker/path", Err("only a WebSocket has"));
        check("wss://broker/mqtt?token=1", Err("more behind its path"));
        check("mqtt://user:secret@broker", Err("user name or password"));
        check("mqtt://broker:99999", Err("not an address"));
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
