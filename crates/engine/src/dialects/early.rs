//! Messages that arrive before their device is known: a broker delivers retained messages in any order.

use std::collections::{HashMap, VecDeque};

use wilco_dialect::Inbound;

/// The most topics of which the last message is kept.
const MOST: usize = 4_096;
/// The largest payload that is kept, bytes.
const LARGEST: usize = 16 * 1_024;

/// The last message of each topic of which the device is not known.
#[derive(Debug, Default)]
pub(super) struct EarlyMessages {
    messages: HashMap<String, Kept>,
    /// The topics, the oldest first.
    order: VecDeque<String>,
}

/// A message that was kept.
#[derive(Debug)]
pub(super) struct Kept {
    topic: String,
    payload: Vec<u8>,
    qos: u8,
    retained: bool,
}

impl EarlyMessages {
    /// Keeps a message until its device is known, in place of an earlier one on its topic.
    pub(super) fn keep(&mut self, inbound: &Inbound<'_>) {
        if inbound.payload.len() > LARGEST {
            return;
        }
        let Inbound { topic, payload, qos, retained, .. } = *inbound;
        self.put_back(Kept { topic: topic.to_owned(), payload: payload.to_vec(), qos, retained });
    }

    /// Keeps a message that was handed back and is another device's.
    pub(super) fn put_back(&mut self, kept: Kept) {
        let topic = kept.topic.clone();
        if self.messages.insert(topic.clone(), kept).is_none() {
            self.order.push_back(topic);
        }
        while self.order.len() > MOST {
            let oldest = self.order.pop_front();
            oldest.and_then(|oldest| self.messages.remove(&oldest));
        }
    }

    /// Hands back what may be about a device of this name: what came on topics that have it in them. Only its dialect
    /// knows which of these are, so the others are to be put back.
    pub(super) fn take(&mut self, name: &str) -> Vec<Kept> {
        if self.messages.is_empty() {
            return Vec::new();
        }
        let (taken, left) = std::mem::take(&mut self.order).into_iter().partition(|topic| topic.contains(name));
        self.order = left;
        let taken: VecDeque<String> = taken;
        taken.iter().filter_map(|topic| self.messages.remove(topic)).collect()
    }
}

impl Kept {
    pub(super) fn inbound(&self) -> Inbound<'_> {
        Inbound {
            topic: &self.topic,
            payload: &self.payload,
            qos: self.qos,
            retained: self.retained,
            correlation: None,
        }
    }
}
