//! Through a proxy: HTTP CONNECT (RFC 9110 section 9.3.6) and SOCKS5 (RFC 1928, RFC 1929).
//!
//! The proxy looks the broker's name up, because behind some proxies nobody else can.

use base64::{Engine, prelude::BASE64_STANDARD};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_socks::tcp::Socks5Stream;
use url::Url;
use zeroize::Zeroizing;

use crate::{
    api::{Failure, invalid},
    refusal::{Refusal, Remedy},
};

/// A proxy, and what it wants to know.
#[derive(Clone)]
pub(crate) struct Proxy {
    pub(crate) kind: Kind,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) username: Option<String>,
    pub(crate) password: Option<Zeroizing<String>>,
}

/// How a proxy is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Http,
    Socks5,
}

/// The longest head of an HTTP answer, bytes.
const LONGEST_ANSWER: usize = 8 * 1024;

impl Proxy {
    /// Reads `http://host:port` or `socks5://host:port`.
    pub(crate) fn parse(text: &str) -> Result<Proxy, Failure> {
        let say = |message: String| {
            invalid(message, "Write it like http://proxy.example.net:3128 or socks5://proxy.example.net:1080.")
        };
        let with_scheme = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let url =
            Url::parse(&with_scheme).map_err(|error| say(format!("'{text}' is not a proxy's address: {error}.")))?;
        let (kind, usual) = match url.scheme() {
            "http" => (Kind::Http, 80),
            "socks5" | "socks5h" | "socks" => (Kind::Socks5, 1080),
            "https" => return Err(say("A proxy that is itself reached by TLS (https://) cannot be used.".into())),
            other => return Err(say(format!("'{other}://' is no kind of proxy that Wilco knows."))),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(invalid(
                "The proxy's address has a user name or password in it.".into(),
                "Give them in their own fields: an address is kept and shown as it stands.",
            ));
        }
        if !matches!(url.path(), "" | "/") {
            return Err(say(format!("'{text}' has a path, which a proxy's address has not.")));
        }
        let host =
            url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| say(format!("'{text}' names no host.")))?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Proxy { kind, host, port: url.port().unwrap_or(usual), username: None, password: None })
    }

    pub(crate) fn url(&self) -> String {
        let scheme = match self.kind {
            Kind::Http => "http",
            Kind::Socks5 => "socks5",
        };
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        format!("{scheme}://{host}:{}", self.port)
    }

    /// Has the proxy connect this stream to a broker.
    pub(super) async fn tunnel(&self, stream: &mut TcpStream, host: &str, port: u16) -> Result<(), Refusal> {
        match self.kind {
            Kind::Http => self.http(stream, host, port).await,
            Kind::Socks5 => self.socks5(stream, host, port).await,
        }
    }

    async fn http(&self, stream: &mut TcpStream, host: &str, port: u16) -> Result<(), Refusal> {
        let target = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
        let mut request = Zeroizing::new(format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n"));
        if let Some(username) = &self.username {
            let password = self.password.as_ref().map_or("", |password| password.as_str());
            let pair = Zeroizing::new(format!("{username}:{password}"));
            let encoded = Zeroizing::new(BASE64_STANDARD.encode(pair.as_bytes()));
            request.push_str("Proxy-Authorization: Basic ");
            request.push_str(&encoded);
            request.push_str("\r\n");
        }
        request.push_str("\r\n");
        let lost = |error: std::io::Error| self.lost(&error);
        stream.write_all(request.as_bytes()).await.map_err(lost)?;
        let status = self.answer(stream).await?;
        if (200..300).contains(&status) { Ok(()) } else { Err(self.refused_http(status, &target)) }
    }

    /// The status of an HTTP answer, reading not a byte beyond its head: those are the broker's.
    async fn answer(&self, stream: &mut TcpStream) -> Result<u16, Refusal> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            if head.len() >= LONGEST_ANSWER {
                return Err(self.not_a_proxy());
            }
            match stream.read_u8().await {
                Ok(byte) => head.push(byte),
                Err(error) if head.is_empty() => return Err(self.lost(&error)),
                Err(_) => return Err(self.not_a_proxy()),
            }
            if head.len() == 5 && head != b"HTTP/" {
                return Err(self.not_a_proxy());
            }
        }
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut response = httparse::Response::new(&mut headers);
        match response.parse(&head) {
            Ok(httparse::Status::Complete(_)) => response.code.ok_or_else(|| self.not_a_proxy()),
            _ => Err(self.not_a_proxy()),
        }
    }

    async fn socks5(&self, stream: &mut TcpStream, host: &str, port: u16) -> Result<(), Refusal> {
        let target = (host, port);
        let connected = match (&self.username, &self.password) {
            (Some(username), password) => {
                let password = password.as_ref().map_or("", |password| password.as_str());
                Socks5Stream::connect_with_password_and_socket(stream, target, username, password).await
            }
            (None, _) => Socks5Stream::connect_with_socket(stream, target).await,
        };
        connected.map(drop).map_err(|error| self.refused_socks(error, host, port))
    }

    fn refused_http(&self, status: u16, target: &str) -> Refusal {
        let (message, hint) = match status {
            407 if self.username.is_some() => (
                "The proxy does not take this user name and password (407).".to_owned(),
                "Correct them in the connection. They are often those of your computer's log-in.",
            ),
            407 => (
                "The proxy wants a user name and a password (407).".to_owned(),
                "Add them to the connection. They are often those of your computer's log-in.",
            ),
            403 | 405 => (
                format!("The proxy does not let anybody through to {target} ({status})."),
                "Many proxies allow only port 443. AWS IoT takes certificates there too (with the ALPN x-amzn-mqtt-ca), other \
                 brokers often a WebSocket (wss://). Or have the port allowed.",
            ),
            502..=504 => (
                format!("The proxy could not reach {target} ({status})."),
                "Is the broker's address right, and may the proxy reach it?",
            ),
            other => (
                format!("The proxy refused with {other}."),
                "Its operators can say why. Is it a proxy for CONNECT (HTTP) that listens there?",
            ),
        };
        Refusal::new(message, hint, Remedy::TryAgain)
    }

    fn refused_socks(&self, error: tokio_socks::Error, host: &str, port: u16) -> Refusal {
        use tokio_socks::Error;
        let say = |message: String, hint: &str| Refusal::new(message, hint, Remedy::TryAgain);
        match error {
            Error::Io(error) => self.lost(&error),
            Error::PasswordAuthFailure(_) => say(
                "The proxy does not take this user name and password.".to_owned(),
                "Correct them in the connection.",
            ),
            Error::NoAcceptableAuthMethods | Error::UnknownAuthMethod if self.username.is_none() => {
                say("The proxy wants a user name and a password.".to_owned(), "Add them to the connection.")
            }
            Error::NoAcceptableAuthMethods | Error::UnknownAuthMethod => say(
                "The proxy takes no user name and password, or wants to know who asks in some other way.".to_owned(),
                "Try it without a user name.",
            ),
            Error::ConnectionNotAllowedByRuleset => say(
                format!("The proxy does not let anybody through to {host}, port {port}."),
                "Have the proxy's rules allow it.",
            ),
            Error::HostUnreachable | Error::NetworkUnreachable | Error::ConnectionRefused | Error::TtlExpired => say(
                format!("The proxy could not reach {host}, port {port} ({error})."),
                "Is the broker's address right, and may the proxy reach it?",
            ),
            Error::InvalidResponseVersion => self.not_a_proxy(),
            other => say(format!("The proxy refused ({other})."), "Its operators can say why."),
        }
    }

    fn lost(&self, error: &std::io::Error) -> Refusal {
        Refusal::new(
            format!("The proxy at {}, port {}, closed the connection.", self.host, self.port),
            "Is it a proxy of this kind (HTTP or SOCKS5) that listens there?",
            Remedy::TryAgain,
        )
        .because(format!("The system says: {error}."))
    }

    fn not_a_proxy(&self) -> Refusal {
        let kind = match self.kind {
            Kind::Http => "an HTTP",
            Kind::Socks5 => "a SOCKS5",
        };
        Refusal::new(
            format!("What answers at {}, port {}, is not {kind} proxy.", self.host, self.port),
            "Check its address, and whether it is an HTTP or a SOCKS5 proxy.",
            Remedy::TryAgain,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::Proxy;

    #[test]
    fn a_proxys_address_is_read_as_people_write_it() {
        let check = |text: &str, expected: Result<&str, &str>| match (Proxy::parse(text), expected) {
            (Ok(proxy), Ok(url)) => assert_eq!(proxy.url(), url, "{text}"),
            (Err(failure), Err(part)) => assert!(failure.message.contains(part), "{text}: {}", failure.message),
            (Ok(proxy), Err(_)) => panic!("{text}: {}", proxy.url()),
            (Err(failure), Ok(_)) => panic!("{text}: {failure}"),
        };
        check("http://proxy.example.net:3128", Ok("http://proxy.example.net:3128"));
        check("proxy.example.net:3128", Ok("http://proxy.example.net:3128"));
        check("http://proxy", Ok("http://proxy:80"));
        check("socks5://10.0.0.1", Ok("socks5://10.0.0.1:1080"));
        check("socks5h://[::1]:9050", Ok("socks5://[::1]:9050"));
        check("https://proxy", Err("itself reached by TLS"));
        check("ftp://proxy", Err("no kind of proxy"));
        check("http://me:secret@proxy", Err("user name or password"));
        check("http://proxy/path", Err("has a path"));
    }
}
