//! The planted secrets: keys in every kind of file, and typed passwords.

use std::path::PathBuf;

use anyhow::Result;
use wilco_tests::{Certificates, Identity, openssl};

use super::canary::Canaries;

/// Files and words with secrets in them.
pub(super) struct PlantedSecrets {
    pub(super) console: Identity,
    pub(super) renewed: Identity,
    /// Under [`PlantedSecrets::passphrase`].
    pub(super) pkcs12: PathBuf,
    /// Under [`PlantedSecrets::passphrase`].
    pub(super) locked: PathBuf,
    pub(super) damaged: Vec<PathBuf>,
    pub(super) passphrase: String,
    pub(super) wrong: String,
    pub(super) password: String,
    pub(super) other_password: String,
    pub(super) proxy_password: String,
    pub(super) export_passphrase: String,
}

impl PlantedSecrets {
    pub(super) fn new(canaries: &mut Canaries, certificates: &Certificates) -> Result<PlantedSecrets> {
        let [console, renewed, packed] = ["console-1", "console-2", "console-3"].map(|name| certificates.issue(name));
        let (console, renewed, packed) = (console?, renewed?, packed?);
        for (name, identity) in [("key", &console), ("renewed key", &renewed), ("packed key", &packed)] {
            canaries.key(name, &identity.key)?;
        }
        let passphrase = canaries.word("passphrase");
        let at = |name: &str| certificates.directory().join(name);
        let word = format!("pass:{passphrase}");
        openssl(
            &["pkcs12", "-export", "-passout", &word],
            &[("-in", &packed.certificate), ("-inkey", &packed.key), ("-out", &at("packed.p12"))],
        )?;
        openssl(&["pkcs8", "-topk8", "-passout", &word], &[("-in", &packed.key), ("-out", &at("locked.pem"))])?;
        let key = std::fs::read_to_string(&console.key)?;
        let mut damaged = Vec::new();
        for (name, content) in [
            ("cut.pem", key[..key.len() - 40].to_owned()),
            ("unclosed.pem", key.replace("-----END", "-----FIN")),
            ("mistyped.pem", key.replacen("MIG", "M!G", 1)),
            ("letter.txt", format!("Here is my key, please help:\n{}", key.replace("-----", ""))),
        ] {
            std::fs::write(at(name), content)?;
            damaged.push(at(name));
        }
        Ok(PlantedSecrets {
            console,
            renewed,
            pkcs12: at("packed.p12"),
            locked: at("locked.pem"),
            damaged,
            passphrase,
            wrong: canaries.word("wrong-passphrase"),
            password: canaries.word("password"),
            other_password: canaries.word("other-password"),
            proxy_password: canaries.word("proxy-password"),
            export_passphrase: canaries.word("export-passphrase"),
        })
    }
}
