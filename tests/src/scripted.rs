//! A broker that misbehaves on demand, which mosquitto cannot do.
//!
//! It serves each connection separately: a message is delivered to the client that published it, if it has subscribed,
//! and to nobody else. Without a script it allows everything.

mod line;
mod offered;
mod tls;

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::Result;
use parking_lot::Mutex;
use rustls::{ServerConfig, ServerConnection, Stream};

use line::Line;
pub use tls::Tls;

/// The misbehaviour of a broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Misbehaviour {
    /// Closes the connection without a word.
    Close,
    /// Never answers again, and keeps the connection open.
    Silence,
    /// Answers with this MQTT 5 reason: in the CONNACK, for that filter in the SUBACK, in the PUBACK. Where MQTT 3.1.1 has
    /// no such word, it has a poorer one, and a PUBACK there has none at all.
    Reason(u8),
    /// Ends the connection by a DISCONNECT with this reason; with MQTT 3.1.1 by closing it.
    Disconnect(u8),
    /// Acknowledges it and does nothing.
    Swallow,
    /// Reads a publish and continues, without a PUBACK.
    Ignore,
}

/// The observations of a scripted broker, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// A TCP connection.
    Opened,
    /// A TLS handshake that finished.
    Handshake {
        /// The server name that was asked for.
        name: Option<String>,
        /// The protocol that was agreed on.
        protocol: Option<String>,
        /// The client showed a certificate.
        is_mutual: bool,
    },
    /// A connection ended by an error: a TLS alert for instance, or bytes that are no MQTT.
    Broke(String),
    /// CONNECT.
    Connect {
        /// 4 for MQTT 3.1.1, 5 for MQTT 5.
        version: u8,
        /// The client id.
        client_id: String,
        /// The user name.
        username: Option<String>,
        /// The password.
        password: Option<Vec<u8>>,
        /// Seconds.
        keep_alive: u16,
    },
    /// SUBSCRIBE.
    Subscribe {
        /// Its filters.
        filters: Vec<String>,
    },
    /// PUBLISH.
    Publish {
        /// The topic.
        topic: String,
        /// The payload.
        payload: Vec<u8>,
        /// The quality of service.
        qos: u8,
    },
    /// PINGREQ.
    Ping,
    /// The packet after this used what the CONNACK had said that the broker does not offer.
    NotOffered(&'static str),
    /// DISCONNECT.
    Disconnect,
}

/// A broker's script, before it starts.
#[derive(Debug, Clone, Default)]
pub struct Scripted {
    tls: Option<Tls>,
    instead_of_mqtt: Option<Vec<u8>>,
    on_open: Option<Misbehaviour>,
    on_connect: Option<Misbehaviour>,
    after_connack: Option<Misbehaviour>,
    on_subscribe: Vec<(String, Misbehaviour)>,
    on_publish: Vec<(String, Misbehaviour)>,
    properties: Vec<u8>,
    only_311: bool,
    delay: Duration,
}

impl Scripted {
    /// A broker that behaves.
    pub fn new() -> Scripted {
        Scripted::default()
    }

    /// Speaks TLS.
    #[must_use]
    pub fn tls(self, tls: Tls) -> Scripted {
        Scripted { tls: Some(tls), ..self }
    }

    /// Is no broker at all: answers whatever comes first with these bytes, without TLS, and closes.
    #[must_use]
    pub fn says(self, bytes: impl Into<Vec<u8>>) -> Scripted {
        Scripted { instead_of_mqtt: Some(bytes.into()), ..self }
    }

    /// When the connection stands, and TLS where it is spoken.
    #[must_use]
    pub fn on_open(self, then: Misbehaviour) -> Scripted {
        Scripted { on_open: Some(then), ..self }
    }

    /// Instead of a CONNACK.
    #[must_use]
    pub fn on_connect(self, then: Misbehaviour) -> Scripted {
        Scripted { on_connect: Some(then), ..self }
    }

    /// Right after a CONNACK that says yes.
    #[must_use]
    pub fn after_connack(self, then: Misbehaviour) -> Scripted {
        Scripted { after_connack: Some(then), ..self }
    }

    /// When this very filter is subscribed.
    #[must_use]
    pub fn on_subscribe(mut self, filter: &str, then: Misbehaviour) -> Scripted {
        self.on_subscribe.push((filter.to_owned(), then));
        self
    }

    /// When something is published on a topic that this filter would hear. The first filter that does counts.
    #[must_use]
    pub fn on_publish(mut self, filter: &str, then: Misbehaviour) -> Scripted {
        self.on_publish.push((filter.to_owned(), then));
        self
    }

    /// Knows MQTT 3.1.1 only: answers a CONNECT of MQTT 5 as that version says (section 3.1.2.2).
    #[must_use]
    pub fn only_mqtt_311(self) -> Scripted {
        Scripted { only_311: true, ..self }
    }

    /// The CONNACK's properties (MQTT 5 section 3.2.2.3), without their length; also of one that refuses.
    #[must_use]
    pub fn connack_properties(self, properties: &[u8]) -> Scripted {
        Scripted { properties: properties.to_vec(), ..self }
    }

    /// Waits before each packet that it sends.
    #[must_use]
    pub fn delays(self, delay: Duration) -> Scripted {
        Scripted { delay, ..self }
    }

    /// Listens on 127.0.0.1.
    ///
    /// # Errors
    /// When there is no port, or the certificate cannot be read.
    pub fn start(self) -> Result<ScriptedBroker> {
        let config = self.tls.as_ref().map(Tls::config).transpose()?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        let shared = Arc::new(Shared {
            script: self,
            seen: Mutex::default(),
            streams: Mutex::default(),
            stopped: AtomicBool::new(false),
        });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || accept(&accepting, &listener, config.as_ref()));
        Ok(ScriptedBroker { port, shared })
    }
}

/// A scripted broker at work. Every connection to it ends with it.
pub struct ScriptedBroker {
    port: u16,
    shared: Arc<Shared>,
}

impl ScriptedBroker {
    /// Where it listens, on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where it listens, as `mqtts://localhost:PORT` or `mqtt://…`.
    pub fn url(&self) -> String {
        let scheme = if self.shared.script.tls.is_some() { "mqtts" } else { "mqtt" };
        format!("{scheme}://localhost:{}", self.port)
    }

    /// The observations so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().clone()
    }

    /// How many connections there were.
    pub fn connections(&self) -> usize {
        self.seen().iter().filter(|seen| **seen == Seen::Opened).count()
    }
}

impl Drop for ScriptedBroker {
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

/// The state that all connections of a broker share.
struct Shared {
    script: Scripted,
    seen: Mutex<Vec<Seen>>,
    /// Connections as they are to be ended with the broker.
    streams: Mutex<Vec<TcpStream>>,
    stopped: AtomicBool,
}

impl Shared {
    fn saw(&self, seen: Seen) {
        self.seen.lock().push(seen);
    }
}

fn accept(shared: &Arc<Shared>, listener: &TcpListener, config: Option<&Arc<ServerConfig>>) {
    while let Ok((stream, _)) = listener.accept() {
        if shared.stopped.load(Ordering::SeqCst) {
            return;
        }
        shared.saw(Seen::Opened);
        if let Ok(other) = stream.try_clone() {
            shared.streams.lock().push(other);
        }
        let (shared, config) = (Arc::clone(shared), config.cloned());
        thread::spawn(move || serve(&shared, stream, config));
    }
}

fn serve(shared: &Arc<Shared>, mut stream: TcpStream, config: Option<Arc<ServerConfig>>) {
    let served = match (&shared.script.instead_of_mqtt, config) {
        (Some(answer), _) => answer_anything(&mut stream, answer),
        (None, Some(config)) => serve_tls(shared, &mut stream, config),
        (None, None) => stream.set_nodelay(true).and_then(|()| Line::new(Arc::clone(shared), &stream).serve()),
    };
    if let Err(error) = served {
        shared.saw(Seen::Broke(error.to_string()));
    }
    finish(&stream);
}

fn answer_anything(stream: &mut TcpStream, answer: &[u8]) -> io::Result<()> {
    // One read is a whole first flight: it comes in one segment on this machine.
    if stream.read(&mut [0; 16 * 1024])? > 0 {
        stream.write_all(answer)?;
    }
    Ok(())
}

fn serve_tls(shared: &Arc<Shared>, stream: &mut TcpStream, config: Arc<ServerConfig>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut connection = ServerConnection::new(config).map_err(io::Error::other)?;
    // Where it fails, the alert that says why has been written.
    connection.complete_io(stream)?;
    shared.saw(Seen::Handshake {
        name: connection.server_name().map(str::to_owned),
        protocol: connection.alpn_protocol().map(|name| String::from_utf8_lossy(name).into_owned()),
        is_mutual: connection.peer_certificates().is_some(),
    });
    let mut tls = Stream::new(&mut connection, stream);
    let served = Line::new(Arc::clone(shared), &mut tls).serve();
    tls.conn.send_close_notify();
    // A client that is gone already needs no good-bye.
    let _ = tls.flush();
    served
}

/// Closes a connection so that what was written arrives: closing with something unread would take it back. Whatever
/// fails here means that the client is gone already.
fn finish(mut stream: &TcpStream) {
    let _ = stream.shutdown(Shutdown::Write);
    let _ = stream.set_read_timeout(Some(Duration::from_millis(200)));
    let _ = io::copy(&mut stream, &mut io::sink());
    let _ = stream.shutdown(Shutdown::Both);
}

#[cfg(test)]
mod tests;
