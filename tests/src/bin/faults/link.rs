//! A TCP proxy that cuts, half-closes, goes silent and delays, and reads the MQTT packets that pass.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::Result;

use crate::plan::Network;
use crate::wiretap::{Tap, Wire};

/// A running proxy to one port.
pub(crate) struct Link {
    port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    to: u16,
    state: Mutex<State>,
    changed: Condvar,
    wire: Arc<Mutex<Wire>>,
}

#[derive(Default)]
struct State {
    silent: bool,
    delay_ms: u64,
    /// Connections before this number are closed.
    first_open: u64,
    next: u64,
    /// The client's and the broker's socket of each connection.
    streams: Vec<(u64, TcpStream, TcpStream)>,
}

impl Link {
    pub(crate) fn start(to: u16, wire: Arc<Mutex<Wire>>) -> Result<Link> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        let shared = Arc::new(Shared { to, state: Mutex::default(), changed: Condvar::new(), wire });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                // Without a broker the client is turned away, as by a closed port.
                if let Ok(broker) = TcpStream::connect((Ipv4Addr::LOCALHOST, accepting.to)) {
                    let _ = accepting.open(client, broker);
                }
            }
        });
        Ok(Link { port, shared })
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Does one thing, for as long as it takes.
    pub(crate) fn suffer(&self, network: Network) {
        match network {
            Network::Cut => self.cut(),
            Network::HalfClose(is_brokers) => {
                for (_, client, broker) in &self.shared.lock().streams {
                    let _ = if is_brokers { client } else { broker }.shutdown(Shutdown::Write);
                }
            }
            Network::Silence(length) => {
                self.silence(true);
                thread::sleep(Duration::from_millis(length));
                self.silence(false);
            }
            Network::SilenceAndCut(length) => {
                self.silence(true);
                thread::sleep(Duration::from_millis(length));
                self.cut();
                self.silence(false);
            }
            Network::Delay(length) => self.shared.lock().delay_ms = length,
        }
    }

    /// Everything is as it should be again.
    pub(crate) fn heal(&self) {
        self.shared.lock().delay_ms = 0;
        self.silence(false);
    }

    fn silence(&self, silent: bool) {
        self.shared.lock().silent = silent;
        self.shared.changed.notify_all();
    }

    fn cut(&self) {
        let mut state = self.shared.lock();
        state.first_open = state.next;
        for (_, client, broker) in state.streams.drain(..) {
            let _ = client.shutdown(Shutdown::Both);
            let _ = broker.shutdown(Shutdown::Both);
        }
        self.shared.changed.notify_all();
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.cut();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(self: &Arc<Self>, client: TcpStream, broker: TcpStream) -> Result<()> {
        client.set_nodelay(true)?;
        broker.set_nodelay(true)?;
        let number = {
            let mut state = self.lock();
            state.next += 1;
            let number = state.next - 1;
            state.streams.push((number, client.try_clone()?, broker.try_clone()?));
            number
        };
        let tap = Arc::new(Mutex::new(Tap::default()));
        for (from, to, is_from_client) in [(client.try_clone()?, broker.try_clone()?, true), (broker, client, false)] {
            let (shared, tap) = (Arc::clone(self), Arc::clone(&tap));
            thread::spawn(move || shared.copy(number, from, to, is_from_client, &tap));
        }
        Ok(())
    }

    fn copy(&self, number: u64, mut from: TcpStream, mut to: TcpStream, is_from_client: bool, tap: &Mutex<Tap>) {
        let mut bytes = vec![0; 64 * 1_024];
        while let Ok(count @ 1..) = from.read(&mut bytes) {
            {
                // What was written counts, whether or not it arrives.
                let mut tap = tap.lock().unwrap_or_else(PoisonError::into_inner);
                let mut wire = self.wire.lock().unwrap_or_else(PoisonError::into_inner);
                tap.passes(&bytes[..count], is_from_client, &mut wire);
            }
            if !self.may_pass(number) || to.write_all(&bytes[..count]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Write);
        let _ = from.shutdown(Shutdown::Read);
    }

    /// Waits as long as the network is silent or slow; `false` when the connection has been cut.
    fn may_pass(&self, number: u64) -> bool {
        let mut state = self.lock();
        while state.silent && number >= state.first_open {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let (delay, is_open) = (state.delay_ms, number >= state.first_open);
        drop(state);
        if is_open && delay > 0 {
            thread::sleep(Duration::from_millis(delay));
        }
        is_open
    }
}
