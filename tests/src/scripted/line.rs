//! One network connection to a scripted broker, from its first byte to its last.

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::thread;

use super::{Misbehaviour, Seen, Shared, offered};
use crate::packets::{self as wire, Connect, Filters, Packet, Publish};

/// Whether the connection continues.
type KeepsOpen = io::Result<bool>;

/// One connection and who is at its other end.
pub(super) struct Line<S> {
    shared: Arc<Shared>,
    stream: S,
    /// 4 for MQTT 3.1.1, 5 for MQTT 5; known from CONNECT on.
    version: u8,
    subscribed: Vec<String>,
    last_id: u16,
}

impl<S: Read + Write> Line<S> {
    pub(super) fn new(shared: Arc<Shared>, stream: S) -> Line<S> {
        Line { shared, stream, version: 5, subscribed: Vec::new(), last_id: 0 }
    }

    /// Reads and answers until one side has enough.
    pub(super) fn serve(mut self) -> io::Result<()> {
        if let Some(then) = self.shared.script.on_open.clone()
            && !self.act(&then)?
        {
            return Ok(());
        }
        while let Some(packet) = Packet::read(&mut self.stream)? {
            let goes = match packet.kind() {
                wire::CONNECT => self.connect(&packet)?,
                wire::SUBSCRIBE => self.subscribe(&packet)?,
                wire::UNSUBSCRIBE => self.unsubscribe(&packet)?,
                wire::PUBLISH => self.publish(&packet)?,
                wire::PINGREQ => {
                    self.shared.saw(Seen::Ping);
                    self.write(&wire::packet(0xd0, &[]))?
                }
                wire::DISCONNECT => {
                    self.shared.saw(Seen::Disconnect);
                    false
                }
                // PUBACK and whatever else needs no answer.
                _ => true,
            };
            if !goes {
                break;
            }
        }
        Ok(())
    }

    fn connect(&mut self, packet: &Packet) -> KeepsOpen {
        let Connect { version, client_id, username, password, keep_alive } = Connect::read(&packet.body)?;
        self.version = version;
        self.shared.saw(Seen::Connect { version, client_id, username, password, keep_alive });
        if self.shared.script.only_311 && version == 5 {
            self.write(&[0x20, 2, 0, 1])?;
            return Ok(false);
        }
        match self.shared.script.on_connect.clone() {
            None => {}
            Some(Misbehaviour::Reason(reason)) if reason < 0x80 => {}
            Some(Misbehaviour::Reason(reason)) => {
                let answer = match version {
                    5 => wire::packet(0x20, &[&[0, reason], &wire::packet(0, &[&self.shared.script.properties])[1..]]),
                    _ => wire::packet(0x20, &[&[0, as_return_code(reason)]]),
                };
                self.write(&answer)?;
                return Ok(false);
            }
            Some(then) => return self.act(&then),
        }
        let properties = &self.shared.script.properties;
        let accepted = match version {
            5 => wire::packet(0x20, &[&[0, 0], &wire::packet(0, &[properties])[1..]]),
            _ => wire::packet(0x20, &[&[0, 0]]),
        };
        self.write(&accepted)?;
        match self.shared.script.after_connack.clone() {
            Some(then) => self.act(&then),
            None => Ok(true),
        }
    }

    fn subscribe(&mut self, packet: &Packet) -> KeepsOpen {
        let asked = Filters::read(packet, self.version)?;
        self.saw_not_offered(offered::by_subscribe(&self.shared.script.properties, &asked));
        let Filters { id, filters, .. } = asked;
        self.shared.saw(Seen::Subscribe { filters: filters.clone() });
        let mut reasons = Vec::new();
        for filter in filters {
            match self.shared.script.on_subscribe.iter().find(|(wanted, _)| *wanted == filter).map(|(_, then)| then) {
                None => {
                    self.subscribed.push(filter);
                    reasons.push(1);
                }
                Some(Misbehaviour::Reason(reason)) if *reason >= 0x80 && self.version == 4 => reasons.push(0x80),
                Some(Misbehaviour::Reason(reason)) => reasons.push(*reason),
                // It looks as if it were granted.
                Some(Misbehaviour::Swallow | Misbehaviour::Ignore) => reasons.push(1),
                Some(then) => {
                    let then = then.clone();
                    return self.act(&then);
                }
            }
        }
        let nothing: &[u8] = if self.version == 5 { &[0] } else { &[] };
        self.write(&wire::packet(0x90, &[&id, nothing, &reasons]))
    }

    fn unsubscribe(&mut self, packet: &Packet) -> KeepsOpen {
        let Filters { id, filters, .. } = Filters::read(packet, self.version)?;
        self.subscribed.retain(|filter| !filters.contains(filter));
        let reasons = vec![0; if self.version == 5 { filters.len() } else { 0 }];
        let nothing: &[u8] = if self.version == 5 { &[0] } else { &[] };
        self.write(&wire::packet(0xb0, &[&id, nothing, &reasons]))
    }

    fn publish(&mut self, packet: &Packet) -> KeepsOpen {
        let publish = Publish::read(packet, self.version)?;
        self.saw_not_offered(offered::by_publish(&self.shared.script.properties, packet, &publish));
        let (topic, payload) = (publish.topic.clone(), publish.payload.clone());
        self.shared.saw(Seen::Publish { topic, payload, qos: publish.qos });
        let script = &self.shared.script.on_publish;
        let then =
            script.iter().find(|(filter, _)| wire::matches(filter, &publish.topic)).map(|(_, then)| then.clone());
        let (reason, is_forwarded) = match then {
            None => (0, true),
            Some(Misbehaviour::Reason(reason)) => (reason, reason < 0x80),
            Some(Misbehaviour::Swallow) => (0, false),
            Some(Misbehaviour::Ignore) => return Ok(true),
            Some(then) => return self.act(&then),
        };
        if let Some(id) = publish.id {
            let says_why: &[u8] = if self.version == 5 && reason != 0 { &[reason] } else { &[] };
            self.write(&wire::packet(0x40, &[&id, says_why]))?;
        }
        if is_forwarded && self.subscribed.iter().any(|filter| wire::matches(filter, &publish.topic)) {
            self.last_id = self.last_id.checked_add(1).unwrap_or(1);
            let id = (publish.qos > 0).then_some(self.last_id);
            return self.write(&publish.forward(id, self.version));
        }
        Ok(true)
    }

    fn saw_not_offered(&self, used: Vec<&'static str>) {
        if self.version == 5 {
            used.into_iter().for_each(|used| self.shared.saw(Seen::NotOffered(used)));
        }
    }

    /// Does what a script says wherever it says it.
    fn act(&mut self, then: &Misbehaviour) -> KeepsOpen {
        match then {
            Misbehaviour::Close | Misbehaviour::Reason(_) => Ok(false),
            Misbehaviour::Swallow | Misbehaviour::Ignore => Ok(true),
            Misbehaviour::Silence => {
                io::copy(&mut self.stream, &mut io::sink())?;
                Ok(false)
            }
            Misbehaviour::Disconnect(reason) => {
                // MQTT 3.1.1 knows no DISCONNECT of a broker.
                if self.version == 5 {
                    self.write(&wire::packet(0xe0, &[&[*reason]]))?;
                }
                Ok(false)
            }
        }
    }

    fn write(&mut self, bytes: &[u8]) -> KeepsOpen {
        thread::sleep(self.shared.script.delay);
        self.stream.write_all(bytes)?;
        self.stream.flush()?;
        Ok(true)
    }
}

/// MQTT 3.1.1's word for a reason of MQTT 5 (sections 3.2.2.3 there and 3.2.2.2 here).
fn as_return_code(reason: u8) -> u8 {
    match reason {
        0x84 => 1,
        0x85 => 2,
        0x86 => 4,
        0x87 | 0x8a => 5,
        _ => 3,
    }
}
