//! MQTT sessions, the store, the vault and the feed: all of Wilco's I/O.

pub mod api;
pub mod store;
pub mod tls;
pub mod vault;
