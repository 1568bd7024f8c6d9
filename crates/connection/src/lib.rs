//! The definition of a connection: its ID, profile, settings, address, broker preset, mode, trust, and kinds of
//! secrets; and the validation of all of these.
//!
//! It opens no connection, reads no certificate, and has no clock. `wilco-mqtt` has the sessions, `wilco-credentials`
//! the files and the keyring, `wilco-store` the list of connections.

mod address;
mod enabled_dialect;
mod enabled_dialects;
mod has;
mod id;
mod mode;
mod preflight;
mod preset;
mod profile;
mod protection;
mod proxy;
mod secret;
mod settings;
mod trust;
mod typed;
mod version;

pub use address::{Address, Query, Scheme};
pub use enabled_dialect::EnabledDialect;
pub use enabled_dialects::EnabledDialects;
pub use has::Secrets;
pub use id::ConnectionId;
pub use mode::{Confirmation, Confirmed, ConnectionMode};
pub use preflight::{PreflightFinding, PreflightStep, PreflightView, Step, StepState};
pub use preset::{Bounds, Preset, PresetView, SecondsRange, TransportOption};
pub use profile::{
    Profile, client_id, device_id, dialect, filters, has_secrets, is_aws, is_made_client_id, made_client_id,
};
pub use proxy::{Proxy, ProxyKind};
pub use secret::{Secret, SecretKind};
pub use settings::{ConnectionSettings, ProxySettings};
pub use trust::Trust;
pub use typed::bracketed;
pub use version::MqttVersion;
