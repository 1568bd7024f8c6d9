//! Ports of this machine.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use anyhow::Result;

use crate::soon;

/// A port that nobody listens on.
pub(crate) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Waits until somebody listens on `port`.
pub(crate) fn wait_for_port(port: u16, what: &str) -> Result<()> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    soon(&format!("{what} on port {port}"), Duration::from_secs(20), || {
        TcpStream::connect_timeout(&address, Duration::from_millis(500)).ok()
    })?;
    Ok(())
}
