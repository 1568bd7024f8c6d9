//! The packets between console and broker.

use std::collections::HashMap;
use std::time::Instant;

use serde_json::Value;
use wilco_tests::packets::{self, Connect, Packet, Publish};

/// The packets of all connections of a console.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wire {
    /// How often the console wrote a request, by device and id.
    pub(crate) published: HashMap<(String, String), u32>,
    /// Final answers that the console has acknowledged to the broker: device, id, status.
    pub(crate) acknowledged: Vec<(String, String, String)>,
    /// When the broker granted subscriptions.
    pub(crate) subscribed: Vec<Instant>,
}

/// One connection.
#[derive(Debug, Default)]
pub(crate) struct Tap {
    version: u8,
    out: Vec<u8>,
    back: Vec<u8>,
    /// Answers on their way to the console, by packet id.
    answers: HashMap<[u8; 2], (String, String, String)>,
}

impl Tap {
    /// Bytes pass.
    pub(crate) fn passes(&mut self, bytes: &[u8], is_from_client: bool, wire: &mut Wire) {
        let buffer = if is_from_client { &mut self.out } else { &mut self.back };
        buffer.extend_from_slice(bytes);
        let mut whole = std::mem::take(buffer);
        let mut from = 0;
        while let Some(length) = length(&whole[from..]) {
            if let Ok(Some(packet)) = Packet::read(&mut &whole[from..from + length]) {
                self.packet(&packet, is_from_client, wire);
            }
            from += length;
        }
        whole.drain(..from);
        *(if is_from_client { &mut self.out } else { &mut self.back }) = whole;
    }

    fn packet(&mut self, packet: &Packet, is_from_client: bool, wire: &mut Wire) {
        match (packet.kind(), is_from_client) {
            (packets::CONNECT, true) => {
                self.version = Connect::read(&packet.body).map_or(4, |connect| connect.version);
            }
            (packets::SUBACK, false) => wire.subscribed.push(Instant::now()),
            (packets::PUBLISH, true) => {
                let Ok(publish) = Publish::read(packet, self.version) else { return };
                if let (Some(device), Some(id)) = (publish.topic.strip_suffix("/req"), member(&publish, "id")) {
                    *wire.published.entry((device.to_owned(), id)).or_default() += 1;
                }
            }
            (packets::PUBLISH, false) => {
                let Ok(publish) = Publish::read(packet, self.version) else { return };
                let Some(number) = publish.id else { return };
                // A packet id is used again once it is acknowledged.
                self.answers.remove(&number);
                if let (Some(device), Some(id), Some(status)) =
                    (publish.topic.strip_suffix("/resp"), member(&publish, "id"), member(&publish, "status"))
                    && matches!(&*status, "succeeded" | "failed")
                {
                    self.answers.insert(number, (device.to_owned(), id, status));
                }
            }
            (packets::PUBACK, true) => {
                let number = packet.body.first_chunk().copied().unwrap_or_default();
                wire.acknowledged.extend(self.answers.remove(&number));
            }
            _ => {}
        }
    }
}

fn member(publish: &Publish, name: &str) -> Option<String> {
    let value: Value = serde_json::from_slice(&publish.payload).ok()?;
    Some(value.get(name)?.as_str()?.to_owned())
}

/// The length of the first packet, once all of it is there.
fn length(bytes: &[u8]) -> Option<usize> {
    let mut length = 0_usize;
    for (place, byte) in bytes.iter().skip(1).take(4).enumerate() {
        length |= usize::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            let whole = 2 + place + length;
            return (bytes.len() >= whole).then_some(whole);
        }
    }
    None
}
