//! Certificates, keys and passwords: reading the files that a person was given, configuring TLS with them, and storing them
//! in the operating system's keyring.
//!
//! It knows no connection, no topic and no store. Secrets live in [`vault::Secret`], which reveals nothing and cannot be
//! serialised.

pub mod tls;
pub mod vault;
mod view;

pub use view::{CertificateView, FileRole, KitItem, KitItemKind, KitProblem, KitView, Trust};
