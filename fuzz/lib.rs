//! What the targets have in common: one file as it would be brought, and all that is asked of it.

use std::{path::Path, sync::LazyLock};

use tempfile::NamedTempFile;
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

/// Hands over a file with that content, in memory where there is a file system for it.
pub fn in_a_file(content: &[u8], read: impl FnOnce(&Path)) {
    static FILE: LazyLock<NamedTempFile> = LazyLock::new(|| {
        let memory = Path::new("/dev/shm");
        let file = if memory.is_dir() { NamedTempFile::new_in(memory) } else { NamedTempFile::new() };
        file.expect("a temporary file")
    });
    std::fs::write(FILE.path(), content).expect("written");
    read(FILE.path());
}
