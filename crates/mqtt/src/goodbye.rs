//! What a broker says when it does not let a client in, or sends it away: the parts of CONNACK and DISCONNECT that the
//! library does not hand on.

/// A CONNACK (MQTT 3.1.1 section 3.2, MQTT 5 section 3.2) or a DISCONNECT (MQTT 5 section 3.14).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Goodbye {
    /// The reason code; of MQTT 3.1.1 the return code.
    pub(crate) reason: u8,
    /// Why, in the broker's words.
    pub(crate) reason_string: Option<String>,
    /// Where to connect instead.
    pub(crate) server_reference: Option<String>,
    /// The client ID that the broker gives to the client.
    pub(crate) assigned: Option<String>,
    /// A CONNACK without properties, which is one of MQTT 3.1.1.
    pub(crate) is_311: bool,
}

const CONNACK: u8 = 0x20;
const DISCONNECT: u8 = 0xE0;
const ASSIGNED_CLIENT_ID: u8 = 0x12;
const SERVER_REFERENCE: u8 = 0x1C;
const REASON_STRING: u8 = 0x1F;
const USER_PROPERTY: u8 = 0x26;

impl Goodbye {
    /// The CONNACK that a connection begins with.
    pub(crate) fn connack(first: &[u8]) -> Option<Goodbye> {
        let (&CONNACK, rest) = first.split_first()? else { return None };
        let (body, _) = packet(rest)?;
        match body {
            [0 | 1, reason] => Some(Goodbye { reason: *reason, is_311: true, ..Goodbye::default() }),
            [0 | 1, reason, properties @ ..] => Some(Goodbye::of(*reason, properties)),
            _ => None,
        }
    }

    /// The DISCONNECT that a connection ends with.
    pub(super) fn disconnect(last: &[u8]) -> Option<Goodbye> {
        let starts = last.iter().enumerate().filter(|(_, byte)| **byte == DISCONNECT);
        let mut packets = starts.filter_map(|(at, _)| packet(&last[at + 1..]).filter(|(_, behind)| behind.is_empty()));
        match packets.next()?.0 {
            [reason, properties @ ..] => Some(Goodbye::of(*reason, properties)),
            [] => None,
        }
    }

    fn of(reason: u8, properties: &[u8]) -> Goodbye {
        let mut goodbye = Goodbye { reason, ..Goodbye::default() };
        let Some((mut rest, _)) = packet(properties) else { return goodbye };
        while let Some((&id, behind)) = rest.split_first() {
            let Some(behind) = goodbye.property(id, behind) else { break };
            rest = behind;
        }
        goodbye
    }

    /// Reads one property (MQTT 5 section 2.2.2.2), and says what follows it.
    fn property<'a>(&mut self, id: u8, rest: &'a [u8]) -> Option<&'a [u8]> {
        match id {
            REASON_STRING | SERVER_REFERENCE | ASSIGNED_CLIENT_ID => {
                let (text, rest) = text(rest)?;
                let text = Some(String::from_utf8_lossy(text).into_owned()).filter(|text| !text.is_empty());
                match id {
                    REASON_STRING => self.reason_string = text,
                    SERVER_REFERENCE => self.server_reference = text,
                    _ => self.assigned = text,
                }
                Some(rest)
            }
            USER_PROPERTY => text(text(rest)?.1).map(|(_, rest)| rest),
            // Texts and bytes: authentication, response information.
            0x15 | 0x16 | 0x1A => text(rest).map(|(_, rest)| rest),
            // Session expiry and maximum packet size.
            0x11 | 0x27 => rest.get(4..),
            // Keep alive, receive maximum, topic alias maximum.
            0x13 | 0x21 | 0x22 => rest.get(2..),
            // Maximum QoS, and what is available.
            0x24 | 0x25 | 0x28 | 0x29 | 0x2A => rest.get(1..),
            _ => None,
        }
    }

    /// What the broker says beyond its reason code, as sentences.
    pub(super) fn in_its_words(&self) -> Option<String> {
        let said = self
            .reason_string
            .as_ref()
            .map(|said| format!("Reason given by the broker: “{}”.", said.trim_end_matches('.')));
        let there = self.server_reference.as_ref().map(|there| format!("Server reference: {there}."));
        let told: Vec<_> = said.into_iter().chain(there).collect();
        (!told.is_empty()).then(|| told.join(" "))
    }
}

/// What a length (MQTT 5 section 1.5.5) counts, and what follows.
fn packet(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut length = 0_usize;
    for (at, byte) in bytes.iter().enumerate().take(4) {
        length |= usize::from(byte & 0x7F) << (7 * at);
        if byte & 0x80 == 0 {
            return bytes[at + 1..].split_at_checked(length);
        }
    }
    None
}

/// A text with its length before it.
fn text(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

#[cfg(test)]
mod tests {
    use super::Goodbye;

    #[test]
    fn a_connack_is_read_with_what_it_says() {
        let connack = Goodbye::connack(b"\x20\x16\0\x9D\x13\x28\0\x1C\0\x05o:883\x1F\0\x06closed");
        let expected = Goodbye {
            reason: 0x9D,
            reason_string: Some("closed".into()),
            server_reference: Some("o:883".into()),
            ..Goodbye::default()
        };
        assert_eq!(connack, Some(expected));
        let old = Goodbye { reason: 1, is_311: true, ..Goodbye::default() };
        assert_eq!(Goodbye::connack(b"\x20\x02\0\x01"), Some(old));
        let assigned = Goodbye { assigned: Some("given".into()), ..Goodbye::default() };
        assert_eq!(Goodbye::connack(b"\x20\x0D\0\0\x0A\x24\x01\x12\0\x05given"), Some(assigned));
        assert_eq!(Goodbye::connack(b"HTTP/1.1 400"), None);
        assert_eq!(Goodbye::connack(b"\x20\x09\0\x9D"), None);
    }

    #[test]
    fn a_disconnect_is_read_at_the_end_alone() {
        let check = |last: &[u8], expected: Option<(u8, Option<&str>)>| {
            let found = Goodbye::disconnect(last);
            let found = found.as_ref().map(|found| (found.reason, found.server_reference.as_deref()));
            assert_eq!(found, expected, "{last:?}");
        };
        check(b"\x90\x03\0\x01\0\xE0\x01\x8E", Some((0x8E, None)));
        check(b"x\xE0\x0A\x9D\x08\x1C\0\x05other", Some((0x9D, Some("other"))));
        check(b"\xE0\x01\x8E\xD0\0", None);
        check(b"\xE0\0", None);
        check(b"", None);
    }
}
