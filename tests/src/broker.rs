//! Mosquitto, for one test.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use rustix::process::Signal;

use crate::certificates::{Certificates, Identity};
use crate::child::Child;
use crate::{net, soon};

/// A broker that is asked by its own client answers within this time.
const SUBSCRIBED_WITHIN: Duration = Duration::from_secs(10);

/// How a broker is to behave.
#[derive(Debug, Default)]
pub struct Settings<'a> {
    /// The port; any that is free where none is given.
    pub port: Option<u16>,
    /// With mutual TLS by these certificates; plain TCP without.
    pub tls: Option<&'a Certificates>,
    /// The broker's own certificate, where it is not that of `tls`.
    pub server: Option<Identity>,
    /// Keeps sessions and retained messages over a restart, written at every change.
    pub persistent: bool,
    /// Listens for WebSockets too, on a port of its own and by the same rules.
    pub websockets: bool,
    /// User names and their passwords, for those who give one. Nobody is then known by their certificate.
    pub users: &'a [(&'a str, &'a str)],
    /// Mosquitto's access list, where not everybody may do everything.
    pub access_list: Option<&'a str>,
    /// Further lines for mosquitto's configuration.
    pub more: &'a str,
}

/// A running mosquitto on a port of its own, which it keeps over [`Broker::restart`].
#[derive(Debug)]
pub struct Broker {
    directory: tempfile::TempDir,
    port: u16,
    websocket_port: Option<u16>,
    /// What `mosquitto_pub` and `mosquitto_sub` authenticate with: authority, certificate, key.
    tls: Option<(PathBuf, Identity)>,
    child: Option<Child>,
}

impl Broker {
    /// Starts one.
    ///
    /// # Errors
    /// When mosquitto is not there or will not start.
    pub fn start(settings: &Settings<'_>) -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("wilco-broker-").tempdir()?;
        let port = settings.port.map_or_else(net::free_port, Ok)?;
        let websocket_port = settings.websockets.then(net::free_port).transpose()?;
        let configuration = configuration(settings, port, websocket_port, directory.path())?;
        std::fs::write(directory.path().join("mosquitto.conf"), configuration)?;
        let tls = match settings.tls {
            Some(certificates) => Some((certificates.ca.clone(), certificates.issue("test-bench")?)),
            None => None,
        };
        let mut broker = Self { directory, port, websocket_port, tls, child: None };
        broker.resume()?;
        Ok(broker)
    }

    /// Plain TCP, everybody may do everything.
    ///
    /// # Errors
    /// When mosquitto is not there or will not start.
    pub fn plain() -> Result<Self> {
        Self::start(&Settings::default())
    }

    /// Mutual TLS by `certificates`.
    ///
    /// # Errors
    /// When mosquitto is not there or will not start.
    pub fn mutual_tls(certificates: &Certificates) -> Result<Self> {
        Self::start(&Settings { tls: Some(certificates), ..Settings::default() })
    }

    /// Its port on this machine.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its address, as a connection wants it.
    pub fn url(&self) -> String {
        format!("{}://localhost:{}", if self.tls.is_some() { "mqtts" } else { "mqtt" }, self.port)
    }

    /// Its address for WebSockets.
    ///
    /// # Errors
    /// When it does not listen for any.
    pub fn websocket_url(&self) -> Result<String> {
        let port = self.websocket_port.context("this broker was not told to listen for WebSockets")?;
        Ok(format!("{}://localhost:{port}/mqtt", if self.tls.is_some() { "wss" } else { "ws" }))
    }

    /// Ends it in good order.
    ///
    /// # Errors
    /// When it does not end.
    pub fn stop(&mut self) -> Result<()> {
        if let Some(mut child) = self.child.take() {
            child.stop()?;
        }
        Ok(())
    }

    /// Ends it as a power cut would.
    pub fn kill(&mut self) {
        self.child = None;
    }

    /// Stops it in the middle of whatever it does: to others it is there and silent.
    ///
    /// # Errors
    /// When it is gone.
    pub fn freeze(&self) -> Result<()> {
        self.child.as_ref().map_or(Ok(()), |child| child.signal(Signal::STOP))
    }

    /// Lets it continue after [`Broker::freeze`].
    ///
    /// # Errors
    /// When it is gone.
    pub fn thaw(&self) -> Result<()> {
        self.child.as_ref().map_or(Ok(()), |child| child.signal(Signal::CONT))
    }

    /// Starts it again on the same port.
    ///
    /// # Errors
    /// When it will not start.
    pub fn resume(&mut self) -> Result<()> {
        let mut command = Child::command(mosquitto());
        command.arg("-c").arg(self.directory.path().join("mosquitto.conf")).stdout(Stdio::null());
        let mut child = Child::start(&mut command, &self.directory.path().join("log"))?;
        if let Err(error) = net::wait_for_port(self.port, "mosquitto") {
            child.kill();
            return Err(error.context(child.log()));
        }
        self.child = Some(child);
        Ok(())
    }

    /// Ends it in good order and starts it again on the same port.
    ///
    /// # Errors
    /// When it will not.
    pub fn restart(&mut self) -> Result<()> {
        self.stop()?;
        self.resume()
    }

    /// Starts it again on the same port, with this access list in the place of the one that it had.
    ///
    /// # Errors
    /// When it will not.
    pub fn restart_with(&mut self, access_list: &str) -> Result<()> {
        self.stop()?;
        std::fs::write(access_list_in(self.directory.path()), access_list)?;
        self.resume()
    }

    /// Its log.
    pub fn log(&self) -> String {
        self.child.as_ref().map(Child::log).unwrap_or_default()
    }

    /// Publishes by mosquitto's own client.
    ///
    /// # Errors
    /// When that fails.
    pub fn publish(&self, topic: &str, payload: &[u8], retained: bool) -> Result<()> {
        self.publish_with(topic, payload, if retained { &["-r"] } else { &[] })
    }

    /// As [`Broker::publish`], with further arguments for `mosquitto_pub`.
    ///
    /// # Errors
    /// When that fails.
    pub fn publish_with(&self, topic: &str, payload: &[u8], arguments: &[&str]) -> Result<()> {
        self.publish_input(topic, payload, &[&["-s"], arguments].concat())
    }

    /// Takes back what is retained on a topic, by a retained message without a payload (MQTT 5 section 3.3.1.3).
    ///
    /// # Errors
    /// When that fails.
    pub fn clear(&self, topic: &str) -> Result<()> {
        let status = self.client("mosquitto_pub").args(["-q", "1", "-t", topic, "-r", "-n"]).status();
        ensure!(status.context("mosquitto_pub could not be started")?.success(), "{}", self.log());
        Ok(())
    }

    /// Publishes each line by itself.
    ///
    /// # Errors
    /// When that fails.
    pub fn publish_lines(&self, topic: &str, lines: &[String]) -> Result<()> {
        self.publish_input(topic, lines.join("\n").as_bytes(), &["-l"])
    }

    fn publish_input(&self, topic: &str, payload: &[u8], arguments: &[&str]) -> Result<()> {
        use std::io::Write;
        let mut command = self.client("mosquitto_pub");
        command.args(["-q", "1", "-t", topic]).args(arguments).stdin(Stdio::piped());
        let mut child = command.spawn().context("mosquitto_pub could not be started")?;
        child.stdin.take().context("no standard input")?.write_all(payload)?;
        if !child.wait()?.success() {
            bail!("mosquitto_pub could not publish on {topic}: {}", self.log());
        }
        Ok(())
    }

    /// The first message that matches `filter`, a retained one too, by mosquitto's own client.
    ///
    /// # Errors
    /// When none comes within `seconds`.
    pub fn first(&self, filter: &str, seconds: u32) -> Result<String> {
        Ok(self.messages(filter, 1, seconds)?.remove(0))
    }

    /// The first `count` messages that match `filter`.
    ///
    /// # Errors
    /// When they do not come within `seconds`.
    pub fn messages(&self, filter: &str, count: usize, seconds: u32) -> Result<Vec<String>> {
        let output = self
            .client("mosquitto_sub")
            .args(["-q", "1", "-t", filter, "-C", &count.to_string(), "-W", &seconds.to_string()])
            .output()
            .context("mosquitto_sub could not be started")?;
        let lines: Vec<String> = String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect();
        if lines.len() < count {
            bail!(
                "{} of {count} messages came on {filter} within {seconds} s. {}{}",
                lines.len(),
                String::from_utf8_lossy(&output.stderr),
                self.log()
            );
        }
        Ok(lines)
    }

    /// Listens by mosquitto's own client from now on, until the value is dropped; [`Child::log`] has a line a message, topic
    /// first.
    ///
    /// # Errors
    /// When it cannot be started, or may not subscribe.
    pub fn listen(&self, filter: &str) -> Result<Child> {
        self.listen_with(filter, &["-v"])
    }

    /// As [`Broker::listen`], with other arguments for `mosquitto_sub` than that it tells the topic.
    ///
    /// # Errors
    /// As [`Broker::listen`].
    pub fn listen_with(&self, filter: &str, arguments: &[&str]) -> Result<Child> {
        let log = self.directory.path().join(format!("listener-{}", net::free_port()?));
        let output = std::fs::File::create(&log)?;
        self.listening(filter, arguments, output.into(), &log)
    }

    /// As [`Broker::listen_with`], with what comes to be read line by line: [`Child::take_output`].
    pub(crate) fn listen_to(&self, filter: &str, arguments: &[&str]) -> Result<Child> {
        let log = self.directory.path().join(format!("listener-{}", net::free_port()?));
        self.listening(filter, arguments, Stdio::piped(), &log)
    }

    fn listening(&self, filter: &str, arguments: &[&str], output: Stdio, log: &Path) -> Result<Child> {
        let name = log.file_name().context("a log without a name")?.to_string_lossy();
        let client = self.client("mosquitto_sub");
        let mut command = Child::command(client.get_program());
        command.args(client.get_args()).args(["-i", &name, "-q", "1", "-t", filter]).args(arguments);
        let child = Child::start(command.stdout(output), log)?;
        let qos = arguments.iter().skip_while(|argument| **argument != "-q").nth(1).unwrap_or(&"1");
        let subscribed = format!(": {name} {qos} {filter}");
        soon(&format!("line '{subscribed}' of the broker"), SUBSCRIBED_WITHIN, || {
            self.log().contains(&subscribed).then_some(())
        })
        .with_context(|| child.log())?;
        Ok(child)
    }

    pub(crate) fn client(&self, name: &str) -> Command {
        let mut command = Command::new(name);
        command.args(["-V", "mqttv5", "-h", "localhost", "-p", &self.port.to_string()]);
        if let Some((ca, identity)) = &self.tls {
            command.arg("--cafile").arg(ca).arg("--cert").arg(&identity.certificate).arg("--key").arg(&identity.key);
        }
        command
    }
}

/// Debian keeps it where only root's path leads.
fn mosquitto() -> &'static str {
    if Path::new("/usr/sbin/mosquitto").exists() { "/usr/sbin/mosquitto" } else { "mosquitto" }
}

fn access_list_in(directory: &Path) -> PathBuf {
    directory.join("access-list")
}

fn configuration(settings: &Settings<'_>, port: u16, websocket_port: Option<u16>, directory: &Path) -> Result<String> {
    let mut lines = vec![
        // Who is let in is decided by the certificate alone.
        "allow_anonymous true".to_owned(),
        "set_tcp_nodelay true".to_owned(),
        "log_dest stderr".to_owned(),
        "log_type error\nlog_type warning\nlog_type notice\nlog_type information\nlog_type subscribe".to_owned(),
    ];
    if rustix::process::getuid().is_root() {
        // Otherwise it becomes the user mosquitto, who cannot read our keys.
        lines.push("user root".to_owned());
    }
    if settings.persistent {
        lines.push("persistence true".to_owned());
        lines.push(format!("persistence_location {}/", directory.display()));
        // Every change is written: by default that is done twice an hour.
        lines.push("autosave_on_changes true".to_owned());
        lines.push("autosave_interval 1".to_owned());
    }
    if let Some(access_list) = settings.access_list {
        let path = access_list_in(directory);
        std::fs::write(&path, access_list)?;
        lines.push(format!("acl_file {}", path.display()));
    }
    if !settings.users.is_empty() {
        lines.push(format!("password_file {}", passwords(settings.users, directory)?.display()));
    }
    lines.push(settings.more.to_owned());
    lines.push(format!("listener {port} 127.0.0.1"));
    lines.extend(shielding(settings));
    if let Some(port) = websocket_port {
        lines.push(format!("listener {port} 127.0.0.1"));
        lines.push("protocol websockets".to_owned());
        lines.extend(shielding(settings));
    }
    lines.push(String::new());
    Ok(lines.join("\n"))
}

/// What protects a listener: it stands below each.
fn shielding(settings: &Settings<'_>) -> Vec<String> {
    let Some(certificates) = settings.tls else { return Vec::new() };
    let server = settings.server.as_ref().unwrap_or(&certificates.server);
    vec![
        format!("cafile {}", certificates.ca.display()),
        format!("certfile {}", server.certificate.display()),
        format!("keyfile {}", server.key.display()),
        "require_certificate true".to_owned(),
        format!("use_identity_as_username {}", settings.users.is_empty()),
    ]
}

fn passwords(users: &[(&str, &str)], directory: &Path) -> Result<PathBuf> {
    let path = directory.join("passwords");
    std::fs::write(&path, "")?;
    for (name, password) in users {
        let mut command = Command::new("mosquitto_passwd");
        let made = command.arg("-b").arg(&path).args([name, password]).output()?;
        ensure!(made.status.success(), "mosquitto_passwd: {}", String::from_utf8_lossy(&made.stderr));
    }
    Ok(path)
}
