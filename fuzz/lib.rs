//! What the targets have in common: one file as it would be brought, and all that is asked of it.

use wilco_engine::{
    api::FileRole,
    tls::{Kit, Source},
};
use wilco_ledger::Timestamp;
use zeroize::Zeroizing;

/// Under which everything locked in the seeds is locked.
pub const PASSPHRASE: &str = "correct horse";

/// 2027-01-15: within the validity of the seeds.
const NOW: Timestamp = Timestamp(1_800_000_000_000);

/// Brings a file, opens it, shows it, uses it, and leaves each of its things out.
pub fn bring(content: &[u8]) {
    let roles = [FileRole::Any, FileRole::Certificate, FileRole::Key, FileRole::Authorities, FileRole::Server];
    // Most are brought without a role.
    let role = *roles.get(content.len() % 16).unwrap_or(&FileRole::Any);
    let mut kit = Kit::new();
    kit.add(Source { name: "file".into(), role, content: Zeroizing::new(content.to_vec()) });
    let before = kit.view("kit", NOW);
    if before.locked {
        kit.unlock(&Zeroizing::new(PASSPHRASE.to_owned()));
    }
    let view = kit.view("kit", NOW);
    assert_eq!(kit.credentials(NOW).is_ok(), view.usable);
    for item in view.items {
        kit.leave_out(item.id, NOW);
    }
    assert!(kit.view("kit", NOW).items.is_empty());
}
