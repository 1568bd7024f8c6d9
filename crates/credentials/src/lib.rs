//! Certificates, keys and passwords: reading the files that a person was given, configuring TLS with them, and storing them
//! in the operating system's keyring.
//!
//! It knows no session, no topic and no store. Secrets live in [`vault::Secret`], which reveals nothing and cannot be
//! serialised.

mod bundle;
pub mod signing;
pub mod tls;
pub mod vault;
mod view;

pub use bundle::Bundle;
pub use view::{CertificateView, FileRole, KitItem, KitItemKind, KitProblem, KitView};
pub use wilco_connection::Trust;
