//! A broker that a test controls step by step: mosquitto cannot be made to hesitate.
//!
//! It supports as much of MQTT 5 as a client needs to connect and subscribe.

use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::desk::PATIENCE;

/// A broker that does only what a test requests.
pub(crate) struct SteppedBroker {
    listener: TcpListener,
}

/// One network connection.
pub(crate) struct Line {
    stream: TcpStream,
}

/// A control packet: its type (MQTT 5 section 2.1.2) and what follows its fixed header.
pub(crate) struct Packet {
    pub(crate) kind: u8,
    pub(crate) body: Vec<u8>,
}

pub(crate) const CONNECT: u8 = 1;
pub(crate) const PUBLISH: u8 = 3;
pub(crate) const SUBSCRIBE: u8 = 8;

impl SteppedBroker {
    pub(crate) async fn new() -> Result<SteppedBroker> {
        Ok(SteppedBroker { listener: TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await? })
    }

    /// One whose receive window is small, so that little is sent to it while it reads nothing.
    pub(crate) fn narrow() -> Result<SteppedBroker> {
        let socket = TcpSocket::new_v4()?;
        // Those who connect inherit it.
        socket.set_recv_buffer_size(16 * 1024)?;
        socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
        Ok(SteppedBroker { listener: socket.listen(8)? })
    }

    pub(crate) fn url(&self) -> Result<String> {
        Ok(format!("mqtt://127.0.0.1:{}", self.listener.local_addr()?.port()))
    }

    /// The next one who connects.
    pub(crate) async fn accept(&self) -> Result<Line> {
        let (stream, _) = timeout(PATIENCE, self.listener.accept()).await.context("nobody connects")??;
        Ok(Line { stream })
    }

    /// The next one who connects, let in.
    pub(crate) async fn welcome(&self) -> Result<Line> {
        self.welcome_with(&[]).await
    }

    /// The next one who connects, let in with these properties (MQTT 5 section 3.2.2.3).
    pub(crate) async fn welcome_with(&self, properties: &[u8]) -> Result<Line> {
        self.let_in(false, properties).await
    }

    async fn let_in(&self, session_present: bool, properties: &[u8]) -> Result<Line> {
        let mut line = self.accept().await?;
        line.expect(CONNECT).await?;
        let length = u8::try_from(properties.len())?;
        // CONNACK: success.
        line.write(&[&[0x20, 3 + length, session_present.into(), 0, length], properties].concat()).await?;
        Ok(line)
    }

    /// The next one who connects, let in with these properties and allowed every subscription.
    pub(crate) async fn serve(&self, properties: &[u8]) -> Result<Line> {
        let mut line = self.welcome_with(properties).await?;
        line.allow_subscriptions().await?;
        Ok(line)
    }

    /// The next one who connects, whose session has been kept.
    pub(crate) async fn resume(&self) -> Result<Line> {
        let mut line = self.let_in(true, &[]).await?;
        line.allow_subscriptions().await?;
        Ok(line)
    }
}

impl Line {
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.stream.write_all(bytes).await?)
    }

    /// The next packet, which has to be of this kind.
    pub(crate) async fn expect(&mut self, kind: u8) -> Result<Packet> {
        let packet =
            timeout(PATIENCE, self.read()).await.with_context(|| format!("no packet of type {kind} comes"))??;
        ensure!(packet.kind == kind, "a packet of type {} came instead of {kind}", packet.kind);
        Ok(packet)
    }

    async fn allow_subscriptions(&mut self) -> Result<()> {
        for quality in [1, 0] {
            let subscribe = self.expect(SUBSCRIBE).await?;
            self.acknowledge(&subscribe, quality).await?;
        }
        Ok(())
    }

    /// Whether nothing at all comes for that long.
    pub(crate) async fn is_silent(&mut self, span: Duration) -> bool {
        timeout(span, self.stream.peek(&mut [0])).await.is_err()
    }

    /// Acknowledges a SUBSCRIBE with this reason for each of its filters.
    pub(crate) async fn acknowledge(&mut self, subscribe: &Packet, reason: u8) -> Result<()> {
        let count = filters(&subscribe.body).len();
        let mut suback = vec![0x90, u8::try_from(3 + count)?, subscribe.body[0], subscribe.body[1], 0];
        suback.resize(suback.len() + count, reason);
        self.write(&suback).await
    }

    /// The next PUBLISH: its topic and its packet id.
    pub(crate) async fn publish(&mut self) -> Result<(String, [u8; 2])> {
        let body = self.expect(PUBLISH).await?.body;
        let length = usize::from(u16::from_be_bytes([body[0], body[1]]));
        let (topic, rest) = body[2..].split_at(length);
        Ok((String::from_utf8_lossy(topic).into_owned(), [rest[0], rest[1]]))
    }

    /// PUBACK with a reason.
    pub(crate) async fn puback(&mut self, packet: [u8; 2], reason: u8) -> Result<()> {
        self.write(&[0x40, 3, packet[0], packet[1], reason]).await
    }

    async fn read(&mut self) -> Result<Packet> {
        let kind = self.stream.read_u8().await? >> 4;
        let (mut length, mut shift) = (0_usize, 0);
        loop {
            let byte = self.stream.read_u8().await?;
            length |= usize::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                break;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await?;
        Ok(Packet { kind, body })
    }
}

/// The filters of a SUBSCRIBE without long properties.
pub(crate) fn filters(body: &[u8]) -> Vec<String> {
    let mut rest = &body[3 + usize::from(body[2])..];
    let mut filters = Vec::new();
    while let [high, low, tail @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        filters.push(String::from_utf8_lossy(&tail[..length]).into_owned());
        rest = &tail[length + 1..];
    }
    filters
}
