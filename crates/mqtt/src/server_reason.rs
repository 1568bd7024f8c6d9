//! The reason given by a broker that refuses or disconnects a client: parts of CONNACK and DISCONNECT that the library
//! does not expose.

/// A CONNACK (MQTT 3.1.1 section 3.2, MQTT 5 section 3.2) or a DISCONNECT (MQTT 5 section 3.14).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct ServerReason {
    /// The reason code; of MQTT 3.1.1 the return code.
    pub(crate) reason: u8,
    /// The broker's reason.
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

impl ServerReason {
    /// The CONNACK that a connection begins with.
    pub(crate) fn connack(first: &[u8]) -> Option<ServerReason> {
        let (&CONNACK, rest) = first.split_first()? else { return None };
        let (body, _) = packet(rest)?;
        match body {
            [0 | 1, reason] => Some(ServerReason { reason: *reason, is_311: true, ..ServerReason::default() }),
            [0 | 1, reason, properties @ ..] => Some(ServerReason::of(*reason, properties)),
            _ => None,
        }
    }

    /// The DISCONNECT that a connection ends with.
    pub(super) fn disconnect(last: &[u8]) -> Option<ServerReason> {
        let starts = last.iter().enumerate().filter(|(_, byte)| **byte == DISCONNECT);
        let mut packets = starts.filter_map(|(at, _)| packet(&last[at + 1..]).filter(|(_, behind)| behind.is_empty()));
        match packets.next()?.0 {
            [reason, properties @ ..] => Some(ServerReason::of(*reason, properties)),
            [] => None,
        }
    }

    fn of(reason: u8, properties: &[u8]) -> ServerReason {
        let mut server_reason = ServerReason { reason, ..ServerReason::default() };
        let Some((mut rest, _)) = packet(properties) else { return server_reason };
        while let Some((&id, behind)) = rest.split_first() {
            let Some(behind) = server_reason.property(id, behind) else { break };
            rest = behind;
        }
        server_reason
    }

    /// Parses one property (MQTT 5 section 2.2.2.2), and returns the rest.
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

    /// The broker's reason besides its reason code, as sentences.
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

/// Reads a length (MQTT 5 section 1.5.5), and returns its bytes and the rest.
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
    use super::ServerReason;

    #[test]
    fn a_connack_is_read_with_what_it_says() {
        let connack = ServerReason::connack(b"\x20\x16\0\x9D\x13\x28\0\x1C\0\x05o:883\x1F\0\x06closed");
        let expected = ServerReason {
            reason: 0x9D,
            reason_string: Some("closed".into()),
            server_reference: Some("o:883".into()),
            ..ServerReason::default()
        };
        assert_eq!(connack, Some(expected));
        let old = ServerReason { reason: 1, is_311: true, ..ServerReason::default() };
        assert_eq!(ServerReason::connack(b"\x20\x02\0\x01"), Some(old));
        let assigned = ServerReason { assigned: Some("given".into()), ..ServerReason::default() };
        assert_eq!(ServerReason::connack(b"\x20\x0D\0\0\x0A\x24\x01\x12\0\x05given"), Some(assigned));
        assert_eq!(ServerReason::connack(b"HTTP/1.1 400"), None);
        assert_eq!(ServerReason::connack(b"\x20\x09\0\x9D"), None);
    }

    #[test]
    fn a_disconnect_is_read_at_the_end_alone() {
        let check = |last: &[u8], expected: Option<(u8, Option<&str>)>| {
            let found = ServerReason::disconnect(last);
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
