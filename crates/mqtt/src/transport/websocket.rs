//! MQTT over WebSocket (MQTT 5 section 6): each write is a binary frame, and each binary frame is received as bytes.

use std::io;

use futures_util::{SinkExt, StreamExt, future::ready};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Error, Message, client::IntoClientRequest, error::ProtocolError, http::HeaderValue},
};
use tokio_util::io::{CopyToBytes, SinkWriter, StreamReader};
use wilco_connection::{Address, Query};
use zeroize::Zeroizing;

use super::Stream;
use crate::refusal::{Refusal, Remedy};

// At the finest level the library logs each frame, and a CONNECT has the password in it.
const _: () = assert!(log::STATIC_MAX_LEVEL as usize <= log::LevelFilter::Debug as usize);

/// Upgrades a connection to a web server.
pub(super) async fn upgrade(address: &Address, stream: Box<dyn Stream>) -> Result<Box<dyn Stream>, Refusal> {
    // The stream inside is already encrypted if it should be.
    let target = target(address)?;
    let mut request = target.as_str().into_client_request().map_err(|error| refused(&error, address))?;
    request.headers_mut().insert("Sec-WebSocket-Protocol", HeaderValue::from_static("mqtt"));
    let (socket, _) = client_async(request, stream).await.map_err(|error| refused(&error, address))?;
    Ok(Box::new(bytes(socket)))
}

/// The whole address, with its query: for the request line and nothing else.
fn target(address: &Address) -> Result<Zeroizing<String>, Refusal> {
    let mut target = Zeroizing::new(format!("{}://{}{}", address.scheme.as_str(), address.authority(), address.path));
    match &address.query {
        Query::None => {}
        Query::Given(query) => {
            target.push('?');
            target.push_str(&String::from_utf8_lossy(query.expose()));
        }
        Query::Kept => {
            return Err(Refusal::new(
                "The query of the broker's address is not in the keyring.",
                "Edit the connection and enter its address again, with everything after '?'.",
                Remedy::Change,
            ));
        }
    }
    Ok(target)
}

/// A WebSocket as a stream of bytes.
fn bytes(socket: WebSocketStream<Box<dyn Stream>>) -> impl Stream {
    let (sink, stream) = socket.split();
    let incoming = stream.filter_map(|message| {
        ready(match message {
            Ok(Message::Binary(bytes)) => Some(Ok(bytes)),
            // MQTT-6.0.0-1: nothing but binary frames. Pings are answered by the library.
            Ok(Message::Text(_)) => {
                Some(Err(io::Error::new(io::ErrorKind::InvalidData, "the WebSocket sent text instead of binary data")))
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
                    "Check the path of the broker's WebSocket. Most brokers use /mqtt, including HiveMQ and EMQX; \
                     mosquitto accepts any path."
                }
                401 | 403 => "The server requires authentication, as AWS IoT custom authorizers and some gateways do.",
                301..=308 => {
                    "The server redirects to another address: use that address, or log in to this network in a \
                         browser."
                }
                400 | 426 => "Check that this is the port of the WebSocket listener, not of a dashboard.",
                _ => "Check the port and the path of the broker's WebSocket listener.",
            };
            Refusal::new(format!("The web server answered {status} at {path}."), hint, Remedy::TryAgain)
                .because("The server speaks HTTP, but does not open an MQTT WebSocket at this path.")
        }
        Error::Protocol(ProtocolError::SecWebSocketSubProtocolError(_)) => Refusal::new(
            format!("The server opens a WebSocket at {path}, but not for MQTT."),
            "Check the path of the broker's WebSocket listener. It must offer the subprotocol 'mqtt'.",
            Remedy::TryAgain,
        ),
        Error::Io(error) => Refusal::io(error).at(&address.host, address.port),
        // The library's error may quote the request.
        _ => Refusal::new(
            format!("The server at {}, port {}, does not open a WebSocket (RFC 6455).", address.host, address.port),
            "Check the port and the path of the broker's WebSocket listener. For MQTT without WebSocket use mqtt:// \
             or mqtts://.",
            Remedy::TryAgain,
        ),
    }
}
