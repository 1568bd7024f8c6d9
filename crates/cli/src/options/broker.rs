//! What can be said of a broker and of how to be let in there: the same wherever a connection is described.

use std::path::PathBuf;

use clap::Args;

use super::{Kind, Version};
use crate::input;

/// The groups of options that describe a connection, for what does not go together with any of them. A group that has
/// others in it counts for nothing with clap, so these are the innermost ones.
pub(crate) const DESCRIBING: [&str; 5] =
    ["SessionOptions", "LoginOptions", "TrustOptions", "IdentityOptions", "ProxyOptions"];

/// How secrets come in, for the help of whatever takes [`BrokerOptions`].
pub(crate) const SECRETS: &str = "\
Secrets are asked for on a terminal, or read from standard input, a line each, in this order: the passphrase of the
files, the password, the proxy's password. They are never arguments.";

/// A broker's side of a connection. What is not given is as usual, or stays as it is.
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

/// How a broker is spoken to, and about which devices.
#[derive(Debug, Default, PartialEq, Eq, Args)]
pub(crate) struct SessionOptions {
    /// What kind of broker: its limits are kept to
    #[arg(long, value_name = "KIND", value_enum)]
    pub(crate) preset: Option<Kind>,
    /// The version of MQTT; 5 if it is not given
    #[arg(long, value_name = "VERSION", value_enum)]
    pub(crate) mqtt: Option<Version>,
    /// The client id; one is made if it is not given
    #[arg(long, value_name = "ID")]
    pub(crate) client_id: Option<String>,
    /// The time between two signs of life, such as 30s
    #[arg(long, value_name = "SPAN", value_parser = input::seconds::<u16>)]
    pub(crate) keep_alive: Option<u16>,
    /// How long the broker keeps answers while nobody is here to hear them, such as 1h, or 0
    #[arg(long, value_name = "SPAN", value_parser = input::seconds::<u32>)]
    pub(crate) session_expiry: Option<u32>,
    /// Listen to and command only this device, for a broker that allows no more; may be given several times
    #[arg(long, value_name = "DEVICE")]
    pub(crate) only_device: Vec<String>,
    /// How this kind of device is spoken to: wilco or text
    #[arg(long, value_name = "DIALECT")]
    pub(crate) dialect: Option<String>,
    /// Levels before the device's id in each topic, for instance cmd/fleet-1
    #[arg(long, value_name = "PREFIX")]
    pub(crate) prefix: Option<String>,
}

/// A user name and its password.
#[derive(Debug, Default, PartialEq, Eq, Args)]
pub(crate) struct LoginOptions {
    /// The user name; on a terminal its password is asked for
    #[arg(long, value_name = "USER")]
    pub(crate) username: Option<String>,
    /// Read the password from a line of standard input
    #[arg(long)]
    pub(crate) password_stdin: bool,
}

/// Whom to trust.
#[derive(Debug, Default, PartialEq, Eq, Args)]
pub(crate) struct TrustOptions {
    /// Trust the authorities in this file; may be given several times. Without any, this computer's roots and Amazon's
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Vec<PathBuf>,
    /// Trust this one server certificate and no other
    #[arg(long, value_name = "FILE", conflicts_with = "ca")]
    pub(crate) pin: Option<PathBuf>,
    /// Trust this computer's roots and Amazon's, whatever authorities the files bring
    #[arg(long, conflicts_with_all = ["ca", "pin"])]
    pub(crate) platform_roots: bool,
    /// The name that the server must prove (SNI), where it is not the one dialled
    #[arg(long, value_name = "NAME")]
    pub(crate) sni: Option<String>,
    /// A protocol to offer in the handshake (ALPN); may be given several times. AWS on port 443: x-amzn-mqtt-ca
    #[arg(long, value_name = "NAME")]
    pub(crate) alpn: Vec<String>,
}

/// The client certificate, in whatever form it came.
#[derive(Debug, Default, PartialEq, Eq, Args)]
pub(crate) struct IdentityOptions {
    /// The client certificate with its chain, PEM or DER
    #[arg(long, value_name = "FILE", conflicts_with_all = ["pkcs12", "kit"])]
    pub(crate) cert: Option<PathBuf>,
    /// The client certificate's private key, PEM or DER, encrypted or not
    #[arg(long, value_name = "FILE", conflicts_with_all = ["pkcs12", "kit"])]
    pub(crate) key: Option<PathBuf>,
    /// A PKCS#12 file (.p12, .pfx) with both
    #[arg(long, value_name = "FILE", conflicts_with = "kit")]
    pub(crate) pkcs12: Option<PathBuf>,
    /// A zip archive with all that is needed, such as connect_device_package.zip from the AWS console
    #[arg(long, value_name = "ZIP")]
    pub(crate) kit: Option<PathBuf>,
    /// Any file of these kinds, known by what is in it; may be given several times
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Vec<PathBuf>,
    /// Read the passphrase of what is locked from a line of standard input
    #[arg(long)]
    pub(crate) passphrase_stdin: bool,
}

/// A proxy on the way.
#[derive(Debug, Default, PartialEq, Eq, Args)]
pub(crate) struct ProxyOptions {
    /// The proxy: http://HOST:PORT or socks5://HOST:PORT
    #[arg(long, value_name = "URL")]
    pub(crate) proxy: Option<String>,
    /// The user name it asks for; on a terminal its password is asked for
    #[arg(long, value_name = "USER")]
    pub(crate) proxy_username: Option<String>,
    /// Read the proxy's password from a line of standard input
    #[arg(long)]
    pub(crate) proxy_password_stdin: bool,
}

impl BrokerOptions {
    /// Some secret is written on standard input.
    pub(crate) fn read_stdin(&self) -> bool {
        self.login.password_stdin || self.proxy.proxy_password_stdin || self.identity.passphrase_stdin
    }
}
