//! A parser and writer of as much of MQTT 3.1.1 and 5 as the tests need.

use std::io::{self, Read};

/// A control packet: its first byte (MQTT 5 section 2.1.1) and what follows the fixed header.
#[derive(Debug)]
pub struct Packet {
    /// Its type in the upper half, and its flags.
    pub first: u8,
    /// The part after the fixed header.
    pub body: Vec<u8>,
}

// The types of packets (MQTT 5 section 2.1.2).
/// A client opens a connection.
pub const CONNECT: u8 = 1;
/// The broker accepts or refuses it.
pub const CONNACK: u8 = 2;
/// A message, in both directions.
pub const PUBLISH: u8 = 3;
/// The acknowledgement of a message at QoS 1.
pub const PUBACK: u8 = 4;
/// A client subscribes.
pub const SUBSCRIBE: u8 = 8;
/// The broker answers a SUBSCRIBE.
pub const SUBACK: u8 = 9;
/// A client unsubscribes.
pub const UNSUBSCRIBE: u8 = 10;
/// A client asks whether the broker is there.
pub const PINGREQ: u8 = 12;
/// The end of a connection.
pub const DISCONNECT: u8 = 14;

/// Longer packets are none that a test sends.
const LONGEST: usize = 4 << 20;

impl Packet {
    /// The next packet of a stream; `None` at its end.
    ///
    /// # Errors
    /// That of the stream, or that what comes is no packet.
    pub fn read(stream: &mut impl Read) -> io::Result<Option<Packet>> {
        let mut first = [0];
        match stream.read(&mut first) {
            Ok(0) => return Ok(None),
            Ok(_) => {}
            // A client that ends TLS without a good-bye ends it anyway.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(error),
        }
        let mut length = 0_usize;
        for shift in [0, 7, 14, 21] {
            let mut byte = [0];
            stream.read_exact(&mut byte)?;
            length |= usize::from(byte[0] & 0x7f) << shift;
            if byte[0] & 0x80 == 0 {
                break;
            }
        }
        if length > LONGEST {
            return Err(malformed("it is too long"));
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body)?;
        Ok(Some(Packet { first: first[0], body }))
    }

    /// Its type: [`PUBLISH`], [`PUBACK`] and so on.
    pub fn kind(&self) -> u8 {
        self.first >> 4
    }
}

/// A packet's bytes, from its first byte and its parts.
pub fn packet(first: u8, parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    let mut bytes = vec![first];
    let mut length = body.len();
    loop {
        let low = u8::try_from(length & 0x7f).unwrap_or(0);
        length >>= 7;
        bytes.push(if length > 0 { low | 0x80 } else { low });
        if length == 0 {
            break;
        }
    }
    bytes.extend(body);
    bytes
}

/// The content of a CONNECT (MQTT 5 section 3.1).
#[derive(Debug)]
pub struct Connect {
    /// 4 for MQTT 3.1.1, 5 for MQTT 5.
    pub version: u8,
    /// The client's id.
    pub client_id: String,
    /// The user's name.
    pub username: Option<String>,
    /// The password.
    pub password: Option<Vec<u8>>,
    /// Seconds.
    pub keep_alive: u16,
}

impl Connect {
    /// Takes the body of a packet apart.
    ///
    /// # Errors
    /// When it is malformed.
    pub fn read(body: &[u8]) -> io::Result<Connect> {
        let mut rest = Rest(body);
        rest.bytes()?;
        let (version, flags, keep_alive) = (rest.byte()?, rest.byte()?, rest.number()?);
        if version == 5 {
            rest.properties()?;
        }
        let client_id = rest.text()?;
        if flags & 0x04 != 0 {
            if version == 5 {
                rest.properties()?;
            }
            rest.bytes()?;
            rest.bytes()?;
        }
        let username = if flags & 0x80 == 0 { None } else { Some(rest.text()?) };
        let password = if flags & 0x40 == 0 { None } else { Some(rest.bytes()?.to_vec()) };
        Ok(Connect { version, client_id, username, password, keep_alive })
    }
}

/// The content of a SUBSCRIBE or UNSUBSCRIBE: its packet ID and its filters.
#[derive(Debug)]
pub struct Filters {
    /// The packet id.
    pub id: [u8; 2],
    /// The properties as they came, without their length.
    pub properties: Vec<u8>,
    /// The filters.
    pub filters: Vec<String>,
}

impl Filters {
    /// Takes the body of a packet apart.
    ///
    /// # Errors
    /// When it is malformed.
    pub fn read(packet: &Packet, version: u8) -> io::Result<Filters> {
        let mut rest = Rest(&packet.body);
        let id = rest.number()?.to_be_bytes();
        let properties = if version == 5 { rest.properties()?.to_vec() } else { Vec::new() };
        let mut filters = Vec::new();
        while !rest.0.is_empty() {
            filters.push(rest.text()?);
            if packet.kind() == SUBSCRIBE {
                rest.byte()?;
            }
        }
        Ok(Filters { id, properties, filters })
    }
}

/// A PUBLISH (MQTT 5 section 3.3).
#[derive(Debug)]
pub struct Publish {
    /// Where to.
    pub topic: String,
    /// 0, 1 or 2.
    pub qos: u8,
    /// The packet id, at QoS 1 and 2.
    pub id: Option<[u8; 2]>,
    /// As they came, without their length.
    pub properties: Vec<u8>,
    /// The message.
    pub payload: Vec<u8>,
}

impl Publish {
    /// Takes the body of a packet apart.
    ///
    /// # Errors
    /// When it is malformed.
    pub fn read(packet: &Packet, version: u8) -> io::Result<Publish> {
        let mut rest = Rest(&packet.body);
        let topic = rest.text()?;
        let qos = packet.first >> 1 & 3;
        let id = if qos == 0 { None } else { Some(rest.number()?.to_be_bytes()) };
        let properties = if version == 5 { rest.properties()?.to_vec() } else { Vec::new() };
        Ok(Publish { topic, qos, id, properties, payload: rest.0.to_vec() })
    }

    /// The same message on its way to a subscriber, at QoS 1 with this packet id or at QoS 0.
    pub fn forward(&self, id: Option<u16>, version: u8) -> Vec<u8> {
        let length = u16::try_from(self.topic.len()).unwrap_or(u16::MAX).to_be_bytes();
        let number = id.map(u16::to_be_bytes);
        let number: &[u8] = number.as_ref().map_or(&[], |number| number);
        let mut properties = Vec::new();
        if version == 5 {
            // As a variable byte integer (MQTT 5 section 1.5.5), by the same rule as a packet's length.
            properties = packet(0, &[&self.properties])[1..].to_vec();
        }
        let first = if id.is_some() { 0x32 } else { 0x30 };
        packet(first, &[&length, self.topic.as_bytes(), number, &properties, &self.payload])
    }
}

/// The value of the first property with this identifier among a packet's properties (MQTT 5 section 2.2.2.2).
pub fn property(properties: &[u8], id: u8) -> Option<&[u8]> {
    let mut rest = properties;
    while let [found, behind @ ..] = rest {
        let length = |at: usize| Some(2 + usize::from(u16::from_be_bytes([*behind.get(at)?, *behind.get(at + 1)?])));
        let taken = match found {
            0x01 | 0x17 | 0x19 | 0x24 | 0x25 | 0x28 | 0x29 | 0x2a => 1,
            0x13 | 0x21 | 0x22 | 0x23 => 2,
            0x02 | 0x11 | 0x18 | 0x27 => 4,
            // A variable byte integer.
            0x0b => behind.iter().position(|byte| byte & 0x80 == 0)? + 1,
            // Two texts.
            0x26 => length(0)? + length(length(0)?)?,
            _ => length(0)?,
        };
        let (value, more) = behind.split_at_checked(taken)?;
        if *found == id {
            return Some(value);
        }
        rest = more;
    }
    None
}

/// Whether a topic is heard by a filter (MQTT 5 section 4.7).
pub fn matches(filter: &str, topic: &str) -> bool {
    let mut levels = topic.split('/');
    for wanted in filter.split('/') {
        match (wanted, levels.next()) {
            ("#", _) => return true,
            (_, None) => return false,
            ("+", Some(_)) => {}
            (wanted, Some(level)) if wanted == level => {}
            _ => return false,
        }
    }
    levels.next().is_none()
}

/// The unread part of a body.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, count: usize) -> io::Result<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or_else(|| malformed("it is cut off"))?;
        self.0 = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> io::Result<u8> {
        Ok(self.take(1)?[0])
    }

    fn number(&mut self) -> io::Result<u16> {
        let bytes = self.take(2)?;
        Ok(u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    fn bytes(&mut self) -> io::Result<&'a [u8]> {
        let length = self.number()?;
        self.take(usize::from(length))
    }

    fn text(&mut self) -> io::Result<String> {
        String::from_utf8(self.bytes()?.to_vec()).map_err(|_| malformed("a text in it is no UTF-8"))
    }

    fn properties(&mut self) -> io::Result<&'a [u8]> {
        let mut length = 0_usize;
        for shift in [0, 7, 14, 21] {
            let byte = self.byte()?;
            length |= usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                break;
            }
        }
        self.take(length)
    }
}

fn malformed(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("this is no MQTT packet: {why}"))
}
