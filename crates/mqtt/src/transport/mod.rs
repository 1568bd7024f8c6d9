//! Connects to a broker: name, TCP, proxy, TLS, WebSocket.
//!
//! Sessions and the preflight share it, so that a preflight shows what a session will do. It knows no MQTT.

mod byte_recorder;
mod proxy;
mod resolver;
mod tcp;
mod websocket;
mod written_publishes;

use std::{sync::Arc, time::Duration};

use rustls::{ClientConfig, ProtocolVersion};
use rustls_pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::{Instant, timeout},
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use wilco_connection::{Address, Proxy, Step};

pub(crate) use byte_recorder::ByteRecorder;
pub(crate) use written_publishes::WrittenPublishes;

use crate::refusal::{Refusal, Remedy};
use byte_recorder::RecordedStream;
use proxy::Tunnel;
#[cfg(fuzzing)]
pub(crate) use proxy::status as proxy_status;
use wilco_credentials::tls::ShownCertificates;

/// At most this long for each step.
const STEP_TIMEOUT: Duration = Duration::from_secs(10);

/// The route to a broker.
#[derive(Clone)]
pub struct Route {
    /// The address.
    pub address: Address,
    /// TLS, if the address uses it.
    pub tls: Option<Tls>,
    /// The proxy.
    pub proxy: Option<Proxy>,
}

/// TLS: verification of the broker, and the client certificate.
#[derive(Clone)]
pub struct Tls {
    /// The configuration of TLS.
    pub config: Arc<ClientConfig>,
    /// The chain that the server sent.
    pub witness: ShownCertificates,
    /// The server name to verify, if it differs from the host.
    pub server_name: Option<String>,
    /// How the server's certificate was verified.
    pub proof: Proof,
    /// Whether there is a client certificate.
    pub client_certificate: bool,
}

/// How a server's certificate was verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// By a trusted CA, with a matching name.
    Signed,
    /// By the pinned certificate.
    Pinned,
}

/// Both ways of one connection.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Sync + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Sync + Unpin> Stream for S {}

/// A connection, ready for MQTT.
pub(crate) struct EstablishedStream {
    pub(crate) stream: Box<dyn Stream>,
    /// The first bytes that came, for finding out what else than MQTT may be there.
    pub(crate) received: ByteRecorder,
    /// How many publishes have begun to leave.
    pub(crate) written_publishes: WrittenPublishes,
    /// How long TCP took: an idea of how far the broker is.
    pub(crate) tcp: Duration,
}

/// How it goes, step by step.
pub(crate) enum Progress {
    Trying(Step),
    Passed { step: Step, said: String, took: Duration },
    Skipped { step: Step, said: String },
}

/// Where and why it did not work.
pub(crate) struct Failed {
    pub(crate) step: Step,
    pub(crate) refusal: Refusal,
    pub(crate) took: Duration,
    /// The last observation.
    pub(crate) trace: Option<String>,
}

/// Goes all the way to a broker.
pub(crate) async fn dial(route: &Route, tell: &mut (dyn FnMut(Progress) + Send)) -> Result<EstablishedStream, Failed> {
    let mut steps = Steps { tell, since: Instant::now() };
    let address = &route.address;
    let (host, port) = match &route.proxy {
        Some(proxy) => (proxy.host.as_str(), proxy.port),
        None => (address.host.as_str(), address.port),
    };
    let of_proxy = if route.proxy.is_some() { "the proxy " } else { "" };

    steps.begin(Step::Name);
    let found = within(&format!("The DNS lookup of {host}"), tcp::resolve(host, port)).await;
    let addresses = found.map_err(|refusal| steps.failed(Step::Name, refusal))?;
    steps.passed(Step::Name, tcp::counted(of_proxy, host, &addresses));

    steps.begin(Step::Tcp);
    let connected = tcp::connect(&addresses, STEP_TIMEOUT).await.map_err(|refusal| {
        // A proxy that is not there says nothing about the broker.
        let broker_ended = refusal.broker_ended && route.proxy.is_none();
        Refusal { broker_ended, ..refusal.at(host, port) }
    });
    let (mut tcp, peer) = connected.map_err(|refusal| steps.failed(Step::Tcp, refusal))?;
    let far = steps.since.elapsed();
    let mut said = format!("Connected to {of_proxy}{}, port {}", peer.ip(), peer.port());
    if let Some(proxy) = &route.proxy {
        let tunnel = Tunnel { proxy };
        let tunnelled = within("The proxy", tunnel.open(&mut tcp, address.public_host(), address.port)).await;
        tunnelled.map_err(|refusal| steps.failed(Step::Tcp, refusal))?;
        said = format!("{said}, and through it to {}, port {}", address.host, address.port);
    }
    steps.passed(Step::Tcp, said);

    let raw = ByteRecorder::default();
    let tcp = RecordedStream::new(tcp, raw.clone(), WrittenPublishes::default());
    let stream: Box<dyn Stream> = match &route.tls {
        None => {
            steps.skipped(Step::Tls, "Not encrypted: the address has no TLS");
            Box::new(tcp)
        }
        Some(tls) => {
            steps.begin(Step::Tls);
            let shaken = within("The TLS handshake", tls.shake_hands(address, tcp)).await;
            let stream = shaken.map_err(|refusal| {
                let refusal = refusal.at(&address.host, address.port);
                steps.failed(Step::Tls, explained(refusal, &raw, address)).traced(&raw)
            })?;
            steps.passed(Step::Tls, tls.said(&stream));
            Box::new(stream)
        }
    };

    let stream = if address.scheme.is_websocket() {
        steps.begin(Step::WebSocket);
        let upgraded = within("The web server", websocket::upgrade(address, stream)).await;
        let stream = upgraded.map_err(|refusal| steps.failed(Step::WebSocket, refusal).traced(&raw))?;
        steps.passed(Step::WebSocket, format!("MQTT over WebSocket at {}", address.path));
        stream
    } else {
        stream
    };
    let (received, written_publishes) = (ByteRecorder::default(), WrittenPublishes::default());
    let stream = Box::new(RecordedStream::new(stream, received.clone(), written_publishes.clone()));
    Ok(EstablishedStream { stream, received, written_publishes, tcp: far })
}

/// A plain-text response where TLS was expected shows which server it is.
fn explained(refusal: Refusal, raw: &ByteRecorder, address: &Address) -> Refusal {
    if !raw.is_http() {
        return refusal;
    }
    Refusal::new(
        format!("The server at {}, port {}, is a web server or a proxy without TLS.", address.host, address.port),
        "Check the port. If this network uses a proxy, add it to the connection; if the network requires a login, \
         open any page in a browser.",
        Remedy::TryAgain,
    )
    .because("It answered the TLS handshake with HTTP.")
}

impl Tls {
    async fn shake_hands<S: Stream + 'static>(&self, address: &Address, stream: S) -> Result<TlsStream<S>, Refusal> {
        let expected = self.server_name.as_deref().unwrap_or(address.public_host());
        let name = ServerName::try_from(expected.to_owned()).map_err(|_| {
            Refusal::new(
                format!("'{expected}' is not a valid server name."),
                "Enter a host name such as broker.example.net, or an IP address.",
                Remedy::Change,
            )
        })?;
        self.witness.forget();
        let connected = TlsConnector::from(Arc::clone(&self.config)).connect(name, stream).await;
        connected.map_err(|error| {
            let refusal = Refusal::io(&error);
            match self.issued_by() {
                Some(issuer) if is_about_the_server(&error) => refusal.because(issuer),
                _ => refusal,
            }
        })
    }

    /// The issuer of the server's certificate, as a sentence.
    fn issued_by(&self) -> Option<String> {
        let chain = self.witness.presented()?;
        let server = chain.first()?;
        let issuer = chain.last().map_or(&server.issuer, |last| &last.issuer);
        Some(if server.subject == server.issuer {
            format!("It sent a self-signed certificate for {}.", server.subject)
        } else {
            format!("It sent a certificate for {}, signed by {issuer}.", server.subject)
        })
    }

    fn said<S>(&self, stream: &TlsStream<S>) -> String {
        let (_, connection) = stream.get_ref();
        let version = match connection.protocol_version() {
            Some(ProtocolVersion::TLSv1_2) => "TLS 1.2",
            _ => "TLS 1.3",
        };
        let proof = match (self.proof, self.witness.presented().as_deref()) {
            (Proof::Pinned, _) => "Server certificate matches the pinned one".to_owned(),
            (Proof::Signed, Some([.., last])) => {
                format!("Server certificate verified: signed by {}, name matches", common_name(&last.issuer))
            }
            (Proof::Signed, _) => "Server certificate verified".to_owned(),
        };
        let protocol = connection.alpn_protocol().map(|protocol| String::from_utf8_lossy(protocol).into_owned());
        let protocol = protocol.map(|protocol| format!(", ALPN {protocol}")).unwrap_or_default();
        format!("{version}. {proof}{protocol}")
    }
}

fn is_about_the_server(error: &std::io::Error) -> bool {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    matches!(tls, Some(rustls::Error::InvalidCertificate(_)))
}

/// `Amazon Root CA 1` of `C=US, O=Amazon, CN=Amazon Root CA 1`.
fn common_name(subject: &str) -> &str {
    subject.split(", ").find_map(|part| part.strip_prefix("CN=")).unwrap_or(subject)
}

async fn within<T>(whose: &str, task: impl Future<Output = Result<T, Refusal>>) -> Result<T, Refusal> {
    match timeout(STEP_TIMEOUT, task).await {
        Ok(outcome) => outcome,
        Err(_) => Err(Refusal::silence(whose, STEP_TIMEOUT.as_secs())),
    }
}

/// Takes the time of each step.
struct Steps<'a> {
    tell: &'a mut (dyn FnMut(Progress) + Send),
    since: Instant,
}

impl Steps<'_> {
    fn begin(&mut self, step: Step) {
        self.since = Instant::now();
        (self.tell)(Progress::Trying(step));
    }

    fn passed(&mut self, step: Step, said: impl Into<String>) {
        (self.tell)(Progress::Passed { step, said: said.into(), took: self.since.elapsed() });
    }

    fn skipped(&mut self, step: Step, said: &str) {
        (self.tell)(Progress::Skipped { step, said: said.to_owned() });
    }

    fn failed(&self, step: Step, refusal: Refusal) -> Failed {
        Failed { step, refusal, took: self.since.elapsed(), trace: None }
    }
}

impl Failed {
    fn traced(self, received: &ByteRecorder) -> Failed {
        Failed { trace: received.trace(), ..self }
    }
}
