//! The broker of a run, in a process of its own: mosquitto, or the one that is built into the app.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU16, Ordering::Relaxed};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::Signal;
use wilco_tests::{Broker, Child, Settings};

use crate::plan::{self, Plan};

/// Clients of the broker inside the app: the console, the devices, and those of before that it has not noticed the end of.
const CLIENTS: usize = 100;
/// A started broker listens within this time. The machine may be busy.
const LISTENS_WITHIN: Duration = Duration::from_secs(20);
/// So often it is started before that is a failure of the run.
const STARTS: usize = 3;
/// The brokers' ports are below those that the system gives to connections (32,768 and above on Linux): a killed broker is
/// started again on its port, which nobody may have taken meanwhile.
const FIRST_PORT: u16 = 20_000;
const PORTS: u16 = 12_000;

pub(crate) enum Server {
    Mosquitto(Box<Broker>),
    Demo(Demo),
}

/// The broker inside the app.
pub(crate) struct Demo {
    port: u16,
    log: PathBuf,
    child: Option<Child>,
}

impl Server {
    pub(crate) fn start(plan: &Plan, directory: &Path) -> Result<Server> {
        match plan.server {
            plan::Server::Mosquitto => {
                let more = "max_queued_messages 20000\nmax_inflight_messages 100";
                let port = Some(free_port()?);
                let settings = Settings { port, persistent: plan.persistent, more, ..Settings::default() };
                Ok(Server::Mosquitto(Box::new(Broker::start(&settings)?)))
            }
            plan::Server::Demo => {
                let mut demo = Demo { port: free_port()?, log: directory.join("broker.log"), child: None };
                demo.resume()?;
                Ok(Server::Demo(demo))
            }
        }
    }

    pub(crate) fn port(&self) -> u16 {
        match self {
            Server::Mosquitto(broker) => broker.port(),
            Server::Demo(demo) => demo.port,
        }
    }

    pub(crate) fn kill(&mut self) {
        match self {
            Server::Mosquitto(broker) => broker.kill(),
            Server::Demo(demo) => demo.child = None,
        }
    }

    /// Starts it again on the same port.
    pub(crate) fn resume(&mut self) -> Result<()> {
        let mut resume = || match self {
            Server::Mosquitto(broker) => broker.resume(),
            Server::Demo(demo) => demo.resume(),
        };
        (1..STARTS).find_map(|_| resume().ok()).map_or_else(resume, Ok)
    }

    /// Stops it (SIGSTOP) or lets it continue.
    pub(crate) fn signal(&self, signal: Signal) -> Result<()> {
        match self {
            Server::Mosquitto(broker) if signal == Signal::STOP => broker.freeze(),
            Server::Mosquitto(broker) => broker.thaw(),
            Server::Demo(demo) => demo.child.as_ref().map_or(Ok(()), |child| child.signal(signal)),
        }
    }
}

impl Demo {
    fn resume(&mut self) -> Result<()> {
        let mut command = Child::command(std::env::current_exe()?);
        command.arg("broker").arg(self.port.to_string()).stdout(Stdio::null());
        let child = Child::start(&mut command, &self.log)?;
        let listens = || TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).ok();
        wilco_tests::soon("broker that listens", LISTENS_WITHIN, listens).with_context(|| child.log())?;
        self.child = Some(child);
        Ok(())
    }
}

/// A port for a broker of this campaign. Another campaign at the same time begins elsewhere.
fn free_port() -> Result<u16> {
    static TAKEN: AtomicU16 = AtomicU16::new(0);
    let own = std::process::id().wrapping_mul(997);
    for _ in 0..PORTS {
        let number = own.wrapping_add(TAKEN.fetch_add(1, Relaxed).into()) % u32::from(PORTS);
        let port = FIRST_PORT + u16::try_from(number)?;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no port from {FIRST_PORT} on is free")
}

/// Is the broker that is built into the app until the process is killed: its port.
pub(crate) fn main(arguments: &[String]) -> Result<()> {
    let [port] = arguments else { anyhow::bail!("one argument is needed") };
    let port = port.parse()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let _broker = wilco_device::broker::Broker::start_on(port, CLIENTS).await?;
        std::future::pending().await
    })
}
