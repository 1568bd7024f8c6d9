//! A client that publishes faster than any device should.

use std::io::{self, BufReader, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::Broker;
use crate::packets::{self, Packet, packet};

/// Publishes that may wait for their PUBACK.
const WINDOW: u64 = 200;

/// An MQTT 3.1.1 client that publishes at QoS 1 and counts the PUBACKs.
#[derive(Debug)]
pub struct Publisher {
    writer: io::BufWriter<TcpStream>,
    reader: BufReader<TcpStream>,
    sent: u64,
    acknowledged: u64,
}

impl Publisher {
    /// Connects to a broker on plain TCP.
    ///
    /// # Errors
    /// When it does not let it in.
    pub fn connect(broker: &Broker, client_id: &str) -> Result<Publisher> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, broker.port()))?;
        stream.set_nodelay(true)?;
        let mut writer = io::BufWriter::new(stream.try_clone()?);
        let length = u16::try_from(client_id.len())?.to_be_bytes();
        // A clean session, no keep-alive.
        let head = b"\0\x04MQTT\x04\x02\0\0";
        writer.write_all(&packet(packets::CONNECT << 4, &[head, &length, client_id.as_bytes()]))?;
        writer.flush()?;
        let mut publisher = Publisher { writer, reader: BufReader::new(stream), sent: 0, acknowledged: 0 };
        let answer = publisher.next()?;
        ensure!(answer.kind() == packets::CONNACK && answer.body.get(1) == Some(&0), "it is refused: {answer:?}");
        Ok(publisher)
    }

    /// Publishes one message.
    ///
    /// # Errors
    /// When the connection ends.
    pub fn publish(&mut self, topic: &str, payload: &[u8], retained: bool) -> Result<()> {
        while self.sent - self.acknowledged >= WINDOW {
            self.writer.flush()?;
            self.hear()?;
        }
        let length = u16::try_from(topic.len())?.to_be_bytes();
        let id = u16::try_from(self.sent % 65_535)? + 1;
        let first = packets::PUBLISH << 4 | 0x02 | u8::from(retained);
        self.writer.write_all(&packet(first, &[&length, topic.as_bytes(), &id.to_be_bytes(), payload]))?;
        self.sent += 1;
        Ok(())
    }

    /// Publishes `count` messages, so many a second.
    ///
    /// # Errors
    /// When the connection ends.
    pub fn flood(
        &mut self,
        count: u64,
        per_second: u64,
        mut message: impl FnMut(u64) -> (String, Vec<u8>),
    ) -> Result<()> {
        let started = Instant::now();
        for number in 0..count {
            let due = Duration::from_nanos(1_000_000_000 / per_second * number);
            if let Some(early) = due.checked_sub(started.elapsed()) {
                self.writer.flush()?;
                std::thread::sleep(early);
            }
            let (topic, payload) = message(number);
            self.publish(&topic, &payload, false)?;
        }
        Ok(())
    }

    /// Waits until the broker has acknowledged everything, and says how much that was.
    ///
    /// # Errors
    /// When the connection ends before.
    pub fn finish(mut self) -> Result<u64> {
        self.settle()?;
        Ok(self.acknowledged)
    }

    /// Waits until all that was published so far is acknowledged.
    ///
    /// # Errors
    /// When the connection ends before.
    pub fn settle(&mut self) -> Result<()> {
        self.writer.flush()?;
        while self.acknowledged < self.sent {
            self.hear()?;
        }
        Ok(())
    }

    fn hear(&mut self) -> Result<()> {
        let packet = self.next()?;
        ensure!(packet.kind() == packets::PUBACK, "a packet of type {} came", packet.kind());
        self.acknowledged += 1;
        Ok(())
    }

    fn next(&mut self) -> Result<Packet> {
        Packet::read(&mut self.reader)?.context("the broker ended the connection")
    }
}
