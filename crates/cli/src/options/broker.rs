//! The options that describe a broker and the credentials for it, for every command that describes a connection.

use std::path::PathBuf;

use clap::Args;
use wilco_engine::api::{MqttVersion, Preset};

use super::words;
use crate::input;

/// The option groups that describe a connection, for options that conflict with them. clap ignores a group that contains
/// other groups, so these are the innermost ones.
pub(crate) const DESCRIBING: [&str; 5] =
    ["SessionOptions", "LoginOptions", "TrustOptions", "IdentityOptions", "ProxyOptions"];

/// How wilco reads secrets: part of the help of each command with [`BrokerOptions`].
pub(crate) const SECRETS: &str = "\
Secrets are never arguments. wilco prompts for them on a terminal, or reads them from standard input, one per line, in
this order: the passphrase of the files, the password, the proxy's password.";

/// The broker's side of a connection. Options that are not given have their defaults, or do not change.
#[derive(Debug, Default, PartialEq, Eq, Args)]
pub(crate) struct BrokerOptions {
    #[command(flatten)]
    pub(crate) session: SessionOptions,
    #[command(flatten, next_help_heading = "User name and password")]
    pub(crate) login: LoginOptions,
    #[command(flatten, next_help_heading = "TLS")]
    pub(crate) trust: TrustOptions,
    #[command(flatten, next_help_heading = "TLS")]
    pub(crate) identity: IdentityOptions,
    #[command(flatten, next_help_heading = "Proxy")]
    pub(crate) proxy: ProxyOptions,
}

/// The MQTT session, and its devices.
#[derive(Debug, Default, PartialEq, Eq, Args)]
pub(crate) struct SessionOptions {
    /// Kind of broker; Wilco observes its limits
    #[arg(long, value_name = "KIND", value_parser = words::preset())]
    pub(crate) preset: Option<Preset>,
    /// MQTT version; 5 if not given
    #[arg(long, value_name = "VERSION", value_parser = words::mqtt_version())]
    pub(crate) mqtt: Option<MqttVersion>,
    /// Client ID; generated if not given
    #[arg(long, value_name = "ID")]
    pub(crate) client_id: Option<String>,
    /// Keep-alive interval, such as 30s
    #[arg(long, value_name = "SPAN", value_parser = input::seconds::<u16>)]
    pub(crate) keep_alive: Option<u16>,
    /// How long the broker keeps the session and its answers while Wilco is disconnected, such as 1h, or 0
    #[arg(long, value_name = "SPAN", value_parser = input::seconds::<u32>)]
    pub(crate) session_expiry: Option<u32>,
    /// Subscribe to and command only this device, for brokers that allow only certain devices; repeatable
    #[arg(long, value_name = "DEVICE")]
    pub(crate) only_device: Vec<String>,
    /// Dialect of the devices, or a dialect file; repeatable (see wilco dialects list); wilco if not given
    #[arg(long, value_name = "DIALECT")]
    pub(crate) dialect: Vec<String>,
    /// Topic levels before the device ID, for example cmd/fleet-1
    #[arg(long, value_name = "PREFIX")]
    pub(crate) prefix: Option<String>,
}

/// A user name and its password.
#[derive(Debug, Default, PartialEq, Eq, Args)]
pub(crate) struct LoginOptions {
    /// User name; on a terminal wilco prompts for the password
    #[arg(long, value_name = "USER")]
    pub(crate) username: Option<String>,
    /// Read the password from a line of standard input
    #[arg(long)]
    pub(crate) password_stdin: bool,
}

/// Trusted certificates.
#[derive(Debug, Default, PartialEq, Eq, Args)]
pub(crate) struct TrustOptions {
    /// Trust the CA certificates in this file; repeatable. Default: this computer's roots and Amazon's
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Vec<PathBuf>,
    /// Trust this one server certificate and no other
    #[arg(long, value_name = "FILE", conflicts_with = "ca")]
    pub(crate) pin: Option<PathBuf>,
    /// Trust this computer's roots and Amazon's, and ignore CA certificates in the files
    #[arg(long, conflicts_with_all = ["ca", "pin"])]
    pub(crate) platform_roots: bool,
    /// Server name to verify (SNI), if it differs from the host in the URL
    #[arg(long, value_name = "NAME")]
    pub(crate) sni: Option<String>,
    /// ALPN protocol to offer; repeatable. AWS on port 443: x-amzn-mqtt-ca
    #[arg(long, value_name = "NAME")]
    pub(crate) alpn: Vec<String>,
}

/// The client certificate, in any supported form.
#[derive(Debug, Default, PartialEq, Eq, Args)]
pub(crate) struct IdentityOptions {
    /// Client certificate with its chain, PEM or DER
    #[arg(long, value_name = "FILE", conflicts_with_all = ["pkcs12", "kit"])]
    pub(crate) cert: Option<PathBuf>,
    /// Private key of the client certificate, PEM or DER, encrypted or not
    #[arg(long, value_name = "FILE", conflicts_with_all = ["pkcs12", "kit"])]
    pub(crate) key: Option<PathBuf>,
    /// PKCS#12 file (.p12, .pfx) with certificate and private key
    #[arg(long, value_name = "FILE", conflicts_with = "kit")]
    pub(crate) pkcs12: Option<PathBuf>,
    /// Zip archive with all files, such as connect_device_package.zip from the AWS console
    #[arg(long, value_name = "ZIP")]
    pub(crate) kit: Option<PathBuf>,
    /// Any of the files above, identified by its content; repeatable
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Vec<PathBuf>,
    /// Read the passphrase of encrypted files from a line of standard input
    #[arg(long)]
    pub(crate) passphrase_stdin: bool,
}

/// A proxy between Wilco and the broker.
#[derive(Debug, Default, PartialEq, Eq, Args)]
pub(crate) struct ProxyOptions {
    /// Proxy: http://HOST:PORT or socks5://HOST:PORT
    #[arg(long, value_name = "URL")]
    pub(crate) proxy: Option<String>,
    /// User name for the proxy; on a terminal wilco prompts for the password
    #[arg(long, value_name = "USER")]
    pub(crate) proxy_username: Option<String>,
    /// Read the proxy's password from a line of standard input
    #[arg(long)]
    pub(crate) proxy_password_stdin: bool,
}

impl BrokerOptions {
    /// Whether a secret is read from standard input.
    pub(crate) fn read_stdin(&self) -> bool {
        self.login.password_stdin || self.proxy.proxy_password_stdin || self.identity.passphrase_stdin
    }
}
