//! An HTTP and a SOCKS5 proxy on this machine, with or without a password, that refuses or stays silent on demand.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::thread;

use anyhow::Result;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use parking_lot::Mutex;

/// The misbehaviour of a proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It is not allowed: 403, or SOCKS5 reply 2.
    Forbidden,
    /// There is no way to the destination: 502, or SOCKS5 reply 4.
    Unreachable,
    /// It never answers.
    Silence,
}

/// A proxy's settings, before it starts.
#[derive(Debug, Clone)]
pub struct Proxy {
    is_socks: bool,
    credentials: Option<(String, String)>,
    refusal: Option<Refusal>,
    leads_to: Option<u16>,
}

impl Proxy {
    /// Understands `CONNECT host:port HTTP/1.1` (RFC 9110 section 9.3.6).
    pub fn http() -> Proxy {
        Proxy { is_socks: false, credentials: None, refusal: None, leads_to: None }
    }

    /// Understands SOCKS5 (RFC 1928).
    pub fn socks5() -> Proxy {
        Proxy { is_socks: true, ..Proxy::http() }
    }

    /// Wants a user name and a password, and answers 407 without them.
    #[must_use]
    pub fn for_user(self, name: &str, password: &str) -> Proxy {
        Proxy { credentials: Some((name.to_owned(), password.to_owned())), ..self }
    }

    /// Refuses everybody.
    #[must_use]
    pub fn refuses(self, refusal: Refusal) -> Proxy {
        Proxy { refusal: Some(refusal), ..self }
    }

    /// Leads to this port of this machine wherever somebody wants to go: so a test may use any host's name.
    #[must_use]
    pub fn leads_to(self, port: u16) -> Proxy {
        Proxy { leads_to: Some(port), ..self }
    }

    /// Listens on 127.0.0.1.
    ///
    /// # Errors
    /// When there is no port.
    pub fn start(self) -> Result<ProxyAtWork> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        let shared = Arc::new(Shared {
            leads_to: AtomicU16::new(self.leads_to.unwrap_or_default()),
            proxy: self,
            asked: Mutex::default(),
            streams: Mutex::default(),
            stopped: AtomicBool::new(false),
        });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || accept(&accepting, &listener));
        Ok(ProxyAtWork { port, shared })
    }
}

/// A proxy at work. Every connection through it ends with it.
pub struct ProxyAtWork {
    port: u16,
    shared: Arc<Shared>,
}

impl ProxyAtWork {
    /// Where it listens, on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where it listens, as `http://127.0.0.1:PORT` or `socks5://…`, without credentials.
    pub fn url(&self) -> String {
        let scheme = if self.shared.proxy.is_socks { "socks5" } else { "http" };
        format!("{scheme}://127.0.0.1:{}", self.port)
    }

    /// From now on leads to this port, as [`Proxy::leads_to`].
    pub fn lead_to(&self, port: u16) {
        self.shared.leads_to.store(port, Ordering::SeqCst);
    }

    /// Where it was asked to lead, as `host:port`, in order; also where it refused.
    pub fn asked(&self) -> Vec<String> {
        self.shared.asked.lock().clone()
    }
}

impl Drop for ProxyAtWork {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        for stream in self.shared.streams.lock().drain(..) {
            // One that has ended already needs no end.
            let _ = stream.shutdown(Shutdown::Both);
        }
        // So that the listening thread looks up.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}

struct Shared {
    proxy: Proxy,
    asked: Mutex<Vec<String>>,
    /// Connections as they are to be ended with the proxy.
    streams: Mutex<Vec<TcpStream>>,
    stopped: AtomicBool,
    /// Where it leads to instead of where somebody wants to go; 0 for nowhere else.
    leads_to: AtomicU16,
}

/// Where a client wants to go.
struct Destination {
    host: String,
    port: u16,
}

fn accept(shared: &Arc<Shared>, listener: &TcpListener) {
    while let Ok((stream, _)) = listener.accept() {
        if shared.stopped.load(Ordering::SeqCst) {
            return;
        }
        if let Ok(other) = stream.try_clone() {
            shared.streams.lock().push(other);
        }
        let shared = Arc::clone(shared);
        // A client that breaks off is no concern of a proxy's.
        thread::spawn(move || serve(&shared, stream));
    }
}

fn serve(shared: &Shared, mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let is_socks = shared.proxy.is_socks;
    let destination = if is_socks { shared.socks(&mut stream)? } else { shared.http(&mut stream)? };
    let Some(Destination { host, port }) = destination else { return end(&stream) };
    let refusal = shared.proxy.refusal;
    if refusal == Some(Refusal::Silence) {
        io::copy(&mut stream, &mut io::sink())?;
        return Ok(());
    }
    let onward = match (refusal, shared.leads_to.load(Ordering::SeqCst)) {
        (Some(_), _) => None,
        (None, 0) => TcpStream::connect((host.as_str(), port)).ok(),
        (None, port) => TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok(),
    };
    let forbidden = refusal == Some(Refusal::Forbidden);
    let answer: &[u8] = match (is_socks, &onward) {
        (true, Some(_)) => &[5, 0, 0, 1, 0, 0, 0, 0, 0, 0],
        (true, None) if forbidden => &[5, 2, 0, 1, 0, 0, 0, 0, 0, 0],
        (true, None) => &[5, 4, 0, 1, 0, 0, 0, 0, 0, 0],
        (false, Some(_)) => b"HTTP/1.1 200 Connection established\r\n\r\n",
        (false, None) if forbidden => b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
        (false, None) => b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n",
    };
    stream.write_all(answer)?;
    match onward {
        Some(onward) => tunnel(stream, onward),
        None => end(&stream),
    }
}

impl Shared {
    /// `None` when the client was refused already.
    fn http(&self, stream: &mut TcpStream) -> io::Result<Option<Destination>> {
        let head = head(stream)?;
        let mut lines = head.split("\r\n");
        let mut request = lines.next().unwrap_or_default().split(' ');
        let (method, target) = (request.next(), request.next().unwrap_or_default());
        let destination = target.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse().ok()?)));
        let (Some("CONNECT"), Some((host, port))) = (method, destination) else {
            stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")?;
            return Ok(None);
        };
        self.was_asked(target.to_owned());
        let given = lines
            .filter_map(|line| line.split_once(':'))
            .find(|(name, _)| name.eq_ignore_ascii_case("proxy-authorization"))
            .map(|(_, value)| value.trim().to_owned());
        let wanted = self
            .proxy
            .credentials
            .as_ref()
            .map(|(name, password)| format!("Basic {}", BASE64_STANDARD.encode(format!("{name}:{password}"))));
        if wanted.is_some() && wanted != given {
            let answer = "HTTP/1.1 407 Proxy Authentication Required\r\n\
                          Proxy-Authenticate: Basic realm=\"test\"\r\nContent-Length: 0\r\n\r\n";
            stream.write_all(answer.as_bytes())?;
            return Ok(None);
        }
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Some(Destination { host, port }))
    }

    /// `None` when the client was refused already.
    fn socks(&self, stream: &mut TcpStream) -> io::Result<Option<Destination>> {
        let [_, count] = take::<2>(stream)?;
        let mut methods = vec![0; usize::from(count)];
        stream.read_exact(&mut methods)?;
        let wanted = if self.proxy.credentials.is_some() { 2 } else { 0 };
        if !methods.contains(&wanted) {
            stream.write_all(&[5, 0xff])?;
            return Ok(None);
        }
        stream.write_all(&[5, wanted])?;
        if let Some((name, password)) = &self.proxy.credentials {
            // RFC 1929.
            let [_] = take::<1>(stream)?;
            let given = (short_text(stream)?, short_text(stream)?);
            let is_right = given.0 == *name && given.1 == *password;
            stream.write_all(&[1, u8::from(!is_right)])?;
            if !is_right {
                return Ok(None);
            }
        }
        let [_, _, _, kind] = take::<4>(stream)?;
        let host = match kind {
            1 => Ipv4Addr::from(take::<4>(stream)?).to_string(),
            4 => Ipv6Addr::from(take::<16>(stream)?).to_string(),
            _ => short_text(stream)?,
        };
        let port = u16::from_be_bytes(take::<2>(stream)?);
        self.was_asked(format!("{host}:{port}"));
        Ok(Some(Destination { host, port }))
    }

    fn was_asked(&self, destination: String) {
        self.asked.lock().push(destination);
    }
}

/// A request up to the empty line. Read byte by byte, because what comes after it is not the proxy's.
fn head(stream: &mut TcpStream) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < 16 * 1024 {
        head.extend(take::<1>(stream)?);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

fn take<const COUNT: usize>(stream: &mut TcpStream) -> io::Result<[u8; COUNT]> {
    let mut bytes = [0; COUNT];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn short_text(stream: &mut TcpStream) -> io::Result<String> {
    let [length] = take::<1>(stream)?;
    let mut bytes = vec![0; usize::from(length)];
    stream.read_exact(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn tunnel(here: TcpStream, there: TcpStream) -> io::Result<()> {
    there.set_nodelay(true)?;
    let (mut from_here, mut to_there) = (here.try_clone()?, there.try_clone()?);
    let outward = thread::spawn(move || {
        // Either side may end it, in any way it likes.
        let _ = io::copy(&mut from_here, &mut to_there);
        let _ = to_there.shutdown(Shutdown::Write);
    });
    let (mut from_there, mut to_here) = (there, here);
    let _ = io::copy(&mut from_there, &mut to_here);
    let _ = to_here.shutdown(Shutdown::Write);
    let _ = outward.join();
    Ok(())
}

/// Ends a connection so that what was written arrives.
fn end(stream: &TcpStream) -> io::Result<()> {
    stream.shutdown(Shutdown::Write)?;
    let mut rest = stream;
    io::copy(&mut rest, &mut io::sink())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{Ipv4Addr, TcpStream};
    use std::time::Duration;

    use anyhow::Result;

    use super::{Proxy, ProxyAtWork, Refusal};
    use crate::{Misbehaviour, Scripted};

    const PING: &[u8] = &[0xc0, 0];
    const PONG: &[u8] = &[0xd0, 0];

    fn dial(proxy: &ProxyAtWork) -> Result<TcpStream> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, proxy.port()))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        Ok(stream)
    }

    fn exchange(stream: &mut TcpStream, bytes: &[u8], answer: &[u8]) -> Result<()> {
        stream.write_all(bytes)?;
        let mut read = vec![0; answer.len()];
        stream.read_exact(&mut read)?;
        assert_eq!(String::from_utf8_lossy(&read), String::from_utf8_lossy(answer));
        Ok(())
    }

    #[test]
    fn an_http_proxy_leads_on_or_says_why_not() -> Result<()> {
        let broker = Scripted::new().start()?;
        let target = format!("localhost:{}", broker.port());
        let check = |proxy: Proxy, more: &str, answer: &str| -> Result<()> {
            let proxy = proxy.start()?;
            let mut stream = dial(&proxy)?;
            exchange(&mut stream, format!("CONNECT {target} HTTP/1.1\r\n{more}\r\n").as_bytes(), answer.as_bytes())?;
            assert_eq!(proxy.asked(), [target.as_str()]);
            if answer.contains("200") {
                exchange(&mut stream, PING, PONG)?;
            }
            Ok(())
        };
        let established = "HTTP/1.1 200 Connection established\r\n\r\n";
        check(Proxy::http(), "Host: x\r\n", established)?;
        check(Proxy::http().for_user("ada", "secret"), "", "HTTP/1.1 407 ")?;
        check(Proxy::http().for_user("ada", "secret"), "proxy-authorization: Basic YWRhOnNlY3JldA==\r\n", established)?;
        check(Proxy::http().for_user("ada", "secret"), "Proxy-Authorization: Basic YWRhOndyb25n\r\n", "HTTP/1.1 407 ")?;
        check(Proxy::http().refuses(Refusal::Forbidden), "", "HTTP/1.1 403 ")?;
        check(Proxy::http().refuses(Refusal::Unreachable), "", "HTTP/1.1 502 ")
    }

    #[test]
    fn a_socks_proxy_leads_on_or_says_why_not() -> Result<()> {
        let broker = Scripted::new().start()?;
        let check = |proxy: Proxy, greeting: &[(&[u8], &[u8])], reply: u8| -> Result<()> {
            let proxy = proxy.leads_to(broker.port()).start()?;
            let mut stream = dial(&proxy)?;
            for (bytes, answer) in greeting {
                exchange(&mut stream, bytes, answer)?;
            }
            let request = [b"\x05\x01\x00\x03\x0ebroker.example".as_slice(), &8883_u16.to_be_bytes()].concat();
            exchange(&mut stream, &request, &[5, reply, 0, 1, 0, 0, 0, 0, 0, 0])?;
            assert_eq!(proxy.asked(), ["broker.example:8883"]);
            if reply == 0 {
                exchange(&mut stream, PING, PONG)?;
            }
            Ok(())
        };
        let open: &[(&[u8], &[u8])] = &[(&[5, 1, 0], &[5, 0])];
        check(Proxy::socks5(), open, 0)?;
        check(Proxy::socks5().refuses(Refusal::Forbidden), open, 2)?;
        check(Proxy::socks5().refuses(Refusal::Unreachable), open, 4)?;
        let locked = Proxy::socks5().for_user("ada", "secret");
        check(locked.clone(), &[(&[5, 2, 0, 2], &[5, 2]), (b"\x01\x03ada\x06secret", &[1, 0])], 0)?;
        let locked = locked.start()?;
        exchange(&mut dial(&locked)?, &[5, 1, 0], &[5, 0xff])?;
        let mut wrong = dial(&locked)?;
        exchange(&mut wrong, &[5, 1, 2], &[5, 2])?;
        exchange(&mut wrong, b"\x01\x03ada\x05wrong", &[1, 1])?;
        assert_eq!(wrong.read(&mut [0])?, 0, "it hangs up");
        Ok(())
    }

    #[test]
    fn a_silent_proxy_and_a_broker_that_hangs_up_are_seen_as_such() -> Result<()> {
        let broker = Scripted::new().on_open(Misbehaviour::Close).start()?;
        let request = format!("CONNECT localhost:{} HTTP/1.1\r\n\r\n", broker.port());
        let silent = Proxy::http().refuses(Refusal::Silence).start()?;
        let mut stream = dial(&silent)?;
        stream.set_read_timeout(Some(Duration::from_millis(200)))?;
        stream.write_all(request.as_bytes())?;
        assert!(stream.read(&mut [0]).is_err(), "it says nothing");
        drop(silent);
        assert_eq!(stream.read(&mut [0])?, 0, "it ends with the proxy");
        let proxy = Proxy::http().start()?;
        let mut stream = dial(&proxy)?;
        exchange(&mut stream, request.as_bytes(), b"HTTP/1.1 200 Connection established\r\n\r\n")?;
        assert_eq!(stream.read(&mut [0])?, 0);
        Ok(())
    }
}
