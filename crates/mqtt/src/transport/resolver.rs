//! Resolves host names with the operating system, so that a name server that does not answer delays only the
//! connections to that host.
//!
//! The system has only a blocking call, which takes half a minute if nothing answers. It runs on a thread of its own,
//! not on those that read files and the store.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, SocketAddr, ToSocketAddrs},
    sync::{Arc, LazyLock},
    thread,
};

use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared},
};
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::{Semaphore, oneshot};

/// Hosts that are looked up at a time. One more waits for one of them.
const MOST: usize = 256;
/// The stack of a thread, bytes.
const STACK: usize = 1024 * 1024;

/// The one that everybody uses.
pub(super) static SYSTEM: LazyLock<Resolver> =
    LazyLock::new(|| Resolver::new(|host| Ok((host, 0).to_socket_addrs()?.collect())));

/// The addresses of a host without a port, or the system's reason why there are none. An IPv6 address has its zone
/// (RFC 4007), without which a link-local one leads nowhere.
type Answer = Result<Vec<SocketAddr>, String>;
type LookUp = Shared<BoxFuture<'static, Answer>>;
type UnderWay = Arc<Mutex<HashMap<String, LookUp>>>;

pub(super) struct Resolver {
    look_up: fn(&str) -> io::Result<Vec<SocketAddr>>,
    /// By host: requests for the same one share one answer.
    under_way: UnderWay,
    turns: Arc<Semaphore>,
}

impl Resolver {
    /// `look_up` may block.
    fn new(look_up: fn(&str) -> io::Result<Vec<SocketAddr>>) -> Resolver {
        Resolver { look_up, under_way: Arc::default(), turns: Arc::new(Semaphore::new(MOST)) }
    }

    /// Every address of a host, in the order in which the system would try them.
    ///
    /// # Errors
    /// The system's reason.
    pub(super) async fn resolve(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, String> {
        if let Ok(address) = host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        let joined = lock(&self.under_way).get(host).cloned();
        let answer = match joined {
            Some(answer) => answer,
            None => self.begin(host).await,
        };
        let mut addresses = answer.await?;
        addresses.iter_mut().for_each(|address| address.set_port(port));
        Ok(addresses)
    }

    async fn begin(&self, host: &str) -> LookUp {
        let turn = Arc::clone(&self.turns).acquire_owned().await;
        let mut under_way = lock(&self.under_way);
        // Another task may have started the look-up meanwhile.
        if let Some(answer) = under_way.get(host) {
            return answer.clone();
        }
        let (done, answer) = oneshot::channel();
        let answer =
            answer.map(|answer| answer.unwrap_or_else(|_| Err("the look-up was ended".into()))).boxed().shared();
        let (look_up, name, all) = (self.look_up, host.to_owned(), Arc::clone(&self.under_way));
        let asking = move || {
            let found = look_up(&name).map_err(|error| error.to_string());
            lock(&all).remove(&name);
            drop(turn);
            // They may have stopped waiting.
            let _ = done.send(found);
        };
        match thread::Builder::new().name("name look-up".into()).stack_size(STACK).spawn(asking) {
            Ok(_) => drop(under_way.insert(host.to_owned(), answer.clone())),
            Err(error) => tracing::warn!(%error, "no thread could be started for a name look-up"),
        }
        answer
    }
}

fn lock(under_way: &UnderWay) -> MutexGuard<'_, HashMap<String, LookUp>> {
    under_way.lock()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

    use std::{
        io,
        net::{Ipv4Addr, SocketAddr},
        sync::atomic::{AtomicUsize, Ordering},
        thread,
        time::Duration,
    };

    use tokio::{
        task::{JoinSet, spawn_blocking},
        time::timeout,
    };

    use super::{MOST, Resolver, SYSTEM};

    const SOON: Duration = Duration::from_secs(20);

    fn local() -> SocketAddr {
        (Ipv4Addr::LOCALHOST, 0).into()
    }

    /// A test system whose name server answers only for some hosts.
    fn look_up(host: &str) -> io::Result<Vec<SocketAddr>> {
        match host {
            "known" => Ok(vec![local()]),
            "unknown" => Err(io::Error::other("no such host")),
            _ => loop {
                thread::park();
            },
        }
    }

    #[tokio::test]
    async fn hosts_whose_name_server_is_silent_delay_no_others_and_no_other_work() {
        let resolver: &'static Resolver = Box::leak(Box::new(Resolver::new(look_up)));
        let mut silent = JoinSet::new();
        // Many connections, to the same hosts by and by.
        for connection in 0..4 * MOST {
            silent.spawn(async move { resolver.resolve(&format!("silent-{}", connection % (MOST / 2)), 1883).await });
        }
        while super::lock(&resolver.under_way).len() < MOST / 2 {
            tokio::task::yield_now().await;
        }
        let known = timeout(SOON, resolver.resolve("known", 1883)).await.unwrap().unwrap();
        assert_eq!(known, ["127.0.0.1:1883".parse().unwrap()]);
        let unknown = timeout(SOON, resolver.resolve("unknown", 1883)).await.unwrap();
        assert_eq!(unknown, Err("no such host".to_owned()));
        assert_eq!(resolver.resolve("::1", 8883).await.unwrap(), ["[::1]:8883".parse().unwrap()]);
        // The threads on which the store is read are free.
        timeout(SOON, spawn_blocking(|| ())).await.unwrap().unwrap();
        assert!(silent.try_join_next().is_none());
    }

    #[tokio::test]
    async fn those_who_ask_for_one_host_at_one_time_share_an_answer() {
        static ASKED: AtomicUsize = AtomicUsize::new(0);
        let resolver = Resolver::new(|_| {
            ASKED.fetch_add(1, Ordering::SeqCst);
            thread::sleep(Duration::from_millis(50));
            Ok(vec![local()])
        });
        let (one, other) = tokio::join!(resolver.resolve("host", 1), resolver.resolve("host", 2));
        assert_eq!((one.unwrap()[0].port(), other.unwrap()[0].port()), (1, 2));
        assert_eq!(ASKED.load(Ordering::SeqCst), 1);
        // The result may be outdated by now.
        resolver.resolve("host", 1).await.unwrap();
        assert_eq!(ASKED.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    #[cfg(target_os = "linux")]
    async fn a_link_local_address_keeps_its_zone() {
        let found = SYSTEM.resolve("fe80::1%lo", 1883).await.unwrap();
        let [SocketAddr::V6(address)] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((address.ip().to_string(), address.port()), ("fe80::1".to_owned(), 1883));
        assert_ne!(address.scope_id(), 0);
    }
}
