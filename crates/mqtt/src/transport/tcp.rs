//! DNS and TCP.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    net::TcpStream,
    task::JoinSet,
    time::{sleep, timeout},
};

use super::resolver::SYSTEM;
use crate::refusal::{Refusal, Remedy};

/// How much later the next address is tried while the one before has not answered (RFC 8305 section 5).
const STAGGER: Duration = Duration::from_millis(250);

/// Every address of a host, in the order in which the system would try them.
pub(super) async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, Refusal> {
    let unknown = |why: Option<String>| {
        let refusal = Refusal::new(
            format!("DNS has no address for {host}, port {port}."),
            "Check the spelling of the name, and whether you need a VPN to resolve it.",
            Remedy::TryAgain,
        );
        match why {
            Some(why) => refusal.because(format!("System error: {why}.")),
            None => refusal,
        }
    };
    let found = SYSTEM.resolve(host, port).await.map_err(|error| unknown(Some(error)))?;
    if found.is_empty() { Err(unknown(None)) } else { Ok(found) }
}

/// How many addresses a name has, for people.
pub(super) fn counted(of_proxy: &str, host: &str, addresses: &[SocketAddr]) -> String {
    match addresses {
        [only] if host.split('%').next() == Some(&*only.ip().to_string()) => {
            format!("{}{host} is already an IP address", of_proxy.replacen("the", "The", 1))
        }
        [only] => format!("{} for {of_proxy}{host}", only.ip()),
        many => format!("{} addresses for {of_proxy}{host}", many.len()),
    }
}

/// The first of these that takes a connection. Each gets a head start over the next.
pub(super) async fn connect(addresses: &[SocketAddr], limit: Duration) -> Result<(TcpStream, SocketAddr), Refusal> {
    let mut waiting = addresses.iter().copied();
    let mut trying = JoinSet::new();
    let (mut first_error, mut refused) = (None, false);
    let race = async {
        loop {
            let next = waiting.next();
            let none_left = next.is_none();
            if let Some(address) = next {
                trying.spawn(async move { (TcpStream::connect(address).await, address) });
            } else if trying.is_empty() {
                return None;
            }
            tokio::select! {
                Some(outcome) = trying.join_next() => match outcome {
                    Ok((Ok(stream), address)) => return Some((stream, address)),
                    Ok((Err(error), _)) => {
                        refused |= error.kind() == std::io::ErrorKind::ConnectionRefused;
                        first_error.get_or_insert(error);
                    }
                    Err(_) => {}
                },
                () = sleep(STAGGER), if !none_left => {}
            }
        }
    };
    match timeout(limit, race).await {
        Ok(Some((stream, address))) => {
            // Off by default, and a command's round trip takes 44 ms more.
            stream.set_nodelay(true).map_err(|error| Refusal::io(&error))?;
            Ok((stream, address))
        }
        Ok(None) => {
            let refusal = first_error.map_or_else(Refusal::gone, |error| Refusal::io(&error));
            Err(Refusal { broker_ended: refused, ..refusal })
        }
        Err(_) => Err(Refusal::silence("{address}", limit.as_secs())),
    }
}
