//! Counts the PUBLISH packets that were written: when a connection ends, those that were not are certainly unsent.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// The type of a PUBLISH (MQTT 5 section 2.1.2).
const PUBLISH: u8 = 3;

/// Counts the PUBLISH packets of which the network has taken at least one byte. Cheap to clone; all clones count the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct WrittenPublishes(Arc<AtomicU64>);

impl WrittenPublishes {
    /// How many they are so far.
    pub(crate) fn count(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

/// Follows the packets in what is written.
#[derive(Debug, Default)]
pub(super) struct Packets {
    written_publishes: WrittenPublishes,
    at: At,
}

/// Where in a packet the next byte is (MQTT 5 section 2.1).
#[derive(Debug, Clone, Copy, Default)]
enum At {
    #[default]
    Start,
    /// Within the remaining length: the value read so far, and the shift of the next byte.
    Length { read: usize, shift: u32 },
    /// This many bytes are left.
    Rest(usize),
}

impl Packets {
    pub(super) fn new(written_publishes: WrittenPublishes) -> Packets {
        Packets { written_publishes, at: At::Start }
    }

    /// These bytes are leaving.
    pub(super) fn see(&mut self, mut bytes: &[u8]) {
        while let [first, rest @ ..] = bytes {
            match self.at {
                At::Start => {
                    if first >> 4 == PUBLISH {
                        self.written_publishes.0.fetch_add(1, Ordering::AcqRel);
                    }
                    self.at = At::Length { read: 0, shift: 0 };
                    bytes = rest;
                }
                At::Length { read, shift } => {
                    let read = read | usize::from(first & 0x7F) << shift;
                    self.at = match (first & 0x80, read) {
                        (0, 0) => At::Start,
                        (0, length) => At::Rest(length),
                        _ if shift < 21 => At::Length { read, shift: shift + 7 },
                        // No packet has a length of five bytes.
                        _ => At::Rest(usize::MAX),
                    };
                    bytes = rest;
                }
                At::Rest(left) => {
                    let taken = left.min(bytes.len());
                    self.at = if taken == left { At::Start } else { At::Rest(left - taken) };
                    bytes = &bytes[taken..];
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Packets, WrittenPublishes};

    #[test]
    fn publishes_are_counted_however_the_bytes_come() {
        let publish = |length: usize| {
            let mut packet = vec![0x32];
            let mut left = length;
            loop {
                let more = if left > 127 { 0x80 } else { 0 };
                packet.push(u8::try_from(left % 128).expect("seven bits") | more);
                left /= 128;
                if more == 0 {
                    break;
                }
            }
            packet.extend(vec![0x33; length]);
            packet
        };
        let ping = [0xC0, 0];
        let puback = [0x40, 2, 0x31, 0x32];
        let all = [&publish(5)[..], &ping, &publish(300), &puback, &publish(20_000), &ping].concat();
        for size in [1, 2, 7, 1_000, all.len()] {
            let written_publishes = WrittenPublishes::default();
            let mut packets = Packets::new(written_publishes.clone());
            all.chunks(size).for_each(|some| packets.see(some));
            assert_eq!(written_publishes.count(), 3, "{size} bytes at a time");
            // The first byte of another one is enough.
            packets.see(&[0x32]);
            assert_eq!(written_publishes.count(), 4);
        }
    }
}
