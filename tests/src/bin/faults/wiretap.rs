//! The packets between console and broker.

use std::collections::{HashMap, HashSet};
use std::time::Instant;

use serde_json::Value;
use wilco_tests::packets::{self, Connect, Packet, Publish};

/// The packets of all connections of a console.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wire {
    /// How often the console wrote a request, by device and id.
    pub(crate) published: HashMap<(String, String), u32>,
    /// Requests that the broker refused: device and id. MQTT 5 only, a reason of 0x80 or above (section 3.4.2.1).
    pub(crate) refused: HashSet<(String, String)>,
    /// Answers that the console has acknowledged to the broker: device, id, status.
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
    /// Requests on their way to the broker, by packet id: device and id.
    requests: HashMap<[u8; 2], (String, String)>,
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
                    let request = (device.to_owned(), id);
                    *wire.published.entry(request.clone()).or_default() += 1;
                    self.requests.extend(publish.id.map(|number| (number, request)));
                }
            }
            (packets::PUBLISH, false) => {
                let Ok(publish) = Publish::read(packet, self.version) else { return };
                let Some(number) = publish.id else { return };
                // A packet id is used again once it is acknowledged.
                self.answers.remove(&number);
                if let (Some(device), Some(id), Some(status)) =
                    (publish.topic.strip_suffix("/resp"), member(&publish, "id"), member(&publish, "status"))
                {
                    self.answers.insert(number, (device.to_owned(), id, status));
                }
            }
            (packets::PUBACK, true) => {
                let number = packet.body.first_chunk().copied().unwrap_or_default();
                wire.acknowledged.extend(self.answers.remove(&number));
            }
            (packets::PUBACK, false) => {
                let number = packet.body.first_chunk().copied().unwrap_or_default();
                let request = self.requests.remove(&number);
                let is_refused = packet.body.get(2).is_some_and(|reason| *reason >= 0x80);
                wire.refused.extend(request.filter(|_| is_refused));
            }
            _ => {}
        }
    }
}

impl Wire {
    /// The answers among [`Wire::acknowledged`] by which a command ends.
    pub(crate) fn ends(&self) -> usize {
        self.acknowledged.iter().filter(|(_, _, status)| is_end(status)).count()
    }
}

/// A command ends by such an answer.
pub(crate) fn is_end(status: &str) -> bool {
    matches!(status, "succeeded" | "failed" | "rejected")
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

#[cfg(test)]
mod tests {
    use super::{Tap, Wire};

    /// A text with its length, as MQTT writes it.
    fn text(text: &str) -> Vec<u8> {
        [&u16::try_from(text.len()).expect("short").to_be_bytes(), text.as_bytes()].concat()
    }

    fn publish(topic: &str, number: u8, payload: &str) -> Vec<u8> {
        let body = [&text(topic)[..], &[0, number, 0], payload.as_bytes()].concat();
        [&[0x32, u8::try_from(body.len()).expect("short")][..], &body].concat()
    }

    #[test]
    fn packets_are_read_in_whatever_pieces_they_pass() {
        let connect = [&[0x10, 16][..], &text("MQTT"), &[5, 2, 0, 60, 0], &text("one")].concat();
        let request = |number, id: &str| publish("unit-0001/req", number, &format!("{{\"id\":\"{id}\"}}"));
        let answer = publish("unit-0001/resp", 7, r#"{"id":"a","status":"succeeded"}"#);
        let out = [connect, request(1, "a"), request(2, "b"), vec![0x40, 2, 0, 7]];
        // The broker accepts the first request, and refuses the second one: quota exceeded.
        let back = [vec![0x40, 2, 0, 1], vec![0x40, 4, 0, 2, 0x97, 0], answer];
        for pieces in [1, 3, 1_000] {
            let (mut tap, mut wire) = (Tap::default(), Wire::default());
            let mut passes = |bytes: &[u8], is_from_client| {
                bytes.chunks(pieces).for_each(|piece| tap.passes(piece, is_from_client, &mut wire));
            };
            out[..3].iter().for_each(|packet| passes(packet, true));
            back.iter().for_each(|packet| passes(packet, false));
            passes(&out[3], true);
            let of = |id: &str| ("unit-0001".to_owned(), id.to_owned());
            assert_eq!(wire.published, [(of("a"), 1), (of("b"), 1)].into());
            assert_eq!(wire.refused, [of("b")].into());
            assert_eq!(wire.acknowledged, [(of("a").0, of("a").1, "succeeded".to_owned())]);
            assert_eq!(wire.ends(), 1);
        }
    }
}
