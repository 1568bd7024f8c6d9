//! Certificates, keys and passwords: reads the files of a user, configures TLS with them, and stores them in the operating
//! system's keyring.
//!
//! It knows no session, no topic and no store. [`vault::Secret`] holds secrets; it cannot be printed or serialised.

mod bundle;
pub mod signing;
pub mod tls;
pub mod vault;
mod view;

pub use bundle::Bundle;
pub use view::{CertificateView, FileRole, KitItem, KitItemKind, KitProblem, KitView};
pub use wilco_connection::Trust;
