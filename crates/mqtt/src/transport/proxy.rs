//! Connections through a proxy: HTTP CONNECT (RFC 9110 section 9.3.6) and SOCKS5 (RFC 1928, RFC 1929).
//!
//! The proxy resolves the broker's name, because behind some proxies nothing else can. CONNECT is one request and one
//! status line: an HTTP client would bring connection pools and redirects, and hide which reply the proxy gave.

use base64::{Engine, prelude::BASE64_STANDARD};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_socks::tcp::Socks5Stream;
use zeroize::Zeroizing;

use crate::refusal::{Refusal, Remedy};
use wilco_connection::{Proxy, ProxyKind, bracketed};

/// The longest head of an HTTP answer, bytes.
const LONGEST_ANSWER: usize = 8 * 1024;

/// The way through a proxy.
pub(super) struct Tunnel<'a> {
    pub(super) proxy: &'a Proxy,
}

impl Tunnel<'_> {
    /// Has the proxy connect this stream to a broker.
    pub(super) async fn open(&self, stream: &mut TcpStream, host: &str, port: u16) -> Result<(), Refusal> {
        match self.proxy.kind {
            ProxyKind::Http => self.http(stream, host, port).await,
            ProxyKind::Socks5 => self.socks5(stream, host, port).await,
        }
    }

    async fn http(&self, stream: &mut TcpStream, host: &str, port: u16) -> Result<(), Refusal> {
        let target = format!("{}:{port}", bracketed(host));
        let mut request = Zeroizing::new(format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n"));
        if let Some(username) = &self.proxy.username {
            let password = self.proxy.password.as_ref().map_or("", |password| password.as_str());
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

    /// The status of an HTTP response. Reads no byte beyond its head, because those belong to the broker.
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
        status(&head).ok_or_else(|| self.not_a_proxy())
    }

    async fn socks5(&self, stream: &mut TcpStream, host: &str, port: u16) -> Result<(), Refusal> {
        let target = (host, port);
        let connected = match (&self.proxy.username, &self.proxy.password) {
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
            407 if self.proxy.username.is_some() => (
                "The proxy rejected the user name or password (407).".to_owned(),
                "Correct them in the connection. They are often those of your computer account.",
            ),
            407 => (
                "The proxy requires a user name and a password (407).".to_owned(),
                "Add them to the connection. They are often those of your computer account.",
            ),
            403 | 405 => (
                format!("The proxy denied the connection to {target} ({status})."),
                "Many proxies allow only port 443. AWS IoT accepts certificates there too (with ALPN x-amzn-mqtt-ca); \
                 other brokers often offer a WebSocket (wss://). Or ask the operator of the proxy to allow the port.",
            ),
            502..=504 => (
                format!("The proxy could not connect to {target} ({status})."),
                "Check the broker's address, and that the proxy can reach it.",
            ),
            other => (
                format!("The proxy refused the connection with {other}."),
                "Contact the operator of the proxy, and check that it supports HTTP CONNECT.",
            ),
        };
        Refusal::new(message, hint, Remedy::TryAgain)
    }

    fn refused_socks(&self, error: tokio_socks::Error, host: &str, port: u16) -> Refusal {
        use tokio_socks::Error;
        let say = |message: String, hint: &str| Refusal::new(message, hint, Remedy::TryAgain);
        match error {
            Error::Io(error) => self.lost(&error),
            Error::PasswordAuthFailure(_) => {
                say("The proxy rejected the user name or password.".to_owned(), "Correct them in the connection.")
            }
            Error::NoAcceptableAuthMethods | Error::UnknownAuthMethod if self.proxy.username.is_none() => {
                say("The proxy requires a user name and a password.".to_owned(), "Add them to the connection.")
            }
            Error::NoAcceptableAuthMethods | Error::UnknownAuthMethod => say(
                "The proxy does not support authentication by user name and password.".to_owned(),
                "Try without a user name.",
            ),
            Error::ConnectionNotAllowedByRuleset => say(
                format!("The proxy denied the connection to {host}, port {port}."),
                "Ask the operator of the proxy to allow it.",
            ),
            Error::HostUnreachable | Error::NetworkUnreachable | Error::ConnectionRefused | Error::TtlExpired => {
                let refusal = say(
                    format!("The proxy could not connect to {host}, port {port} ({error})."),
                    "Check the broker's address, and that the proxy can reach it.",
                );
                Refusal { broker_ended: matches!(error, Error::ConnectionRefused), ..refusal }
            }
            Error::InvalidResponseVersion => self.not_a_proxy(),
            other => say(format!("The proxy refused the connection ({other})."), "Contact the operator of the proxy."),
        }
    }

    fn lost(&self, error: &std::io::Error) -> Refusal {
        Refusal::new(
            format!("The proxy at {}, port {}, closed the connection.", self.proxy.host, self.proxy.port),
            "Check whether it is an HTTP or a SOCKS5 proxy.",
            Remedy::TryAgain,
        )
        .because(format!("System error: {error}."))
    }

    fn not_a_proxy(&self) -> Refusal {
        let kind = match self.proxy.kind {
            ProxyKind::Http => "an HTTP",
            ProxyKind::Socks5 => "a SOCKS5",
        };
        Refusal::new(
            format!("The server at {}, port {}, is not {kind} proxy.", self.proxy.host, self.proxy.port),
            "Check the address, and whether it is an HTTP or a SOCKS5 proxy.",
            Remedy::TryAgain,
        )
    }
}

/// The status in the head of an HTTP answer; `None` if it is none.
pub(crate) fn status(head: &[u8]) -> Option<u16> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut response = httparse::Response::new(&mut headers);
    match response.parse(head) {
        Ok(httparse::Status::Complete(_)) => response.code,
        _ => None,
    }
}
