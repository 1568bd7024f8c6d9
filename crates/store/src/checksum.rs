//! The checksum of an event.

/// A CRC-32 (ISO 3309) over values, each with its length before it. It finds every single flipped bit.
#[derive(Default)]
pub(super) struct EventChecksum(crc32fast::Hasher);

impl EventChecksum {
    /// The next value; `None` where there is none.
    pub(super) fn bytes(&mut self, value: Option<&[u8]>) {
        let length = value.map_or(u64::MAX, |bytes| bytes.len() as u64);
        self.0.update(&length.to_le_bytes());
        self.0.update(value.unwrap_or_default());
    }

    pub(super) fn value(self) -> i64 {
        i64::from(self.0.finalize())
    }
}
