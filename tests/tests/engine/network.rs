//! A network between Wilco and a broker, which can fail: connections are reset, and the broker keeps running.

use std::net::Ipv4Addr;
use std::sync::Arc;

use anyhow::Result;
use parking_lot::Mutex;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Forwards connections to a port of this computer until it is dropped.
pub(crate) struct Network {
    port: u16,
    /// Each resets a connection when it is dropped.
    connections: Arc<Mutex<Vec<oneshot::Sender<()>>>>,
    accepting: JoinHandle<()>,
}

impl Network {
    pub(crate) async fn to(port: u16) -> Result<Network> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let own = listener.local_addr()?.port();
        let connections = Arc::<Mutex<Vec<oneshot::Sender<()>>>>::default();
        let open = Arc::clone(&connections);
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(broker) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await else { return };
                let (reset, wait) = oneshot::channel();
                open.lock().push(reset);
                tokio::spawn(forward(client, broker, wait));
            }
        });
        Ok(Network { port: own, connections, accepting })
    }

    pub(crate) fn url(&self) -> String {
        format!("mqtt://127.0.0.1:{}", self.port)
    }

    /// Resets every connection. New ones are forwarded at once.
    pub(crate) fn fail(&self) {
        self.connections.lock().clear();
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn forward(mut client: TcpStream, mut broker: TcpStream, reset: oneshot::Receiver<()>) {
    tokio::select! {
        _ = copy_bidirectional(&mut client, &mut broker) => {}
        _ = reset => {
            // A reset instead of an orderly end, on both sides.
            let _ = client.set_zero_linger();
            let _ = broker.set_zero_linger();
        }
    }
}
