//! The options of `wilco connections`.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};
use wilco_engine::api::ConnectionMode;

use super::{
    Listing, Switch,
    broker::{BrokerOptions, DESCRIBING, IdentityOptions, SECRETS},
    words,
};

#[derive(Debug, Subcommand)]
pub(crate) enum ConnectionTask {
    /// Add a connection; its secrets are stored in the keyring
    #[command(after_help = format!("\
Examples:
  wilco connections add bench --url mqtt://localhost
  wilco connections add plant --url mqtts://broker.example.net:8883 --ca ca.pem --cert me.pem --key me.key
  wilco connections add field --url wss://broker.example.net/mqtt --pkcs12 me.p12 --proxy http://proxy:3128
  wilco connections add aws --preset aws --url mqtts://a1b2c3-ats.iot.eu-central-1.amazonaws.com \\
      --kit connect_device_package.zip
  printf '%s\\n' \"$PASSWORD\" | wilco connections add site --url mqtts://broker --username ops --password-stdin

{SECRETS}"))]
    Add(Box<AddOptions>),
    /// List the connections
    List {
        /// Output format
        #[arg(long, value_enum, default_value_t)]
        output: Listing,
    },
    /// Edit a connection: only the options given are changed, and an empty value removes a setting
    #[command(after_help = format!("\
Examples:
  wilco connections edit plant --url mqtts://broker.example.net:443 --alpn mqtt
  wilco connections edit plant --rename works --only-device pump-7 --only-device pump-8
  wilco connections edit plant --no-proxy --no-password
  wilco connections edit plant --mode protected

{SECRETS}"))]
    Edit(Box<EditOptions>),
    /// Copy a connection with its secrets, under a new client ID
    Duplicate {
        /// Name of the connection
        name: String,
    },
    /// Move a connection to another position in the list
    Move {
        /// Name of the connection
        name: String,
        /// Position, starting at 1
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        to: u32,
    },
    /// Test a connection step by step and explain any failure
    #[command(after_help = format!("\
Examples:
  wilco connections test plant
  wilco connections test plant --output json
  wilco connections test --url mqtts://broker.example.net --ca ca.pem --cert me.pem --key me.key

The test sends nothing to devices: it publishes only to its own test topic. Exit status: 0 if every step passed, 1 if one
failed, 2 if the test could not start. Testing a --url needs no keyring.
{SECRETS}"))]
    Test(Box<TestOptions>),
    /// Replace the client certificate of a connection
    #[command(after_help = "\
Examples:
  wilco connections renew plant --cert new.pem --key new.key
  wilco connections renew plant --pkcs12 new.p12

wilco prompts for the passphrase of encrypted files on a terminal, or reads it from standard input:
--passphrase-stdin.")]
    Renew {
        /// Name of the connection
        name: String,
        #[command(flatten)]
        identity: IdentityOptions,
    },
    /// Export connections to a file, for another computer
    #[command(after_help = "\
Examples:
  wilco connections export --to connections.json
  wilco connections export plant site --to plant.age --with-secrets

Without secrets this is a JSON file. With secrets it is an age file (https://age-encryption.org), encrypted with a
passphrase of at least 12 characters, which other programs can open too.")]
    Export(ExportOptions),
    /// Import connections from an exported file
    #[command(after_help = "\
Examples:
  wilco connections import connections.json
  printf '%s\\n' \"$PASSPHRASE\" | wilco connections import plant.age --passphrase-stdin

The import is all or nothing. A connection whose name is already in use gets a new name, and every connection gets a new
client ID.")]
    Import {
        /// The file
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Read the passphrase from the first line of standard input
        #[arg(long)]
        passphrase_stdin: bool,
    },
    /// Remove a connection, its secrets, its devices and its history
    Remove {
        /// Name of the connection
        name: String,
        /// Skip the confirmation
        #[arg(long, short)]
        yes: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct AddOptions {
    /// Name of the connection
    pub(crate) name: String,
    /// The broker: mqtts://HOST[:PORT], wss://HOST[:PORT]/PATH for a WebSocket, mqtt:// and ws:// without TLS
    #[arg(long, value_name = "URL")]
    pub(crate) url: String,
    /// Mode: normal, protected or read-only [default: normal]
    #[arg(long, value_name = "MODE", value_parser = words::mode())]
    pub(crate) mode: Option<ConnectionMode>,
    /// Name the operator in requests, for other consoles to see; off if not given
    #[arg(long, value_name = "on|off", value_enum)]
    pub(crate) send_operator: Option<Switch>,
    /// Make dangerous rollouts wait until a second installation approves them (wilco approval); off if not given
    #[arg(long, value_name = "on|off", value_enum)]
    pub(crate) approval: Option<Switch>,
    #[command(flatten)]
    pub(crate) broker: BrokerOptions,
}

#[derive(Debug, Args)]
pub(crate) struct EditOptions {
    /// Name of the connection
    pub(crate) name: String,
    /// New name
    #[arg(long, value_name = "NAME")]
    pub(crate) rename: Option<String>,
    /// The broker: mqtts://HOST[:PORT], wss://HOST[:PORT]/PATH for a WebSocket, mqtt:// and ws:// without TLS
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// Mode. Changing it to read-only cancels commands that were not sent yet, and pauses rollouts
    #[arg(long, value_name = "MODE", value_parser = words::mode())]
    pub(crate) mode: Option<ConnectionMode>,
    /// Name the operator in requests, for other consoles to see. The name is set in the app, under Settings
    #[arg(long, value_name = "on|off", value_enum)]
    pub(crate) send_operator: Option<Switch>,
    /// Make dangerous rollouts wait until a second installation approves them (wilco approval); rollouts that already
    /// wait are not affected
    #[arg(long, value_name = "on|off", value_enum)]
    pub(crate) approval: Option<Switch>,
    /// Remove the password
    #[arg(long, conflicts_with = "password_stdin")]
    pub(crate) no_password: bool,
    /// Remove the client and CA certificates, and trust this computer's roots
    #[arg(long)]
    pub(crate) no_certificates: bool,
    /// Remove the proxy
    #[arg(long, conflicts_with = "ProxyOptions")]
    pub(crate) no_proxy: bool,
    #[command(flatten)]
    pub(crate) broker: BrokerOptions,
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("which").required(true).args(["name", "url"]))]
pub(crate) struct TestOptions {
    /// Name of the connection
    #[arg(conflicts_with_all = DESCRIBING)]
    pub(crate) name: Option<String>,
    /// Test this broker without storing a connection; needs no keyring
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    #[command(flatten)]
    pub(crate) broker: BrokerOptions,
    /// Output format: text, or one JSON object
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Listing,
}

#[derive(Debug, Args)]
pub(crate) struct ExportOptions {
    /// Names of the connections; all if none is given
    #[arg(value_name = "NAME")]
    pub(crate) names: Vec<String>,
    /// The file to write
    #[arg(long, value_name = "FILE")]
    pub(crate) to: PathBuf,
    /// Include certificates, private keys and passwords, encrypted with a passphrase
    #[arg(long)]
    pub(crate) with_secrets: bool,
    /// Read the passphrase from the first line of standard input
    #[arg(long, requires = "with_secrets")]
    pub(crate) passphrase_stdin: bool,
    /// Replace an existing file
    #[arg(long)]
    pub(crate) force: bool,
}
