//! What can be asked of connections.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};

use super::{
    Listing,
    broker::{BrokerOptions, DESCRIBING, IdentityOptions, SECRETS},
};

#[derive(Debug, Subcommand)]
pub(crate) enum ConnectionTask {
    /// Add a connection; its files are read once, and secrets go to the keyring
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
        /// How to print them
        #[arg(long, value_enum, default_value_t)]
        output: Listing,
    },
    /// Change a connection: only what is given changes, and an empty text takes away what was there
    #[command(after_help = format!("\
Examples:
  wilco connections edit plant --url mqtts://broker.example.net:443 --alpn mqtt
  wilco connections edit plant --rename works --only-device pump-7 --only-device pump-8
  wilco connections edit plant --no-proxy --no-password

{SECRETS}"))]
    Edit(Box<EditOptions>),
    /// Add a connection like one that is there, with its secrets, under a client id of its own
    Duplicate {
        /// Its name
        name: String,
    },
    /// Put a connection at another place in the list
    Move {
        /// Its name
        name: String,
        /// The place, counted from 1
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        to: u32,
    },
    /// Try a connection step by step, and explain what does not work
    #[command(after_help = format!("\
Examples:
  wilco connections test plant
  wilco connections test plant --output json
  wilco connections test --url mqtts://broker.example.net --ca ca.pem --cert me.pem --key me.key

It touches no device: what it publishes goes to a topic of its own. It ends with 0 if every step passed, 1 if one did
not, 2 if it did not come to a try. A connection that is not stored needs no keyring.
{SECRETS}"))]
    Test(Box<TestOptions>),
    /// Give a connection another client certificate; all else stays
    #[command(after_help = "\
Examples:
  wilco connections renew plant --cert new.pem --key new.key
  wilco connections renew plant --pkcs12 new.p12

The passphrase of what is locked is asked for on a terminal, or read from standard input: --passphrase-stdin.")]
    Renew {
        /// Its name
        name: String,
        #[command(flatten)]
        identity: IdentityOptions,
    },
    /// Write connections to a file, to be taken to another computer
    #[command(after_help = "\
Examples:
  wilco connections export --to connections.json
  wilco connections export plant site --to plant.age --with-secrets

Without secrets it is a JSON file. With them it is encrypted under a passphrase, of 12 characters at least, as an age
file (https://age-encryption.org), which other programs can open too.")]
    Export(ExportOptions),
    /// Add the connections of an exported file
    #[command(after_help = "\
Examples:
  wilco connections import connections.json
  printf '%s\\n' \"$PASSPHRASE\" | wilco connections import plant.age --passphrase-stdin

All of them are added or none. One whose name is taken gets another; each gets a client id of its own.")]
    Import {
        /// The file
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Read the passphrase from the first line of standard input
        #[arg(long)]
        passphrase_stdin: bool,
    },
    /// Remove a connection with its secrets, its devices and its history
    Remove {
        /// Its name
        name: String,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct AddOptions {
    /// What it is to be called
    pub(crate) name: String,
    /// The broker: mqtts://HOST[:PORT], wss://HOST[:PORT]/PATH for a WebSocket, mqtt:// and ws:// without TLS
    #[arg(long, value_name = "URL")]
    pub(crate) url: String,
    #[command(flatten)]
    pub(crate) broker: BrokerOptions,
}

#[derive(Debug, Args)]
pub(crate) struct EditOptions {
    /// Its name
    pub(crate) name: String,
    /// What it is to be called from now on
    #[arg(long, value_name = "NAME")]
    pub(crate) rename: Option<String>,
    /// The broker: mqtts://HOST[:PORT], wss://HOST[:PORT]/PATH for a WebSocket, mqtt:// and ws:// without TLS
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// Forget the password
    #[arg(long, conflicts_with = "password_stdin")]
    pub(crate) no_password: bool,
    /// Forget the client certificate, and whom to trust but this computer's roots
    #[arg(long)]
    pub(crate) no_certificates: bool,
    /// Go there without a proxy
    #[arg(long, conflicts_with = "ProxyOptions")]
    pub(crate) no_proxy: bool,
    #[command(flatten)]
    pub(crate) broker: BrokerOptions,
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("which").required(true).args(["name", "url"]))]
pub(crate) struct TestOptions {
    /// Its name
    #[arg(conflicts_with_all = DESCRIBING)]
    pub(crate) name: Option<String>,
    /// A broker that is not stored: nothing is kept of it, and no keyring is needed
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    #[command(flatten)]
    pub(crate) broker: BrokerOptions,
    /// Lines for people, or all of it as one JSON object
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Listing,
}

#[derive(Debug, Args)]
pub(crate) struct ExportOptions {
    /// Their names; all of them if none is given
    #[arg(value_name = "NAME")]
    pub(crate) names: Vec<String>,
    /// The file to write
    #[arg(long, value_name = "FILE")]
    pub(crate) to: PathBuf,
    /// With certificates, private keys and passwords, under a passphrase that is asked for
    #[arg(long)]
    pub(crate) with_secrets: bool,
    /// Read the passphrase from the first line of standard input
    #[arg(long, requires = "with_secrets")]
    pub(crate) passphrase_stdin: bool,
    /// Replace a file that is there
    #[arg(long)]
    pub(crate) force: bool,
}
