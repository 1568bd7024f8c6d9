//! MQTT over a WebSocket (MQTT 5 section 6): every write a binary frame, every binary frame bytes to read.

use std::io;

use futures_util::{SinkExt, StreamExt, future::ready};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Error, Message, client::IntoClientRequest, error::ProtocolError, http::HeaderValue},
};
use tokio_util::io::{CopyToBytes, SinkWriter, StreamReader};

use super::{Address, Stream};
use crate::refusal::{Refusal, Remedy};

// At the finest level the library logs each frame, and a CONNECT has the password in it.
const _: () = assert!(log::STATIC_MAX_LEVEL as usize <= log::LevelFilter::Debug as usize);

/// Upgrades a connection to a web server.
pub(super) async fn upgrade(address: &Address, stream: Box<dyn Stream>) -> Result<Box<dyn Stream>, Refusal> {
    // What is inside is encrypted already where it is to be.
    let url = format!("{}://{}:{}{}", address.scheme.as_str(), address.bracketed_host(), address.port, address.path);
    let mut request = url.into_client_request().map_err(|error| refused(&error, address))?;
    request.headers_mut().insert("Sec-WebSocket-Protocol", HeaderValue::from_static("mqtt"));
    let (socket, _) = client_async(request, stream).await.map_err(|error| refused(&error, address))?;
    Ok(Box::new(bytes(socket)))
}

/// A WebSocket as a stream of bytes.
fn bytes(socket: WebSocketStream<Box<dyn Stream>>) -> impl Stream {
    let (sink, stream) = socket.split();
    let incoming = stream.filter_map(|message| {
        ready(match message {
            Ok(Message::Binary(bytes)) => Some(Ok(bytes)),
            // MQTT-6.0.0-1: nothing but binary frames. Pings are answered by the library.
            Ok(Message::Text(_)) => {
                Some(Err(io::Error::new(io::ErrorKind::InvalidData, "text came over the WebSocket")))
            }
            Ok(_) => None,
            Err(error) => Some(Err(broken(error))),
        })
    });
    let outgoing = sink.with(|bytes| ready(Ok::<_, Error>(Message::Binary(bytes)))).sink_map_err(broken);
    tokio::io::join(StreamReader::new(incoming), SinkWriter::new(CopyToBytes::new(outgoing)))
}

fn broken(error: Error) -> io::Error {
    match error {
        Error::Io(error) => error,
        Error::ConnectionClosed
        | Error::AlreadyClosed
        | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => io::ErrorKind::ConnectionReset.into(),
        other => io::Error::other(other),
    }
}

fn refused(error: &Error, address: &Address) -> Refusal {
    let path = &address.path;
    match error {
        Error::Http(response) => {
            let status = response.status();
            let hint = match status.as_u16() {
                404 => {
                    "Which path does the broker's WebSocket have? Most have /mqtt; HiveMQ and EMQX too, mosquitto takes any."
                }
                401 | 403 => {
                    "The server wants to know first who asks. AWS IoT's custom authorizers and some gateways do."
                }
                301..=308 => "It sends elsewhere: dial that address, or log in to this network in a browser first.",
                400 | 426 => "Is this the WebSocket listener's port, and not that of a dashboard?",
                _ => "Is this the port and the path of the broker's WebSocket listener?",
            };
            Refusal::new(format!("The web server answered {status} at {path}."), hint, Remedy::TryAgain)
                .because("So it is there and speaks HTTP, but does not open a WebSocket for MQTT at this path.")
        }
        Error::Protocol(ProtocolError::SecWebSocketSubProtocolError(_)) => Refusal::new(
            format!("The server opens a WebSocket at {path}, but not for MQTT."),
            "Is this the path of the broker's WebSocket listener? It must offer the protocol 'mqtt'.",
            Remedy::TryAgain,
        ),
        Error::Io(error) => Refusal::io(error).at(&address.host, address.port),
        other => Refusal::new(
            format!("What answers at {}, port {}, does not open a WebSocket: {other}.", address.host, address.port),
            "Is this the port and the path of the broker's WebSocket listener? For MQTT without a WebSocket use mqtt:// or \
             mqtts://.",
            Remedy::TryAgain,
        ),
    }
}
