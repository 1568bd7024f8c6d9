//! The messages of a session, as the broker's log has them.

use std::collections::HashSet;

use wilco_tests::{Broker, Settings};

/// A broker that records every packet.
pub(crate) const EVERY_PACKET: Settings<'static> = Settings {
    port: None,
    tls: None,
    server: None,
    persistent: false,
    websockets: false,
    users: &[],
    access_list: None,
    more: "log_type all",
};

/// How often the broker got a publish on a topic.
pub(crate) fn published(broker: &Broker, topic: &str) -> usize {
    lines(broker, "Received PUBLISH from", &format!("'{topic}'"))
}

/// How often the broker handed a message on a topic to a client.
pub(crate) fn handed_out(broker: &Broker, client: &str, topic: &str) -> usize {
    lines(broker, &format!("Sending PUBLISH to {client}"), &format!("'{topic}'"))
}

/// How many PUBACKs the broker got from a client for messages on a topic. A PUBACK names the packet identifier alone.
pub(crate) fn acknowledged(broker: &Broker, client: &str, topic: &str) -> usize {
    let log = broker.log();
    let sent = format!("Sending PUBLISH to {client} (");
    let packets: HashSet<&str> = log
        .lines()
        .filter(|line| line.contains(&sent) && line.contains(&format!("'{topic}'")))
        .filter_map(|line| line.split(", m").nth(1)?.split(',').next())
        .collect();
    log.lines()
        .filter_map(|line| line.split_once(&format!("Received PUBACK from {client} (Mid: "))?.1.split(',').next())
        .filter(|packet| packets.contains(packet))
        .count()
}

fn lines(broker: &Broker, what: &str, which: &str) -> usize {
    broker.log().lines().filter(|line| line.contains(what) && line.contains(which)).count()
}
