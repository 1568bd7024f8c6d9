//! The address of a proxy, as a user enters it.

use wilco_failure::{Failure, invalid};
use zeroize::Zeroizing;

use crate::typed::{Typed, Unreadable, bracketed};

/// A proxy, and its user name.
#[derive(Clone)]
pub struct Proxy {
    /// The protocol.
    pub kind: ProxyKind,
    /// The host in ASCII; an IPv6 address without brackets.
    pub host: String,
    /// The TCP port.
    pub port: u16,
    /// The user name.
    pub username: Option<String>,
    /// Its password.
    pub password: Option<Zeroizing<String>>,
}

/// The protocol of a proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxyKind {
    /// HTTP CONNECT (RFC 9110 section 9.3.6).
    Http,
    /// SOCKS5 (RFC 1928).
    Socks5,
}

const HINT: &str = "Enter it like http://proxy.example.net:3128 or socks5://proxy.example.net:1080.";

impl Proxy {
    /// Parses `http://host:port` or `socks5://host:port`.
    ///
    /// # Errors
    /// [`FailureCode::Invalid`](wilco_failure::FailureCode), which never quotes the input, because it may contain a
    /// password.
    pub fn parse(text: &str) -> Result<Proxy, Failure> {
        let say = |message: &str| invalid(message.to_owned(), HINT);
        let unreadable =
            |error: Unreadable| invalid(format!("The proxy's address {error}."), error.hint().unwrap_or(HINT));
        let typed = Typed::read(text).map_err(unreadable)?;
        let (kind, usual) = match typed.scheme.as_deref() {
            None | Some("http") => (ProxyKind::Http, 80),
            Some("socks5" | "socks5h" | "socks") => (ProxyKind::Socks5, 1080),
            Some("https") => return Err(say("Wilco does not support proxies over TLS (https://).")),
            Some(_) => {
                return Err(say("Wilco does not support the scheme of the proxy's address."));
            }
        };
        if !matches!(&*typed.path, "" | "/") || typed.typed_query.is_some() {
            return Err(say("The proxy's address has a path or a query."));
        }
        Ok(Proxy { kind, host: typed.host, port: typed.port.unwrap_or(usual), username: None, password: None })
    }

    /// The address without user name and password.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = match self.kind {
            ProxyKind::Http => "http",
            ProxyKind::Socks5 => "socks5",
        };
        format!("{scheme}://{}:{}", bracketed(&self.host), self.port)
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
        check("https://proxy", Err("proxies over TLS"));
        check("ftp://proxy", Err("does not support the scheme"));
        check("http://me:secret@proxy", Err("user name or password"));
        check("http://proxy/path", Err("has a path"));
        check("http://proxy?a=b", Err("a query"));
        check("http://ops:12#34geheim@proxy.example", Err("user name or password"));
        check("http://proxy:3128#x", Err("'#'"));
        check("http://bücher.test:3128", Ok("http://xn--bcher-kva.test:3128"));
    }
}
